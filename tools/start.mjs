// `npm start`: set up, then the main job of the CLI with the arguments given. Nothing else.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root, setup } from './setup.mjs'

await setup()
const cli = join(root, 'packages/cria/bin/cria.js')
if (!existsSync(cli)) {
  process.stderr.write('start: this version has no `cria` command yet; the packages are built and ready to import\n')
} else {
  const child = spawn(process.execPath, [cli, 'start', ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}
