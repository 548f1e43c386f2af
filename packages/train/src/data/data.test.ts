/** Rows: every token is a target once an epoch, places are resumed exactly, documents do not see one another. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { DataError } from '../errors.js'
import { batches } from './batches.js'
import { mixture } from './mixture.js'
import { bestFit, packed, padded } from './pack.js'
import { ignored, type Row, type Rows } from './rows.js'
import { mix, permute, random } from './shuffle.js'
import { examples, joinTokens, tokenArray, tokenSource } from './tokens.js'
import { windows } from './windows.js'

const take = async (rows: Rows, n: number): Promise<Row[]> => {
  const out: Row[] = []
  for (let i = 0; i < n; i++) out.push(await rows.next())
  return out
}
const count = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i + 1)
/** Documents of these lengths, token = 1000 · document + place. */
const documents = (...lengths: number[]) =>
  examples(lengths.map((n, d) => ({ tokens: Array.from({ length: n }, (_, i) => 1000 * d + i) })))

describe('shuffling', () => {
  test.each([1, 2, 3, 5, 16, 17, 1000, 4097])('permute is a bijection of %i', n => {
    for (const seed of [0, 1, 0xffffffff]) {
      const seen = new Set(Array.from({ length: n }, (_, i) => permute(i, n, seed)))
      expect(seen.size).toBe(n)
      expect(Math.max(...seen)).toBe(n - 1)
    }
  })

  test('orders of different seeds have nothing in common, and neighbours are torn apart', () => {
    const n = 1000
    const a = Array.from({ length: n }, (_, i) => permute(i, n, mix(1, 0)))
    const b = Array.from({ length: n }, (_, i) => permute(i, n, mix(1, 1)))
    expect(a.filter((x, i) => x === b[i]).length).toBeLessThan(8) // 1 is expected
    expect(a.filter((x, i) => Math.abs(x - (a[i + 1] ?? 0)) === 1).length).toBeLessThan(12) // 2 are expected
  })

  test('random numbers are uniform', () => {
    const bins = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i++) bins[Math.floor(random(7, i) * 10)]!++
    for (const n of bins) expect(Math.abs(n - 1000)).toBeLessThan(150) // five standard deviations
  })
})

describe('windows', () => {
  test('an epoch has every target once, the next has them in another order', async () => {
    const rows = windows(tokenArray(count(41)), { length: 8, seed: 3 })
    const [first, second] = [await take(rows, 5), await take(rows, 5)]
    for (const epoch of [first, second])
      expect(epoch.flatMap(r => [...r.targets]).sort((a, b) => a - b)).toEqual([...count(41)].slice(1))
    expect(first.map(r => r.tokens[0])).not.toEqual(second.map(r => r.tokens[0]))
    for (const { tokens, targets } of first) expect([...targets.slice(0, 7)]).toEqual([...tokens.slice(1)])
  })

  test('refuses too little text', () => {
    expect(() => windows(tokenArray([1, 2]), { length: 8 })).toThrow(/expected at least 9/)
  })
})

