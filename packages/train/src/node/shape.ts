/** What JSON from a file has to be before it is believed. */

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The name of a file in the folder itself. */
export const isPlainName = (name: string): boolean => /^[^/\\\0]+$/.test(name) && name !== '.' && name !== '..'
