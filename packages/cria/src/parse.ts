/** How option values are read. */
import { CommanderError } from 'commander'

export const number = (text: string): number => {
  const n = Number(text)
  if (text.trim() === '' || Number.isNaN(n))
    throw new CommanderError(1, 'cria.number', `got ${text}, expected a number`)
  return n
}

export const numberList = (text: string): number[] => text.split(',').map(number)
