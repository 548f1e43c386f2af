/** The folder of real models beside the repository (`../shared`, or CRIA_SHARED). CI must have it. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

export const shared = (file: string): string => join(process.env.CRIA_SHARED ?? join(root, '..', 'shared'), file)

/** Whether to leave tests of real models out: only where the folder is absent, and never in CI. */
export const withoutShared: boolean = !process.env.CI && !existsSync(shared('models'))

/** A file committed beside this package's sources. */
export const golden = (file: string): string => join(root, 'packages', 'weights', 'golden', file)
