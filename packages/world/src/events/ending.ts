/** How stories end: happy, sad or both; what was learned; the last words. Nothing may be left open. */
import type { Args } from '../state/entities.js'
import type { Ledger } from '../state/ledger.js'
import { type Definition, define } from './define.js'

const end =
  (kind: string) =>
  (w: Ledger, { a, b }: Args): void => {
    w.hero(a, b)
    for (const thread of w.threads) if (!thread.end) w.fail(`the end comes while this is open: ${thread.kind}`)
    if (kind !== 'happy' && w.threads.every(thread => thread.end !== 'given up'))
      w.fail(`the end is ${kind} without a loss`)
    if (kind === 'happy' && w.threads.some(thread => thread.end === 'given up'))
      w.fail('the end is happy in spite of a loss')
    w.ending = kind
  }

export const ending: Record<string, Definition> = define({
  happyEnd: {
    args: 'a',
    opener: 'none',
    rule: end('happy'),
    say: [
      'That (night|evening), <a> (fell asleep|went to bed|lay in bed) (with a smile $nighttail|happy and tired $nighttail|and dreamed of $dream)',
      'From that day on, <a> (often told this story|smiled whenever <a.he> thought of it|walked with <a.hs> head up high|was a little wiser|felt a little bigger) and $habit',
      'It was (the best|a wonderful|a perfect) day, and <a.np> ate $food $nighttail',
      '<a> (went|ran|skipped|danced) home (with a happy heart|under the first stars|and sang) $nighttail',
      '<a> (went|ran|skipped|danced) home (with a happy heart|under the first stars|and sang all the way) and had $food for supper',
      'When the (moon|first star) came out, <a> was still (smiling|happy|humming a song) and ate $food',
      'And <a.np> (lived happily ever after|was happy for a long, long time) and $habit',
      'At supper, <a> told (everyone|the whole family) about it, and (they|everyone) (clapped|laughed|cheered) and ate $food',
    ],
  },
  happyEndTwo: {
    args: 'a b',
    opener: 'none',
    rule: end('happy'),
    say: [
      '<ab> (were|stayed) (best|good|great) friends (ever after|forever|from that day on)',
      'From that day on, <ab> (met|played|had tea|sang together) every (day|week|Sunday) and ate $food',
      'That (evening|night), <ab> (watched the stars|ate $food|sat by the fire|watched the sun go down) $nighttail',
      '<ab> walked home (hand in hand|side by side|arm in arm) and (sang|laughed|talked) all the way $nighttail',
      'And <ab.both> never forgot that (day|happy day|wonderful day) and the taste of $food',
      'Everyone cheered for <ab.them> and ate $food',
    ],
  },
  sadEnd: {
    args: 'a o?',
    opener: 'none',
    rule: end('sad'),
    say: [
      'That night, <a> (lay awake|could not sleep|cried into <a.hs> pillow) and thought of <o.the>',
      '<a> went home (slowly|with a heavy heart|in the rain), and (nothing was the same|the house was very quiet|not even $food tasted good) $nighttail',
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
    rule: (w, { a }) => w.hero(a),
    say: [
      '<a> (learned|had learned|knew now|understood) that <x>',
      '(That day|From this), <a> learned that <x>',
      '<a> (always remembered|never forgot) that <x>',
      '"Now I (know|see|understand) that <x>," (said|thought) <a.np>.',
    ],
    ask: [['What did <a.name> learn?', 'that <x>', 'other']],
  },
  theEnd: {
    args: '',
    opener: 'none',
    rule: w => (w.ending ? undefined : w.fail('the story has not ended yet')),
    say: ['The end.'],
  },
})
