/** Trouble outdoors: someone stuck, a storm, shelter, ropes and other help. */
import { type Definition, define } from './define.js'

export const rescue: Record<string, Definition> = define({
  stuck: {
    args: 'b x',
    x: 'trap',
    opener: 'sudden',
    rule: (w, { b }) => w.open('stuck', { a: b }),
    say: [
      '<b> got stuck <x>',
      '<b> was stuck <x> and could not (move|get out|get free)',
      '<b> (slipped|stumbled) and got stuck <x>',
      '<b> heard a crack, and the next moment <b.he> was stuck <x>',
    ],
    ask: [
      ['Who got stuck?', '<b.name>', 'person'],
      ['Where was <b.name> stuck?', '<x>', 'other'],
    ],
    gist: '<b.name> got stuck <x>',
  },
  shout: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.expect('stuck', b)
    },
    say: [
      '"Help me, <a.name>!" (cried|called|shouted) <b.np>.',
      '"I cannot get out!" (cried|called|shouted) <b.np>, and <a> came running.',
      'nobody but <a.np> heard <b.him> (cry|call|shout)',
      '"I am coming, <b.name>!" (cried|called|shouted) <a.np>.',
    ],
  },
  pullFail: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.expect('stuck', b)
    },
    say: [
      '<a> pulled (with all <a.hs> might|and pulled), but <b> did not move',
      '<a> took <b.his> hands and pulled (hard|three times|as well as <a.he> could), but it was no use',
      '<a> pushed first and then pulled, but <b> (stayed where <b.he> was|did not move at all|only groaned)',
      '<a> pulled so hard that <a.he> fell (on <a.hs> back|over backwards|into the grass), but <b> was (still stuck|as stuck as before)',
    ],
    gist: '<a.name> could not pull <b.name> out',
  },
  fetchTool: {
    args: 'a q p?',
    opener: 'after',
    rule: (w, { a, q, p }) => {
      w.expect('stuck')
      w.here(a, p)
      w.thing(q, a)
    },
    say: [
      '<a> ran to get <q.a>',
      '<a> remembered that there was <q.a> (in the shed|behind the house|by the road|under the steps) and ran to get it',
      '<a> looked around and found <q.a>',
      '"Wait here, I will get <q.a>," said <a.np> and ran.',
    ],
    ask: [['What did <a.name> get?', '<q.a>', 'thing']],
    gist: '<a.name> got <q.a>',
  },
  pullOut: {
    args: 'a b q',
    opener: 'last',
    rule: (w, { a, b, q }) => {
      w.has(a, q)
      w.close('stuck', 'freed', b)
      w.together(a, b)
      w.mark('helps', a, b)
    },
    say: [
      '<a> held out <q.the> to <b.him> and pulled until <b.he> was free',
      'with <q.the>, <a> got <b.him> out',
      '<a> put <q.the> into <b.his> hands and, with one great pull, got <b.hm> out',
      '<a> used <q>, and a moment later <b> was free',
    ],
    ask: [
      ['How did <a.name> get <b.name> out?', 'with <q.the>', 'thing'],
      ['Who got <b.name> out?', '<a.name>', 'person'],
    ],
    gist: '<a.name> got <b.name> out',
  },
  stormComes: {
    args: 'x',
    x: 'storm',
    opener: 'sudden',
    rule: (w, { x }) => w.open('storm', { x }),
    say: [
      'dark clouds came over the hill, and <x> began',
      'the sky turned (black|dark gray|yellow and dark), and there was <x>',
      '<x> came (down on them|out of nowhere|faster than anyone could run)',
      'the wind began to howl, and <x> came',
    ],
    ask: [['What came?', '<x>', 'other']],
    gist: '<x> came',
  },
  hide: {
    args: 'a b x',
    x: 'shelter',
    opener: 'after',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.expect('storm')
      w.mark('sheltered')
    },
    say: [
      '<ab> ran (as fast as they could|hand in hand|without looking back|through the puddles|with wet hair) and hid <x>',
      '<ab> found a dry place <x> (and shook off the wet|and held hands|and waited|and told each other stories|and sang against the noise|and counted to a hundred)',
      '<ab> sat close together <x> and listened to the noise of the (wind|sky|branches|water|thunder|trees)',
      '"Quick, over there!" someone cried, and <ab> hid <x>.',
    ],
    ask: [['Where did <a.name> and <b.name> hide?', '<x>', 'other']],
    gist: '<a.name> and <b.name> hid <x>',
  },
  hear: {
    args: 'a b c',
    opener: 'sudden',
    rule: (w, { c }) => {
      w.person(c!)
      w.needs('sheltered')
      w.expect('storm')
      w.open('trouble', { a: c })
    },
    say: [
      '<ab> heard someone cry: outside in the storm was <c.intro>',
      '<ab> saw <c.intro>, all alone in the storm',
      '<ab> heard a small voice, and it was <c.intro> who could not find the way home',
    ],
    ask: [['Who was alone in the storm?', '<c.name>', 'person']],
    gist: '<c.name> was alone in the storm',
  },
  fetchIn: {
    args: 'a c',
    rule: (w, { a, c }) => {
      w.close('trouble', 'rescued', c)
      w.mark('helps', a, c)
    },
    say: [
      '<a> pulled <a.hs> (coat|jacket|hood) over <a.hs> head, ran out and brought <c.him> in',
      '<a> ran out, took <c.him> by the hand and brought <c.hm> to the dry place',
      '<a> did not think twice: <a.he> ran out and carried <c.him> in',
      '"Come to us, <c.name>!" <a> called, and <a.he> held out <a.hs> hand.',
    ],
    ask: [['Who brought <c.name> to safety?', '<a.name>', 'person']],
    gist: '<a.name> brought <c.name> to safety',
  },
  warm: {
    args: 'a b o',
    rule: (w, { a, o }) => {
      w.expect('storm')
      w.has(a, o)
    },
    say: [
      '<a> still had <o>, and <ab.both> passed the time with it',
      '<a> took <o> out, and <ab.both> looked at it to forget the noise',
      'to cheer <b.him> up, <a> showed <b.hm> <o.the>',
    ],
  },
  stormEnds: {
    args: 'x?',
    x: 'storm',
    opener: 'last',
    rule: (w, { x }) => w.close('storm', 'over', undefined, x),
    say: [
      'the storm was over, and <x.after>',
      'it grew quiet, and <x.after>',
      'the clouds moved on, and <x.after>',
      'the last drops fell, and <x.after>',
    ],
    gist: 'the storm was over',
  },
})
