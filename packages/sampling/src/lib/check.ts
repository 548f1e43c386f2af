/** Range checks of options, by name. A wrong option fails when the sampler is made, never while text is written. */
import { ParameterError } from '../errors.js'

export function number(op: string, name: string, value: number, low: number, high: number, fix?: string): number {
  if (typeof value !== 'number' || !(value >= low && value <= high)) {
    throw new ParameterError(op, name, value, `a number ${range(low, high)}`, fix)
  }
  return value
}

export function integer(op: string, name: string, value: number, low: number, high: number = 2 ** 31 - 1): number {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new ParameterError(op, name, value, `a whole number ${range(low, high)}`)
  }
  return value
}

export function tokenId(op: string, name: string, value: number): number {
  return integer(op, name, value, 0)
}

function range(low: number, high: number): string {
  if (high === Number.MAX_VALUE || high === Number.POSITIVE_INFINITY || high === 2 ** 31 - 1)
    return `of at least ${low}`
  return `from ${low} to ${high}`
}
