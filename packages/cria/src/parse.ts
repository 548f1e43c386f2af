/** How option values are read. */
import { InvalidArgumentError } from 'commander'

export const number = (text: string): number => {
  const n = Number(text)
  if (text.trim() === '' || Number.isNaN(n)) throw new InvalidArgumentError('Expected a number.')
  return n
}

/** A finite number from `least` on. */
export const within =
  (least: number) =>
  (text: string): number => {
    const n = number(text)
    if (!Number.isFinite(n) || n < least)
      throw new InvalidArgumentError(`Expected a ${least < 0 ? 'finite number' : `number ≥ ${least}`}.`)
    return n
  }

export const numberPair = (text: string): [number, number] => {
  const [a, b, more] = text.split(',')
  if (a === undefined || b === undefined || more !== undefined)
    throw new InvalidArgumentError('Expected two numbers with a comma between them.')
  return [number(a), number(b)]
}

/** A whole number from `least` on, to `most` where that is given. */
export const whole =
  (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const n = number(text)
    if (!Number.isSafeInteger(n) || n < least || n > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `≥ ${least}` : `from ${least} to ${most}`
      throw new InvalidArgumentError(`Expected a whole number ${range}.`)
    }
    return n
  }

export const wholeList =
  (least: number, most?: number) =>
  (text: string): number[] =>
    text.split(',').map(whole(least, most))
