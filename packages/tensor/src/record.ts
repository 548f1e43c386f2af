/** A backend without hardware: it accepts every kernel it is told to have, computes nothing, and shows its programs. */

import { packArena } from './arena.js'
import type { Attrs, Backend, Kernel, Operand, Program } from './backend.js'
import { UnsupportedError } from './errors.js'
import { byteLength, format } from './spec.js'

export interface RecordOptions {
  /** Ops that have a kernel; the rest run their definition. Default: all. */
  readonly kernels?: (op: string) => boolean
}

/**
 * The `record` backend: traces and compiles like any other, so plans can be listed and tested on any machine.
 *
 * @example
 * const device = createDevice(record())
 * console.log(listing(plan(device, { x: f32([2]) }, ({ x }) => add(x, 1)).program))
 */
export function record({ kernels = () => true }: RecordOptions = {}): Backend {
  return {
    name: 'record',
    contract: 1,
    description: 'records programs, computes nothing',
    alloc: () => ({}),
    free() {},
    write() {},
    async read() {
      throw new UnsupportedError('read: got the record backend, expected one that computes. It only lists programs')
    },
    kernel: ({ op }): Kernel | undefined => (kernels(op) ? { name: op } : undefined),
    run() {},
    compile: program => ({ run() {}, output: () => ({}), bytes: packArena(program).bytes, dispose() {} }),
  }
}

/** A program as text, one call a line: `%7 = linear(%3 [1,64] f32, %2 [96,64] q4_0)`. */
export function listing(program: Program): string {
  const { slots, calls, inputs, outputs } = program
  const seen = new Map<number, string>()
  const name = (slot: number): string => {
    const s = slots[slot]!
    return s.kind === 'input' ? `$${s.name}` : `${s.kind === 'bound' ? '@' : '%'}${seen.get(slot) ?? number(slot)}`
  }
  const number = (slot: number): string => {
    const n = String([...seen.keys()].length)
    seen.set(slot, n)
    return n
  }
  const show = (o: Operand): string => `${name(o.slot)} ${format(o.spec)}`
  const lines = calls.map(c => {
    const left = c.outputs.length > 0 ? `${c.outputs.map(o => name(o.slot)).join(', ')} = ` : ''
    const changed = c.mutates.map(i => name(c.inputs[i]!.slot))
    return `${left}${c.op}(${c.inputs.map(show).join(', ')})${attributes(c.attrs)}${changed.length > 0 ? ` changes ${changed.join(', ')}` : ''}`
  })
  const { bytes } = packArena(program)
  const bound = slots.filter(s => s.kind === 'bound').reduce((a, s) => a + byteLength(s.spec), 0)
  return [
    `inputs  ${inputs.map(show_).join(', ')}`,
    ...lines,
    `outputs ${outputs.map(show).join(', ')}`,
    `${calls.length} calls, ${bytes} bytes of arena, ${bound} bytes bound`,
  ].join('\n')

  function show_(slot: number): string {
    return `${name(slot)} ${format(slots[slot]!.spec)}`
  }
}

function attributes(attrs: Attrs): string {
  const shown = Object.entries(attrs).map(
    ([k, v]) => `${k}=${typeof v === 'object' ? `[${v}]` : typeof v === 'number' ? Number(v.toPrecision(7)) : v}`,
  )
  return shown.length > 0 ? ` {${shown.join(' ')}}` : ''
}
