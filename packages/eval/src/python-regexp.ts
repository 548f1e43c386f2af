/** Python's regular expressions as JavaScript's. */
import { EvaluationError } from './errors.js'

/** An escape, a character class, a named group or its reference, `{,n}`, and the characters that mean other things. */
const parts = /\\[\s\S]?|\[(\^?)(\]?)((?:\\[\s\S]|[^\]\\])*)\]|\(\?P<(?![=!])|\(\?P=(\w+)\)|\{,(\d+)\}|[$^.]/g

/** Escapes of a letter that both have, in and outside a class; Python refuses those of other letters. */
const shared = /^\\[bBdDsSwWnrtfvxu]$/

/**
 * `(?s)`, `(?i)`, `(?m)` at the beginning become flags; `\A`, `\Z`, `^`, `$` and `.` mean what they do in Python, where
 * `$` may stand before a last newline and only `\n` ends a line. `\s`, `\d` and `\w` are JavaScript's, which differ
 * outside ASCII alone.
 *
 * @throws EvaluationError for a pattern that is broken, or that JavaScript cannot express.
 */
export function pythonRegExp(pattern: string, flags = ''): RegExp {
  const inline = /^\(\?([aimsu]+)\)/.exec(pattern)
  const set = new Set(inline?.[1]?.replace(/[au]/g, ''))
  const fail = (reason: string): EvaluationError =>
    new EvaluationError(
      `regex: got ${JSON.stringify(pattern)}, expected a regular expression of Python that JavaScript has too (${reason})`,
      { op: 'regex', got: pattern },
    )
  const escaped = (part: string, outside: boolean): string => {
    if (outside && part === '\\A') return '(?<![\\s\\S])'
    if (outside && part === '\\Z') return '(?![\\s\\S])'
    if (part === '\\a') return '\\x07'
    if (/^\\[a-zA-Z]?$/.test(part) && !shared.test(part)) throw fail(`bad escape ${part}`)
    return part
  }
  const source = pattern
    .slice(inline?.[0].length ?? 0)
    .replace(parts, (part, not?: string, first?: string, body?: string, name?: string, most?: string) => {
      if (part.startsWith('\\')) return escaped(part, true)
      if (body !== undefined)
        return `[${not}${first && '\\]'}${body.replace(/\\[\s\S]/g, inner => escaped(inner, false))}]`
      if (part.startsWith('(?P<')) return '(?<'
      if (name !== undefined) return `\\k<${name}>`
      if (most !== undefined) return `{0,${most}}`
      if (part === '.') return set.has('s') ? part : '[^\\n]'
      if (part === '^') return set.has('m') ? '(?<![^\\n])' : part
      return set.has('m') ? '(?![^\\n])' : '(?=\\n?(?![\\s\\S]))'
    })
  try {
    return new RegExp(source, [...new Set([...set, ...flags])].join(''))
  } catch (cause) {
    throw fail((cause as Error).message)
  }
}
