/** Every case, family by family. */
import type { Case } from '../case.js'
import { elementwise } from './elementwise.js'
import { indexing } from './indexing.js'
import { layers } from './layers.js'
import { nonfinite } from './nonfinite.js'
import { products } from './products.js'
import { reduce } from './reduce.js'
import { shape } from './shape.js'
import { training } from './training.js'

export const families: Readonly<Record<string, readonly Case[]>> = {
  elementwise,
  shape,
  reduce,
  indexing,
  products,
  layers,
  training,
  nonfinite,
}
