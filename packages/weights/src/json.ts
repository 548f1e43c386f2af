/** JSON of untrusted files. */
import { corrupt, WeightsError } from './errors.js'

/** No configuration, index or tokenizer nests deeper; what does would overflow the stack of whoever prints it. */
const maxDepth = 100

/**
 * Parses UTF-8 JSON.
 *
 * @throws WeightsError `format` when it is not JSON, or nests absurdly
 */
export function parseJson(file: string, bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (depthOf(bytes) > maxDepth) throw corrupt(file, `got JSON that nests more than ${maxDepth} deep`)
    return JSON.parse(text)
  } catch (cause) {
    if (cause instanceof WeightsError) throw cause
    throw new WeightsError('format', `${file}: got something that is not JSON: ${String(cause).slice(0, 200)}`, {
      file,
      cause,
    })
  }
}

/** The deepest nesting of brackets outside strings. */
function depthOf(bytes: Uint8Array): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]!
    if (inString) {
      if (c === 0x5c) i++
      else if (c === 0x22) inString = false
    } else if (c === 0x22) inString = true
    else if (c === 0x5b || c === 0x7b) deepest = Math.max(deepest, ++depth)
    else if (c === 0x5d || c === 0x7d) depth--
  }
  return deepest
}
