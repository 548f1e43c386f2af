/** Events as lines of JSON, and back. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Sink, TrainEvent } from '../metrics/events.js'

const newline = Buffer.from('\n')

/** Appends each event to a file as one line; what is written survives a crash of the process. */
export function jsonl(path: string): Sink {
  mkdirSync(dirname(path), { recursive: true })
  // After a line that a crash cut short, the first event needs a line of its own.
  if (existsSync(path) && !readFileSync(path).subarray(-1).equals(newline)) appendFileSync(path, newline)
  return { write: event => appendFileSync(path, `${JSON.stringify(event)}\n`) }
}

/**
 * The events of a run, in order. Where a run was killed and resumed from a checkpoint, the events that it repeated count
 * and those it lost do not; a last line that was cut short is left out.
 */
export function readEvents(path: string): TrainEvent[] {
  const events: TrainEvent[] = []
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue
    let event: TrainEvent
    try {
      event = JSON.parse(line) as TrainEvent
    } catch {
      continue
    }
    // A start at step n says that everything after n is about to happen again.
    if (event.type === 'start') while (events.length > 0 && events.at(-1)!.step > event.step) events.pop()
    events.push(event)
  }
  return events
}
