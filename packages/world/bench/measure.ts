// Variety and speed of what is generated, over MEGABYTES (default 200) of stories, into bench/results/world.json.
// Repetition is measured exactly on 64-bit hashes of sentences and of sampled word windows (1 of 16 by hash).
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { story } from '../src/index.js'
import { sentences } from '../src/reader.js'

const megabytes = Number(process.argv[2] ?? 200)
const seed = 1

/** Open addressing over pairs of 32-bit hashes. */
class Seen {
  #high: Uint32Array
  #low: Uint32Array
  size = 0
  constructor(bits: number) {
    this.#high = new Uint32Array(2 ** bits)
    this.#low = new Uint32Array(2 ** bits)
  }
  /** Whether it was there already. */
  add(high: number, low: number): boolean {
    const mask = this.#high.length - 1
    for (let at = low & mask; ; at = (at + 1) & mask) {
      if (this.#high[at] === 0 && this.#low[at] === 0) {
        this.#high[at] = high | 1
        this.#low[at] = low
        this.size++
        return false
      }
      if (this.#high[at] === (high | 1) >>> 0 && this.#low[at] === low) return true
    }
  }
}

const hash = (text: string): [number, number] => {
  let a = 0x811c9dc5
  let b = 0x1b873593
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x01000193)
    b = Math.imul(b ^ code, 0x85ebca6b)
    b ^= b >>> 13
  }
  return [a >>> 0, b >>> 0]
}

const sentencesSeen = new Seen(24)
const grams = [4, 8, 12].map(n => ({ n, seen: new Seen(23), total: 0 }))
const openings = new Seen(22)
const types = new Map<string, number>()
let bytes = 0
let stories = 0
let words = 0
let total = 0
let repeated = 0
let repeatedBytes = 0
let opened = 0
let generating = 0
while (bytes < megabytes * 1e6) {
  const start = performance.now()
  const { text } = story(seed, stories++)
  generating += performance.now() - start
  bytes += text.length + 1
  const list = sentences(text)
    .flat()
    .filter(sentence => /[.!?"]$/.test(sentence))
  list.forEach((sentence, i) => {
    if (!sentence) return
    total++
    const again = sentencesSeen.add(...hash(sentence))
    if (again) {
      repeated++
      repeatedBytes += sentence.length
    }
    if (i === 0 && openings.add(...hash(sentence))) opened++
  })
  const tokens = text.match(/[A-Za-z'-]+|[.,!?":;]/g)!
  for (const token of tokens)
    if (/^[A-Za-z]/.test(token)) {
      words++
      const word = token.toLowerCase()
      types.set(word, (types.get(word) ?? 0) + 1)
    }
  for (const gram of grams)
    for (let i = 0; i + gram.n <= tokens.length; i++) {
      const [a, b] = hash(tokens.slice(i, i + gram.n).join(' '))
      if (b >>> 28 !== 0) continue
      gram.total++
      gram.seen.add(a, b)
    }
}
const result = JSON.stringify(
  {
    machine: cpus()[0]?.model,
    node: process.version,
    megabytes: bytes / 1e6,
    stories,
    wordsPerStory: words / stories,
    sentencesPerStory: total / stories,
    wordTypes: types.size,
    wordTypesMoreThan100: [...types.values()].filter(count => count > 100).length,
    sentencesSeenBefore: repeated / total,
    bytesInSentencesSeenBefore: repeatedBytes / bytes,
    openingsSeenBefore: opened / stories,
    distinct: Object.fromEntries(
      grams.map(({ n, seen, total }) => [`${n}-grams`, { share: seen.size / total, about: seen.size * 16 }]),
    ),
    megabytesPerSecond: bytes / 1e3 / generating,
  },
  null,
  2,
)
// Beside this file, not wherever it was started: from another folder it would write outside the project.
writeFileSync(new URL('../../../bench/results/world.json', import.meta.url), `${result}\n`)
console.log(result)
