/** What lm-eval takes from Python and JavaScript has otherwise: whitespace, lengths, words, capitals, literals. */

/** The characters of `str.isspace()`, which are also what `\s` means in Python's re. */
export const space = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const trailing = new RegExp(`[${space}]+$`)
const leading = new RegExp(`^[${space}]+`)
const runs = new RegExp(`[${space}]+`, 'g')

/** `str.rstrip()`. */
export const rstrip = (text: string): string => text.replace(trailing, '')
/** `str.strip()`. */
export const strip = (text: string): string => rstrip(text.replace(leading, ''))

/** `len(str)`: code points. */
export const length = (text: string): number => {
  let n = 0
  for (const _ of text) n++
  return n
}

export const utf8Length = (text: string): number => new TextEncoder().encode(text).length

/** `len(re.split(r"\s+", text))`: empty edges count, as lm-eval's word perplexity has it. */
export const countWords = (text: string): number => (text.match(runs)?.length ?? 0) + 1

/** `str.capitalize()`: first character upper, the rest lower. */
export const capitalize = (text: string): string => {
  const [first = ''] = text
  return first.toUpperCase() + text.slice(first.length).toLowerCase()
}

/** `string.punctuation`. */
export const punctuation: RegExp = /[!-/:-@[-`{-~]/g

/** Strings, numbers, booleans, None and lists of them, written as Python or JSON does; undefined for anything else. */
export function literal(text: string): unknown {
  const token = /\s*(?:([[\](),])|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s[\](),'"]+))/y
  const words: Readonly<Record<string, unknown>> = {
    True: true,
    False: false,
    None: null,
    true: true,
    false: false,
    null: null,
  }
  const fail = Symbol('no literal')
  const read = (): unknown => {
    const [, mark, single, double, word] = token.exec(text) ?? []
    if (mark === '[' || mark === '(') return list(mark === '[' ? ']' : ')')
    if (single !== undefined || double !== undefined) return unescaped(single ?? double!)
    if (word === undefined) return fail
    if (word in words) return words[word]
    return /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : fail
  }
  const list = (end: string): unknown => {
    const out: unknown[] = []
    for (;;) {
      const at = token.lastIndex
      if (token.exec(text)?.[1] === end) return out
      token.lastIndex = at
      const value = read()
      if (value === fail) return fail
      out.push(value)
      const mark = token.exec(text)?.[1]
      if (mark === end) return out
      if (mark !== ',') return fail
    }
  }
  const value = read()
  return value === fail || text.slice(token.lastIndex).trim() !== '' ? undefined : value
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }
const unescaped = (body: string): string =>
  body.replace(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]))/g, (_, u?: string, x?: string, c?: string) =>
    c === undefined ? String.fromCharCode(Number.parseInt(u ?? x!, 16)) : (escapes[c] ?? c),
  )
