// Rank files as they are written by different tools, and what is none.

import { describe, expect, it } from 'vitest'
import { fromTiktoken } from '../family/readers.js'

const base64 = (text: string): string => btoa(text)
const bytes = Array.from({ length: 256 }, (_, byte) => `${base64(String.fromCharCode(byte))} ${byte}`)
const merged = ['ab', 'abc', ' ab'].map((text, i) => `${base64(text)} ${256 + i}`)
const read = (...lines: string[]): number[] => [
  ...fromTiktoken(lines.join('\n'), { pattern: '[\\s\\S]+' }).encode('abc ab'),
]

describe('rank files', () => {
  it('may have their lines in any order, with either line end, empty ones, and base64 that is not filled up', () => {
    const expected = [257, 258]
    expect(read(...bytes, ...merged)).toEqual(expected)
    expect(read(...merged, '', ...bytes.reverse(), '')).toEqual(expected)
    expect(read(...bytes, ...merged.map(line => `${line}\r`), '\r')).toEqual(expected)
    expect(read(...bytes, ...merged.map(line => line.replaceAll('=', '')))).toEqual(expected)
    const file = new TextEncoder().encode([...bytes, ...merged].join('\n'))
    expect([...fromTiktoken(file, { pattern: '[\\s\\S]+' }).encode('abc ab')]).toEqual(expected)
  })

  it('are refused with the line that is wrong', () => {
    for (const line of ['YWI', 'YWI= ', 'YWI= x', 'YWI= 1.5', 'YWI= -1', 'YWI= 99999999', 'YWI= 1048575', 'YWI=  256'])
      expect(() => read(...bytes, line), line).toThrow(`line ${JSON.stringify(line)}`)
    // Padding that is not what is missing, a single character, characters that are none of base64.
    for (const line of [
      'YW= 256',
      'YWI== 256',
      'Y 256',
      'YWIxY 256',
      'YW_i 256',
      'YW I= 256',
      '=YWI 256',
      'YWI= 256 x',
    ])
      expect(() => read(...bytes, line), line).toThrow('a base64 token, a space and a rank')
    expect(() => read(...bytes, ' 256')).toThrow('a token of 0 bytes')
    expect(() => read(...bytes, 'YWI= 7')).toThrow('rank 7 twice')
    expect(() => read(...bytes, `${base64('x'.repeat(2049))} 256`)).toThrow('a token of 2049 bytes')
    expect(() => read(...bytes.slice(1))).toThrow('no token for byte')
    expect(() => read('', '\r')).toThrow('no line')
  })
})
