import { describe, expect, test } from 'vitest'
import { byteVocabulary } from '../../test/vocabulary.js'
import { chain } from '../chain.js'
import {
  choices,
  constrain,
  GrammarError,
  GrammarMatcher,
  GrammarVocabulary,
  gbnf,
  json,
  jsonSchema,
  regex,
} from '../grammar.js'
import { categorical, greedy } from '../pick.js'
import { Random } from '../random.js'

describe('GBNF', () => {
  const cases: [title: string, source: string, pass: string[], fail: string[]][] = [
    ['literals and alternatives', 'root ::= "a" ("b" | "c") "d"?', ['ab', 'acd'], ['a', 'ad', 'abdd', '']],
    ['repetitions', 'root ::= [a-z]{2,3} "-"* [0-9]+ "!"{2}', ['ab1!!', 'abc--12!!'], ['a1!!', 'abcd1!!', 'ab1!']],
    ['large counts', 'root ::= [a-zé]{50,60}', ['é'.repeat(50), 'a'.repeat(60)], ['a'.repeat(49), 'é'.repeat(61)]],
    ['negated classes, any character', 'root ::= [^"\\n]* "\\"" .', ['ab"c', '"é', '日本"語'], ['"', 'a\n"b']],
    ['recursion', 'root ::= "(" root ")" | ""', ['', '(())'], ['(', '())', ')(']],
    ['right recursion', 'root ::= "a" root | "b"', ['b', `${'a'.repeat(500)}b`], ['a', 'ba']],
    [
      'expressions over lines, with comments',
      'root  ::= (expr "=" ws term "\\n")+ # lines\nexpr  ::= term ([-+*/] term)*\nterm  ::= ident | num | "(" ws expr ")" ws\n' +
        'ident ::= [a-z] [a-z0-9_]* ws\nnum   ::= [0-9]+ ws\nws    ::= [ \\t\\n]*',
      ['42*(a+b)=x\n', 'a=b\n', 'a=1\nb=(2)\n'],
      ['42', '=a\n', 'a=(b\n', 'a=b'],
    ],
    ['alternatives on new lines', 'root ::= "a"\n  | "b"\n  | x\nx ::= "c"', ['a', 'b', 'c'], ['d', 'ab']],
    ['escapes', 'root ::= "\\x41\\u00e9\\U0001F600\\\\" [\\]\\-]', ['Aé😀\\]', 'Aé😀\\-'], ['A']],
    ['an alternative that cannot end is left out', 'root ::= "a" | "b" x\nx ::= "c" x', ['a'], ['b', 'bc']],
  ]
  for (const [title, source, pass, fail] of cases) {
    test(title, () => {
      const grammar = gbnf(source)
      for (const text of pass) expect([text, grammar.matches(text)]).toEqual([text, true])
      for (const text of fail) expect([text, grammar.matches(text)]).toEqual([text, false])
    })
  }

  test('errors say where', () => {
    for (const [source, message] of [
      ['root ::= "a', /got the end at line 1, column 12, expected a closing quote/],
      ['root ::= x', /the undefined rule "x" at line 1, column 10/],
      ['start ::= "a"', /no rule "root"/],
      ['root ::= root "a" | "b"', /the rule "root", which begins with itself/],
      ['root ::= a "x" | "z"\na ::= "y"? root', /begins with itself/],
      ['root ::= "a" root', /matches no finite text/],
      ['root ::= [z-a]', /a range that falls/],
      ['root ::= "a"{3,2}', /\{3,2\}/],
      ['root = "a"', /expected "::="/],
      ['root ::= <think>', /which is not known as a token/],
      ['', /no rule "root"/],
    ] as const) {
      expect(() => gbnf(source)).toThrow(GrammarError)
      expect(() => gbnf(source)).toThrow(message)
    }
  })
})

