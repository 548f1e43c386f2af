/**
 * A pickle reader that can build data and tensors' descriptions, and nothing else. Pickle is a program; this machine
 * knows a handful of harmless functions and refuses every other by name, so loading never runs code of the file.
 */
import { corrupt, unsupported } from '../errors.js'
import { shown } from '../layout.js'

/** A storage as PyTorch's persistent id names it: which entry of the archive, which type, how many elements. */
export interface StorageRef {
  readonly kind: 'storage'
  readonly type: string
  readonly key: string
  readonly elements: number
}

/** What `torch._utils._rebuild_tensor_v2` would have built. */
export interface TensorRef {
  readonly kind: 'tensor'
  readonly storage: StorageRef
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

/** A function or class named by the pickle. */
interface Global {
  readonly kind: 'global'
  readonly name: string
}

/** Dictionaries keep their order and any key. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | StorageRef
  | TensorRef
  | Global

const storageTypes: Readonly<Record<string, string>> = {
  DoubleStorage: 'f64',
  FloatStorage: 'f32',
  HalfStorage: 'f16',
  BFloat16Storage: 'bf16',
  LongStorage: 'i64',
  IntStorage: 'i32',
  ShortStorage: 'i16',
  CharStorage: 'i8',
  ByteStorage: 'u8',
  BoolStorage: 'bool',
}

const rebuild = 'torch._utils _rebuild_tensor_v2'
const parameter = 'torch._utils _rebuild_parameter'
const orderedDict = 'collections OrderedDict'

const allowed = new Set([rebuild, parameter, orderedDict, ...Object.keys(storageTypes).map(name => `torch ${name}`)])

const mark = Symbol('mark')
const fatal = new TextDecoder('utf-8', { fatal: true })

/** Runs the pickle. Every step consumes a byte, and nothing grows by more than the bytes read. */
export function unpickle(file: string, bytes: Uint8Array): PickleValue {
  return new Machine(file, bytes).run()
}

class Machine {
  private at = 0
  private readonly view: DataView
  private readonly stack: (PickleValue | typeof mark)[] = []
  private readonly memo = new Map<number, PickleValue>()

