/** The curve of the ladder finds what points were made with. */
import { expect, test } from 'vitest'
import { fit, frontier, lossAt, type Rung } from './scaling.js'

test('a curve with a floor is found from its points, and a straight line has the floor 0', () => {
  const made = { floor: 0.5, intercept: 6, slope: -0.2 }
  const points = [1e13, 5e13, 2e14, 1e15, 4e15].map(x => ({ x, loss: lossAt(made, x) }))
  const found = fit(points)
  expect(found.floor).toBeCloseTo(0.5, 2)
  expect(found.slope).toBeCloseTo(-0.2, 2)
  for (const { x, loss } of points) expect(lossAt(found, x)).toBeCloseTo(loss, 3)
  const straight = points.map(({ x }) => ({ x, loss: lossAt({ ...made, floor: 0 }, x) }))
  expect(fit(straight).floor).toBe(0)
  expect(fit(points.slice(0, 3)).floor).toBe(0)
})

test('the frontier has the runs that no cheaper one beats', () => {
  const runs = [
    { run: 'a', flops: 1, loss: 3 },
    { run: 'b', flops: 2, loss: 1 },
    { run: 'c', flops: 3, loss: 2 },
  ] as unknown as Rung[]
  expect(frontier(runs).map(r => r.run)).toEqual(['a', 'b'])
})
