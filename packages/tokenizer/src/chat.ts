// Chat templates: messages to prompt text and ids. Rendering is `@huggingface/jinja`'s; what is added here is that
// text inside messages can never become a special token, whatever it looks like.
//
// How: before rendering, every place in the messages where a special token stands, or could arise together with the
// text around it, gets a marker character that occurs nowhere else. Special tokens are then looked for in the rendered
// text, where only those of the template itself are whole; then the markers are taken out and the stretches between are
// encoded as text. So the ids are those of the rendered text, with the template's special tokens and no others.

import { Environment, Interpreter, Template } from '@huggingface/jinja'
import type { AcceptToken, AddedToken } from './added-tokens.js'
import { show, TokenizerError } from './errors.js'
import { encodePartsWithOffsets } from './offsets.js'
import type { Tokenizer } from './tokenizer.js'

/** One message. Templates decide what else it may hold (`tool_calls`, `name`, `reasoning_content`). */
export interface ChatMessage {
  readonly role: string
  readonly content?: string | null | readonly Readonly<Record<string, unknown>>[]
  readonly [field: string]: unknown
}

/** Options of {@link renderChat}. */
export interface RenderChatOptions {
  /** End with the opening of the assistant's next message. Default false, as in Hugging Face. */
  readonly addGenerationPrompt?: boolean
  /** Functions the model may call, as JSON Schema descriptions; how they are shown is the template's business. */
  readonly tools?: readonly Readonly<Record<string, unknown>>[]
  /** Documents for retrieval templates. */
  readonly documents?: readonly Readonly<Record<string, unknown>>[]
  /** The template to use. Default: the tokenizer's own. */
  readonly template?: string
  /** The time that `strftime_now` in templates tells. Default: now. */
  readonly now?: Date
  /** Also give {@link RenderedChat.assistantMask}, for training on what the assistant says. Default false. */
  readonly assistantMask?: boolean
  /** Further variables for the template, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>
}

/** What {@link renderChat} returns. */
export interface RenderedChat {
  /** The prompt as text, special tokens written out. */
  readonly text: string
  /** The prompt as token ids; BOS only where the template writes it. */
  readonly ids: Uint32Array
  /**
   * With `assistantMask`: 1 for each id of an assistant's message (what the model is to learn), else 0. Where the
   * template marks them with `{% generation %}`, those are the ids; elsewhere what the template adds when the message is
   * rendered behind the ones before it and the opening of the assistant's turn, so its end-of-turn token counts.
   */
  readonly assistantMask?: Uint8Array
}

const OP = 'renderChat'
/** Noncharacters: never assigned, so never in a template or a vocabulary. */
const MARKERS = Array.from({ length: 32 }, (_, i) => String.fromCharCode(0xfdd0 + i))
/** Roles that templates may build special tokens from. Any other role is text like the rest. */
const ROLES: ReadonlySet<string> = new Set([
  'system',
  'user',
  'assistant',
  'tool',
  'developer',
  'ipython',
  'function',
  'environment',
  'model',
  'context',
  'tool_response',
  'observation',
])

/**
 * Renders a conversation with the model's chat template and encodes it. Text in messages, tools and documents that
 * looks like a special token stays text; so do the template's own markers (such as DeepSeek's `<｜User｜>`, which its
 * file does not call special) in all messages but the assistant's.
 *
 * @throws TokenizerError `tokenizer/chat-template` when there is no template, it is broken, or it refuses the messages
 * (`raise_exception`).
 * @example
 * const { text, ids } = renderChat(tokenizer, [{ role: 'user', content: 'Hello' }], { addGenerationPrompt: true })
 */
export function renderChat(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: RenderChatOptions = {},
): RenderedChat {
  const given = options.template ?? tokenizer.chatTemplate
  if (given === undefined) {
    throw new TokenizerError('tokenizer/chat-template', {
      op: OP,
      got: 'a tokenizer without a chat template',
      expected: 'a template',
      fix: 'Pass options.template, or use renderLlama2Chat for LLaMA 2.',
    })
  }
  if (!Array.isArray(messages)) throw badMessages(show(messages))
  for (const message of messages as readonly unknown[]) {
    if (typeof message !== 'object' || message === null || typeof (message as ChatMessage).role !== 'string') {
      throw badMessages(show(message))
    }
  }
  const values = JSON.stringify([messages, options.tools, options.documents, options.variables])
  const [marker, open, close] = unusedMarkers([given, values])
  const tagged = options.assistantMask === true && GENERATION.test(given)
  const source = tagged ? markGenerations(given, open, close) : given
  const special = tokenizer.addedTokens.filter(t => t.special)
  const structural = tokenizer.addedTokens.filter(t => !t.special && source.includes(t.content))
  const shieldText = shield([...special, ...structural], marker)
  const shieldAssistant = shield(special, marker)
  const marked = messages.map(message => {
    const role = ROLES.has(message.role) ? message.role : shieldText(message.role)
    const rest = markAll({ ...message, role: null }, message.role === 'assistant' ? shieldAssistant : shieldText)
    return { ...(rest as object), role }
  })
  const context = {
    ...(markAll(options.variables ?? {}, shieldText) as object),
    ...(options.tools === undefined ? {} : { tools: markAll(options.tools, shieldText) }),
    ...(options.documents === undefined ? {} : { documents: markAll(options.documents, shieldText) }),
    ...(tokenizer.bosId === undefined ? {} : { bos_token: tokenizer.piece(tokenizer.bosId) }),
    ...(tokenizer.eosId === undefined ? {} : { eos_token: tokenizer.piece(tokenizer.eosId) }),
    ...(tokenizer.padId === undefined ? {} : { pad_token: tokenizer.piece(tokenizer.padId) }),
    messages: marked,
    add_generation_prompt: options.addGenerationPrompt ?? false,
    strftime_now: (format: string) => strftime(options.now ?? new Date(), format),
  }
  const rendered = render(source, context)
  const protectedIds = new Set([...special, ...structural].map(t => t.id))
  const clean = (text: string): string => text.replaceAll(marker, '').replaceAll(open, '').replaceAll(close, '')
  const parts = tokenizer
    .splitSpecial(tagged ? rendered.replaceAll(open, '').replaceAll(close, '') : rendered, t => protectedIds.has(t.id))
    .map(part => (typeof part === 'string' ? part.replaceAll(marker, '') : part))
    .filter(part => part !== '')
  const accept: AcceptToken = token => !protectedIds.has(token.id)
  const text = clean(rendered)
  if (options.assistantMask !== true) return { text, ids: tokenizer.encodeParts(parts, accept) }
  const spans = tagged
    ? taggedSpans(rendered.replaceAll(marker, ''), open, close)
    : assistantSpans(text, messages, (some, prompt) =>
        clean(
          render(source, {
            ...context,
            messages: some.map(m => marked[messages.indexOf(m)]!),
            add_generation_prompt: prompt,
          }),
        ),
      )
  const { ids, starts, ends } = encodePartsWithOffsets(tokenizer, parts, accept)
  const assistantMask = new Uint8Array(ids.length)
  for (let i = 0; i < ids.length; i++)
    if (spans.some(([from, to]) => starts[i]! < to && ends[i]! > from)) assistantMask[i] = 1
  return { text, ids, assistantMask }
}

const GENERATION = /\{%(-?)\s*(end)?generation\s*(-?)%\}/

/**
 * The template with a marker where `{% generation %}` and `{% endgeneration %}` stand; between tags, so that the space around
 * it goes or stays as around any tag.
 */
function markGenerations(source: string, open: string, close: string): string {
  return source.replace(
    new RegExp(GENERATION, 'g'),
    (_all, left: string, end: string | undefined, right: string) =>
      `{%${left} if true %}${end ? close : open}{% endif ${right}%}`,
  )
}

/** `[from, to)` between the markers, in the text without them. */
function taggedSpans(text: string, open: string, close: string): [number, number][] {
  const spans: [number, number][] = []
  let at = 0
  let from = 0
  for (const ch of text) {
    if (ch === open) from = at
    else if (ch === close) spans.push([from, at])
    else at += ch.length
  }
  return spans
}

/** `[from, to)` of what each message of the assistant adds to the text. */
function assistantSpans(
  text: string,
  messages: readonly ChatMessage[],
  renderSome: (messages: readonly ChatMessage[], prompt: boolean) => string,
): [number, number][] {
  return messages.flatMap(({ role }, i): [number, number][] => {
    if (role !== 'assistant') return []
    const before = renderSome(messages.slice(0, i), true)
    const after = renderSome(messages.slice(0, i + 1), false)
    if (text.startsWith(after) && after.startsWith(before)) return [[before.length, after.length]]
    throw new TokenizerError('tokenizer/chat-template', {
      op: OP,
      got: `a template that writes message ${i} otherwise when others follow`,
      expected: 'one that adds to what stands, for an assistant mask',
      fix: 'Mark what the assistant says with {% generation %} … {% endgeneration %} in the template.',
    })
  })
}

function badMessages(got: string): TokenizerError {
  return new TokenizerError('tokenizer/bad-argument', {
    op: OP,
    got,
    expected: 'an array of messages with a role each',
  })
}

/** What Python's Jinja, as Hugging Face sets it up, knows without being told. */
const GLOBALS: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range: (first: number, second?: number, step = 1) => {
    const [from, to] = second === undefined ? [0, first] : [first, second]
    const length = Math.max(0, Math.ceil((to - from) / step))
    if (!(length <= 1e6)) throw new Error(`range of ${length} items`)
    return Array.from({ length }, (_, i) => from + i * step)
  },
  raise_exception: (message: string) => {
    throw new Error(message)
  },
}

