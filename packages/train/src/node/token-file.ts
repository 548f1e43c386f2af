/** Token files on disk, read by range. */
import { fileSource } from '@cria/weights/node'
import { type TokenSourceOptions, type Tokens, tokenSource } from '../data/tokens.js'

/**
 * A file of little-endian token ids, u16 unless told otherwise.
 *
 * @example
 * const tokens = await tokenFile('train.bin')
 * tokens.length // number of tokens
 */
export const tokenFile = async (path: string, options: TokenSourceOptions = {}): Promise<Tokens> =>
  tokenSource(await fileSource(path), options)
