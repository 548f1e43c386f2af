/** Going from place to place. */
import { type Definition, define } from './define.js'

export const motion: Record<string, Definition> = define({
  go: {
    args: 'a p',
    opener: 'after',
    rule: (w, { a, p }) => w.go(a, p),
    say: [
      '<a> $walked <p.to>',
      '<a> $walked (all the way|straight|quickly|down the path) <p.to>',
      '<a> (followed|took) the (path|narrow path|road|trail) <p.to>',
      '<a> (set off|hurried) <p.to> (without waiting|right away|at once|with quick steps|in the warm sun)',
    ],
    ask: [['Where did <a.name> go?', '<p.to>', 'place']],
    gist: '<a.name> went <p.to>',
  },
  goTwo: {
    args: 'a b p',
    opener: 'after',
    rule: (w, { a, b, p }) => {
      w.together(a, b)
      w.go(a, p)
      w.go(b, p)
    },
    say: [
      '<ab> $walked <p.to>',
      '<ab> $walked (together|side by side|hand in hand) <p.to>',
      '<ab> (followed|took) the (path|narrow path|road|trail) <p.to>',
      '<ab> (set off|hurried) <p.to> (right away|at once|together)',
    ],
    ask: [['Where did <a.name> and <b.name> go?', '<p.to>', 'place']],
    gist: '<a.name> and <b.name> went <p.to>',
  },
  walkAlone: {
    args: 'a p',
    rule: (w, { a, p }) => {
      w.reach(p)
      if (p) w.at.set(a!, p)
    },
    say: [
      '<a> (went|walked|ran|hurried) <p.to>',
      '<a> was (on the way|walking) <p.to>',
      '<a> (put on|pulled on) <a.hs> (boots|shoes|old coat) and (went|walked) <p.to>',
      'the way led <a.him> <p.to>',
    ],
    ask: [['Where did <a.name> go?', '<p.to>', 'place']],
    gist: '<a.name> went <p.to>',
  },
})
