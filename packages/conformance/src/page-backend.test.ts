/** The README's example backend passes the suite: primitives are all that a backend must bring. */
import { createDevice } from '@cria/tensor'
import { page } from '../examples/page-backend.js'
import { describeBackend } from './index.js'

describeBackend('page', () => createDevice(page()))
