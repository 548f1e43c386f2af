/** Broken copies of a file, from fixed seeds. */

function joined(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Mutations of a file; the header, where structure lies, is hit most. */
export function mutated(bytes: Uint8Array, next: () => number, header: number): Uint8Array {
  const pick = (n: number): number => Math.floor(next() * n)
  const place = (): number => pick(next() < 0.9 ? Math.min(header, bytes.length) : bytes.length)
  const out = bytes.slice()
  const view = new DataView(out.buffer)
  switch (pick(8)) {
    case 0: // truncation
      return out.slice(0, pick(2) ? pick(bytes.length) : bytes.length - pick(64))
    case 1: // bit flips
      for (let i = pick(4); i >= 0; i--) out[place()]! ^= 1 << pick(8)
      return out
    case 2: // extreme bytes
      for (let i = pick(4); i >= 0; i--) out[place()] = pick(2) * 255
      return out
    case 3: {
      // a huge, negative or off-by-one 64-bit number
      const at = Math.min(place(), Math.max(0, out.length - 8))
      if (out.length < 8) return out
      const huge = [
        2n ** 64n - 1n,
        2n ** 63n,
        2n ** 53n,
        2n ** 32n,
        2n ** 31n - 1n,
        BigInt(out.length),
        0n,
        view.getBigUint64(at, true) + 1n,
      ]
      view.setBigUint64(at, BigInt.asUintN(64, huge[pick(huge.length)]!), true)
      return out
    }
    case 4: {
      // a 32-bit one
      const at = Math.min(place(), Math.max(0, out.length - 4))
      if (out.length >= 4) view.setUint32(at, [0xffffffff, 0x80000000, 0x7fffffff, 0, 1, 65536][pick(6)]!, true)
      return out
    }
    case 5: {
      // a piece copied over another
      const [from, to, n] = [place(), place(), 1 + pick(64)]
      out.copyWithin(to, from, from + n)
      return out
    }
    case 6: {
      // bytes inserted
      const at = place()
      const extra = Uint8Array.from({ length: 1 + pick(16) }, () => pick(256))
      return joined(out.subarray(0, at), extra, out.subarray(at))
    }
    default: {
      // bytes removed
      const at = place()
      return joined(out.subarray(0, at), out.subarray(at + 1 + pick(16)))
    }
  }
}