describe('documents', () => {
  test('best fit as TRL documents it: pieces of 4, 1, 2, 3 and 1 in rows of 4', () => {
    const pieces = [4, 1, 2, 3, 1].map((n, at) => ({ at, n }))
    expect(bestFit(pieces, 4).map(row => row.map(p => p.n))).toEqual([[4], [3, 1], [2, 1]])
  })

  test('packed rows hold each next token once; positions restart and start says where', async () => {
    const lengths = [5, 3, 9, 1, 6, 2, 12, 4]
    const rows = packed(documents(...lengths), { length: 8, seed: 1, window: 8 })
    const wanted = lengths.reduce((a, n) => a + Math.max(0, n - 1), 0)
    const pairs = new Set<string>()
    let seen = 0
    while (seen < wanted) {
      const { tokens, targets, positions, start, count: counted } = (await rows.next()) as Required<Row>
      seen += counted
      expect([...targets].filter(t => t !== ignored).length).toBe(counted)
      for (let i = 0; i < 8; i++) {
        if (targets[i] === ignored) continue
        expect(targets[i]).toBe(tokens[i]! + 1)
        expect(start[i]! + positions[i]!).toBe(i)
        if (positions[i]! > 0) expect(tokens[i]).toBe(tokens[i - 1]! + 1)
        pairs.add(`${tokens[i]} ${targets[i]}`)
      }
    }
    expect(seen).toBe(wanted)
    expect(pairs.size).toBe(wanted)
  })

  test('with fewer documents than a window each epoch has all of them, in another order', async () => {
    const source = documents(5, 5, 5, 5, 5, 5, 5, 5)
    const firsts = async (shuffle: boolean) =>
      (await take(packed(source, { length: 4, seed: 1, shuffle }), 24)).map(row => row.tokens[0]! / 1000)
    const order = await firsts(true)
    const epochs = [0, 8, 16].map(at => order.slice(at, at + 8))
    for (const epoch of epochs) expect([...epoch].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(new Set(epochs.map(String)).size).toBe(3)
    const lengths = (await take(packed(documents(3, 5, 4), { length: 4, shuffle: false }), 6)).map(row => row.count)
    expect(lengths).toEqual([4, 3, 2, 4, 3, 2])
    expect(await firsts(false)).toEqual([0, 1, 2].flatMap(() => [0, 1, 2, 3, 4, 5, 6, 7]))
  })

  test('with as many documents as a window, or more, rows are what they were when models were trained on them', async () => {
    const hash = createHash('sha256')
    const source = documents(...Array.from({ length: 40 }, (_, d) => (d * 7919) % 31))
    for (const [window, shuffle] of [
      [8, true],
      [16, false],
      [40, true],
    ] as const) {
      const rows = packed(source, { length: 8, seed: 2, window, shuffle })
      for (const row of await take(rows, 500)) hash.update(row.tokens).update(row.targets).update(row.start!)
      hash.update(JSON.stringify(rows.position()))
    }
    expect(hash.digest('hex').slice(0, 16)).toBe('be83d6253b5a6797')
  })

  test('a long document is cut into as many rows as it takes', async () => {
    const rows = packed(tokenArray(new Int32Array(2_000_001), [0, 2_000_001]), { length: 8 })
    expect((await rows.next()).count).toBe(8)
    const place = { chunk: 0, row: 249_999, window: 1 }
    rows.seek(place)
    await take(rows, 2)
    expect(rows.position()).toEqual({ chunk: 1, row: 1, window: 1 })
  })

  test('a place that an older version gave on few documents means another row: it is refused', () => {
    expect(() => packed(documents(3, 4), { length: 4 }).seek({ chunk: 0, row: 9 })).toThrow(
      /got a position in windows of 1024 documents, expected 2\. .*begin the data again/,
    )
  })

  test('prompts are seen and not learned', async () => {
    const source = examples([{ tokens: [1, 5, 6, 9, 2], counted: [0, 0, 0, 1, 1] }])
    for (const rows of [packed(source, { length: 6 }), padded(source, { length: 6 })]) {
      const row = await rows.next()
      expect([...row.tokens]).toEqual([1, 5, 6, 9, 0, 0])
      expect([...row.targets]).toEqual([ignored, ignored, 9, 2, ignored, ignored])
      expect(row.count).toBe(2)
    }
  })

  test('needs the limits of documents', () => {
    expect(() => packed(tokenArray([1, 2, 3]), { length: 2 })).toThrow(/limits of their documents/)
    expect(() => packed(documents(1, 1), { length: 2 })).toThrow(/nothing to predict/)
  })
})

test('options and ids that cannot be are named', async () => {
  expect(() => packed(documents(3), { length: 2, window: 0 })).toThrow(/window of 0 documents/)
  const rows = (): Rows => windows(tokenArray([1, 2, 3, 4, 700, 6]), { length: 5 })
  const weight = Number.POSITIVE_INFINITY
  expect(() => mixture({ a: { rows: rows(), weight }, b: { rows: rows(), weight: 1 } })).toThrow(/a Infinity, b 1/)
  await expect(batches(rows(), { size: 1, vocabSize: 700 }).next()).rejects.toThrow(
    /got token 700, expected ids below 700/,
  )
  expect((await batches(rows(), { size: 1, vocabSize: 701 }).next()).count).toBe(5)
  for (const empty of [[], [1]]) {
    expect(() => windows(tokenArray(empty), { length: 4 })).toThrow(/expected at least 5/)
    expect(() => packed(examples([{ tokens: empty }]), { length: 4 })).toThrow(/nothing to predict/)
  }
  expect(() => packed(examples([]), { length: 4 })).toThrow(/nothing to predict/)
})

test('limits of documents beyond the tokens are refused: zeros would be learned', () => {
  const ids = count(10)
  for (const documents of [
    [0, 5, 11],
    [0, 6, 5],
    [-1, 5],
    [0, 2.5, 10],
    [Number.NaN, 10],
  ]) {
    expect(() => tokenArray(ids, documents)).toThrow(/got documents\[\d\] \S+, expected a whole number from \d to 10/)
    const bytes = new Uint8Array(20)
    const source = { name: 'a.bin', size: 20, read: async (at: number, n: number) => bytes.slice(at, at + n) }
    expect(() => tokenSource(source, { documents })).toThrow(/^a\.bin: got documents/)
  }
  expect(tokenArray(ids, [0, 0, 5, 10]).length).toBe(10)
})

test('a seed that would be another one is refused', () => {
  const tokens = tokenArray(count(10), [0, 10])
  const rows = windows(tokens, { length: 4, seed: 2 ** 32 - 1 })
  for (const seed of [1.5, 2 ** 32 + 1, -1, Number.NaN])
    for (const make of [
      () => windows(tokens, { length: 4, seed }),
      () => packed(tokens, { length: 4, seed }),
      () => padded(tokens, { length: 4, seed }),
      () => mixture({ a: { rows, weight: 1 } }, { seed }),
    ])
      expect(make).toThrow(/got seed \S+, expected a whole number from 0 to 2\^32 - 1/)
})

test('a document of several rows is cut, and each next token is learned once', async () => {
  for (const rows of [packed(documents(11), { length: 4, window: 1 }), padded(documents(11), { length: 4 })]) {
    const list = await take(rows, 3)
    expect(list.map(r => r.count).sort()).toEqual([2, 4, 4])
    const learned = list.flatMap(r => [...r.targets].filter(t => t !== ignored))
    expect(learned.sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => i + 1))
  }
})

