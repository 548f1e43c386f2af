import { readFile, stat } from 'node:fs/promises'
import { cpu } from '@cria/kernels-cpu'
import { generate, loadLlama, Session } from '@cria/llama'
import { llamacpp } from '@cria/sampling/presets'
import { fromGguf } from '@cria/tokenizer'
import { type ChatMessage, renderChat } from '@cria/tokenizer/chat'
import { openModelAt } from '@cria/weights/node'
import {
  chatTemplate,
  checkStory,
  formatInstruction,
  formatQuestion,
  questions,
  Random,
  story,
  turnEnd,
} from '@cria/world'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { context, instruction, question, storyteller } from './index.js'

describe('the storyteller', async () => {
  const device = await cpu()
  const file = await openModelAt(storyteller)
  const tokenizer = fromGguf(file.weights.metadata)
  const model = await loadLlama(device, file)
  let session: Session
  beforeAll(() => {
    session = new Session(model, { capacity: context })
  })
  afterAll(async () => {
    session.dispose()
    model.dispose()
    await file.close()
    device.dispose()
  })

  async function tell(seed: number, prompt = 'Once upon a time'): Promise<string> {
    session.truncate(0)
    const ids: number[] = [...tokenizer.encode(prompt)]
    const sampler = llamacpp({ seed })
    for await (const event of generate(session, { prompt: [...ids], sampler, stop: tokenizer.eosIds }))
      if (event.type === 'token') ids.push(event.token)
    return tokenizer.decode(ids)
  }

  it('is small enough to be carried by a page', async () => {
    expect((await stat(storyteller)).size).toBeLessThan(8_000_000)
  })

  it('tells stories that add up', async () => {
    let consistent = 0
    for (let seed = 0; seed < 20; seed++)
      if (checkStory((await tell(seed)).split('\n\nQuestion:')[0]!).consistent) consistent++
    expect(consistent).toBeGreaterThanOrEqual(17) // 389 of 400 in the model card, told freely and with other cuts: fewer than 17 of 20 is 1 in 500 then
  })

  it('speaks the formats of the world it was trained on', () => {
    const one = story(1, 1)
    const [first] = questions(one, new Random(1))
    expect(question(one.text, first!.question)).toBe(`${one.text}\n\n${formatQuestion(first!, false)}`)
    expect(instruction('Tell a story.')).toBe(formatInstruction('Tell a story.'))
  })

  it('converses in those formats', () => {
    expect(tokenizer.chatTemplate).toBe(chatTemplate)
    expect(file.weights.metadata['general.license']).toBe('mit')
    const say = (role: string, content: string): ChatMessage => ({ role, content })
    const render = (...messages: ChatMessage[]) => renderChat(tokenizer, messages).ids
    const order = say('user', ' Tell a story about a fox. ')
    const told = say('assistant', 'A fox ran.\n\n')
    const ask = say('user', 'Who ran?')
    const answer = say('assistant', ' The fox.\n')
    expect(render(order)).toEqual(tokenizer.encode(instruction('Tell a story about a fox.')))
    expect(render(say('user', 'tell a story about a fox'))).toEqual(render(order))
    expect(render(order, told, ask)).toEqual(tokenizer.encode(question('A fox ran.', 'Who ran?')))
    expect(render(order, told, ask, answer, ask)).toEqual(render(order, told, ask))
    expect(render(say('user', 'A fox'))).toEqual(tokenizer.encode('A fox'))
    expect(render(say('user', 'A fox'), say('assistant', ' ran.'), ask)).toEqual(render(order, told, ask))
    expect(render(order, told, ask, answer, say('user', 'A bear'))).toEqual(tokenizer.encode('A bear'))
    expect(render(order, told, order, say('assistant', 'A cat ran.'), ask)).toEqual(
      tokenizer.encode(question('A cat ran.', 'Who ran?')),
    )
    expect(() => render(ask)).toThrow(/a question before a story: begin one/)
    expect(() => render(say('system', 'Be brief.'), order)).toThrow(/a system message/)
    const end = tokenizer.idOf(turnEnd)!
    expect(tokenizer.eosIds).toEqual([tokenizer.eosId, end])
    expect([...tokenizer.encode(question('.', 'Who?'))]).toContain(end)
  })

  it('says how large it is', async () => {
    let parameters = 0
    for (const { shape } of file.weights.tensors.values()) parameters += shape.reduce((a, b) => a * b, 1)
    const size = `${(parameters / 1e6).toFixed(1)} million parameters`
    for (const text of ['package.json', 'README.md'])
      expect(await readFile(new URL(`../${text}`, import.meta.url), 'utf8')).toContain(size)
  })

  it('says in its model card what was measured', async () => {
    const figures = JSON.parse(await readFile(new URL('../figures.json', import.meta.url), 'utf8'))
    const card = await readFile(new URL('../README.md', import.meta.url), 'utf8')
    expect(card).toContain(`${figures.stories.consistent} of ${figures.stories.sampled}`)
    expect(card).toContain(figures.loss.nll.toFixed(3))
    expect(card).toContain(`${(100 * figures.questions.all.accuracy).toFixed(1)} %`)
  })
})
