/** A friend moves away: the news, the last day, the goodbye, and after. */
import { type Definition, define } from './define.js'

export const parting: Record<string, Definition> = define({
  news: {
    args: 'a b',
    opener: 'one',
    rule: (w, { a, b }) => w.open('parting', { a, b }),
    say: [
      '<a> got (sad|bad) news from <b.him>: <b.hs> family was going to move far away',
      '"I have to move to (another town|the other side of the sea|a far country), <a.name>," said <b.np> $sadly.',
      '<a> heard from <b.him> that this was the last week before the big move',
      '<a> saw boxes in front of the house, and <b> said that they were leaving for good',
    ],
    ask: [['Who had to move away?', '<b.name>', 'person']],
    gist: '<b.name> had to move away',
  },
  consoles: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.expect('parting')
    },
    say: [
      '"We will always be friends, <a.name>," said <b.np> and (hugged|kissed) <a.him>.',
      '"I do not want to go, <a.name>," said <b.np> $sadly.',
      '<b> was just as (sad|unhappy) and held <a.his> hand (for a long time|without a word|very tightly)[ $tail]',
      '"I will think of you (every day|every night|wherever I am), <a.name>," said <b.np> $sadly.',
    ],
  },
  lastDay: {
    args: 'a b p?',
    opener: 'next',
    rule: (w, { a, b, p }) => {
      w.together(a, b)
      w.expect('parting')
      if (p) w.at.set(a!, p)
      if (p) w.at.set(b!, p)
    },
    say: [
      '<ab> spent the last day <p.in> and played $game once more',
      'for the last time, <ab> went <p.to>',
      '<ab> sat <p.in> and did not talk much',
      '<ab> walked <p.to> once more and carved two letters into a tree',
    ],
    ask: [['Where did <a.name> and <b.name> spend the last day?', '<p.in>', 'place']],
    gist: '<a.name> and <b.name> spent the last day together',
  },
  goodbye: {
    args: 'a b',
    opener: 'after',
    rule: (w, { b }) => {
      w.close('parting', 'given up')
      if (b) w.at.delete(b)
    },
    say: [
      'soon the (wagon|cart|coach|bus) that carried <b.him> was only a dot, and <a> waved and waved',
      '<ab> (hugged|held hands|stood close together) for a long time, and then <b> was gone',
      '"Goodbye, <b.name>," <a> (whispered|said|called), and the (wagon|cart|coach|bus) rolled away.',
      'the (wagon|cart|coach|bus) took <b.him> away, and <a> stood there alone',
    ],
    gist: '<a.name> and <b.name> said goodbye',
  },
  letter: {
    args: 'a b',
    opener: 'later',
    rule: (w, { a }) => {
      w.hero(a)
      if (w.threads.every(thread => thread.end !== 'given up')) w.fail('nobody has gone away')
    },
    say: [
      'a letter from <b.np> came, and <a> read it three times',
      '"I think of you every day," <b> wrote to <a.him>.',
      '<a> got a card from <b.np> with a picture of (a lighthouse|a snowy mountain|a big ship|a green valley)',
    ],
    ask: [['Who wrote to <a.name>?', '<b.name>', 'person']],
    gist: '<b.name> wrote to <a.name>',
  },
  partedBitter: {
    args: 'a b',
    opener: 'none',
    rule: (w, { a }) => {
      w.hero(a)
      if (w.threads.every(thread => thread.end !== 'given up')) w.fail('nobody has gone away')
      for (const thread of w.threads) if (!thread.end) w.fail(`the end comes while this is open: ${thread.kind}`)
      w.ending = 'bittersweet'
    },
    say: [
      '<a> missed <b.him> every day, but a friend is a friend, near or far',
      'It was not the same without <b.np>, but <a> smiled and began to write a long letter',
      '<a> was sad and happy at once, and counted the days until summer, when <b> would visit',
    ],
  },
  partedSad: {
    args: 'a b',
    opener: 'none',
    rule: (w, { a }) => {
      w.hero(a)
      if (w.threads.every(thread => thread.end !== 'given up')) w.fail('nobody has gone away')
      for (const thread of w.threads) if (!thread.end) w.fail(`the end comes while this is open: ${thread.kind}`)
      w.ending = 'sad'
    },
    say: [
      'The house next door stayed dark, and <a> never saw <b.him> again',
      '<a> waited for a letter from <b.np>, but none came, and the winter was long',
      'That night, <a> looked at the empty window of <b.np> and cried <a.self> to sleep',
    ],
  },
})
