/** A run in the terminal: four lines that stay where they are; one line now and then where there is no terminal. */
import { clearScreenDown, moveCursor } from 'node:readline'
import type { EvaluationEvent, Sink, StepEvent, TrainEvent } from '../metrics/events.js'
import { bytes, duration, grouped, rate, short, sparkline } from '../metrics/format.js'

/** What is written to: a stream of Node's. */
export interface TerminalStream {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export interface TerminalOptions {
  /** Default `process.stderr`. */
  readonly stream?: TerminalStream
  /** Draw in place. Default: whether the stream is a terminal. */
  readonly live?: boolean
  /** Milliseconds between drawings. Default 200 when live, else 10,000. */
  readonly every?: number
}

const esc = '\x1b'
/** What a row is made of: marks of style, and characters. */
const parts = new RegExp(`${esc}\\[[\\d;]*m|.`, 'gsu')

/** The beginning of a row that fits: marks of style take no place and are all kept. */
function clipped(row: string, columns: number): string {
  let shown = 0
  return row.replace(parts, part => (part.length > 2 || ++shown <= columns ? part : ''))
}

/** Shows progress, loss, gradient norm, speed and time left; samples and skips scroll by above. */
export function terminal(options: TerminalOptions = {}): Sink {
  const stream = (options.stream ?? process.stderr) as NodeJS.WriteStream
  const tty: Partial<NodeJS.WriteStream> = stream
  const live = options.live ?? tty.isTTY === true
  const every = options.every ?? (live ? 200 : 10_000)
  const colour = live && process.env.NO_COLOR === undefined
  const dim = (text: string): string => (colour ? `${esc}[2m${text}${esc}[22m` : text)
  const bold = (text: string): string => (colour ? `${esc}[1m${text}${esc}[22m` : text)
  const losses: number[] = []
  const norms: number[] = []
  let steps = 0
  let started = 0
  let drawn = 0
  let lines = 0
  let last: StepEvent | undefined
  let evaluated: EvaluationEvent | undefined

  const erase = (): void => {
    if (lines > 0) {
      moveCursor(stream, 0, -lines)
      clearScreenDown(stream)
    }
    lines = 0
  }
  const say = (text: string): void => {
    erase()
    stream.write(`${text}\n`)
  }
  const draw = (): void => {
    if (last === undefined) return
    const { step, loss, norm, lr, tokensPerSecond, share, memory, remaining, time } = last
    const part = Math.min(1, step / Math.max(1, steps))
    const speed = `${grouped(tokensPerSecond)} tokens/s${share === undefined ? '' : `, ${(share * 100).toFixed(0)} % of peak`}`
    if (!live) {
      stream.write(
        `step ${step}/${steps}  loss ${loss.toFixed(3)}  norm ${norm.toFixed(2)}  lr ${rate(lr)}  ${speed}  ${duration(remaining)} left\n`,
      )
      return
    }
    const columns = tty.columns || 80
    const width = Math.max(10, Math.min(40, columns - 40))
    const full = Math.round(part * width)
    const bar = `${'━'.repeat(full)}${dim('━'.repeat(width - full))}`
    const held = evaluated === undefined ? '' : `   ${dim(evaluated.name)} ${evaluated.loss.toFixed(3)}`
    const rows = [
      `${dim('step')} ${bold(grouped(step))}${dim(`/${grouped(steps)}`)}  ${bar} ${(part * 100).toFixed(0)} %`,
      `${dim('loss')} ${bold(loss.toFixed(3))} ${sparkline(losses, width)}${held}`,
      `${dim('norm')} ${norm.toFixed(3)} ${sparkline(norms, width)}   ${dim('lr')} ${rate(lr)}`,
      dim(`${speed} · ${bytes(memory)} · ${duration((time - started) / 1000)} gone, ${duration(remaining)} left`),
    ]
    erase()
    // A row that went on in the next line would be a line more than is erased; the last column is left to the cursor.
    stream.write(`${rows.map(row => clipped(row, columns - 1)).join('\n')}\n`)
    lines = rows.length
  }

  return {
    write(event: TrainEvent): void {
      switch (event.type) {
        case 'start':
          ;[steps, started] = [event.steps, event.time]
          say(
            `${bold('training')} ${short(event.parameters)} parameters on ${event.device}${event.step > 0 ? `, going on after step ${event.step}` : ''}`,
          )
          return
        case 'step':
          last = event
          losses.push(event.loss)
          norms.push(event.norm)
          if (event.time - drawn < every && event.step < steps) return
          drawn = event.time
          draw()
          return
        case 'skip':
          say(`step ${event.step} skipped: ${event.reason}`)
          break
        case 'evaluation':
          evaluated = event
          if (!live) say(`step ${event.step}  ${event.name}: loss ${event.loss.toFixed(3)}`)
          return
        case 'sample':
          say(`${dim(`step ${event.step}:`)} ${bold(event.prompt)}${event.text}`)
          break
        case 'checkpoint':
          if (!live) say(`saved ${event.path}`)
          return
        case 'end':
          if (live) draw()
          lines = 0
          say(
            event.reason === 'done'
              ? `done after ${duration((event.time - started) / 1000)}`
              : `stopped: ${event.reason}`,
          )
          return
      }
      if (live) draw()
    },
  }
}
