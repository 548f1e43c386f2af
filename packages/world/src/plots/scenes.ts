/** Scenes that many plots are made of: openings, meetings, comfort, endings. */

import type { Place } from '../lexicon/places.js'
import type { Person } from '../state/entities.js'
import type { Tale } from '../tale.js'

/** The hero, and perhaps their nature and what they like; then the day, if told. */
export function introduce(t: Tale, home?: Place): void {
  const a = t.hero
  t.tell('live', { a, p: home ?? t.path[t.path.length - 1]! })
  const how = t.random.below(4)
  if (how === 0) t.tell('nature', { a })
  else if (how === 1) t.tell('likes', { a, x: t.topic('hobby') })
}

/** A new paragraph, perhaps with the day; gives how the first deed of the day begins. */
export function daybreak(t: Tale, p: Place): 'plain' | 'one' {
  t.paragraph()
  if (p.indoors || t.chance(0.5)) return 'one'
  t.tell('day', { p })
  return 'plain'
}

export function befriend(t: Tale): Person {
  const b = t.friend()
  t.tell('pal', { a: t.hero, b })
  return b
}

export function happily(t: Tale, a: Person, b?: Person): void {
  t.paragraph()
  if (t.chance(0.35)) t.tell('lesson', { a, x: t.lesson() })
  if (b && t.chance(0.5)) t.tell('happyEndTwo', { a, b })
  else t.tell('happyEnd', { a })
  if (t.chance(0.04)) t.tell('theEnd', {}, 'plain')
}