  constructor(
    private readonly file: string,
    private readonly bytes: Uint8Array,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  private fail(message: string): never {
    throw corrupt(this.file, `pickle, byte ${this.at}: ${message}`)
  }

  private take(length: number): number {
    const from = this.at
    if (length > this.bytes.length - from) this.fail(`got ${this.bytes.length - from} bytes, expected ${length}`)
    this.at += length
    return from
  }

  private slice(length: number): Uint8Array {
    const from = this.take(length)
    return this.bytes.subarray(from, from + length)
  }

  private text(length: number): string {
    const raw = this.slice(length)
    try {
      return fatal.decode(raw)
    } catch {
      return this.fail('a string is not UTF-8')
    }
  }

  private line(): string {
    const end = this.bytes.indexOf(10, this.at)
    if (end < 0) this.fail('a line has no end')
    const text = this.text(end - this.at)
    this.at++
    return text
  }

  private u8 = (): number => this.view.getUint8(this.take(1))
  private u32 = (): number => this.view.getUint32(this.take(4), true)
  private u64 = (): number => Number(this.view.getBigUint64(this.take(8), true))

  private pop(): PickleValue {
    const value = this.stack.pop()
    if (value === undefined || value === mark) return this.fail('the stack is empty')
    return value
  }

  private top(): PickleValue {
    const value = this.stack.at(-1)
    if (value === undefined || value === mark) return this.fail('the stack is empty')
    return value
  }

  private popMark(): PickleValue[] {
    const from = this.stack.lastIndexOf(mark)
    if (from < 0) return this.fail('got no mark on the stack')
    const items = this.stack.splice(from)
    return items.slice(1) as PickleValue[]
  }

  private setItems(target: PickleValue, items: PickleValue[]): void {
    if (!(target instanceof Map) || items.length % 2 !== 0)
      this.fail('items are set on something that is no dictionary')
    for (let i = 0; i < items.length; i += 2) (target as Map<PickleValue, PickleValue>).set(items[i]!, items[i + 1]!)
  }

  private append(target: PickleValue, items: PickleValue[]): void {
    if (!Array.isArray(target)) this.fail('items are appended to something that is no list')
    for (const item of items) (target as PickleValue[]).push(item)
  }

  private recall(index: number): PickleValue {
    const value = this.memo.get(index)
    return value === undefined ? this.fail(`memo ${index} is empty`) : value
  }

  private global(module: string, name: string): Global {
    const full = `${module} ${name}`
    if (!allowed.has(full)) {
      throw unsupported(
        this.file,
        `the pickle wants ${shown(`${module}.${name}`)}, which is refused: only tensors, dictionaries, lists and plain values are read. Save the state_dict alone, or as safetensors`,
      )
    }
    return { kind: 'global', name: full }
  }

  /** REDUCE: the calls that a state_dict is made of. */
  private call(callee: PickleValue, args: PickleValue): PickleValue {
    const name = isKind(callee, 'global') ? callee.name : this.fail('something that is no function is called')
    if (!Array.isArray(args)) return this.fail('the arguments of a call are no tuple')
    if (name === orderedDict) {
      // Python 3 builds it empty and fills it by SETITEMS, which costs a byte an item.
      return args.length === 0 ? new Map() : this.fail('an OrderedDict is made from arguments')
    }
    if (name === parameter) return isKind(args[0], 'tensor') ? args[0] : this.fail('a parameter is made of no tensor')
    if (name !== rebuild) return this.fail(`${name} is called`)
    const [storage, offset, shape, strides] = args
    if (!isKind(storage, 'storage') || !isSize(offset) || !isSizes(shape) || !isSizes(strides)) {
      return this.fail('a tensor is made of something else than storage, offset, size and stride')
    }
    if (shape.length !== strides.length) return this.fail('a tensor has another number of sizes than of strides')
    return { kind: 'tensor', storage, offset, shape, strides }
  }

  /** BINPERSID: `('storage', type, key, device, elements)`. */
  private persistent(id: PickleValue): StorageRef {
    if (!Array.isArray(id) || id[0] !== 'storage') return this.fail('a persistent id names no storage')
    const [, type, key, , elements] = id
    const typeName = isKind(type, 'global') ? storageTypes[type.name.replace(/^torch /, '')] : undefined
    if (!typeName || typeof key !== 'string' || !isSize(elements))
      return this.fail('a storage is not described as PyTorch does')
    return { kind: 'storage', type: typeName, key, elements }
  }

  private longBytes(length: number): number | bigint {
    if (length > 16) return this.fail(`got an integer of ${length} bytes`)
    let value = 0n
    const raw = this.slice(length)
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(raw[i]!)
    const signed = BigInt.asIntN(8 * length, value)
    return signed >= BigInt(Number.MIN_SAFE_INTEGER) && signed <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(signed)
      : signed
  }

  run(): PickleValue {
    for (;;) {
      const op = this.u8()
      if (op === 0x2e /* STOP */) return this.pop()
      this.step(op)
    }
  }

  private step(op: number): void {
    const { stack, memo } = this
    switch (op) {
      case 0x80: {
        const version = this.u8() // PROTO
        if (version > 5) this.fail(`got pickle protocol ${version}, expected at most 5`)
        return
      }
      case 0x95: // FRAME
        this.take(8)
        return
      case 0x28: // MARK
        stack.push(mark)
        return
      case 0x30: // POP
        stack.pop()
        return
      case 0x31: // POP_MARK
        this.popMark()
        return
      case 0x32: // DUP
        stack.push(this.top())
        return
      case 0x4e: // NONE
        stack.push(null)
        return
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        stack.push(op === 0x88)
        return
      case 0x4b: // BININT1
        stack.push(this.u8())
        return
      case 0x4d: // BININT2
        stack.push(this.view.getUint16(this.take(2), true))
        return
      case 0x4a: // BININT
        stack.push(this.view.getInt32(this.take(4), true))
        return
      case 0x8a: // LONG1
        stack.push(this.longBytes(this.u8()))
        return
      case 0x47: // BINFLOAT
        stack.push(this.view.getFloat64(this.take(8), false))
        return
      case 0x58: // BINUNICODE
        stack.push(this.text(this.u32()))
        return
      case 0x8c: // SHORT_BINUNICODE
        stack.push(this.text(this.u8()))
        return
      case 0x8d: // BINUNICODE8
        stack.push(this.text(this.u64()))
        return
      case 0x42: // BINBYTES
      case 0x54: // BINSTRING
        stack.push(this.slice(this.u32()))
        return
      case 0x43: // SHORT_BINBYTES
      case 0x55: // SHORT_BINSTRING
        stack.push(this.slice(this.u8()))
        return
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        stack.push([])
        return
      case 0x7d: // EMPTY_DICT
        stack.push(new Map())
        return
      case 0x8f: // EMPTY_SET
        stack.push(new Set())
        return
      case 0x74: // TUPLE
      case 0x6c: // LIST
        stack.push(this.popMark())
        return
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: {
        const items: PickleValue[] = []
        for (let i = 0; i <= op - 0x85; i++) items.unshift(this.pop())
        stack.push(items)
        return
      }
      case 0x61: {
        const item = this.pop() // APPEND
        this.append(this.top(), [item])
        return
      }
      case 0x65: {
        const items = this.popMark() // APPENDS
        this.append(this.top(), items)
        return
      }
      case 0x90: {
        const items = this.popMark() // ADDITEMS
        const target = this.top()
        if (!(target instanceof Set)) this.fail('items are added to something that is no set')
        for (const item of items) (target as Set<PickleValue>).add(item)
        return
      }
      case 0x73: {
        const value = this.pop() // SETITEM
        const key = this.pop()
        this.setItems(this.top(), [key, value])
        return
      }
      case 0x75: {
        const items = this.popMark() // SETITEMS
        this.setItems(this.top(), items)
        return
      }
      case 0x64: {
        const made = new Map<PickleValue, PickleValue>() // DICT
        this.setItems(made, this.popMark())
        stack.push(made)
        return
      }
      case 0x71: // BINPUT
        memo.set(this.u8(), this.top())
        return
      case 0x72: // LONG_BINPUT
        memo.set(this.u32(), this.top())
        return
      case 0x94: // MEMOIZE
        memo.set(memo.size, this.top())
        return
      case 0x68: // BINGET
        stack.push(this.recall(this.u8()))
        return
      case 0x6a: // LONG_BINGET
        stack.push(this.recall(this.u32()))
        return
      case 0x63: // GLOBAL
        stack.push(this.global(this.line(), this.line()))
        return
      case 0x93: {
        const name = this.pop() // STACK_GLOBAL
        const module = this.pop()
        if (typeof name !== 'string' || typeof module !== 'string') this.fail('a global is not named by strings')
        stack.push(this.global(module as string, name as string))
        return
      }
      case 0x52: {
        const args = this.pop() // REDUCE
        stack.push(this.call(this.pop(), args))
        return
      }
      case 0x51: // BINPERSID
        stack.push(this.persistent(this.pop()))
        return
      case 0x62: {
        const state = this.pop() // BUILD: OrderedDict carries `_metadata`, which says nothing about the weights
        if (!(this.top() instanceof Map) || !(state instanceof Map))
          this.fail('state is set on something that is no dictionary')
        return
      }
      default:
        this.fail(`got opcode 0x${op.toString(16)}, which no state_dict needs`)
    }
  }
}

export function isKind<K extends 'global' | 'storage' | 'tensor'>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { readonly kind: K }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind
}

const isSize = (value: PickleValue | undefined): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0

const isSizes = (value: PickleValue | undefined): value is number[] =>
  Array.isArray(value) && value.length <= 64 && value.every(isSize)
