/** How option values are read. */
import { InvalidArgumentError } from 'commander'

export const number = (text: string): number => {
  const n = Number(text)
  if (text.trim() === '' || Number.isNaN(n)) throw new InvalidArgumentError('Expected a number.')
  return n
}

export const numberList = (text: string): number[] => text.split(',').map(number)

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
