/**
 * What is accepted more often is told more often, and round by round a model would tell ever fewer kinds of story. So of
 * what is accepted, as many of each plot and ending are learned as the world tells.
 */
import { checkStory, type Random, story } from '@cria/world'
import { plotOf, tally } from './spread.js'
import { orderOf, storyOf } from './tell.js'
import type { Accepted } from './telling.js'

/** Stories of the world that its shares are measured on. */
const sample = 4000
/** A document is learned no more often than this: rare ones would be learned by heart. */
const most = 3

/** Chooses by plot and ending, and apart from each other what is told to order, to an order of the model's own, and freely. */
export function balanced(accepted: readonly Accepted[], random: Random): Accepted[] {
  const world = tally(
    Array.from({ length: sample }, (_, i) => story(0, i).tale).map(({ sketch, world }) =>
      cellOf(sketch.plot, world.ending),
    ),
  )
  const classed = accepted.map(one => {
    const { events, ending } = checkStory(storyOf(one.document)).facts
    const way = one.prompt ? 'order' : orderOf(one.document) === undefined ? 'story' : 'own order'
    return { one, way, cell: cellOf(plotOf(events), ending) }
  })
  const ways = tally(classed.map(({ way }) => way))
  const cells = tally(classed.map(({ way, cell }) => `${way} ${cell}`))
  return classed.flatMap(({ one, way, cell }) => {
    const wanted = ((world.get(cell) ?? 0) / sample) * ways.get(way)!
    const times = Math.min(most, wanted / cells.get(`${way} ${cell}`)!)
    const whole = Math.floor(times)
    return Array<Accepted>(whole + Number(random.chance(times - whole))).fill(one)
  })
}

const cellOf = (plot: string, ending: string | undefined): string => `${plot}, ${ending}`
