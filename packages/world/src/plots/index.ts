/** Every plot. A new one is a file beside this and a line here. */

import { contest } from './contest.js'
import type { Plot } from './define.js'
import { farewell } from './farewell.js'
import { fear } from './fear.js'
import { garden } from './garden.js'
import { gift } from './gift.js'
import { journey } from './journey.js'
import { learn } from './learn.js'
import { lost } from './lost.js'
import { make } from './make.js'
import { mystery } from './mystery.js'
import { newcomer } from './newcomer.js'
import { party } from './party.js'
import { promise } from './promise.js'
import { quarrel } from './quarrel.js'
import { storm } from './storm.js'
import { stuck } from './stuck.js'
import { truth } from './truth.js'
import { visitor } from './visitor.js'

export const plots: readonly Plot[] = [
  lost,
  fear,
  quarrel,
  make,
  gift,
  party,
  journey,
  visitor,
  contest,
  mystery,
  learn,
  storm,
  stuck,
  promise,
  truth,
  garden,
  newcomer,
  farewell,
]
