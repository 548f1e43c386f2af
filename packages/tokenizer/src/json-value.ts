// Careful access to parsed JSON from a file.

import { badFile, show } from './errors.js'
import { textOf } from './utf8.js'

export type JsonObject = Readonly<Record<string, unknown>>

/** Parses text or bytes; an object passes through. */
export function parseObject(source: string | Uint8Array | object, what: string, op: string): JsonObject {
  let value: unknown = source
  if (typeof source === 'string' || source instanceof Uint8Array) {
    try {
      value = JSON.parse(typeof source === 'string' ? source : textOf(source, 0, source.length, false))
    } catch (cause) {
      throw badFile(op, `${what} that is no JSON (${(cause as Error).message.slice(0, 100)})`, 'JSON')
    }
  }
  if (!isObject(value)) throw badFile(op, `${what} ${show(value)}`, 'a JSON object')
  return value
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function objectOf(value: unknown, what: string, op: string): JsonObject {
  if (isObject(value)) return value
  throw badFile(op, `${what} ${show(value)}`, 'an object')
}

export function arrayOf(value: unknown, what: string, op: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw badFile(op, `${what} ${show(value)}`, 'an array')
}

export function stringOf(value: unknown, what: string, op: string): string {
  if (typeof value === 'string') return value
  throw badFile(op, `${what} ${show(value)}`, 'a string')
}
