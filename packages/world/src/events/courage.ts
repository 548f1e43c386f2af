/** Fear and courage. */
import { type Definition, define } from './define.js'

export const courage: Record<string, Definition> = define({
  afraid: {
    args: 'a x',
    x: 'fear',
    rule: (w, { a, x }) => w.open('fear', { a, x }),
    say: [
      '<a> was (afraid|scared|very afraid|terribly scared) of <x>',
      'But <a> had a (secret|small secret|big problem): <a.he> was (afraid|scared) of <x>',
      'There was only one thing that scared <a.him>: <x>',
      'Whenever <a> thought of <x>, <a.hs> (knees shook|heart beat fast|tummy hurt|hands got cold)',
      '<a> (did not like|could not stand|always kept away from) <x>, because <a.he> was (afraid|scared)',
    ],
    ask: [['What was <a.name> afraid of?', '<x>', 'other']],
    gist: '<a.name> was afraid of <x>',
  },
  teased: {
    args: 'a',
    rule: (w, { a }) => void w.expect('fear', a),
    say: [
      '<a> was ashamed and never told anyone (at home|about it|at all)',
      '<a> wished that <a.he> were (braver|brave like the others|not so afraid)[ $tail]',
      '<a> (tried|wanted) to hide it, but everyone (knew|had seen it|had heard of it|could see it)',
      '"I wish I were brave," <a> often (said|thought|sighed)[ $nighttail].',
    ],
  },
  trouble: {
    args: 'b x',
    x: 'fear',
    opener: 'sudden',
    rule: (w, { b, x }) => {
      w.expect('fear', undefined, x)
      w.open('trouble', { a: b })
    },
    say: ['<b> <x.trouble>', '<b> was not careful and <x.trouble>', 'it happened: <b> <x.trouble>'],
    ask: [['What happened to <b.name>?', '<b.he> <x.trouble>', 'other']],
    gist: '<b.name> <x.trouble>',
  },
  callHelp: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.expect('trouble', b)
    },
    say: [
      '"Help! Please help me, <a.name>!" (cried|called|shouted) <b.np>.',
      '"Help!" (cried|called|shouted) <b.np>, and only <a> (could hear it|heard it|was there to hear it).',
      '"<a.name>, please come! I need you!" (cried|called|shouted) <b.np>.',
      '<a> heard <b.him> (cry|call|shout) for help',
    ],
  },
  hesitate: {
    args: 'a x',
    x: 'fear',
    rule: (w, { a, x }) => void w.expect('fear', a, x),
    say: [
      '<a> (began to shake|stood still|went pale|took a step back), for nothing was worse than <x>',
      'at first, <a> could not move, because all <a.he> could think of was <x>',
      '<a> wanted to run away, because of <x>',
      '"I can not do it," <a> thought, and <a.he> shook at the thought of <x>.',
    ],
  },
  courage: {
    args: 'a b?',
    rule: (w, { a, b }) => {
      w.expect('trouble', b)
      w.mark('ready', a)
    },
    say: [
      '<a> thought of <b.him> and took a deep breath',
      '"My friend needs me," <a> (said|whispered|thought), and <a.he> (stood up tall|took a deep breath|made two fists).',
      '<a> closed <a.hs> eyes, counted to three and thought of <b.him>',
      '"I am coming, <b.name>!" <a> (cried|called|shouted).',
      '<a> knew that <b> had no one else, and that made <a.hm> brave',
    ],
    ask: [['Why was <a.name> brave?', '<b.name> needed help', 'gist']],
  },
  face: {
    args: 'a x',
    x: 'fear',
    rule: (w, { a, x }) => {
      w.needs('ready', a)
      w.close('fear', 'faced', a, x)
    },
    say: [
      '<a> <x.face>',
      '(with shaking legs|with a beating heart|step by step|without looking back), <a> <x.face>',
      '<a> was still afraid, but <a.he> <x.face>',
      '<a> <x.face>, although <a.hs> heart beat like a drum',
    ],
    ask: [['What did <a.name> do?', '<a.he> <x.face>', 'other']],
    gist: '<a.name> <x.face>',
  },
  rescue: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.close('trouble', 'rescued', b)
      w.mark('helps', a, b)
    },
    say: [
      '<a> took <b.him> by the hand and brought <b.hm> back (safe and sound|to safety|home)',
      '<a> (held|pulled|led) <b.him> until they were both safe',
      '"Hold on to me!" (said|called) <a.np>, and a moment later <b> was safe.',
      '<a> gave <b.him> a hand, and together they got (out|away|back to safe ground)',
      '<a> (pulled|helped) <b.him> out, and nobody was hurt',
    ],
    ask: [['Who saved <b.name>?', '<a.name>', 'person']],
    gist: '<a.name> saved <b.name>',
  },
  brave: {
    args: 'a x?',
    x: 'fear',
    rule: (w, { a, x }) => w.ended('fear', 'faced', a, x),
    say: [
      '<a> was not so afraid of <x> (anymore|any longer|now)',
      '<a> thought of <x> and was surprised at <a.self>',
      '"It was not so bad," <a> thought, and <a.he> (stood up tall|smiled|felt ten feet tall).',
      '<x> never (scared|frightened) <a.him> so much again',
    ],
  },
})
