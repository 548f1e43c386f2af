"""Writes train.json: ten AdamW steps of a small LLaMA in PyTorch, to hold our training against.

Weights and tokens come from an integer hash (`mix`, below, five lines in any language), so that a test rebuilds them
without files. Four variants: untied output, tied output, half-split rotary pairs, and a key head for each query head.
Each holds the ten losses in
f32 and in f64, the global gradient norm of each step before clipping, and for every tensor of the first step's
gradient its norm, its dot product with a hash vector (any wrong element moves it) and every `stride`-th element.

    python train_golden.py            # rewrites train.json beside this file
"""
import base64
import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

SHAPE = dict(dim=48, layers=2, heads=4, kv_heads=2, ffn=96, vocab=97, batch=2, seq=16, norm_eps=1e-5, theta=10000.0)
ADAMW = dict(lr=1e-3, beta1=0.9, beta2=0.95, eps=1e-5, weight_decay=0.1, clip=1.0, steps=10)
TOKENS, PROBE = 1000, 2000  # hash streams of the tokens and of the probe vectors; parameter p has stream p
WEIGHT_SCALE, NORM_SCALE = 0.3, 0.1


def mix(stream: int, n: int) -> np.ndarray:
    """Hash of (stream, 0..n-1), u32: x = i + (stream + 1) * 0x9E3779B9, then two xorshift-multiply rounds."""
    x = (np.arange(n, dtype=np.uint64) + (stream + 1) * 0x9E3779B9) & 0xFFFFFFFF
    x ^= x >> 16
    x = x * 0x7FEB352D & 0xFFFFFFFF
    x ^= x >> 15
    x = x * 0x846CA68B & 0xFFFFFFFF
    return x ^ x >> 16


def unit(stream: int, n: int) -> np.ndarray:
    """Exact multiples of 2^-23 in [-1, 1): the top 24 bits of the hash."""
    return (mix(stream, n) >> 8) / 2.0**23 - 1


def parameter_shapes(tied: bool) -> list[tuple[str, tuple[int, ...]]]:
    """Every parameter in the order of its hash stream, under Hugging Face's checkpoint names; matrices are [out, in]."""
    d, f, kv, v = SHAPE['dim'], SHAPE['ffn'], SHAPE['dim'] // SHAPE['heads'] * SHAPE['kv_heads'], SHAPE['vocab']
    shapes = [('model.embed_tokens.weight', (v, d))]
    for i in range(SHAPE['layers']):
        p = f'model.layers.{i}.'
        shapes += [(p + 'input_layernorm.weight', (d,)), (p + 'self_attn.q_proj.weight', (d, d)),
                   (p + 'self_attn.k_proj.weight', (kv, d)), (p + 'self_attn.v_proj.weight', (kv, d)),
                   (p + 'self_attn.o_proj.weight', (d, d)), (p + 'post_attention_layernorm.weight', (d,)),
                   (p + 'mlp.gate_proj.weight', (f, d)), (p + 'mlp.up_proj.weight', (f, d)),
                   (p + 'mlp.down_proj.weight', (d, f))]
    shapes += [('model.norm.weight', (d,))]
    return shapes + ([] if tied else [('lm_head.weight', (v, d))])