describe('regex', () => {
  test('anchors hold as often as they are asked, and nowhere else', () => {
    const texts = ['', 'a', 'b', 'ab', 'ba', 'aa', '\n']
    for (const source of [
      '^^a',
      '^(^a|^b)$',
      '(?:^){2}a',
      'a$$',
      '(a$|b$)$',
      '$^',
      '^$',
      'x?^',
      '(^|b)a',
      'a|^$',
      '$a^',
    ]) {
      const [whole, search] = [new RegExp(`^(?:${source})$`, 'u'), new RegExp(source, 'u')]
      for (const text of texts) {
        const matched = (matches: () => boolean): boolean => {
          try {
            return matches()
          } catch (error) {
            if (/matches no finite text/.test(String(error))) return false
            throw error
          }
        }
        const got = matched(() => regex(source).matches(text))
        expect([source, text, got]).toEqual([source, text, whole.test(text)])
        const found = matched(() => jsonSchema({ pattern: source }).matches(JSON.stringify(text)))
        expect([source, text, found]).toEqual([source, text, search.test(text)])
      }
    }
  })

  const cases: [RegExp, string[], string[]][] = [
    [/[A-Z][a-z]+ \d{4}/, ['Paris 1889'], ['paris 1889', 'Paris 18890']],
    [/(?:a|bc)*d?/, ['', 'abca', 'bcd'], ['c', 'dd']],
    [/^a$|^b/, ['a', 'b'], ['ab', '']],
    [/\p{Lu}\P{L}+/u, ['É12', 'Ж!'], ['é1', 'ÉE']],
    [/[^\W\d]+\s\x41\u{1F600}/u, ['ab A😀'], ['a1 A😀']],
    [/(\+\d{1,3})?[ -]?\(?\d{3}\)?/, ['+33 (123)', '123'], ['+1234 (123)']],
    [/.{3}/s, ['a\nb', '日本語'], ['ab']],
    [/(?<year>\d+?)-x*?/, ['12-', '1-xx'], ['-']],
  ]
  for (const [pattern, pass, fail] of cases) {
    test(String(pattern), () => {
      const grammar = regex(pattern)
      for (const text of pass) expect([text, grammar.matches(text)]).toEqual([text, true])
      for (const text of fail) expect([text, grammar.matches(text)]).toEqual([text, false])
    })
  }
  test('what no automaton has is refused', () => {
    for (const pattern of ['(?=a)', '(?<!a)b', '(a)\\1', '\\ba', 'a**', '(a', 'a)', '[b', '\\p{Nope}']) {
      expect(() => regex(pattern)).toThrow(GrammarError)
    }
    expect(() => regex(/a/i)).toThrow(/the flag i/)
    for (const pattern of ['\\c', '\\c1', '\\u{-1}', '\\u{1g}', 'a{2}{3}', 'a?*', 'a*??'])
      expect(() => regex(pattern)).toThrow(GrammarError)
  })
})

test('choices are typed and exact', () => {
  const mood = choices(['good', 'goodness', 'été'])
  expect(mood.parse('good') satisfies 'good' | 'goodness' | 'été').toBe('good')
  expect([mood.matches('goodnes'), mood.matchesPrefix('goodnes'), mood.matchesPrefix('x')]).toEqual([
    false,
    true,
    false,
  ])
})

/** How many elements `make` puts into lists, sets and maps: the work that a hostile source could make large. */
function effort(make: () => unknown): number {
  let count = 0
  const counted = (owner: object, name: string): (() => void) => {
    const real = Object.getOwnPropertyDescriptor(owner, name)!
    const method = real.value as (...args: unknown[]) => unknown
    const value = function (this: unknown, ...args: unknown[]): unknown {
      count += 1
      return method.apply(this, args)
    }
    Object.defineProperty(owner, name, { ...real, value })
    return () => Object.defineProperty(owner, name, real)
  }
  const restore = [counted(Array.prototype, 'push'), counted(Set.prototype, 'add'), counted(Map.prototype, 'set')]
  try {
    make()
  } finally {
    for (const undo of restore) undo()
  }
  return count
}

