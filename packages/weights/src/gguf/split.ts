/** Names of split GGUF files: `NAME-00001-of-00003.gguf`. */

const pattern = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i

/** The names of all parts, when `name` is one of several. */
export function splitNames(name: string): string[] | undefined {
  const parts = pattern.exec(name)
  if (!parts) return undefined
  const [, base, , count] = parts as unknown as [string, string, string, string]
  return Array.from({ length: Number(count) }, (_, i) => `${base}-${String(i + 1).padStart(5, '0')}-of-${count}.gguf`)
}

/** Whether a name is a part other than the first: such a file does not stand for its model. */
export const isLaterPart = (name: string): boolean => Number(pattern.exec(name)?.[2] ?? 1) !== 1
