/** How stories begin: who, where, what kind of day, with whom, and what is dear to them. */
import { type Definition, define } from './define.js'

export const opening: Record<string, Definition> = define({
  live: {
    args: 'a p?',
    rule: (w, { a }) => w.person(a!),
    say: [
      '$once there was <a.intro> who lived $near <p>.',
      '$once there was <a.intro>.',
      '$once there lived <a.intro> $near <p>.',
      '$once <a.intro> lived in a $house house $near <p>.',
      'In a $house house $near <p> lived <a.intro>.',
      '(Not far from|Close to|Right beside) <p>, in a $house house, lived <a.intro>.',
      '<a.name> was <a.kid> who lived $near <p>.',
      '<a.name> was <a.kid>, and <a.hs> home was a $house house $near <p>.',
      'This is the story of <a.intro>, who lived $near <p>.',
      '(Everyone|Everybody) <p.in> knew <a.intro>.',
      '$once <a.intro> lived with <a.hs> (grandmother|family|big family|grandfather|three brothers|two sisters) $near <p>.',
    ],
    ask: [
      ['Who is the story about?', '<a.name>', 'person'],
      ['Who was <a.name>?', '<a.kid>', 'other'],
    ],
  },
  nature: {
    args: 'a',
    rule: (w, { a }) => w.person(a!),
    say: [
      '<a> had $eyes eyes and a $heart heart and $habit2',
      '<a> had (a small|a red|a blue|a green|a big|an old) $wearing and a very $heart heart',
      '<a> was (small|little|not very big|not very tall), but <a.he> had a $heart heart',
      '(Everyone|Everybody|All the neighbors) (liked|loved) <a.him> because <a.he> was (so kind|so funny|always kind|always fair|never rude|good to everyone)',
      '<a> $habit and $habit2',
      '<a> $habit, and sometimes <a.he> $habit2',
      '(Everyone|Everybody|The whole neighborhood) knew that <a> $habit',
    ],
  },
  likes: {
    args: 'a x',
    x: 'hobby',
    say: [
      '<a> (loved|liked) <x.ing>, and <a.he> $habit',
      'More than anything, <a> (loved|liked) <x.ing> $often',
      '<a> (loved|liked) <x.ing> $often, and <a.he> $habit2',
      'What <a> (loved|liked) (best|most) was <x.ing> $often',
      'Every (morning|day|afternoon|Sunday), <a> <x.past> $often',
    ],
    ask: [['What did <a.name> like to do?', '<x.base>', 'other']],
  },
  day: {
    args: 'p?',
    opener: 'none',
    say: [
      'One $dayadj (morning|day|afternoon), $sky and $sound',
      'It was a $dayadj (morning|day|afternoon) <p.in>, and $sky',
      'It was a $dayadj (morning|day|afternoon), and $sound <p.in>',
      'That (morning|day|afternoon), $sky and $smell',
      '(One|That) (morning|afternoon), $sound and the air <p.in> (smelled|smelt) of $scent',
      '<p> was (quiet|busy|bright|calm|full of sunshine) that (morning|day|afternoon), and $smell',
      '(One|That) (morning|afternoon), everything <p.in> was (quiet|calm|still|bright), and $sky',
      'The (morning|day) (began|started) with (sunshine|a soft wind|the song of a bird|a $dayadj sky), and $sound <p.in>',
    ],
  },
  out: {
    args: 'a p',
    opener: 'one',
    rule: (w, { a, p }) => {
      w.person(a!)
      w.reach(p)
      w.at.set(a!, p!)
    },
    say: [
      '<a> (went|walked|ran|hurried|skipped) <p.to>',
      '<a> was (playing|walking|sitting|resting|singing) <p.in>',
      '<a> was (playing|walking|sitting|resting) alone <p.in>',
      '<a> had (nothing to do|some free time|a lot of time) and was <p.in>',
      '<a> (put on|pulled on) <a.hs> (boots|shoes|warm coat|old jacket|favorite hat) and (went|walked|hurried) <p.to>',
      '<a> (ate|finished) <a.hs> (porridge|toast|soup|pancakes|bread and jam) and (went out|ran out|set off) <p.to>',
    ],
    ask: [['Where did <a.name> go first?', '<p.to>', 'place']],
  },
  pal: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.person(a!)
      w.person(b!)
      w.together(a, b)
      w.mark('friends', a, b)
      w.mark('friends', b, a)
    },
    say: [
      '<a.his> best friend was <b.intro>',
      '<a> had a (good|dear|best) friend, <b.intro>',
      '<a> had a friend: <b.intro>',
      '<a> was (best friends|good friends|great friends) with <b.intro>',
      '(Next door|Across the road|Just around the corner|Very close by) lived <b.intro>, who was <a.his> (best|good|dear) friend',
      '<a> (did everything together|shared everything|spent every day|played every day) with <b.intro>',
      'With <a.him> was <a.hs> friend, <b.intro>',
    ],
    ask: [
      ['Who was the friend of <a.name>?', '<b.name>', 'person'],
      ['Who was <b.name>?', '<b.kid>', 'other'],
    ],
  },
  own: {
    args: 'a o',
    rule: (w, { a, o }) => w.thing(o, a, a),
    say: [
      '<a> had <o.a>, and <a.he> loved to <o.use> it',
      '<a> had <o.a> that <a.he> loved very much',
      '<a> (owned|had) <o.a>[, a present from <a.hs> (grandmother|grandfather|uncle|aunt|mother|father|cousin)]',
      '<a.his> (favorite|dearest|best|most precious) thing was <o.a>',
      'Of all the things <a> had, <a.he> loved <o.a> (best|most)',
      '<a> took <o.a> with <a.hm> wherever <a.he> went',
      '<a> had (just got|been given|saved up for|found) <o.a>, and <a.he> was very proud of it',
      'For <a.hs> birthday, <a> (got|was given) <o.a>',
      'There was nothing <a> loved more than <o.a> that <a.hs> (grandmother|grandfather|uncle|aunt|cousin) had given <a.hm>',
    ],
    ask: [['What did <a.name> have?', '<o.a>', 'thing']],
  },
  bring: {
    args: 'a o',
    rule: (w, { a, o }) => {
      if (w.things.includes(o!)) w.has(a, o)
      else w.thing(o, a, a)
    },
    say: [
      '<a> (took|brought|carried) <o.a> with <a.hm>',
      '<a> had <o.a> (under <a.hs> arm|in <a.hs> arms|in <a.hs> bag|with <a.hm>)',
    ],
  },
  use: {
    args: 'a o p?',
    rule: (w, { a, o, p }) => {
      w.has(a, o)
      w.whole(o)
      w.here(a, p)
    },
    say: [
      '<a> <o.used> <o> <p.in>',
      '<a> <o.used> <o> (all morning|for a long time|for an hour|again and again|until lunch|and hummed a song|and laughed)',
      '<a> <o.used> <o> and felt like the (luckiest|happiest|proudest) <a.noun> in the (world|country|land)',
    ],
    ask: [['What did <a.name> do with the <o.bare>?', '<a.name> <o.used> it', 'other']],
  },
  play: {
    args: 'a b p?',
    opener: 'one',
    rule: (w, { a, b, p }) => {
      if (p) w.at.set(a!, p)
      if (p) w.at.set(b!, p)
    },
    say: [
      '<ab> played $game <p.in>',
      '<ab> (went|walked|ran|raced) <p.to> to play $game',
      '<ab> (sat|rested) <p.in> and told each other (funny stories|secrets|riddles|jokes)',
      '<ab> were together <p.in> and played $game',
      '<ab> met <p.in> to play $game',
    ],
    ask: [['Where did <a.name> and <b.name> play?', '<p.in>', 'place']],
  },
  meet: {
    args: 'a? b p?',
    opener: 'after',
    rule: (w, { a, b, p }) => {
      w.person(b!)
      w.here(a, p)
      w.together(a, b)
      if (!a && p && w.at.has(w.people[0]!) && ![...w.at.values()].includes(p)) w.fail(`nobody is at the ${p.noun}`)
      if (!a && p) w.at.set(b!, p)
    },
    say: [
      '<a> met <b.intro>',
      '<a> met <b.intro> <p.in>',
      '<b.intro> came (along|by|down the path|out of the shade|around the corner|out to see what the noise was)',
      '<p.in> (sat|stood|rested) <b.intro>',
      '<a> saw <b.intro> who was (eating an apple|resting in the shade|sweeping leaves|humming a tune|looking at the clouds|counting stones|drinking some water) <p.in>',
      '<a> heard a voice, and there was <b.intro>',
      '<b.intro> (heard|noticed) <a.him> and came (closer|over|to see)',
      'By chance, <b.intro> was <p.in> too',
    ],
    ask: [
      ['Who did <a.name> meet?', '<b.name>', 'person'],
      ['Who was <b.name>?', '<b.kid>', 'other'],
    ],
  },
})
