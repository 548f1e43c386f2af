/** The command from source, for tests. */
import { main } from '../src/index.js'

await main(process.argv)
