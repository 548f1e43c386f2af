// Careful access to parsed JSON from a file.

import { badFile, show } from './errors.js'
import { textOf } from './utf8.js'

export type JsonObject = Readonly<Record<string, unknown>>

/** Parses text or bytes; an object passes through. */
export function parseObject(source: string | Uint8Array | object, what: string, op: string): JsonObject {
  let value: unknown = source
  if (typeof source === 'string' || source instanceof Uint8Array) {
    try {
      value = JSON.parse(typeof source === 'string' ? source : textOf(source, 0, source.length))
    } catch (cause) {
      throw badFile(op, `${what} that is no JSON (${(cause as Error).message.slice(0, 100)})`, 'JSON')
    }
  }
  return objectOf(value, what, op)
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function checked<T>(ok: boolean, value: unknown, what: string, op: string, expected: string): T {
  if (ok) return value as T
  throw badFile(op, `${what} ${show(value)}`, expected)
}

export function objectOf(value: unknown, what: string, op: string): JsonObject {
  return checked(isObject(value), value, what, op, 'an object')
}

export function arrayOf(value: unknown, what: string, op: string): readonly unknown[] {
  return checked(Array.isArray(value), value, what, op, 'an array')
}

export function stringOf(value: unknown, what: string, op: string): string {
  return checked(typeof value === 'string', value, what, op, 'a string')
}

/** Calls `visit` for a section, or for each part of a `Sequence`, whose list is called `key`; null means none. */
export function eachSection(
  section: unknown,
  what: string,
  key: string,
  op: string,
  visit: (part: JsonObject) => void,
  depth = 0,
): void {
  if (section === null || section === undefined) return
  if (depth > 8) throw badFile(op, `${what} ${depth} deep`, 'at most 8')
  const part = objectOf(section, what, op)
  if (part.type !== 'Sequence') visit(part)
  else for (const inner of arrayOf(part[key], key, op)) eachSection(inner, what, key, op, visit, depth + 1)
}