test('hostile sources end in a typed error after bounded work', () => {
  const deep = '('.repeat(200_000)
  for (const make of [
    () => gbnf(`root ::= ${deep}`),
    () => regex(deep),
    () => regex('^[ab]*a[ab]{9000}$'),
    () => regex('^((a{1000}){1000}){1000}'),
    () => gbnf('root ::= ("a"?){1000000}'),
    () => gbnf(Array.from({ length: 50_000 }, (_, i) => `r${i} ::= r${i + 1}`).join('\n'), { root: 'r0' }),
  ]) {
    let error: unknown
    const work = effort(() => {
      try {
        make()
      } catch (thrown) {
        error = thrown
      }
    })
    expect(error).toBeInstanceOf(GrammarError)
    expect(work).toBeLessThan(2_000_000)
  }
  // counts without end are fine as long as each step reads something
  expect(gbnf('root ::= "a"{100000,}').matchesPrefix('a'.repeat(1000))).toBe(true)
  for (let seed = 0; seed < 3000; seed++) {
    const random = new Random(seed)
    const source = [...'root ::= ("a" | [b-d]{2,3} x)*\nx ::= "\\n" . # c\n']
    for (let i = 0; i < 3; i++)
      source.splice(
        Math.floor(random.next() * source.length),
        random.next() < 0.5 ? 1 : 0,
        '([{"\\-|*:^0é'[Math.floor(random.next() * 12)]!,
      )
    try {
      gbnf(source.join('')).matches('abcd')
    } catch (error) {
      expect(error).toBeInstanceOf(GrammarError)
    }
  }
})

describe('masks', () => {
  const vocabulary = byteVocabulary(400)

  /** The mask by trying every token. */
  function plain(matcher: GrammarMatcher): number[] {
    return vocabulary.tokens.flatMap((_, id) => (matcher.allows(id) ? [id] : []))
  }

  const of = (bits: Uint32Array): number[] =>
    Array.from({ length: vocabulary.size }, (_, id) => id).filter(id => (bits[id >>> 5]! >>> (id & 31)) & 1)

  const grammars = {
    'nested JSON': json(),
    'counted strings': gbnf('root ::= "[" s ("," s)* "]"\ns ::= "\\"" [a-z ]{3,40} "\\""'),
    'counted groups': gbnf('root ::= ([a-c]{1,2} ","){2,30} "." root?'),
    arithmetic: gbnf('root ::= t ([-+] t)*\nt ::= [0-9]{1,12} | "(" root ")"'),
    'a regular expression': regex(/(?:[a-z]+@[a-z]+\.(?:com|org) ?)+/),
  }
  for (const [name, grammar] of Object.entries(grammars)) {
    test(`${name}: equal to trying every token, along random texts`, () => {
      for (let seed = 0; seed < 12; seed++) {
        const matcher = new GrammarMatcher(grammar, vocabulary)
        const pick = chain(categorical({ seed }))
        for (let i = 0; i < 40 && !matcher.finished; i++) {
          const { bits, count } = matcher.mask()
          const allowed = of(bits)
          expect(allowed).toEqual(plain(matcher))
          expect(count).toBe(allowed.length)
          const logits = new Float32Array(vocabulary.size).fill(-Infinity)
          for (const id of allowed) logits[id] = 0
          matcher.accept(pick.sample(logits))
        }
      }
    })
  }

  test('every token is offered until the end token, and no dead end is reached', () => {
    const matcher = new GrammarMatcher(choices(['ab', 'abc']), vocabulary)
    const id = (text: string) => vocabulary.tokens.findIndex(t => t && new TextDecoder().decode(t) === text)
    matcher.accept(id('a'))
    matcher.accept(id('b'))
    expect(matcher.accepting).toBe(true)
    expect(matcher.allows(0)).toBe(true)
    expect(matcher.allows(id('c'))).toBe(true)
    const fork = matcher.clone()
    matcher.accept(0)
    expect(matcher.finished).toBe(true)
    expect([...matcher.mask().ids!]).toEqual([0])
    expect(() => matcher.accept(id('c'))).toThrow(/after the end/)
    expect(() => fork.accept(id('a'))).toThrow(/a token of its mask/)
    fork.accept(id('c'))
    expect(fork.accepting).toBe(true)
  })
})

