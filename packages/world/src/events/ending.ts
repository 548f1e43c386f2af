/** How stories end: happy, sad or both; what was learned; the last words. Nothing may be left open. */
import type { Ledger } from '../state/ledger.js'
import { type Definition, define } from './define.js'

const end =
  (kind: string) =>
  (w: Ledger): void => {
    for (const thread of w.threads) if (!thread.end) w.fail(`the end comes while this is open: ${thread.kind}`)
    if (kind !== 'happy' && w.threads.every(thread => thread.end !== 'given up'))
      w.fail(`the end is ${kind} without a loss`)
    if (kind === 'happy' && w.threads.some(thread => thread.end === 'given up'))
      w.fail('the end is happy in spite of a loss')
    if (w.ending && w.ending !== kind) w.fail(`the end is ${w.ending}, then ${kind}`)
    w.ending = kind
  }

export const ending: Record<string, Definition> = define({
  happyEnd: {
    args: 'a',
    opener: 'none',
    rule: end('happy'),
    say: [
      'That (night|evening), <a> (fell asleep|went to bed|lay in bed) (with a smile|smiling|happy and tired|and dreamed of the next day)',
      'From that day on, <a> (often told this story|smiled whenever <a.he> thought of it|walked with <a.hs> head up high|was a little wiser|felt a little bigger)',
      'It was (the best|a wonderful|a perfect) day, and <a> never forgot it',
      '<a> (went|ran|skipped|danced) home (with a happy heart|and sang all the way|under the first stars|and had soup for supper)',
      'When the (moon|first star) came out, <a> was still (smiling|happy|humming a song)',
      'And <a> (lived happily ever after|was happy for a long, long time)',
      'At supper, <a> told (everyone|the whole family) about it, and (they|everyone) (clapped|laughed|cheered)',
    ],
  },
  happyEndTwo: {
    args: 'a b',
    opener: 'none',
    rule: end('happy'),
    say: [
      '<ab> (were|stayed) (best|good|great) friends (ever after|forever|from that day on)',
      'From that day on, <ab> (met|played|had tea|sang together) every (day|week|Sunday)',
      'That (evening|night), <ab> (watched the stars|ate soup together|sat by the fire|watched the sun go down) and were happy',
      '<ab> walked home (hand in hand|side by side|arm in arm) and (sang|laughed|talked) all the way',
      'And <ab> never forgot that (day|happy day|wonderful day)',
      'Everyone cheered for <ab.them>, and there was (cake|warm bread|sweet tea|soup) for all',
    ],
  },
  sadEnd: {
    args: 'a o?',
    opener: 'none',
    rule: end('sad'),
    say: [
      'That night, <a> (lay awake|could not sleep|cried into <a.hs> pillow) and thought of <o.the>',
      '<a> went home (slowly|with a heavy heart|in the rain), and (nothing was the same|the house was very quiet|supper did not taste good)',
      '<a> never saw <o.the> again, and that was very sad',
      '<a> (looked out of the window|stood at the window) (for a long time|until it was dark) and missed <o.the>',
    ],
  },
  bitterEnd: {
    args: 'a o?',
    opener: 'none',
    rule: end('bittersweet'),
    say: [
      '<a> still missed <o.the>, but <a.he> (was not alone|had a good friend|could smile again)',
      '<o.the> was gone, but <a> (had learned something|had found a friend|could smile again)',
      '<a> was a little sad and a little happy (that night|at the same time), and that was (fine|all right)',
      'Sometimes <a> still thought of <o.the>, but then <a.he> (smiled|looked at the stars and smiled|remembered the kind words)',
    ],
  },
  lesson: {
    args: 'a x',
    x: 'lesson',
    opener: 'none',
    say: [
      '<a> (learned|had learned|knew now|understood) that <x>',
      '(That day|From this), <a> learned that <x>',
      '<a> (always remembered|never forgot) that <x>',
      '"Now I know that <x>," said <a.np>.',
    ],
    ask: [['What did <a.name> learn?', 'that <x>', 'other']],
  },
  theEnd: { args: '', opener: 'none', rule: () => undefined, say: ['The end.'] },
})
