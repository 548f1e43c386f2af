/** Reads sentences by the teller's own patterns: which events a sentence can mean, and with which references. */
import { type Compiled, events } from './events/index.js'
import { match, type Ref } from './grammar/match.js'
import { isChoice, type Node, type Pattern } from './grammar/pattern.js'
import { allJoints, allOpeners } from './openers.js'

/** One clause as one event. `elided`: its subject is that of the clause before. */
export interface Reading {
  readonly event: Compiled
  readonly pattern: Pattern
  readonly refs: readonly Ref[]
  readonly elided: boolean
}

/**
 * Sentences of a text, paragraph by paragraph. A quotation stays with the words that say who speaks, and is not cut.
 * What is left without an end mark (a title, a text broken off) is a sentence, too.
 */
export function sentences(text: string): string[][] {
  return text
    .split(/\n\s*\n|\n/)
    .map(paragraph => cut(paragraph.trim()))
    .filter(list => list.length > 0)
}

function cut(text: string): string[] {
  const out: string[] = []
  let start = 0
  let quoted = false
  let opened = 0
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (char === '"') {
      quoted = !quoted
      if (quoted) opened = i
      // A quotation that ends a sentence: `…!" cried Mia.` goes on, `…!" Mia …` may or may not.
      if (quoted || !/[.!?]/.test(text[i - 1] ?? '')) continue
      if (i + 1 < text.length && !(text[i + 1] === ' ' && /^(["A-Z])/.test(text.slice(i + 2)))) continue
      // `…, "No!"`: who speaks came first.
      const told = opened > start + 1 && text[opened - 2] === ','
      if (
        !told &&
        /^ (?:[A-Z][a-z]+|He|She|They) (?:(?:often|then|only) )?(?:said|cried|asked|called|shouted|whispered|thought|sighed|told|answered|begged|mumbled|laughed|wondered|sobbed|began|decided)\b/.test(
          text.slice(i + 1),
        )
      )
        continue
      out.push(text.slice(start, i + 1).trim())
      start = i + 1
    } else if (
      !quoted &&
      (char === '.' || char === '!' || char === '?') &&
      (i + 1 === text.length || text[i + 1] === ' ')
    ) {
      out.push(text.slice(start, i + 1).trim())
      start = i + 1
    }
  }
  if (text.slice(start).trim()) out.push(text.slice(start).trim())
  return out
}

interface Entry {
  readonly event: Compiled
  readonly pattern: Pattern
}

let shelves: Map<string, Entry[]> | undefined

/** Whole words that every text of these nodes contains, each as a list of which one is there. */
function anchors(nodes: readonly Node[]): string[][] {
  const found: string[][] = []
  nodes.forEach((node, i) => {
    if (typeof node === 'string') {
      const words = node.split(/[^A-Za-z]+/)
      words.forEach((word, j) => {
        const whole = (j > 0 || i === 0 || /^[^A-Za-z]/.test(node)) && (j < words.length - 1 || i === nodes.length - 1)
        if (word.length > 1 && whole) found.push([word.toLowerCase()])
      })
    } else if (isChoice(node)) {
      const before = nodes[i - 1]
      const after = nodes[i + 1]
      const open =
        (typeof before === 'string' && /[A-Za-z]$/.test(before)) ||
        (typeof after === 'string' && /^[A-Za-z]/.test(after))
      const inner = node.options.map(option => anchors(option)[0])
      if (!open && inner.every(list => list !== undefined)) found.push([...new Set(inner.flat())])
    }
  })
  return found
}

/** Every pattern under the rarest word it cannot do without. */
function shelve(): Map<string, Entry[]> {
  const all: { entry: Entry; words: string[][] }[] = []
  const counts = new Map<string, number>()
  for (const event of events().values())
    for (const pattern of event.patterns) {
      const words = anchors(pattern.nodes)
      all.push({ entry: { event, pattern }, words })
      for (const word of new Set(words.flat())) counts.set(word, (counts.get(word) ?? 0) + 1)
    }
  const map = new Map<string, Entry[]>()
  for (const { entry, words } of all) {
    const cost = (list: string[]): number => list.reduce((sum, word) => sum + counts.get(word)!, 0)
    const best = words.reduce<string[] | undefined>((a, b) => (a && cost(a) <= cost(b) ? a : b), undefined) ?? ['']
    for (const word of best) {
      if (!map.has(word)) map.set(word, [])
      map.get(word)!.push(entry)
    }
  }
  return map
}

function readClause(text: string, whole: boolean, elided: boolean): Reading[] {
  shelves ??= shelve()
  const out: Reading[] = []
  const seen = new Set<string>(['', ...text.toLowerCase().split(/[^a-z]+/)])
  const bare = whole && text.endsWith('.') ? text.slice(0, -1) : text
  for (const word of seen)
    for (const { event, pattern } of shelves.get(word) ?? []) {
      if (pattern.sentence && !whole) continue
      if (elided && !pattern.subject) continue
      const refs = match(pattern, pattern.sentence ? text : bare, event.definition, elided)
      if (refs) out.push({ event, pattern, refs, elided })
    }
  return out
}

/** In characters: more than twice what the world's longest sentence has. No longer one is tried, which takes its square. */
const longest = 400

/** The ways to read a sentence: each a list of clauses. Empty when the world's grammar does not know it. */
export function readSentence(sentence: string): Reading[][] {
  const out: Reading[][] = []
  if (sentence.length > longest) return out
  for (const opener of ['', ...allOpeners]) {
    if (!sentence.startsWith(opener)) continue
    const rest = sentence.slice(opener.length)
    for (const reading of readClause(rest, true, false)) if (!opener || reading.pattern.open) out.push([reading])
    if (out.length > 0) continue
    for (const joint of allJoints)
      for (let at = rest.indexOf(joint); at > 0; at = rest.indexOf(joint, at + 1)) {
        const left = readClause(rest.slice(0, at), false, false)
        if (left.length === 0) continue
        const right = rest.slice(at + joint.length)
        const tails = [...readClause(right, true, false), ...readClause(right, true, true)]
        for (const one of left) for (const two of tails) if (two.pattern.open) out.push([one, two])
      }
  }
  return out
}