describe('constrain', () => {
  const vocabulary = byteVocabulary(300)
  const id = (text: string) => vocabulary.tokens.findIndex(t => t && new TextDecoder().decode(t) === text)
  const flat = new Float32Array(vocabulary.size + 37)

  test('as the first stage: only the grammar, then the end; padding is never offered', () => {
    const pick = chain(constrain(regex(/[ab]{3}/), { vocabulary }), categorical({ seed: 3 }))
    pick.prompt([id('z'), id('z')])
    let text = ''
    for (;;) {
      const token = pick.sample(flat)
      pick.accept(token)
      if (token === 0) break
      text += new TextDecoder().decode(vocabulary.tokens[token])
    }
    expect(text).toMatch(/^[ab]{3}$/)
    pick.reset()
    expect(pick.clone().sample(flat)).toBeGreaterThan(0)
  })

  test('after other stages and on wide masks', () => {
    const any = constrain(json(), { vocabulary })
    const logits = Float32Array.from({ length: vocabulary.size }, (_, i) => i / 1000)
    logits[id('{')] = 10
    logits[id('é') < 0 ? 5 : id('é')] = 20
    expect(chain(any, greedy()).sample(logits)).toBe(id('{'))
    const late = chain(l => l.fill(-1, 0, 10), any.clone(), greedy())
    expect(late.sample(logits)).toBe(id('{'))
  })

  test('lazy: bytes before the trigger need not be characters', () => {
    const bytes = new GrammarVocabulary([...Array.from({ length: 256 }, (_, i) => Uint8Array.of(i)), null], {
      eos: 256,
    })
    const lazy = { words: ['<é>'] }
    for (const before of [[], [0xff, 0xfe], [0xc3], [0xf0, 0x9f, 0x98], [0xef, 0xbb, 0xbf]]) {
      const stage = constrain(gbnf('root ::= "<é>" [0-9]+'), { vocabulary: bytes, lazy })
      const pick = chain(stage, greedy())
      for (const token of [...before, ...new TextEncoder().encode('<é>12')]) pick.accept(token)
      expect([before, stage.matcher?.accepting]).toEqual([before, true])
    }
  })

  test('texts go on where the table of states begins anew', () => {
    const grammar = json()
    const { machine } = grammar
    const feed = (config: ReturnType<typeof machine.initial> | null, text: string) => {
      for (const byte of new TextEncoder().encode(text)) config = config && machine.step(config, byte)
      return config
    }
    const half = feed(machine.initial(), '[[{"a":[1,')
    // each prefix is a stack of its own: more than are kept
    for (let i = 0; i < 24_000; i++) {
      const opened = Array.from(i.toString(2), bit => (bit === '1' ? '[' : '{"":')).join('')
      if (!feed(machine.initial(), opened)) throw new Error(opened)
    }
    expect(feed(half, '2]}]]')?.accepting).toBe(true)
    expect(feed(half, '2]]')).toBe(null)
    expect(grammar.matches('[[{"a":[1,2]}]]')).toBe(true)
  })

  test('lazy: free text until the trigger', () => {
    for (const lazy of [{ words: ['<call>'] }, { patterns: [/think.*(<call>)/s] }, { tokens: [id('<')] }]) {
      const stage = constrain(gbnf('root ::= "<call>" [a-c]+ "</call>"'), { vocabulary, lazy })
      const pick = chain(stage, greedy())
      pick.prompt([...'<call>'].map(id))
      for (const c of 'I think é ') {
        expect(stage.matcher).toBeUndefined()
        for (const byte of new TextEncoder().encode(c)) pick.accept(1 + byte)
      }
      for (const c of '<call>') pick.accept(id(c))
      expect(stage.matcher?.allows(id('a'))).toBe(true)
      expect(stage.matcher?.allows(id('d'))).toBe(false)
      const copy = stage.clone()
      stage.reset()
      expect(stage.matcher).toBeUndefined()
      expect(copy.matcher?.allows(id('b'))).toBe(true)
    }
    expect(() => constrain(json(), { vocabulary, lazy: {} })).toThrow(/tokens, words or patterns/)
  })
})

