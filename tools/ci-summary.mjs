// The closing line of .ci/run: the tests of vitest's JSON reports, plus one for each check, as `N passed, N failed`.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder] = process.argv.slice(2)
let passed = 0
let failed = 0
let skipped = 0
for (const file of readdirSync(folder).filter(name => name.endsWith('.exit'))) {
  const name = file.slice(0, -'.exit'.length)
  const ok = readFileSync(join(folder, file), 'utf8').trim() === '0'
  const report = join(folder, `${name}.json`)
  if (!existsSync(report)) {
    if (ok) passed += 1
    else failed += 1
    if (!ok) console.log(`ci: ${name} failed`)
    continue
  }
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
  passed += numPassedTests
  skipped += numPendingTests
  // A file that cannot be loaded has no failed test, and an error outside every test has none either.
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every(one => one.status !== 'failed'),
  )
  const failures = numFailedTests + broken.length
  failed += failures > 0 || ok ? failures : 1
  for (const { name: path } of broken) console.log(`ci: ${name}: ${path} could not run`)
  for (const { name: path, assertionResults } of testResults)
    for (const one of assertionResults)
      if (one.status === 'failed') console.log(`ci: ${name}: ${path}: ${one.fullName} failed`)
}
if (skipped > 0) console.log(`ci: ${skipped} tests were skipped (each says why)`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
