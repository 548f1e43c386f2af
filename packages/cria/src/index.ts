/** The `cria` command. Each subcommand is a file that is loaded when it is called, so that `cria --help` is instant. */
import { createRequire } from 'node:module'
import { Command, CommanderError, Option } from 'commander'
import { backends } from './backend.js'
import { report } from './output.js'
import { whole, wholeList } from './parse.js'
import { samplingFlags, searchFlags } from './sampling-flags.js'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

/** Of the native kernels; those in WebAssembly take fewer and say so. */
const mostThreads = 1024

const device = (c: Command): Command =>
  c
    .addOption(new Option('--backend <name>', 'hardware to run on').choices(backends).default('auto'))
    .option('--threads <n>', 'threads of the CPU backends (default: every core)', whole(1, mostThreads))

/** The whole command line; exported for tests. */
export function program(): Command {
  const cria = new Command('cria')
    .description(
      'Run, inspect, convert and measure LLaMA-family models.\nMODEL is storyteller (the model in the box), a file, a folder, a name in the local model folder, or hf:owner/repo[:file].',
    )
    .version(version)
    .option('--verbose', 'print whole errors with their stack')
    .showHelpAfterError('(cria --help shows what there is)')

  const run = cria
    .command('run')
    .description('continue a text')
    .argument('<model>')
    .option(
      '--prompt <text>',
      'the text to continue (default: storyteller, the model in the box, begins a story itself)',
    )
    .option('--no-echo', 'print the continuation alone')
    .option('--json', 'print one JSON object instead')
    .option('--logprobs <n>', 'with --json: log-probabilities of prompt and text, the n likeliest, entropy', whole(0))
    .option('--specials', 'text of the prompt that looks like a special token is one')
  device(run)
  searchFlags(samplingFlags(run)).action(async (model, options) =>
    (await import('./commands/run.js')).run(model, options),
  )

  const start = cria
    .command('start')
    .description('tell a story with the default model')
    .option('--model <model>', 'another model')
    .option('--prompt <text>', 'how it begins')
  device(samplingFlags(start)).action(async options => (await import('./commands/start.js')).start(options))

  const chat = cria
    .command('chat')
    .description('talk with a model')
    .argument('<model>')
    .option('--system <text>', 'the system message')
  device(samplingFlags(chat)).action(async (model, options) =>
    (await import('./commands/chat.js')).chat(model, options),
  )

  cria
    .command('inspect')
    .description('metadata, tensors, tokenizer and memory of a model')
    .argument('<file>')
    .option('--json', 'print JSON')
    .action(async (file, options) => (await import('./commands/inspect.js')).inspect(file, options))

  const logits = cria
    .command('logits')
    .description('log-probabilities of the next token')
    .argument('<model>')
    .option('--prompt <text>', 'text, with the BOS token the model wants')
    .option('--tokens <ids>', 'token ids instead: 1,2,3', wholeList(0))
    .option('--top <n>', 'how many', whole(1), 10)
    .option('--all', 'every token of the vocabulary')
    .option('--json', 'print JSON')
  device(logits).action(async (model, options) => (await import('./commands/logits.js')).logits(model, options))

  cria
    .command('tokenize')
    .description('token ids of standard input')
    .argument('<file>', 'GGUF, tokenizer.json, tokenizer.model or model folder')
    .option('--json', 'print JSON')
    .option('--jsonl', 'one JSON string a line in, one array of ids a line out')
    .option('--count', 'print only how many ids there are')
    .option('--bos', 'put the BOS token first')
    .option('--specials', 'text that looks like a special token is one')
    .action(async (file, options) => (await import('./commands/tokenize.js')).tokenize(file, options))

  cria
    .command('render')
    .description("the text and ids that a model's chat template makes of messages on standard input")
    .argument('<model>')
    .option('--json', 'print JSON: text and ids')
    .option('--no-generation-prompt', "do not open the assistant's next message")
    .option('--tools <file>', 'a JSON array of functions that the model may call')
    .option('--template <file>', 'another Jinja template')
    .option('--llama2', "LLaMA 2's format, for models without a template")
    .action(async (model, options) => (await import('./commands/render.js')).render(model, options))

  cria
    .command('tokenizer')
    .description('make tokenizers')
    .command('train')
    .description('a BPE vocabulary from text files, as tokenizer.json and tokenizer_config.json')
    .argument('<file...>', 'UTF-8 text')
    .requiredOption('--vocab <n>', 'number of tokens, special ones included', whole(1))
    .requiredOption('--out <folder>', 'where to write')
    .addOption(
      new Option('--kind <kind>', 'as Llama 3 or as LLaMA 1 and 2')
        .choices(['byte-level', 'sentencepiece'])
        .default('byte-level'),
    )
    .option('--pattern <split>', 'gpt2, llama3, qwen2, o200k or a regular expression (default: llama3)')
    .option('--special <tokens>', 'special tokens, first in the vocabulary: a,b,c', (text: string) => text.split(','))
    .option('--min-frequency <n>', 'join no pair that is rarer (default: 2)', whole(1))
    .option('--json', 'print JSON about the result')
    .action(async (files, options) => (await import('./commands/tokenizer-train.js')).tokenizerTrain(files, options))

  cria
    .command('convert')
    .description('convert and quantise')
    .argument('<in>')
    .argument('<out>', 'a .gguf file, or a folder for safetensors')
    .requiredOption('--type <type>', 'F32, F16, BF16, Q8_0, Q4_0, Q4_K, …')
    .action(async (from, to, options) => (await import('./commands/convert.js')).convert(from, to, options))

  const bench = cria
    .command('bench')
    .description('measure prompt and generation speed')
    .argument('<model>')
    .option('-p <tokens>', 'prompt lengths; 0: none', wholeList(0), [512])
    .option('-n <tokens>', 'tokens generated; 0: none', wholeList(0), [128])
    .option('-t <threads>', 'thread counts', wholeList(1, mostThreads))
    .option('-d <depth>', 'tokens in the cache beforehand', wholeList(0), [0])
    .option('-r <rounds>', 'rounds', whole(1), 5)
    .option('--json', 'print JSON')
    .addOption(new Option('--backend <name>', 'hardware to run on').choices(backends).default('auto'))
  bench.action(async (model, options) => (await import('./commands/bench.js')).bench(model, options))

  const perplexity = cria
    .command('perplexity')
    .description('how well a model predicts a text')
    .argument('<model>')
    .argument('<file>', 'UTF-8 text; - is standard input')
    .option('--context <n>', 'tokens of a window (default: 512, or what the model holds)', whole(2))
    .option('--against <model>', 'compare its predictions with those of this one: KL divergence, same top, ratio')
    .option('--json', 'print one JSON object')
  device(perplexity).action(async (model, file, options) =>
    (await import('./commands/perplexity.js')).perplexity(model, file, options),
  )

  const evaluation = cria
    .command('eval')
    .description('run evaluation tasks')
    .argument('<model>')
    .argument('<tasks...>', 'names such as sanity or arc_easy, or .yaml, .json and .jsonl task files')
    .option('--limit <n>', 'only the first documents of each task', whole(1))
    .option('--num-fewshot <k>', "examples shown first, instead of the task's number", whole(0))
    .option('--data <folder>', 'documents of bundled tasks: TASK/SPLIT.jsonl', 'data')
    .option('--cache <file>', 'keep answers, and take those that it has')
    .option('--context <n>', "tokens of a window (default: the model's)", whole(2))
    .option('--seed <s>', 'of few-shot examples and drawn answers', whole(0))
    .option('--samples', 'with --json: every document, request and answer')
    .option('--json', 'print one JSON object')
  device(evaluation).action(async (model, tasks, options) =>
    (await import('./commands/eval.js')).evalTasks(model, tasks, options),
  )

  cria
    .command('synth')
    .description('write a model of random weights, for benchmarks')
    .requiredOption('--shape <preset>', 'a preset such as llama-3.2-1b')
    .requiredOption('--type <type>', 'weight type such as Q4_0')
    .requiredOption('--out <file>', 'a .gguf file')
    .option('--seed <s>', 'of the weights', whole(0), 0)
    .action(async options => (await import('./commands/synth.js')).synth(options))
  return cria
}

/** Runs a command line. Errors become one line and exit code 1 (2 for a wrong command line, 130 for Ctrl-C). */
export async function main(argv: readonly string[]): Promise<void> {
  const cria = program()
  // A reader that closes the pipe (`cria run … | head`) fails the write that notices; print() rejects with it.
  process.stdout.on('error', () => {})
  for (const c of [cria, ...cria.commands, ...cria.commands.flatMap(each => each.commands)]) c.exitOverride()
  try {
    await cria.parseAsync([...argv])
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
    else process.exitCode = report(error, argv.includes('--verbose'))
  }
}
