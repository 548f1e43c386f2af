/** `cria convert`: another format, another weight type. */
import { type TargetDType, targetDTypes } from '@cria/weights'
import { convertPath } from '@cria/weights/node'
import { UsageError } from '../errors.js'
import { countBar, note } from '../output.js'
import { resolveModel } from '../resolve.js'

export async function convert(input: string, output: string, { type }: { type: string }): Promise<void> {
  const target = type.toLowerCase() as TargetDType
  if (!targetDTypes.includes(target))
    throw new UsageError(`--type: got ${type}, expected one of ${targetDTypes.map(t => t.toUpperCase()).join(', ')}`)
  const bar = countBar('converting')
  const report = await convertPath(await resolveModel(input), output, {
    type: target,
    onProgress: p => bar(p.done, p.total),
  })
  for (const { name, dtype, wanted } of report.otherTypes)
    note(`${name}: ${dtype}, since its rows do not fit ${wanted}`)
  for (const text of report.notes) note(text)
  note(`wrote ${output}`)
}
