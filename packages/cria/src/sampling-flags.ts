/** The options that shape what is written, as `cria run --help` groups them. Their meaning is in `sampler.ts`. */
import { type Command, Option } from 'commander'
import { number, numberPair, whole, wholeList, within } from './parse.js'

export const presetNames = ['llamacpp', 'hf', 'vllm'] as const
export type PresetName = (typeof presetNames)[number]

type Parse = (text: string) => unknown

const one =
  (parse: Parse) =>
  (group: string, flags: string, description: string): Option =>
    new Option(flags, description).argParser(text => parse(text)).helpGroup(group)

const num = one(number)
const ids = one(wholeList(0))
const text = one(given => given)
const flag = (group: string, flags: string, description: string): Option =>
  new Option(flags, description).helpGroup(group)
/** May be given several times. */
const many = (group: string, flags: string, description: string): Option =>
  new Option(flags, description)
    .argParser((given: string, before: string[] | undefined) => [...(before ?? []), given])
    .helpGroup(group)

const SAMPLING = 'Sampling:'
const TAIL = 'Cutting the tail:'
const REPETITION = 'Against repetition:'
const FEEDBACK = 'Samplers with feedback (they replace the draw):'
const TOKENS = 'Tokens and lengths:'
const GUIDANCE = 'Guidance:'
const WATERMARK = 'Watermark:'
const STRUCTURE = 'Structured output:'
const SEARCH = 'Searches and speculation:'

/** For every command that generates. */
export function samplingFlags(command: Command): Command {
  const options = [
    one(whole(0))(SAMPLING, '--max-tokens <n>', 'longest continuation, as far as the context reaches (default: 4096)'),
    flag(SAMPLING, '--preset <name>', 'whose order and defaults').choices(presetNames).default('llamacpp'),
    num(SAMPLING, '--seed <s>', 'same seed, same text (default: a random one)'),
    num(SAMPLING, '--temperature <t>', '0 is greedy (llamacpp 0.8, hf and vllm 1)'),
    num(SAMPLING, '--dynatemp-range <r>', 'temperature ± r, by entropy'),
    num(SAMPLING, '--dynatemp-exponent <e>', 'how entropy maps to temperature (1)'),
    text(SAMPLING, '--samplers <list>', "llamacpp's order: names with ;, or letters (edskypmxt)"),
    one(whole(1))(
      SAMPLING,
      '--context <n>',
      'tokens the cache holds (default: what is needed, up to what the model was made for)',
    ),

    num(TAIL, '--top-k <k>', 'keep the k likeliest; 0: all (llamacpp 40, hf 50)'),
    num(TAIL, '--top-p <p>', 'keep the likeliest up to this probability (llamacpp 0.95)'),
    num(TAIL, '--min-p <m>', 'drop what is less likely than this share of the likeliest (llamacpp 0.05)'),
    num(TAIL, '--typical-p <p>', 'keep tokens of typical surprise up to this probability'),
    num(TAIL, '--top-n-sigma <n>', 'keep logits within n deviations of the largest'),
    num(TAIL, '--top-h <h>', 'keep the likeliest up to this share of the entropy'),
    num(TAIL, '--epsilon-cutoff <e>', 'drop what is less likely than e'),
    num(TAIL, '--eta-cutoff <e>', 'the same, less where the entropy is high'),
    num(TAIL, '--xtc-probability <p>', 'at times drop the top choices'),
    num(TAIL, '--xtc-threshold <t>', 'from this probability on a token is a top choice (0.1)'),
    num(TAIL, '--min-keep <n>', 'tokens that every cut leaves'),

    num(REPETITION, '--repeat-penalty <r>', 'divide the logits of tokens that occurred; also --repetition-penalty'),
    num(REPETITION, '--repetition-penalty <r>', '').hideHelp(),
    num(REPETITION, '--repeat-last-n <n>', "llamacpp's window for the penalties (64; -1: all)"),
    num(REPETITION, '--frequency-penalty <f>', 'subtract for every occurrence'),
    num(REPETITION, '--presence-penalty <p>', 'subtract once'),
    num(REPETITION, '--dry-multiplier <m>', 'penalise what would repeat a sequence; 0.8 is usual'),
    num(REPETITION, '--dry-base <b>', 'growth per repeated token (1.75)'),
    num(REPETITION, '--dry-allowed-length <n>', 'repetitions so long are free (2)'),
    num(REPETITION, '--dry-penalty-last-n <n>', 'how far to look back (64; -1: all)'),
    many(REPETITION, '--dry-sequence-breaker <text>', 'ends a repetition; repeatable (\\n : " *)'),
    num(REPETITION, '--no-repeat-ngram-size <n>', 'no n-gram twice'),
    num(REPETITION, '--encoder-no-repeat-ngram-size <n>', 'no n-gram of the prompt'),
    num(REPETITION, '--encoder-repetition-penalty <r>', 'above 1 favours tokens of the prompt'),

    num(FEEDBACK, '--mirostat <1|2>', 'hold the surprise near a target'),
    num(FEEDBACK, '--mirostat-tau <t>', 'target surprise in bits (5)'),
    num(FEEDBACK, '--mirostat-eta <e>', 'learning rate (0.1)'),
    num(FEEDBACK, '--adaptive-target <p>', 'adaptive-p: prefer tokens near this probability'),
    num(FEEDBACK, '--adaptive-decay <d>', 'memory of adaptive-p (0.9)'),

    many(TOKENS, '--logit-bias <token:bias>', 'add to a token (an id, or the text of one); -inf bans; repeatable'),
    many(TOKENS, '--ban <token>', 'never this token (an id, or the text of one); repeatable'),
    ids(TOKENS, '--allow <ids>', 'these token ids and no others: 1,2,3'),
    many(TOKENS, '--force-token <position:token>', 'this token at a place of the text, from 0 on; repeatable'),
    ids(TOKENS, '--begin-suppress-tokens <ids>', 'not as the first token: 1,2,3'),
    many(TOKENS, '--bad-words <text>', 'never this text; repeatable'),
    many(TOKENS, '--sequence-bias <text:bias>', 'add to the token that would complete a text; repeatable'),
    flag(TOKENS, '--ignore-eos', 'never end'),
    num(TOKENS, '--min-tokens <n>', 'do not end before n tokens'),
    num(TOKENS, '--min-length <n>', 'the same, prompt included'),
    one(numberPair)(TOKENS, '--exponential-decay-length-penalty <start,factor>', 'urge to end from a length on'),
    num(TOKENS, '--thinking-budget <n>', 'at most n tokens between <think> and </think>'),

    flag(WATERMARK, '--watermark', "Hugging Face's watermark"),
    num(WATERMARK, '--watermark-bias <b>', 'added to green tokens (2)'),
    num(WATERMARK, '--watermark-ratio <r>', 'share of green tokens (0.25)'),
    num(WATERMARK, '--watermark-key <k>', 'hashing key (15485863)'),

    text(STRUCTURE, '--grammar <file>', 'hold the text to a GBNF grammar'),
    text(STRUCTURE, '--json-schema <file>', 'hold it to a JSON Schema; a { … } is the schema itself'),
    text(STRUCTURE, '--regex <r>', 'hold it to a regular expression'),
    text(STRUCTURE, '--choices <list>', 'one of these texts: a,b,c'),
    flag(STRUCTURE, '--ignore-unsupported', 'leave out schema keywords that a grammar cannot enforce'),
    many(STRUCTURE, '--trigger <text>', 'free text until this appears, then the structure; repeatable'),
  ]
  for (const option of options) command.addOption(option)
  // a few long names stand out rather than push every description to the right
  return command.configureHelp({ padWidth: () => 33 })
}

