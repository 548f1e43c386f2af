"""Writes small random LLaMA files of every weight type as GGUF, with exact and llama.cpp's log-probabilities.

    python make_random_gguf.py OUTDIR --llama-quantize BIN [--llama-logits BIN] [--seed N] [--fixture FILE]

OUTDIR/SHAPE-TYPE.gguf: shapes `plain` (grouped queries, untied, rope_freqs) and `tied` (tied embeddings, no
rope_freqs); the f32 files are written by the `gguf` package, the others made from them by llama.cpp's llama-quantize.
OUTDIR/SHAPE-TYPE.json: for some token sequences `exact` (numpy f64 on dequantised weights) and, where a llama-logits
program is given, `llamaCpp`: every token's log-probability for the next position, in the order of ids, and
`llamaCppError`: its largest difference from `exact` among the ten likeliest tokens.
--fixture writes one file of six thin layers instead, in which every weight type occurs; its JSON keeps the 20 likeliest
of `exact` as [id, log-probability].
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import gguf
import numpy as np

from reference import GgufLlama, log_softmax, ranked

TYPES = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'IQ4_NL']
# llama-quantize names its Q3_K, Q4_K and Q5_K mixes by size; --pure makes each of them one type throughout.
PRESET = {'Q3_K': 'Q3_K_S', 'Q4_K': 'Q4_K_S', 'Q5_K': 'Q5_K_S'}
MIXES = ['Q4_K_M', 'Q3_K_M', 'Q5_K_M']
PLAIN = dict(dim=256, layers=2, heads=8, kv_heads=2, ffn=512, tied=False, rope_freqs=True, theta=500000.0)
TIED = PLAIN | dict(kv_heads=4, tied=True, rope_freqs=False, theta=10000.0)
THIN = dict(dim=32, layers=6, heads=4, kv_heads=2, ffn=256, tied=False, rope_freqs=True, theta=10000.0)
THIN_ATTENTION = ['f32', 'bf16', 'q8_0', 'q4_1', 'q5_1', 'f16']
THIN_GATE = ['q4_0', 'q4_1', 'q5_0', 'q5_1', 'q8_0', 'iq4_nl']
THIN_DOWN = ['q2_k', 'q3_k', 'q4_k', 'q5_k', 'q6_k', 'iq4_nl']
VOCAB = 3 + 256 + 5
SEQUENCES = [[1], [1, 72, 104], list(range(1, 264, 7)), [1, 260, 259, 7, 200, 31, 31, 31, 5, 88, 146, 263, 12]]


def write_f32(path: pathlib.Path, shape: dict, seed: int) -> None:
    rng, w = np.random.default_rng(seed), gguf.GGUFWriter(str(path), 'llama')
    d, f, hd = shape['dim'], shape['ffn'], shape['dim'] // shape['heads']
    kv = hd * shape['kv_heads']
    w.add_name('random')
    w.add_context_length(512)
    w.add_embedding_length(d)
    w.add_block_count(shape['layers'])
    w.add_feed_forward_length(f)
    w.add_head_count(shape['heads'])
    w.add_head_count_kv(shape['kv_heads'])
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_dimension_count(hd)
    w.add_rope_freq_base(shape['theta'])
    w.add_vocab_size(VOCAB)
    # A SentencePiece vocabulary of the 256 bytes and five letters: enough for every engine to load the file.
    w.add_tokenizer_model('llama')
    w.add_token_list(['<unk>', '<s>', '</s>'] + [f'<0x{b:02X}>' for b in range(256)] + ['\u2581', 'a', 'b', 'c', 'd'])
    w.add_token_scores([0.0] * 259 + [-1.0, -2.0, -3.0, -4.0, -5.0])
    w.add_token_types([2, 3, 3] + [6] * 256 + [1] * 5)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)

    def matrix(name: str, rows: int, cols: int, gain: float) -> None:
        w.add_tensor(name, (rng.standard_normal((rows, cols)) * gain / cols**0.5).astype(np.float32))

    def norm(name: str) -> None:
        w.add_tensor(name, (1 + 0.2 * rng.standard_normal(d)).astype(np.float32))

    matrix('token_embd.weight', VOCAB, d, 1.0 if not shape['tied'] else 2.0)
    norm('output_norm.weight')
    if not shape['tied']:
        matrix('output.weight', VOCAB, d, 2.0)
    if shape['rope_freqs']:
        w.add_tensor('rope_freqs.weight', np.geomspace(1, 8, hd // 2).astype(np.float32))
    for i in range(shape['layers']):
        p = f'blk.{i}.'
        norm(p + 'attn_norm.weight')
        for name, rows, cols, gain in (('attn_q', d, d, 1.5), ('attn_k', kv, d, 1.5), ('attn_v', kv, d, 1.0), ('attn_output', d, d, 1.0)):
            matrix(f'{p}{name}.weight', rows, cols, gain)
        norm(p + 'ffn_norm.weight')
        for name, rows, cols in (('ffn_gate', f, d), ('ffn_up', f, d), ('ffn_down', d, f)):
            matrix(f'{p}{name}.weight', rows, cols, 1.0)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def quantize(binary: str, source: pathlib.Path, target: pathlib.Path, kind: str) -> None:
    pure = kind not in MIXES
    # With --pure the embedding and the output follow the type too, which the presets would raise to Q6_K.
    flags = ['--pure', '--token-embedding-type', kind.lower(), '--output-tensor-type', kind.lower()] if pure else []
    subprocess.run([binary, *flags, source, target, PRESET.get(kind, kind), '1'], check=True, capture_output=True)


def measure(path: pathlib.Path, logits_binary: str | None) -> dict:
    model = GgufLlama(path)
    cases = [dict(tokens=s, exact=log_softmax(model.logits(s)[-1])) for s in SEQUENCES]
    if logits_binary:
        with tempfile.NamedTemporaryFile('w', suffix='.txt') as f:
            f.write('\n'.join(','.join(map(str, s)) for s in SEQUENCES))
            f.flush()
            run = subprocess.run([logits_binary, path, '@' + f.name], check=True, capture_output=True, text=True)
        for case, line in zip(cases, run.stdout.splitlines(), strict=True):
            other = np.empty(VOCAB)
            for i, value in json.loads(line)['logprobs']:
                other[i] = value
            top = np.argsort(-case['exact'], kind='stable')[:10]
            case['llamaCpp'] = other
            case['llamaCppError'] = float(np.abs(case['exact'] - other)[top].max())
    kinds = sorted({t for n, t in model.types.items() if 'norm' not in n and 'rope' not in n})
    errors = [c['llamaCppError'] for c in cases if 'llamaCppError' in c]
    print(f'{path.name}: {"/".join(kinds)}' + (f', llama.cpp off by {np.mean(errors):.4f} on average, {max(errors):.4f} at most' if errors else ''))
    return dict(types=kinds, cases=cases)


def as_json(doc: dict) -> str:
    return json.dumps(doc, default=lambda a: [float(f'{v:.7g}') for v in a], separators=(',', ':')) + '\n'


def make_all(args: argparse.Namespace) -> None:
    args.outdir.mkdir(parents=True, exist_ok=True)
    for n, (name, shape) in enumerate((('plain', PLAIN), ('tied', TIED))):
        base = args.outdir / f'{name}-F32.gguf'
        write_f32(base, shape, args.seed + n)
        for kind in TYPES + MIXES:
            path = args.outdir / f'{name}-{kind}.gguf'
            if path != base:
                quantize(args.llama_quantize, base, path, kind)
            path.with_suffix('.json').write_text(as_json(measure(path, args.llama_logits)))


def make_fixture(args: argparse.Namespace) -> None:
    """One file in which every type occurs; the expected values stay beside it."""
    path = args.fixture
    with tempfile.TemporaryDirectory() as folder:
        base, rules = pathlib.Path(folder) / 'base.gguf', pathlib.Path(folder) / 'types.txt'
        write_f32(base, THIN, args.seed)
        rows = [f'blk.{i}.{n}={k[i]}' for i in range(THIN['layers']) for n, k in (('attn_', THIN_ATTENTION), ('ffn_gate', THIN_GATE), ('ffn_up', THIN_GATE), ('ffn_down', THIN_DOWN))]
        rules.write_text('\n'.join(rows) + '\n')
        flags = ['--tensor-type-file', rules, '--token-embedding-type', 'q8_0', '--output-tensor-type', 'q5_0']
        subprocess.run([args.llama_quantize, *flags, base, path, 'Q8_0', '1'], check=True, capture_output=True)
    doc = measure(path, args.llama_logits)
    for case in doc['cases']:
        case['exact'] = ranked(case['exact'], 20)
        case.pop('llamaCpp', None)
    path.with_suffix('.json').write_text(as_json(dict(source='tools/golden/make_random_gguf.py --fixture') | doc))
    print(f'{path.name}: {path.stat().st_size} bytes')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('outdir', type=pathlib.Path)
    parser.add_argument('--llama-quantize', required=True)
    parser.add_argument('--llama-logits')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--fixture', type=pathlib.Path)
    options = parser.parse_args()
    (make_fixture if options.fixture else make_all)(options)