describe('places', () => {
  const makers: Record<string, () => Rows> = {
    windows: () => windows(tokenArray(count(100)), { length: 7, seed: 5 }),
    packed: () => packed(documents(5, 3, 9, 1, 6, 2, 20, 4, 8, 8), { length: 8, seed: 1, window: 4 }),
    padded: () => padded(documents(5, 3, 9, 1, 6, 2, 20, 4), { length: 8, seed: 1 }),
    mixture: () =>
      mixture(
        {
          a: { rows: windows(tokenArray(count(50)), { length: 7, seed: 1 }), weight: 3 },
          b: { rows: windows(tokenArray(count(90)), { length: 7, seed: 2 }), weight: 1 },
        },
        { seed: 9 },
      ),
  }
  test.each(Object.entries(makers))('%s goes on where it was, through JSON', async (_, make) => {
    const whole = make()
    await take(whole, 23)
    const place = JSON.parse(JSON.stringify(whole.position()))
    const rest = await take(whole, 40)
    const again = make()
    again.seek(place)
    expect(await take(again, 40)).toEqual(rest)
    expect(() => make().seek('x')).toThrow(/position/)
    const data = batches(make(), { size: 2 })
    await data.next()
    const here = data.position()
    for (const other of ['x', null, { drawn: 1 }, { drawn: 1, parts: { a: 1, b: 'x' } }])
      expect(() => data.seek(other)).toThrow(/got position/)
    expect(data.position()).toEqual(here)
    const [next, { inputs }] = [await data.next(), (await batches(make(), { size: 2 }).take(2))[1]!]
    expect(next.inputs).toEqual(inputs)
  })

  test('batches read ahead, and their position is that of what was handed out', async () => {
    const make = () => batches(windows(tokenArray(count(100)), { length: 7, seed: 5 }), { size: 3 })
    const whole = make()
    await whole.take(4)
    const place = whole.position()
    const rest = await whole.take(5)
    const again = make()
    await again.next()
    again.seek(place)
    expect(again.position()).toEqual(place)
    expect(await again.take(5)).toEqual(rest)
  })

  test('batches asked for at once come one behind the other, and a place sought meanwhile counts', async () => {
    const make = () => batches(windows(tokenArray(count(100)), { length: 7, seed: 5 }), { size: 3 })
    const order = await make().take(4)
    const data = make()
    const [[a, b], c, d] = await Promise.all([data.take(2), data.next(), data.next()])
    expect([a, c, d, b].map(x => x!.inputs.tokens)).toEqual(order.map(x => x.inputs.tokens))
    const start = make().position()
    const going = data.next()
    data.seek(start)
    await going
    expect(data.position()).toEqual(start)
    expect(await data.take(4)).toEqual(order)
  })

  test('a mixture keeps its proportions', async () => {
    const part = (token: number, weight: number) => ({
      rows: windows(tokenArray(new Int32Array(50).fill(token)), { length: 7 }),
      weight,
    })
    const rows = await take(mixture({ a: part(1, 67), b: part(2, 33), c: part(3, 0) }, { seed: 2 }), 2000)
    const share = (token: number): number => rows.filter(r => r.tokens[0] === token).length / 2000
    expect(Math.abs(share(1) - 0.67)).toBeLessThan(0.05)
    expect(share(3)).toBe(0)
  })
})

