/** The oracle runs through its own suite: gradients, plans, storage and leaks have meaning even against itself. */
import { reference } from '@cria/tensor/reference'
import { describeBackend } from './index.js'

describeBackend('reference', reference)