describe('tokens named in GBNF', () => {
  // as llama.cpp's guide has it: ids, texts, and their negation
  const texts = ['<think>', '</think>', 'a', 'b', 'ab', '</', 'think>', '<end>']
  const vocabulary = new GrammarVocabulary(
    texts.map((t, id) => (id < 2 || id === 7 ? undefined : t)),
    { eos: 7 },
  )
  const token = (text: string) => (texts.includes(text) ? texts.indexOf(text) : undefined)
  const allowed = (matcher: GrammarMatcher) => texts.flatMap((t, id) => (matcher.allows(id) ? [t] : []))

  test('a thinking block, then an answer', () => {
    for (const source of [
      'root ::= <think> thinking </think> "ab"\nthinking ::= !</think>*',
      'root ::= <[0]> thinking <[1]> "ab"\nthinking ::= !<[1]>*',
    ]) {
      const matcher = new GrammarMatcher(gbnf(source, { token }), vocabulary)
      const steps: [string, string[]][] = [
        ['<think>', ['<think>']],
        ['b', ['<think>', '</think>', 'a', 'b', 'ab', '</', 'think>']],
        ['</', ['<think>', '</think>', 'a', 'b', 'ab', '</', 'think>']],
        ['think>', ['<think>', '</think>', 'a', 'b', 'ab', '</', 'think>']],
        ['</think>', ['<think>', '</think>', 'a', 'b', 'ab', '</', 'think>']],
        ['a', ['a', 'ab']],
        ['b', ['b']],
        ['<end>', ['<end>']],
      ]
      for (const [next, may] of steps) {
        expect([next, allowed(matcher)]).toEqual([next, may])
        const { bits } = matcher.mask()
        expect(texts.filter((_, id) => (bits[0]! >>> id) & 1)).toEqual(may)
        matcher.accept(texts.indexOf(next))
      }
      expect(matcher.finished).toBe(true)
    }
  })

  test('beside characters: both ways of reading a token go on', () => {
    const matcher = new GrammarMatcher(gbnf('root ::= (<[4]> "!" | "ab" "a")', { token }), vocabulary)
    expect(allowed(matcher)).toEqual(['a', 'ab'])
    matcher.accept(4)
    expect(allowed(matcher)).toEqual(['a'])
    expect(matcher.acceptBytes(new TextEncoder().encode('!'))).toBe(true)
    expect(matcher.accepting).toBe(true)
  })

  test('in repetitions beyond counting, and after a trigger', () => {
    const many = new GrammarMatcher(gbnf('root ::= !<[2]>{90,100}'), vocabulary)
    for (let i = 0; i < 100; i++) {
      expect([i, many.allows(2), many.allows(3), many.accepting]).toEqual([i, false, true, i >= 90])
      many.accept(3)
    }
    expect(many.allows(3)).toBe(false)
    const stage = constrain(gbnf('root ::= <think> "ab"', { token }), { vocabulary, lazy: { tokens: [0] } })
    const pick = chain(stage, greedy())
    for (const id of [2, 3, 0]) pick.accept(id)
    expect(allowed(stage.matcher!)).toEqual(['a', 'ab'])
  })

  test('errors', () => {
    expect(() => gbnf('root ::= <nope>', { token })).toThrow(/<nope>, which is not known as a token at line 1/)
    expect(() => gbnf('root ::= <[x]>')).toThrow(GrammarError)
    expect(() => gbnf('root ::= !"a"')).toThrow(/expected a token such as/)
  })
})
