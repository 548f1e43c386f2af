"""Writes small random checkpoints of the LLaMA family as transformers saves them, with expected log-probabilities.

    python make_random_models.py OUTDIR [--only NAME…] [--fixtures] [--seed N]

OUTDIR/NAME/ is a model folder (config.json and safetensors, one file or sharded; or Meta's params.json and
consolidated.*.pth); OUTDIR/NAME/expected.json holds, per token sequence, `top` (the 20 likeliest next tokens as
[id, log-probability]) and `logprobs` (all, in the order of ids), computed by transformers in f32 on the stored weights
with one forward pass over the whole sequence, and `ownDtypeError`: how far transformers itself is off among the ten
likeliest when it runs in the checkpoint's dtype. Configuration spellings of before transformers 5 (`rope_theta`,
`rope_scaling`) are written by hand into config.json and read back by transformers for the expected values.
--fixtures writes the few folders that are committed (thinner, without `logprobs`).
"""
import argparse
import json
import pathlib
import re
import shutil
import zlib

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

from reference import log_softmax, ranked

SHAPE = dict(vocab_size=260, hidden_size=64, intermediate_size=176, num_hidden_layers=2, num_attention_heads=8,
             num_key_value_heads=2, max_position_embeddings=32, tie_word_embeddings=False, rms_norm_eps=1e-5,
             bos_token_id=1, eos_token_id=2)
THIN = SHAPE | dict(hidden_size=32, intermediate_size=48, num_attention_heads=4)
DTYPES = dict(f32=torch.float32, f16=torch.float16, bf16=torch.bfloat16)
SEQUENCES = [[1], [1, 72, 104, 33], list(range(1, 260, 12)), [(i * 37 + 5) % 260 for i in range(48)]]  # 48 > 32, the longest of the configurations below
SHORT, LONG = [1 + i / 16 for i in range(4)], [1 + i * i for i in range(4)]
SCALINGS = dict(
    linear=dict(factor=4.0), dynamic=dict(factor=2.0), yarn=dict(factor=4.0, original_max_position_embeddings=16),
    llama3=dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16),
    longrope=dict(factor=4.0, original_max_position_embeddings=16, short_factor=SHORT, long_factor=LONG))
YARN_ALL = dict(factor=4.0, original_max_position_embeddings=16, attention_factor=1.3, beta_fast=8.0, beta_slow=2.0, truncate=False)


