/** Events as lines of JSON, and back. */
import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Sink, TrainEvent } from '../metrics/events.js'
import { isObject } from './shape.js'
import { unreadable, unwritten } from './text.js'

/**
 * Appends each event to a file as one line; what is written survives a crash of the process.
 *
 * @throws DataError where it cannot be written: a full disk, a folder without access.
 */
export function jsonl(path: string): Sink {
  let torn: boolean
  try {
    mkdirSync(dirname(path), { recursive: true })
    torn = endsInLine(path)
  } catch (cause) {
    throw unwritten(path, cause)
  }
  return {
    write(event) {
      // After a line that a crash or a full disk cut short, an event needs a line of its own.
      const line = `${torn ? '\n' : ''}${JSON.stringify(event)}\n`
      torn = true
      try {
        appendFileSync(path, line)
      } catch (cause) {
        throw unwritten(path, cause)
      }
      torn = false
    },
  }
}

/** Whether a file ends in a line without its end. */
function endsInLine(path: string): boolean {
  const file = openSync(path, 'a+')
  try {
    const last = Buffer.alloc(1)
    const { size } = fstatSync(file)
    return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a
  } finally {
    closeSync(file)
  }
}

/**
 * The events of a run, in order. Where a run was killed and resumed from a checkpoint, the events that it repeated count
 * and those it lost do not; lines that are no events, such as one that was cut short, are left out.
 *
 * @throws DataError for a file that cannot be read.
 */
export function readEvents(path: string): TrainEvent[] {
  const events: TrainEvent[] = []
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw unreadable(path, cause)
  }
  for (const line of text.split('\n')) {
    const event = eventOf(line)
    if (event === undefined) continue
    // A start at step n says that everything after n is about to happen again.
    if (event.type === 'start') while (events.length > 0 && events.at(-1)!.step > event.step) events.pop()
    events.push(event)
  }
  return events
}

type Kind = 'number' | 'text' | 'number or null'

/** Fields of an event beside its time and step. What was NaN or infinite is null in JSON. */
const fields: Readonly<Record<TrainEvent['type'], Readonly<Record<string, Kind>>>> = {
  start: { steps: 'number or null', parameters: 'number', device: 'text' },
  step: {
    loss: 'number or null',
    norm: 'number or null',
    lr: 'number',
    tokens: 'number',
    tokensPerSecond: 'number or null',
    memory: 'number',
    remaining: 'number or null',
  },
  skip: { reason: 'text' },
  evaluation: { name: 'text', loss: 'number or null' },
  sample: { prompt: 'text', text: 'text' },
  checkpoint: { path: 'text' },
  end: { reason: 'text' },
}

function eventOf(line: string): TrainEvent | undefined {
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isObject(event) || typeof event.type !== 'string' || !Object.hasOwn(fields, event.type)) return undefined
  const wanted: Readonly<Record<string, Kind>> = {
    time: 'number',
    step: 'number',
    ...fields[event.type as TrainEvent['type']],
  }
  for (const [field, kind] of Object.entries(wanted)) {
    const value = event[field]
    const fits =
      kind === 'text' ? typeof value === 'string' : typeof value === 'number' || (kind !== 'number' && value === null)
    if (!fits) return undefined
  }
  return event as unknown as TrainEvent
}