/** What `cria run` alone has. */
export function searchFlags(command: Command): Command {
  const options = [
    num(GUIDANCE, '--guidance-scale <s>', 'classifier-free guidance; 1: off'),
    text(GUIDANCE, '--negative-prompt <text>', 'what to steer away from (default: no prompt)'),
    one(whole(1))(SEARCH, '--beams <n>', 'beam search of this width'),
    one(whole(1))(SEARCH, '--beam-groups <n>', 'diverse beam search: groups of beams (1)'),
    one(within(0))(SEARCH, '--diversity-penalty <d>', 'against what earlier groups took (0)'),
    one(within(-Number.MAX_VALUE))(SEARCH, '--length-penalty <l>', 'scores are divided by length^l (1)'),
    flag(
      SEARCH,
      '--early-stopping [never]',
      'stop at as many ended texts as beams; never: only when none can gain',
    ).choices(['never']),
    one(whole(1))(SEARCH, '--best-of <n>', 'the likeliest of n drawn texts'),
    one(numberPair)(SEARCH, '--contrastive <alpha,k>', 'contrastive search among the k likeliest: 0.6,4 is usual'),
    text(SEARCH, '--draft <model>', 'speculative decoding: a smaller model of the same vocabulary guesses'),
    flag(SEARCH, '--prompt-lookup', 'speculative decoding: guess what followed the same words before'),
    one(whole(1))(SEARCH, '--draft-tokens <n>', 'guesses per pass (3)'),
    one(whole(1))(SEARCH, '--stop-repetition <n>', 'stop when up to n tokens stand four times in a row at the end'),
  ]
  for (const option of options) command.addOption(option)
  return command
}