def cases() -> dict[str, dict]:
    """name -> architecture, fields over SHAPE, dtype, shard size in bytes, and fields to spell the old way (`legacy`),
    to leave out (`drop`) or to write as null; `refusable` names a field that a loader may refuse instead of honouring."""
    out = {f'llama-{d}': dict(dtype=d) for d in DTYPES}
    out |= {f'llama-{d}-sharded': dict(dtype=d, shard=60_000) for d in DTYPES}
    out |= {
        'llama-tied': dict(fields=dict(tie_word_embeddings=True)),
        'llama-attention-bias': dict(fields=dict(attention_bias=True)),
        'llama-mlp-bias': dict(fields=dict(mlp_bias=True)),
        'llama-all-biases-bf16': dict(fields=dict(attention_bias=True, mlp_bias=True), dtype='bf16'),
        'llama-head-dim': dict(fields=dict(head_dim=24)),
        'llama-one-kv-head': dict(fields=dict(num_key_value_heads=1)),
        'llama-no-grouping': dict(fields=dict(num_key_value_heads=8)),
        'llama-kv-heads-left-out': dict(fields=dict(num_key_value_heads=8), drop=['num_key_value_heads']),
        'llama-norm-eps': dict(fields=dict(rms_norm_eps=0.1)),
        'llama-gelu': dict(fields=dict(hidden_act='gelu'), refusable='hidden_act'),
        'llama-defaults-left-out': dict(fields=dict(rms_norm_eps=1e-6), drop=[
            'rms_norm_eps', 'tie_word_embeddings', 'attention_bias', 'mlp_bias', 'head_dim', 'hidden_act', 'rope_parameters', 'dtype', 'bos_token_id', 'eos_token_id']),
        'llama-head-dim-null': dict(null=['head_dim', 'pad_token_id']),
        'llama-tied-stored-head': dict(fields=dict(tie_word_embeddings=True), stored='head'),
        'llama-stored-rotary': dict(stored='rotary'),
        'llama-theta-old': dict(legacy=dict(rope_theta=500.0)),
        'llama-theta-new': dict(fields=dict(rope_parameters=dict(rope_type='default', rope_theta=500.0))),
        'llama-yarn-options': dict(fields=dict(rope_parameters=YARN_ALL | dict(rope_type='yarn', rope_theta=500.0))),
        'llama-longrope-phi-spelling': dict(legacy=dict(rope_theta=1e4, max_position_embeddings=64, original_max_position_embeddings=16, rope_scaling=dict(type='longrope', short_factor=SHORT, long_factor=LONG))),
        'llama-longrope-f16-tied': dict(dtype='f16', fields=dict(tie_word_embeddings=True, rope_parameters=SCALINGS['longrope'] | dict(rope_type='longrope', rope_theta=500.0))),
    }
    for rule, fields in SCALINGS.items():
        out[f'llama-{rule}-oldest'] = dict(legacy=dict(rope_theta=1000.0, rope_scaling=fields | dict(type=rule)))
        out[f'llama-{rule}-old'] = dict(legacy=dict(rope_theta=1000.0, rope_scaling=fields | dict(rope_type=rule)))
        out[f'llama-{rule}-new'] = dict(fields=dict(rope_parameters=fields | dict(rope_type=rule, rope_theta=1000.0)))
    window = dict(use_sliding_window=True, sliding_window=8)
    out |= {
        'mistral': dict(arch='mistral', fields=dict(sliding_window=8)),
        'mistral-no-window': dict(arch='mistral', fields=dict(sliding_window=None)),
        'mistral-head-dim-bf16': dict(arch='mistral', fields=dict(sliding_window=4, head_dim=24), dtype='bf16', shard=60_000),
        'qwen2': dict(arch='qwen2'),
        'qwen2-tied-bf16': dict(arch='qwen2', fields=dict(tie_word_embeddings=True), dtype='bf16'),
        'qwen2-window': dict(arch='qwen2', fields=window | dict(max_window_layers=1)),
        'qwen2-window-ignored': dict(arch='qwen2', fields=dict(use_sliding_window=False, sliding_window=8)),
        'qwen2-layer-types': dict(arch='qwen2', fields=window | dict(layer_types=['sliding_attention', 'full_attention'])),
        'qwen2-layer-types-left-out': dict(arch='qwen2', fields=window | dict(max_window_layers=1), drop=['layer_types']),
        'qwen3': dict(arch='qwen3', fields=dict(head_dim=16)),
        'qwen3-tied-bias-bf16': dict(arch='qwen3', fields=dict(head_dim=8, tie_word_embeddings=True, attention_bias=True), dtype='bf16', shard=60_000),
        'qwen3-window': dict(arch='qwen3', fields=window | dict(head_dim=16, max_window_layers=0)),
        'qwen3-yarn': dict(arch='qwen3', fields=dict(head_dim=16, rope_parameters=SCALINGS['yarn'] | dict(rope_type='yarn', rope_theta=1e6))),
    }
    return out


