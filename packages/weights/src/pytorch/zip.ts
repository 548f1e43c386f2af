/** The part of ZIP that PyTorch writes: stored entries, ZIP64 included. Reads the directory, not the data. */
import { corrupt, unsupported } from '../errors.js'
import { shown } from '../layout.js'
import type { ByteSource } from '../source.js'

export interface ZipEntry {
  readonly name: string
  /** Where the entry's data starts. */
  readonly offset: number
  readonly bytes: number
}

const endMagic = 0x06054b50
const end64Magic = 0x06064b50
const locatorMagic = 0x07064b50
const centralMagic = 0x02014b50
const localMagic = 0x04034b50
const maxDirectory = 64 * 2 ** 20
const maxEntries = 1_000_000

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Reads the directory of an archive and finds the data of every entry. */
export async function readZip(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const { count, size, offset } = await findDirectory(source)
  const { name: file } = source
  if (size > maxDirectory || count > maxEntries) {
    throw corrupt(file, `got a zip directory of ${count} entries in ${size} bytes, more than a checkpoint has`)
  }
  const view = viewOf(await source.read(offset, size))
  const entries = new Map<string, ZipEntry>()
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== centralMagic)
      throw corrupt(file, `zip directory entry ${i} is broken`)
    const flags = view.getUint16(at + 8, true)
    const method = view.getUint16(at + 10, true)
    const nameLength = view.getUint16(at + 28, true)
    const extraLength = view.getUint16(at + 30, true)
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true)
    if (next > size) throw corrupt(file, `zip directory entry ${i} runs past the directory`)
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength))
    if (flags & 1) throw unsupported(file, `zip entry ${shown(name)} is encrypted`)
    if (method !== 0)
      throw unsupported(file, `zip entry ${shown(name)} is compressed (method ${method}), expected stored data`)
    const wide = {
      packed: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    }
    readZip64(file, view, at + 46 + nameLength, extraLength, wide)
    if (wide.packed !== wide.bytes) throw corrupt(file, `zip entry ${shown(name)}: stored sizes differ`)
    if (entries.has(name)) throw corrupt(file, `got the zip entry ${shown(name)} twice`)
    entries.set(name, {
      name,
      offset: await dataOffset(source, name, wide.offset, wide.bytes, offset),
      bytes: wide.bytes,
    })
    at = next
  }
  return entries
}

/** The local header may have other extra fields than the directory (PyTorch pads there), so it must be read. */
async function dataOffset(source: ByteSource, name: string, at: number, bytes: number, limit: number): Promise<number> {
  const view = viewOf(await source.read(at, 30))
  if (view.getUint32(0, true) !== localMagic)
    throw corrupt(source.name, `zip entry ${shown(name)}: no entry at byte ${at}`)
  const data = at + 30 + view.getUint16(26, true) + view.getUint16(28, true)
  if (data + bytes > limit) {
    throw corrupt(
      source.name,
      `zip entry ${shown(name)}: got bytes ${data}+${bytes}, expected them before the directory at ${limit}`,
    )
  }
  return data
}

/** Replaces the fields that are all ones by their 64-bit values from extra field 1. */
function readZip64(
  file: string,
  view: DataView,
  from: number,
  length: number,
  wide: { packed: number; bytes: number; offset: number },
): void {
  const full = 0xffffffff
  if (wide.packed !== full && wide.bytes !== full && wide.offset !== full) return
  for (let at = from; at + 4 <= from + length; ) {
    const id = view.getUint16(at, true)
    const end = at + 4 + view.getUint16(at + 2, true)
    if (end > from + length) break
    if (id === 1) {
      let field = at + 4
      const next = (): number => {
        if (field + 8 > end) throw corrupt(file, 'a zip64 field is too short')
        const value = Number(view.getBigUint64(field, true))
        field += 8
        return value
      }
      if (wide.bytes === full) wide.bytes = next()
      if (wide.packed === full) wide.packed = next()
      if (wide.offset === full) wide.offset = next()
      return
    }
    at = end
  }
}

async function findDirectory(source: ByteSource): Promise<{ count: number; size: number; offset: number }> {
  const { name: file, size: total } = source
  const length = Math.min(total, 65535 + 22)
  const start = total - length
  const tail = viewOf(await source.read(start, length))
  for (let at = length - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== endMagic || at + 22 + tail.getUint16(at + 20, true) > length) continue
    const end = {
      count: tail.getUint16(at + 10, true),
      size: tail.getUint32(at + 12, true),
      offset: tail.getUint32(at + 16, true),
    }
    const wide = end.count === 0xffff || end.size === 0xffffffff || end.offset === 0xffffffff
    return wide && start + at >= 20 ? findDirectory64(source, start + at - 20) : end
  }
  throw corrupt(
    file,
    'got no end of a zip directory, expected a PyTorch zip checkpoint. The file is truncated or corrupt',
  )
}

async function findDirectory64(
  source: ByteSource,
  at: number,
): Promise<{ count: number; size: number; offset: number }> {
  const locator = viewOf(await source.read(at, 20))
  if (locator.getUint32(0, true) !== locatorMagic) throw corrupt(source.name, 'got no zip64 locator')
  const end = viewOf(await source.read(Number(locator.getBigUint64(8, true)), 56))
  if (end.getUint32(0, true) !== end64Magic) throw corrupt(source.name, 'got no zip64 end of directory')
  return {
    count: Number(end.getBigUint64(32, true)),
    size: Number(end.getBigUint64(40, true)),
    offset: Number(end.getBigUint64(48, true)),
  }
}
