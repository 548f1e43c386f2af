"""Writes rope.json: rotary frequency tables of transformers for every scaling rule, in both spellings of config.json.

Each case holds the fields of config.json as a file would have them (`config`), the length of the sequence, and the
table transformers then uses for all its positions: `invFreq` (head_dim / 2 values) and `attentionScaling`, by which
cos and sin are multiplied. `dynamic` and `longrope` depend on the whole sequence's length: transformers applies one
table to every position of a forward pass.

    python rope_golden.py             # rewrites rope.json beside this file
"""
import copy
import json
import math
import pathlib

import torch
import transformers
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

BASE = dict(hidden_size=64, num_attention_heads=4, max_position_embeddings=64)
SHORT, LONG = [1 + i / 16 for i in range(8)], [1 + i * i / 4 for i in range(8)]
LLAMA3 = dict(rope_type='llama3', factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)

# name, fields of config.json, sequence lengths
CASES = [
    ('no rope field at all', {}, [8]),
    ('old theta', dict(rope_theta=500000.0), [8]),
    ('new theta', dict(rope_parameters=dict(rope_type='default', rope_theta=500000.0)), [8]),
    ('new fields win over old', dict(rope_theta=77.0, rope_parameters=dict(rope_type='default', rope_theta=500000.0)), [8]),
    ('rope_scaling null', dict(rope_theta=500000.0, rope_scaling=None), [8]),
    ('head_dim of its own', dict(head_dim=32, rope_theta=10000.0), [8]),
    ('linear, oldest spelling', dict(rope_theta=10000.0, rope_scaling=dict(type='linear', factor=4.0)), [8]),
    ('linear, old spelling', dict(rope_theta=10000.0, rope_scaling=dict(rope_type='linear', factor=2.5)), [8]),
    ('linear, new spelling', dict(rope_parameters=dict(rope_type='linear', factor=2.5, rope_theta=10000.0)), [8]),
    ('dynamic', dict(rope_theta=10000.0, rope_scaling=dict(type='dynamic', factor=2.0)), [8, 64, 65, 100, 256]),
    ('dynamic, new spelling', dict(rope_parameters=dict(rope_type='dynamic', factor=3.0, rope_theta=500000.0)), [64, 200]),
    ('yarn', dict(rope_theta=10000.0, max_position_embeddings=256, rope_scaling=dict(type='yarn', factor=4.0, original_max_position_embeddings=64)), [8, 200]),
    ('yarn without original length', dict(rope_theta=10000.0, rope_scaling=dict(rope_type='yarn', factor=4.0)), [8]),
    ('yarn with every option', dict(rope_parameters=dict(rope_type='yarn', rope_theta=1000.0, factor=8.0, original_max_position_embeddings=128, attention_factor=1.25, beta_fast=16.0, beta_slow=2.0, truncate=False)), [8]),
    ('yarn with mscale', dict(rope_parameters=dict(rope_type='yarn', rope_theta=10000.0, factor=16.0, original_max_position_embeddings=64, mscale=0.707, mscale_all_dim=1.2)), [8]),
    ('yarn, its ramp without width', dict(rope_parameters=dict(rope_type='yarn', rope_theta=10000.0, factor=4.0, original_max_position_embeddings=4)), [8]),
    ('yarn, its ramp ending before it begins', dict(rope_parameters=dict(rope_type='yarn', rope_theta=10.0, factor=4.0, original_max_position_embeddings=4)), [8]),
    ('yarn, its ramp beginning beyond the head', dict(rope_parameters=dict(rope_type='yarn', rope_theta=2.0, factor=4.0, original_max_position_embeddings=65536)), [8]),
    ('llama3 of 3.1', dict(rope_theta=500000.0, max_position_embeddings=131072, head_dim=128, rope_scaling=LLAMA3), [8]),
    ('llama3 of 3.2', dict(max_position_embeddings=131072, head_dim=64, rope_parameters=LLAMA3 | dict(rope_theta=500000.0, factor=32.0)), [8]),
    ('llama3 on a short context', dict(rope_theta=10000.0, rope_scaling=dict(rope_type='llama3', factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)), [8]),
    ('longrope', dict(rope_theta=10000.0, max_position_embeddings=256, rope_scaling=dict(type='longrope', factor=4.0, original_max_position_embeddings=64, short_factor=SHORT, long_factor=LONG)), [8, 64, 65]),
    ('longrope, original length beside it', dict(rope_theta=10000.0, max_position_embeddings=256, original_max_position_embeddings=64, rope_scaling=dict(rope_type='longrope', short_factor=SHORT, long_factor=LONG)), [8, 100]),
    ('longrope, new spelling', dict(max_position_embeddings=256, rope_parameters=dict(rope_type='longrope', rope_theta=500.0, original_max_position_embeddings=64, attention_factor=1.5, short_factor=SHORT, long_factor=LONG)), [64, 65]),
]


def table(fields: dict, length: int) -> dict:
    """One fresh module per length: transformers keeps state between calls of the dynamic rules."""
    rope = LlamaRotaryEmbedding(LlamaConfig(**copy.deepcopy(BASE | fields)))
    rope(torch.zeros(1), torch.arange(length)[None])
    return dict(length=length, attentionScaling=float(rope.attention_scaling), invFreq=[float(f'{v:.9g}') for v in rope.inv_freq.tolist()])


def frequency_factors(head_dim: int, rule: dict) -> list[float]:
    """The `rope_freqs.weight` tensor of a GGUF for llama3 scaling: theta^(-2i/d) / invFreq."""
    out = []
    for i in range(0, head_dim, 2):
        wave = 2 * math.pi * rule['rope_theta'] ** (i / head_dim)
        low, high = (rule['original_max_position_embeddings'] / rule[k] for k in ('low_freq_factor', 'high_freq_factor'))
        smooth = (rule['original_max_position_embeddings'] / wave - rule['low_freq_factor']) / (rule['high_freq_factor'] - rule['low_freq_factor'])
        out.append(1.0 if wave < high else rule['factor'] if wave > low else 1 / ((1 - smooth) / rule['factor'] + smooth))
    return out


if __name__ == '__main__':
    doc = dict(
        source=f'tools/golden/rope_golden.py, transformers {transformers.__version__}', defaults=BASE,
        cases=[dict(name=name, config=BASE | fields, tables=[table(fields, n) for n in lengths]) for name, fields, lengths in CASES],
        ropeFreqs=dict(headDim=64, rule=LLAMA3 | dict(rope_theta=500000.0, factor=32.0),
                       factors=frequency_factors(64, LLAMA3 | dict(rope_theta=500000.0, factor=32.0))))
    path = pathlib.Path(__file__).with_name('rope.json')
    path.write_text(json.dumps(doc, indent=1) + '\n')
    print(f'{path.name}: {len(doc["cases"])} cases, {path.stat().st_size} bytes')