def randomise(model: torch.nn.Module, seed: int) -> None:
    """Weights large enough that attention is not flat and the logits spread over several units."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if p.dim() == 2:
                gain = 2.0 if 'lm_head' in name or 'embed' in name or 'q_proj' in name or 'k_proj' in name else 1.0
                p.copy_(noise * gain / p.shape[1] ** 0.5)
            else:
                p.copy_((1 + 0.2 * noise) if 'norm' in name else 0.3 * noise)


def next_token(model: torch.nn.Module, tokens: list[int]) -> np.ndarray:
    """A fresh copy of the rotary state each time: transformers keeps some between calls of dynamic rules."""
    with torch.no_grad():
        return log_softmax(model(torch.tensor([tokens]), use_cache=False).logits[0, -1].float().numpy())


def expected(folder: pathlib.Path, dtype: str, full: bool) -> dict:
    result, worst = [], 0.0
    for tokens in SEQUENCES:
        exact, own = (next_token(AutoModelForCausalLM.from_pretrained(folder, dtype=d, attn_implementation='eager').eval(), tokens)
                      for d in (torch.float32, DTYPES[dtype]))
        error = float(np.abs(exact - own)[np.argsort(-exact)[:10]].max())
        worst = max(worst, error)
        result.append(dict(tokens=tokens, top=ranked(exact, 20), ownDtypeError=float(f'{error:.3g}')))
        if full:
            result[-1]['logprobs'] = [float(f'{v:.7g}') for v in exact]
    print(f'{folder.name}: top {result[-1]["top"][0]}, own dtype off by {worst:.4f}')
    return dict(source=f'tools/golden/make_random_models.py, transformers {transformers.__version__}', dtype=dtype, cases=result)


def checkpoint(folder: pathlib.Path, shape: dict, seed: int, full: bool, arch: str = 'llama', fields: dict | None = None,
               dtype: str = 'f32', shard: int | None = None, legacy: dict | None = None, drop: list[str] | None = None,
               null: list[str] | None = None, stored: str | None = None, refusable: str | None = None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    fields = shape | (fields or {})
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(arch, **fields))
    randomise(model, seed)
    model.to(DTYPES[dtype]).save_pretrained(folder, **({'max_shard_size': shard} if shard else {}))
    (folder / 'generation_config.json').unlink(missing_ok=True)
    path = folder / 'config.json'
    config = json.loads(path.read_text())
    if legacy:
        del config['rope_parameters']
        config |= legacy
    for name in drop or []:
        config.pop(name, None)
    config |= dict.fromkeys(null or [])
    if stored:  # what older checkpoints carry although nothing reads it
        tensors = load_file(folder / 'model.safetensors')
        if stored == 'head':
            tensors['lm_head.weight'] = tensors['model.embed_tokens.weight'].clone()
        else:
            inv = 10000.0 ** (-torch.arange(0, 8, 2).float() / 8)
            tensors |= {f'model.layers.{i}.self_attn.rotary_emb.inv_freq': inv.clone() for i in range(shape['num_hidden_layers'])}
        save_file(tensors, folder / 'model.safetensors', metadata=dict(format='pt'))
    path.write_text(json.dumps(config, indent=1) + '\n')
    doc = expected(folder, dtype, full) | (dict(refusable=refusable) if refusable else {})
    (folder / 'expected.json').write_text(json.dumps(doc, separators=(',', ':')) + '\n')


def meta(folder: pathlib.Path, shape: dict, seed: int, full: bool, llama3: bool, dtype: str) -> None:
    """The same weights in Meta's names, rotary order and two model-parallel shards, expected through transformers.

    Llama 2 style: the embedding is split over its columns, vocab_size is -1 and a rope.freqs buffer is stored.
    Llama 3 style: the embedding is split over its rows, with ffn_dim_multiplier, rope_theta and use_scaled_rope.
    """
    shutil.rmtree(folder, ignore_errors=True)
    hidden = int(2 * 4 * shape['hidden_size'] / 3 * (1.3 if llama3 else 1))
    multiple = 32
    rope = dict(rope_type='llama3', rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                original_max_position_embeddings=8192) if llama3 else dict(rope_type='default', rope_theta=10000.0)
    fields = shape | dict(intermediate_size=-(-hidden // multiple) * multiple, rope_parameters=rope)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model('llama', **fields))
    randomise(model, seed)
    model.to(DTYPES[dtype]).save_pretrained(folder)  # only to compute the expected values: removed below
    (folder / 'expected.json').write_text(json.dumps(expected(folder, dtype, full), separators=(',', ':')) + '\n')
    for name in ('model.safetensors', 'config.json', 'generation_config.json'):
        (folder / name).unlink(missing_ok=True)

    def interleave(w: torch.Tensor, heads: int) -> torch.Tensor:
        return w.view(heads, 2, w.shape[0] // heads // 2, w.shape[1]).transpose(1, 2).reshape(w.shape)

    s, shards = model.state_dict(), [{}, {}]
    def put(name: str, w: torch.Tensor, split: int | None) -> None:
        for shard, part in zip(shards, w.chunk(2, split) if split is not None else (w, w)):
            shard[name] = part.contiguous().clone()

    put('tok_embeddings.weight', s['model.embed_tokens.weight'], 0 if llama3 else 1)
    for i in range(shape['num_hidden_layers']):
        old, new = f'model.layers.{i}.', f'layers.{i}.'
        put(new + 'attention.wq.weight', interleave(s[old + 'self_attn.q_proj.weight'], shape['num_attention_heads']), 0)
        put(new + 'attention.wk.weight', interleave(s[old + 'self_attn.k_proj.weight'], shape['num_key_value_heads']), 0)
        put(new + 'attention.wv.weight', s[old + 'self_attn.v_proj.weight'], 0)
        put(new + 'attention.wo.weight', s[old + 'self_attn.o_proj.weight'], 1)
        put(new + 'feed_forward.w1.weight', s[old + 'mlp.gate_proj.weight'], 0)
        put(new + 'feed_forward.w3.weight', s[old + 'mlp.up_proj.weight'], 0)
        put(new + 'feed_forward.w2.weight', s[old + 'mlp.down_proj.weight'], 1)
        put(new + 'attention_norm.weight', s[old + 'input_layernorm.weight'], None)
        put(new + 'ffn_norm.weight', s[old + 'post_attention_layernorm.weight'], None)
    put('norm.weight', s['model.norm.weight'], None)
    put('output.weight', s['lm_head.weight'], 0)
    head_dim = shape['hidden_size'] // shape['num_attention_heads']
    if not llama3:
        put('rope.freqs', rope['rope_theta'] ** (-torch.arange(0, head_dim, 2).float() / head_dim), None)
    for i, shard in enumerate(shards):
        torch.save(shard, folder / f'consolidated.{i:02d}.pth')
    params = dict(dim=shape['hidden_size'], n_layers=shape['num_hidden_layers'], n_heads=shape['num_attention_heads'],
                  n_kv_heads=shape['num_key_value_heads'], norm_eps=shape['rms_norm_eps'], multiple_of=multiple, vocab_size=-1)
    if llama3:
        params |= dict(vocab_size=shape['vocab_size'], ffn_dim_multiplier=1.3, rope_theta=rope['rope_theta'], use_scaled_rope=True)
    (folder / 'params.json').write_text(json.dumps(params) + '\n')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('outdir', type=pathlib.Path)
    parser.add_argument('--only', nargs='*', default=[])
    parser.add_argument('--fixtures', action='store_true')
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    args.outdir.mkdir(parents=True, exist_ok=True)
    if args.fixtures:
        checkpoint(args.outdir / 'qwen2-f16-sharded', THIN, args.seed, False, arch='qwen2', dtype='f16', shard=20_000,
                   fields=dict(tie_word_embeddings=True, use_sliding_window=True, sliding_window=8, max_window_layers=1))
        # Queries and keys two and a half times as large: scores so sharp that an f16 cache is 0.03 off.
        checkpoint(args.outdir / 'llama-longrope-f16', THIN | dict(num_hidden_layers=4), args.seed, False, dtype='f16', fields=dict(
            tie_word_embeddings=True, rope_parameters=SCALINGS['longrope'] | dict(rope_type='longrope', rope_theta=500.0, attention_factor=2.5)))
        meta(args.outdir / 'meta-two-shards-bf16', THIN, args.seed, False, llama3=True, dtype='bf16')
    else:
        todo = {n: (lambda f, s, c=c: checkpoint(f, SHAPE, s, True, **c)) for n, c in cases().items()}
        todo['meta-llama2-f16'] = lambda f, s: meta(f, SHAPE, s, True, llama3=False, dtype='f16')
        todo['meta-llama3-bf16'] = lambda f, s: meta(f, SHAPE, s, True, llama3=True, dtype='bf16')
        for name, write in todo.items():
            if not args.only or name in args.only:
                # Spellings of one model share their weights, so their expected values must be equal.
                write(args.outdir / name, args.seed + zlib.crc32(re.sub('-(oldest|old|new|sharded)$', '', name).encode()))
