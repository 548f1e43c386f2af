"""Writes small random f32 GGUF files of the LLaMA family's architectures and options, with llama.cpp's log-probabilities.

    python make_gguf_architectures.py OUTDIR --llama-logits BIN [--seed N]

OUTDIR/NAME.gguf and NAME.json (`cases`: tokens and `llamaCpp`, every token's log-probability in the order of ids; `exact` is
the same list, f32 files of llama.cpp being within 0.005 of exact arithmetic). llama files rotate
interleaved pairs, qwen2 and qwen3 half-split ones.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import gguf
import numpy as np

BASE = dict(arch='llama', dim=64, layers=2, heads=8, kv_heads=2, ffn=128, head_dim=8, context=64, theta=10000.0)
VOCAB = 264
SEQUENCES = [[1], [1, 72, 104, 33], list(range(1, 260, 12)), [(i * 37 + 5) % 260 for i in range(48)]]
YARN = {'rope.scaling.type': 'yarn', 'rope.scaling.factor': 4.0, 'rope.scaling.original_context_length': 16}
FILES = {
    'llama': {},
    'llama-head-dim': dict(head_dim=24),
    'llama-biases': dict(biases='qkvo'),
    'llama-linear': dict(fields={'rope.scaling.type': 'linear', 'rope.scaling.factor': 4.0}),
    'llama-linear-old-key': dict(fields={'rope.scale_linear': 4.0}),
    'llama-yarn': dict(fields=YARN),
    'llama-scaling-none': dict(fields={'rope.scaling.type': 'none'}),
    'llama-kv-heads-left-out': dict(kv_heads=8, left_out=['kv_heads']),
    'llama-theta-left-out': dict(left_out=['theta']),
    'llama-tied': dict(tied=True),
    'llama-tied-rope-freqs-theta': dict(tied=True, rope_freqs=True, theta=500000.0, heads=4, kv_heads=1, head_dim=16),
    'qwen2': dict(arch='qwen2', biases='qkv'),
    'qwen2-tied': dict(arch='qwen2', biases='qkv', tied=True, theta=1e6),
    'qwen3': dict(arch='qwen3', qk_norm=True, head_dim=16),
    'qwen3-yarn': dict(arch='qwen3', qk_norm=True, head_dim=16, fields=YARN),
}


def write(path: pathlib.Path, o: dict, seed: int) -> None:
    o = BASE | o
    rng, w, a = np.random.default_rng(seed), gguf.GGUFWriter(str(path), o['arch']), o['arch']
    d, hd, left_out = o['dim'], o['head_dim'], o.get('left_out', [])
    w.add_context_length(o['context'])
    w.add_embedding_length(d)
    w.add_block_count(o['layers'])
    w.add_feed_forward_length(o['ffn'])
    w.add_head_count(o['heads'])
    if 'kv_heads' not in left_out:
        w.add_head_count_kv(o['kv_heads'])
    w.add_layer_norm_rms_eps(1e-5)
    if hd != d // o['heads']:
        w.add_key_length(hd)
        w.add_value_length(hd)
    if a == 'llama':
        w.add_rope_dimension_count(hd)
    if 'theta' not in left_out:
        w.add_rope_freq_base(o['theta'])
    for key, value in o.get('fields', {}).items():
        add = {str: w.add_string, float: w.add_float32, int: w.add_uint32}[type(value)]
        add(f'{a}.{key}', value)
    w.add_tokenizer_model('llama')
    w.add_token_list(['<unk>', '<s>', '</s>'] + [f'<0x{b:02X}>' for b in range(256)] + ['\u2581', 'a', 'b', 'c', 'd'])
    w.add_token_scores([0.0] * 259 + [-1.0, -2.0, -3.0, -4.0, -5.0])
    w.add_token_types([2, 3, 3] + [6] * 256 + [1] * 5)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)

    def matrix(name: str, rows: int, cols: int, gain: float = 1.0) -> None:
        w.add_tensor(f'{name}.weight', (rng.standard_normal((rows, cols)) * gain / cols**0.5).astype(np.float32))

    def vector(name: str, n: int, around: float) -> None:
        w.add_tensor(name, (around + 0.2 * rng.standard_normal(n)).astype(np.float32))

    matrix('token_embd', VOCAB, d, 2.0)
    vector('output_norm.weight', d, 1.0)
    if not o.get('tied'):
        matrix('output', VOCAB, d, 2.0)
    if o.get('rope_freqs'):
        w.add_tensor('rope_freqs.weight', np.geomspace(1, 8, hd // 2).astype(np.float32))
    kv = hd * o['kv_heads']
    for i in range(o['layers']):
        p = f'blk.{i}.'
        vector(p + 'attn_norm.weight', d, 1.0)
        for name, rows, cols, gain in (('q', hd * o['heads'], d, 2.0), ('k', kv, d, 2.0), ('v', kv, d, 1.0), ('output', d, hd * o['heads'], 1.0)):
            matrix(f'{p}attn_{name}', rows, cols, gain)
            if name[0] in o.get('biases', ''):
                vector(f'{p}attn_{name}.bias', rows, 0.0)
        if o.get('qk_norm'):
            vector(p + 'attn_q_norm.weight', hd, 1.0)
            vector(p + 'attn_k_norm.weight', hd, 1.0)
        vector(p + 'ffn_norm.weight', d, 1.0)
        matrix(p + 'ffn_gate', o['ffn'], d)
        matrix(p + 'ffn_up', o['ffn'], d)
        matrix(p + 'ffn_down', d, o['ffn'])
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def measure(path: pathlib.Path, binary: str) -> list[dict]:
    with tempfile.NamedTemporaryFile('w', suffix='.txt') as f:
        f.write('\n'.join(','.join(map(str, s)) for s in SEQUENCES))
        f.flush()
        run = subprocess.run([binary, path, '@' + f.name, '--kv', 'f32'], check=True, capture_output=True, text=True)
    out = []
    for tokens, line in zip(SEQUENCES, run.stdout.splitlines(), strict=True):
        values = [p for _, p in sorted(json.loads(line)['logprobs'])]
        out.append(dict(tokens=tokens, exact=values, llamaCpp=values))
    return out


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('outdir', type=pathlib.Path)
    parser.add_argument('--llama-logits', required=True)
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    args.outdir.mkdir(parents=True, exist_ok=True)
    for name, o in FILES.items():
        path = args.outdir / f'{name}.gguf'
        write(path, o, args.seed)
        doc = dict(types=['F32'], cases=measure(path, args.llama_logits))
        path.with_suffix('.json').write_text(json.dumps(doc, separators=(',', ':')) + '\n')
        print(f'{name}: likeliest {[int(np.argmax(c["exact"])) for c in doc["cases"]]}')