describe('token sources', () => {
  test('reads u16 and u32 across joined parts', async () => {
    const source = (bytes: Uint8Array) => ({
      name: 'memory',
      size: bytes.length,
      read: async (at: number, n: number) => bytes.slice(at, at + n),
    })
    const a = tokenSource(source(new Uint8Array(Uint16Array.of(1, 2, 3).buffer)))
    const b = tokenSource(source(new Uint8Array(Uint32Array.of(70_000, 5).buffer)), { dtype: 'u32' })
    const joined = joinTokens([a, b, tokenArray([8, 9])])
    expect(joined.length).toBe(7)
    expect([...(await joined.read(1, 5))]).toEqual([2, 3, 70_000, 5, 8])
    expect(() => tokenSource(source(new Uint8Array(3)))).toThrow(/multiple of 2/)
  })

  test('bytes that are read as something else are refused', async () => {
    const bytes = new Uint8Array(Uint32Array.of(5, 2 ** 31, 2 ** 32 - 100).buffer)
    const source = { name: 'a.bin', size: 12, read: async (at: number, n: number) => bytes.slice(at, at + n) }
    for (const dtype of ['uint16', 'i32', null])
      expect(() => tokenSource(source, { dtype: dtype as 'u16' })).toThrow(
        /^a\.bin: got dtype \S+, expected u16 or u32/,
      )
    for (const offset of [-4, 0.5, Number.NaN])
      expect(() => tokenSource(source, { offset })).toThrow(/^a\.bin: got offset \S+, expected/)
    const tokens = tokenSource(source, { dtype: 'u32' })
    expect([...(await tokens.read(0, 1))]).toEqual([5])
    await expect(tokens.read(0, 3)).rejects.toThrow(
      /^a\.bin: got token 2147483648 at place 1, expected ids below 2\^31/,
    )
    await expect(tokens.read(2, 1)).rejects.toThrow(DataError)
    for (const ids of [[1, 2 ** 31], [-100], [2 ** 32], [1.5], Uint32Array.of(2 ** 31), Int32Array.of(-1)]) {
      expect(() => tokenArray(ids)).toThrow(/got token \S+ at place \d, expected a whole number from 0 to 2\^31 - 1/)
      expect(() => examples([{ tokens: ids }])).toThrow(DataError)
    }
    expect(() => examples([{ tokens: [1], counted: [2] }])).toThrow(/example 0: got counted\[0\] 2/)
  })

  test('limits that leave tokens out of documents cannot be joined', () => {
    for (const limits of [[2, 4], [0, 3], [], [0]])
      for (const parts of [
        [tokenArray(count(4), limits), documents(3)],
        [documents(3), tokenArray(count(4), limits)],
      ])
        expect(() => joinTokens(parts)).toThrow(
          /got documents from \S+ to \S+ in part [01], expected limits from 0 to 4/,
        )
    expect(joinTokens([tokenArray([], [0]), documents(2)]).documents).toHaveLength(2)
  })

  test('joined documents keep their limits', () => {
    const joined = joinTokens([documents(2, 3), documents(4)])
    expect(Array.from(joined.documents!)).toEqual([0, 2, 5, 9])
  })
})
