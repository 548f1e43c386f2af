// Typed arrays that grow.

/** `array`, or where it has less room than `need`, a longer one of its kind with its content. */
export function withRoom<T extends Uint8Array | Int32Array | Uint32Array | Float64Array>(array: T, need: number): T {
  if (need <= array.length) return array
  const longer = new (array.constructor as new (length: number) => T)(Math.max(need, 2 * array.length))
  longer.set(array)
  return longer
}
