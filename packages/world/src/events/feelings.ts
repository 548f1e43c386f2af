/** What people feel and say to each other: sorrow and comfort, thanks, joy, apologies. */
import { type Definition, define } from './define.js'

export const feelings: Record<string, Definition> = define({
  sad: {
    args: 'a x',
    x: 'sad',
    rule: (w, { a, x }) => {
      if (!w.threads.some(thread => !thread.end || thread.end === 'given up')) w.fail(`nothing makes ${a!.name} sad`)
      w.feeling.set(a!, x!.forms.base!)
    },
    say: [
      '<a> (was|felt) (very|really|terribly) <x>[ $tail| and (sighed|sat down|wanted to be alone|walked in circles|did not say a word)]',
      '<a> (was|felt) <x> and (sat down|sighed|hung <a.hs> head|did not know what to do|wanted to go home|stared at the ground|kicked a stone)[ $tail]',
      '<a> (was|felt) so <x> that <a.he> (could not speak|wanted to cry|forgot about lunch|could not smile)',
      '(a tear|two tears|big tears) ran down <a.his> (cheek|face|nose), and <a.he> (was|felt) very <x>[ $tail]',
      '<a> (sat down|stood|leaned) (under a tree|by a wall|on the steps|next to a bush|against a fence) and (was|felt) very <x>[ $tail]',
    ],
    ask: [['How did <a.name> feel before the end?', '<a.name> felt <x>', 'feeling']],
  },
  cry: {
    args: 'a',
    rule: (w, { a }) => {
      if (!w.threads.some(thread => !thread.end)) w.fail(`nothing makes ${a!.name} cry`)
    },
    say: [
      '<a> (sat down and|hid <a.hs> face and|sat on a stone and) (cried|wept)[ $tail]',
      '<a> tried not to cry, but (a tear|one big tear) fell on (the grass|<a.hs> shoe|the ground|<a.hs> nose)',
      '"What shall I do now?" <a> (cried|sighed|asked).',
      '"This is the worst day ever," <a> (cried|said|told the sky) $sadly.',
    ],
  },
  comfort: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.mark('comfort', b, a)
    },
    say: [
      '"It is not so bad," said <b.np> and (sat down next to|put an arm around|hugged) <a.him>.',
      '"(Do not be sad|Do not cry|It will be all right), <a.name>," said <b.np> $kindly.',
      '"I am here with you," said <b.np> and gave <a.him> (a hug|a warm hug|half of an apple|a cup of tea|a handkerchief).',
      '"Tell me all about it, <a.name>," said <b.np> and listened (to every word|quietly|until the end).',
    ],
    ask: [['Who comforted <a.name>?', '<b.name>', 'person']],
  },
  glad: {
    args: 'a x',
    x: 'glad',
    rule: (w, { a, x }) => {
      if (w.isOpen('lost', a) || w.isOpen('broken', a)) w.fail(`${a!.name} has no reason to be ${x!.forms.base} yet`)
      w.feeling.set(a!, x!.forms.base!)
    },
    say: [
      '<a> (was|felt) (very|really) <x>[ $tail| and $joy2]',
      '<a> (was|felt) so <x> that <a.he> $joy[ and $joy2]',
      '<a> $joy because <a.he> was so <x>',
      '<a> had never been so <x> (before|in all <a.hs> life), and <a.he> $joy',
    ],
    ask: [['How did <a.name> feel at the end?', '<a.name> felt <x>', 'feeling']],
  },
  thanks: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.needs('helps', b, a)
    },
    say: [
      '"Thank you (so much|very much|for your help|with all my heart), <b.name>!" said <a.np>.',
      '"Thank you!" <a> (said|cried) and (hugged|kissed) <b.him>.',
      '"You are (a true friend|the best friend|so kind|very kind), <b.name>," said <a.np>.',
      '<a> (thanked|hugged) <b.him> (again and again|with all <a.hs> heart|and laughed)',
      '"I will never forget what you did for me, <b.name>," said <a.np>.',
      '"How can I ever thank you, <b.name>?" <a> asked, but <b> only (smiled|laughed|waved a hand|winked|blushed|said that it was nothing).',
      '"I am so glad that I met you, <b.name>," said <a.np>.',
      '<a> gave <b.him> (a big hug|a flower|a kiss on the cheek|a shiny berry|a cookie) to say thank you',
    ],
    ask: [['Who did <a.name> thank?', '<b.name>', 'person']],
  },
  laugh: {
    args: 'a b',
    rule: (w, { a, b }) => w.together(a, b),
    say: [
      '<ab> (laughed|giggled) (until their bellies hurt|together|so loudly that the birds flew up|all the way home)[ $tail]',
      '<ab> (looked at each other|looked up|looked down at their feet) and (laughed|smiled|giggled|grinned)[ $tail]',
      '<ab> danced (in a circle|around and around|hand in hand) (and sang|until they were dizzy|until they fell down|to a song without words)[ $tail]',
    ],
  },
})
