/** Every plot. A new one is a file beside this and a line here. */
import type { Plot } from './define.js'
import { fear } from './fear.js'
import { lost } from './lost.js'
import { quarrel } from './quarrel.js'

export const plots: readonly Plot[] = [lost, fear, quarrel]
