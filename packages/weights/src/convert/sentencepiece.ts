/** Reads the vocabulary of a SentencePiece `tokenizer.model`: the few protobuf fields that GGUF keeps. */
import { corrupt } from '../errors.js'

export interface Vocabulary {
  readonly tokens: string[]
  readonly scores: number[]
  /** GGUF's numbers, which are SentencePiece's: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
  readonly types: number[]
}

export interface SentencePieceModel extends Vocabulary {
  readonly addSpacePrefix: boolean
}

interface Field {
  readonly number: number
  readonly value: number
  readonly bytes: Uint8Array | undefined
}

/** The fields of one protobuf message. */
function* fields(file: string, bytes: Uint8Array): Generator<Field> {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) break
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
    throw corrupt(file, 'a number of the protobuf has no end')
  }
  while (at < bytes.length) {
    const key = varint()
    const number = Math.floor(key / 8)
    const wire = key % 8
    if (wire === 0) yield { number, value: varint(), bytes: undefined }
    else {
      const length = wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? varint() : -1
      if (length < 0 || length > bytes.length - at) throw corrupt(file, `field ${number} of the protobuf is broken`)
      const part = bytes.subarray(at, at + length)
      at += length
      yield { number, value: 0, bytes: part }
    }
  }
}

/** @throws WeightsError `format` when the bytes are no SentencePiece model */
export function readSentencePiece(file: string, bytes: Uint8Array): SentencePieceModel {
  const model = { tokens: [] as string[], scores: [] as number[], types: [] as number[], addSpacePrefix: true }
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  for (const top of fields(file, bytes)) {
    if (top.number === 1 && top.bytes) {
      let token = ''
      let score = 0
      let type = 1
      for (const { number, value, bytes: part } of fields(file, top.bytes)) {
        if (number === 1 && part) token = utf8.decode(part)
        else if (number === 2 && part?.length === 4)
          score = new DataView(part.buffer, part.byteOffset, 4).getFloat32(0, true)
        else if (number === 3) type = value
      }
      model.tokens.push(token)
      model.scores.push(score)
      model.types.push(type)
    } else if (top.number === 3 && top.bytes) {
      for (const { number, value, bytes: part } of fields(file, top.bytes)) {
        if (number === 3 && !part) model.addSpacePrefix = value !== 0
      }
    }
  }
  if (model.tokens.length === 0) throw corrupt(file, 'got a protobuf without pieces')
  return model
}
