/** How option values are read. */
import { InvalidArgumentError } from 'commander'

export const number = (text: string): number => {
  const n = Number(text)
  if (text.trim() === '' || Number.isNaN(n)) throw new InvalidArgumentError('Expected a number.')
  return n
}

export const numberList = (text: string): number[] => text.split(',').map(number)

/** A whole number from `least` on. */
export const whole =
  (least: number) =>
  (text: string): number => {
    const n = number(text)
    if (!Number.isSafeInteger(n) || n < least) throw new InvalidArgumentError(`Expected a whole number ≥ ${least}.`)
    return n
  }

export const wholeList =
  (least: number) =>
  (text: string): number[] =>
    text.split(',').map(whole(least))