/** Statements, expressions and blocks that one rendering may take: Llama 3 and DeepSeek V3 need 25 to 70 a message. */
const MOST_STEPS = 5e5

/** Templates come with the model, from whoever made it: loops in loops have to end too. */
class BoundedInterpreter extends Interpreter {
  #steps = 0

  constructor(environment: Environment) {
    super(environment)
    // Private to the type checker alone; a loop without a body evaluates nothing else.
    const own = this as unknown as { evaluateBlock(...args: unknown[]): unknown }
    const block = own.evaluateBlock
    own.evaluateBlock = (...args) => {
      this.#step()
      return block.apply(this, args)
    }
  }

  override evaluate(...args: Parameters<Interpreter['evaluate']>): ReturnType<Interpreter['evaluate']> {
    this.#step()
    const result = super.evaluate(...args)
    const { value } = result
    if (Array.isArray(value) && value.length > 1e6) throw new Error(`a list of ${value.length} items`)
    return result
  }

  #step(): void {
    if (++this.#steps > MOST_STEPS) throw new Error(`more than ${MOST_STEPS} steps`)
  }
}

const templates: Map<string, Template> = /* @__PURE__ */ new Map()

function render(source: string, context: Record<string, unknown>): string {
  try {
    let template = templates.get(source)
    if (template === undefined) {
      template = new Template(source)
      if (templates.size >= 16) templates.clear()
      templates.set(source, template)
    }
    // Not template.render: its environment already has a strftime_now, and a name cannot be set twice.
    const environment = new Environment()
    for (const [name, value] of Object.entries({ ...GLOBALS, ...context })) environment.set(name, value)
    return (new BoundedInterpreter(environment).run(template.parsed) as { value: string }).value
  } catch (cause) {
    throw new TokenizerError('tokenizer/chat-template', {
      op: OP,
      got: `a template that fails: ${(cause as Error).message}`,
      expected: 'a template that accepts these messages',
      cause,
    })
  }
}