def initial(tied: bool, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Matrices: WEIGHT_SCALE * unit; norm weights: 1 + NORM_SCALE * unit; rounded once to f32."""
    out = {}
    for stream, (name, shape) in enumerate(parameter_shapes(tied)):
        u = unit(stream, math.prod(shape))
        w = (u * WEIGHT_SCALE if len(shape) == 2 else 1 + u * NORM_SCALE).astype(np.float32).reshape(shape)
        out[name] = torch.tensor(w).to(dtype).requires_grad_()
    return out


def batch(step: int) -> torch.Tensor:
    """[batch, seq + 1] ids: even and odd steps alternate between two batches, so that the loss also falls."""
    b, t = SHAPE['batch'], SHAPE['seq'] + 1
    return torch.tensor((mix(TOKENS + step % 2, b * t) % SHAPE['vocab']).astype(np.int64)).reshape(b, t)


def rms_norm(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + SHAPE['norm_eps']) * weight


def rotate(x: torch.Tensor, interleaved: bool) -> torch.Tensor:
    """x: [batch, seq, heads, head_dim]; pair i is (2i, 2i+1), or (i, i + head_dim/2) when half-split."""
    hd, seq = x.shape[-1], x.shape[1]
    inv = SHAPE['theta'] ** (-torch.arange(0, hd, 2, dtype=torch.float64) / hd)
    angle = (torch.arange(seq, dtype=torch.float64)[:, None] * inv)[None, :, None, :]
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = (x[..., 0::2], x[..., 1::2]) if interleaved else (x[..., : hd // 2], x[..., hd // 2 :])
    ra, rb = a * cos - b * sin, a * sin + b * cos
    return torch.stack((ra, rb), -1).flatten(-2) if interleaved else torch.cat((ra, rb), -1)


def forward(w: dict[str, torch.Tensor], ids: torch.Tensor, interleaved: bool) -> torch.Tensor:
    heads, kv_heads, (b, t) = SHAPE['heads'], SHAPE['kv_heads'], ids.shape
    x = w['model.embed_tokens.weight'][ids]
    mask = torch.ones(t, t, dtype=torch.bool).triu(1)
    for i in range(SHAPE['layers']):
        p = f'model.layers.{i}.'
        h = rms_norm(x, w[p + 'input_layernorm.weight'])
        q, k, v = (F.linear(h, w[f'{p}self_attn.{n}_proj.weight']) for n in 'qkv')
        q = rotate(q.view(b, t, heads, -1), interleaved)
        k = rotate(k.view(b, t, kv_heads, -1), interleaved)
        k, v = (y.view(b, t, kv_heads, -1).repeat_interleave(heads // kv_heads, 2) for y in (k, v))
        q, k, v = (y.transpose(1, 2) for y in (q, k, v))
        score = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).masked_fill(mask, float('-inf'))
        attended = (score.softmax(-1) @ v).transpose(1, 2).reshape(b, t, -1)
        x = x + F.linear(attended, w[p + 'self_attn.o_proj.weight'])
        h = rms_norm(x, w[p + 'post_attention_layernorm.weight'])
        gated = F.silu(F.linear(h, w[p + 'mlp.gate_proj.weight'])) * F.linear(h, w[p + 'mlp.up_proj.weight'])
        x = x + F.linear(gated, w[p + 'mlp.down_proj.weight'])
    return F.linear(rms_norm(x, w['model.norm.weight']), w.get('lm_head.weight', w['model.embed_tokens.weight']))


def train(tied: bool, interleaved: bool, dtype: torch.dtype) -> dict:
    w = initial(tied, dtype)
    groups = [dict(params=[p for p in w.values() if (p.dim() == 2) == matrix],
                   weight_decay=ADAMW['weight_decay'] if matrix else 0.0) for matrix in (True, False)]
    opt = torch.optim.AdamW(groups, lr=ADAMW['lr'], betas=(ADAMW['beta1'], ADAMW['beta2']), eps=ADAMW['eps'])
    losses, norms, first = [], [], {}
    for step in range(ADAMW['steps']):
        ids = batch(step)
        logits = forward(w, ids[:, :-1], interleaved)
        loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        opt.zero_grad()
        loss.backward()
        if step == 0:
            first = {k: p.grad.detach().clone() for k, p in w.items()}
        norms.append(float(torch.nn.utils.clip_grad_norm_(list(w.values()), ADAMW['clip'])))
        losses.append(loss.item())
        opt.step()
    return dict(losses=losses, norms=norms, gradients=first, weights={k: p.detach() for k, p in w.items()})


def describe(name: str, stream: int, grad: torch.Tensor, stride: int) -> dict:
    g = grad.double().flatten().numpy()
    out = dict(name=name, shape=list(grad.shape), norm=float(np.linalg.norm(g)), dot=float(g @ unit(PROBE + stream, g.size)))
    if stride:
        stride = stride if g.size > 100 else 1
        out |= dict(stride=stride, data=base64.b64encode(g[::stride].astype('<f4').tobytes()).decode())
    return out


def variant(name: str, tied: bool, interleaved: bool, stride: int, kv_heads: int = 2) -> dict:
    SHAPE['kv_heads'] = kv_heads
    f32, f64 = train(tied, interleaved, torch.float32), train(tied, interleaved, torch.float64)
    gap = max(abs(a - b) for a, b in zip(f32['losses'], f64['losses']))
    print(f'{name}: losses {f32["losses"][0]:.4f} -> {f32["losses"][-1]:.4f}, norms {min(f32["norms"]):.2f}..{max(f32["norms"]):.2f}, f32-f64 {gap:.1e}')
    # Gradients and final weights are those of the f64 run: closer to the truth than either side's f32.
    return dict(
        name=name, tied=tied, kvHeads=kv_heads, rope='interleaved' if interleaved else 'half-split', losses=f32['losses'],
        losses64=f64['losses'], gradNorms=f64['norms'],
        gradients=[describe(k, i, g, stride) for i, (k, g) in enumerate(f64['gradients'].items())],
        finalNorms={k: float(p.norm()) for k, p in f64['weights'].items()})


if __name__ == '__main__':
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    doc = dict(
        source=f'tools/golden/train_golden.py, PyTorch {torch.__version__.split("+")[0]}',
        shape=dict(SHAPE), adamw=ADAMW | dict(decay='two-dimensional parameters, embedding included',
                                       clipRule='scale = min(1, clip / (norm + 1e-6))'),
        hash=dict(weightScale=WEIGHT_SCALE, normScale=NORM_SCALE, tokenStream=TOKENS, probeStream=PROBE,
                  rule='stream p is the index of the parameter; tokens of step s: mix(tokenStream + s % 2, i) % vocab, [batch, seq + 1]',
                  check=[int(v) for v in mix(0, 4)] + [int(v) for v in mix(TOKENS, 4)]),
        variants=[variant('untied', False, True, 7), variant('tied', True, True, 13), variant('half-split', False, False, 0),
                  variant('multi-head', False, False, 0, SHAPE['heads'])])
    path = pathlib.Path(__file__).with_name('train.json')
    path.write_text(json.dumps(doc, indent=0, separators=(',', ':')).replace(',\n"data"', ',"data"') + '\n')
    print(f'{path.name}: {path.stat().st_size} bytes')
