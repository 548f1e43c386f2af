/** Pickles as `torch.save` writes them, and as nobody should. */
import { pick } from './random.js'

const ascii = (text: string): number[] => Array.from(text, c => c.charCodeAt(0))
const u32 = (n: number): number[] => [n & 255, (n >> 8) & 255, (n >> 16) & 255, (n >>> 24) & 255]
const text = (value: string): number[] => [0x8c, value.length, ...ascii(value)]
const global = (module: string, name: string): number[] => [...ascii(`c${module}\n${name}\n`)]

/** A storage entry `data/0` of 8 floats in a zip archive around a pickle, as PyTorch lays it out. */
export function torchZip(pickle: Uint8Array): Uint8Array {
  const files: [string, Uint8Array][] = [
    ['archive/data.pkl', pickle],
    ['archive/data/0', new Uint8Array(32)],
  ]
  const parts: number[][] = []
  const directory: number[] = []
  let at = 0
  for (const [name, bytes] of files) {
    const sizes = [...u32(0), ...u32(bytes.length), ...u32(bytes.length), name.length, 0, 0, 0]
    const local = [...ascii('PK'), 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...sizes, ...ascii(name), ...bytes]
    const entry = [
      ...ascii('PK'),
      1,
      2,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      ...sizes,
      0,
      0,
      0,
      0,
      0,
      0,
      ...u32(0),
      ...u32(at),
    ]
    directory.push(...entry, ...ascii(name))
    parts.push(local)
    at += local.length
  }
  const end = [...ascii('PK'), 5, 6, 0, 0, 0, 0, 2, 0, 2, 0, ...u32(directory.length), ...u32(at), 0, 0]
  return Uint8Array.from([...parts.flat(), ...directory, ...end])
}

/** `_rebuild_tensor_v2(storage, offset, size, stride, …)` on the stack. */
const tensor = (shape: number[], strides: number[], elements = 8, key = '0', offset = 0): number[] => [
  ...global('torch._utils', '_rebuild_tensor_v2'),
  0x28,
  ...[
    0x28,
    ...text('storage'),
    ...global('torch', 'FloatStorage'),
    ...text(key),
    ...text('cpu'),
    0x4a,
    ...u32(elements),
  ],
  ...[0x74, 0x51, 0x4a, ...u32(offset)],
  ...[0x28, ...shape.flatMap(n => [0x4a, ...u32(n)]), 0x74],
  ...[0x28, ...strides.flatMap(n => [0x4a, ...u32(n)]), 0x74],
  ...[0x89, ...global('collections', 'OrderedDict'), 0x29, 0x52, 0x74, 0x52],
]

/** Any order of opcodes, most of them legal, with tensors of sane and insane shapes among them. */
export function hostilePickle(next: () => number): Uint8Array {
  const n = (limit: number): number => pick(next, limit)
  const size = (): number => [0, 1, 2, 4, 8, 9, -1, 2 ** 31 - 1][n(8)]!
  const sizes = (): number[] => Array.from({ length: n(4) }, size)
  const value = (): number[] => {
    switch (n(12)) {
      case 0:
        return tensor([2, 4], [4, 1])
      case 1: {
        const shape = sizes()
        return tensor(
          shape,
          n(2) ? shape.map(size) : sizes(),
          [8, 8, 8, size()][n(4)]!,
          String(n(10) ? 0 : 1),
          n(3) ? 0 : size(),
        )
      }
      case 2:
        return global(['os', 'torch', '__builtin__'][n(3)]!, ['system', 'FloatStorage', 'eval'][n(3)]!)
      case 3:
        return [[0x4e], [0x88], [0x5d], [0x7d], [0x29], [0x8f]][n(6)]!
      case 4:
        return [0x28, ...value(), ...(n(3) ? value() : []), [0x74, 0x6c, 0x64, 0x65, 0x75, 0x90][n(6)]!]
      case 5:
        return [[0x71, 0x68, 0x68][n(3)]!, n(4)]
      case 6:
        return [[0x32, 0x30, 0x31, 0x52, 0x51, 0x62, 0x61, 0x73, 0x94][n(9)]!]
      case 7:
        return [n(256), n(256)]
      case 8:
        return [0x8a, n(20), ...Array.from({ length: 8 }, () => n(256))]
      default:
        return text(['a', 'model', 'state_dict', 'w.weight'][n(4)]!)
    }
  }
  const items = Array.from({ length: n(5) }, () => [...text(`k${n(9)}`), ...(n(3) ? tensor([8], [1]) : value())])
  return Uint8Array.from([0x80, 2, 0x7d, 0x71, 0, 0x28, ...items.flat(), 0x75, ...(n(4) ? [] : value()), 0x2e])
}

/** Tuples in tuples, and a dictionary that holds itself. */
export function deepPickle(depth: number): Uint8Array {
  const nested = [0x29, ...Array<number>(depth).fill(0x85)]
  return Uint8Array.from([0x80, 2, 0x7d, 0x71, 0, 0x28, ...text('a'), ...nested, ...text('model'), 0x68, 0, 0x75, 0x2e])
}

/** `n` names for one dictionary of `n` numbers, with no tensor anywhere. */
export function sharedPickle(n: number): Uint8Array {
  const number = (i: number): number[] => [0x4a, ...u32(i)]
  const inner = [0x7d, 0x71, 1, 0x28, ...Array.from({ length: n }, (_, i) => [...number(i), 0x4e]).flat(), 0x75]
  const names = Array.from({ length: n }, (_, i) => [...text(String(i)), 0x68, 1]).flat()
  return Uint8Array.from([0x80, 2, 0x7d, 0x28, ...text('first'), ...inner, ...names, 0x75, 0x2e])
}