/** Three characters that occur in none of the texts. */
function unusedMarkers(texts: readonly string[]): [string, string, string] {
  const [a, b, c] = MARKERS.filter(m => !texts.some(t => t.includes(m)))
  if (a !== undefined && b !== undefined && c !== undefined) return [a, b, c]
  throw new TokenizerError('tokenizer/bad-argument', {
    op: OP,
    got: 'messages that use nearly all of U+FDD0 to U+FDEF',
    expected: 'text, where those are not characters',
  })
}

/** Applies `mark` to every string in a value, keys included; `undefined` entries are left out. */
function markAll(value: unknown, mark: (text: string) => string): unknown {
  if (typeof value === 'string') return mark(value)
  if (Array.isArray(value)) return value.map(inner => markAll(inner, mark))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [mark(key), markAll(inner, mark)]),
  )
}

/**
 * A function that puts the marker wherever one of the tokens begins in a text, may begin at its end, or may end at its
 * beginning; whitespace at either end counts as absent too, since templates trim.
 */
function shield(tokens: readonly AddedToken[], marker: string): (text: string) => string {
  const contents = tokens.map(t => t.content).filter(c => c !== '')
  const firsts = new Set(contents.map(c => c[0]!))
  return text => {
    if (text === '') return text
    const start = text.length - text.trimStart().length
    const end = text.trimEnd().length
    const cuts = new Set<number>()
    for (const from of new Set([0, start])) if (endsToken(text, from, end, contents)) cuts.add(from)
    for (let i = 0; i < text.length; i++) {
      if (firsts.has(text[i]!) && contents.some(c => beginsToken(text, i, end, c))) cuts.add(i + 1)
    }
    if (cuts.size === 0) return text
    let out = ''
    let from = 0
    for (const cut of [...cuts].sort((a, b) => a - b)) {
      out += text.slice(from, cut) + marker
      from = cut
    }
    return out + text.slice(from)
  }
}

/** Whether `content` stands at `i`, or begins there and the text ends before it does. */
function beginsToken(text: string, i: number, end: number, content: string): boolean {
  if (text.startsWith(content, i)) return true
  return content.startsWith(text.slice(i)) || (i < end && content.startsWith(text.slice(i, end)))
}

/** Whether the text from `from` goes on, or lies inside, a token that may have begun before it. */
function endsToken(text: string, from: number, end: number, contents: readonly string[]): boolean {
  const head = text.slice(from, end)
  return contents.some(content => {
    for (let p = 1; p < content.length; p++) {
      const rest = content.slice(p)
      if (text.startsWith(rest, from) || (head !== '' && rest.startsWith(head))) return true
    }
    return false
  })
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** Python's `strftime` in English, for the directives that templates use. */
function strftime(date: Date, format: string): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  const values: Record<string, () => string> = {
    Y: () => String(date.getFullYear()),
    m: () => two(date.getMonth() + 1),
    d: () => two(date.getDate()),
    e: () => String(date.getDate()).padStart(2, ' '),
    b: () => MONTHS[date.getMonth()]!.slice(0, 3),
    B: () => MONTHS[date.getMonth()]!,
    a: () => DAYS[date.getDay()]!.slice(0, 3),
    A: () => DAYS[date.getDay()]!,
    H: () => two(date.getHours()),
    M: () => two(date.getMinutes()),
    S: () => two(date.getSeconds()),
    y: () => two(date.getFullYear() % 100),
    '%': () => '%',
  }
  return format.replace(/%-?([A-Za-z%])/g, (whole, name: string) => {
    const value = values[name]?.()
    if (value === undefined) return whole
    return whole[1] === '-' ? value.replace(/^[0 ](?=.)/, '') : value
  })
}
