/** Words at the start of a sentence that place it after the one before. They do not change the world. */
import type { Opener } from './events/define.js'

export const openers: Readonly<Record<Exclude<Opener, 'none'>, readonly string[]>> = {
  one: [
    'One day, ',
    'One morning, ',
    'One afternoon, ',
    'One fine day, ',
    'One Saturday, ',
    'One day ',
    'One sunny morning, ',
    'Early one morning, ',
  ],
  after: [
    'Then ',
    'Then ',
    'After that, ',
    'Soon ',
    'Soon, ',
    'Next, ',
    'A little later, ',
    'Before long, ',
    'After a while, ',
    'A few minutes later, ',
  ],
  sudden: [
    'Suddenly, ',
    'Suddenly ',
    'Just then, ',
    'All at once, ',
    'All of a sudden, ',
    'At that moment, ',
    'But then ',
  ],
  last: ['At last, ', 'Finally, ', 'In the end, ', 'At last ', 'After a long time, '],
  next: ['The next day, ', 'The next morning, ', 'The day after, '],
  later: ['Later, ', 'After a while, ', 'An hour later, ', 'For a long time, '],
}
export const leads = { but: 'But ', so: 'So ', and: 'And ' } as const
export const joints: Readonly<Record<'and' | 'but' | 'so' | 'after', readonly string[]>> = {
  and: [', and ', ' and '],
  but: [', but '],
  so: [', so ', ', and so '],
  after: [', and then ', ', then ', ' and then '],
}
export const allOpeners: readonly string[] = [
  ...new Set([...Object.values(openers).flat(), ...Object.values(leads)]),
].sort((a, b) => b.length - a.length)
export const allJoints: readonly string[] = [...new Set(Object.values(joints).flat())].sort(
  (a, b) => b.length - a.length,
)
