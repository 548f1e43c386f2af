"""A LLaMA forward pass in numpy f64 over a GGUF's dequantised weights: exact arithmetic to hold quantised files against.

Reads the `llama` architecture only (interleaved rotary pairs, grouped queries, tied or untied output, rope_freqs).

    python reference.py MODEL.gguf 1,2,3      # {"tokens": …, "logprobs": [[id, logprob], …]}
"""
import json
import pathlib
import sys

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def ranked(logprobs: np.ndarray, n: int) -> list[list]:
    """The n likeliest as [id, log-probability], ties in the order of their ids."""
    return [[int(i), float(f'{logprobs[i]:.7g}')] for i in np.argsort(-logprobs, kind='stable')[:n]]


class GgufLlama:
    def __init__(self, path: str | pathlib.Path):
        reader = GGUFReader(str(path))
        def field(key: str, default: float | None = None):
            value = reader.get_field(f'llama.{key}')
            return default if value is None else value.contents()
        self.heads, self.layers = int(field('attention.head_count')), int(field('block_count'))
        self.kv_heads = int(field('attention.head_count_kv', self.heads))
        self.eps, self.theta = float(field('attention.layer_norm_rms_epsilon')), float(field('rope.freq_base', 10000.0))
        self.w = {t.name: dequantize(t.data, t.tensor_type).astype(np.float64).reshape(t.shape[::-1]) for t in reader.tensors}
        self.types = {t.name: t.tensor_type.name for t in reader.tensors}

    def norm(self, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps) * weight

    def rotate(self, x: np.ndarray) -> np.ndarray:
        """x: [seq, heads, head_dim], pair i is (2i, 2i+1)."""
        d = x.shape[-1]
        inv = self.theta ** (-np.arange(0, d, 2) / d) / self.w.get('rope_freqs.weight', np.ones(d // 2))
        angle = np.arange(x.shape[0])[:, None, None] * inv
        a, b, cos, sin = x[..., 0::2], x[..., 1::2], np.cos(angle), np.sin(angle)
        return np.stack((a * cos - b * sin, a * sin + b * cos), -1).reshape(x.shape)

    def logits(self, ids: list[int]) -> np.ndarray:
        """[seq, vocab], one row per position."""
        w, t = self.w, len(ids)
        x = w['token_embd.weight'][ids]
        mask = np.triu(np.full((t, t), -np.inf), 1)
        for i in range(self.layers):
            p = f'blk.{i}.'
            h = self.norm(x, w[p + 'attn_norm.weight'])
            q, k, v = (h @ w[f'{p}attn_{n}.weight'].T for n in 'qkv')
            q = self.rotate(q.reshape(t, self.heads, -1))
            k = self.rotate(k.reshape(t, self.kv_heads, -1))
            k, v = (np.repeat(y.reshape(t, self.kv_heads, -1), self.heads // self.kv_heads, 1) for y in (k, v))
            score = np.einsum('qhd,khd->hqk', q, k) / np.sqrt(q.shape[-1]) + mask
            x = x + np.einsum('hqk,khd->qhd', np.exp(log_softmax(score)), v).reshape(t, -1) @ w[p + 'attn_output.weight'].T
            h = self.norm(x, w[p + 'ffn_norm.weight'])
            gate = h @ w[p + 'ffn_gate.weight'].T
            x = x + (gate / (1 + np.exp(-gate)) * (h @ w[p + 'ffn_up.weight'].T)) @ w[p + 'ffn_down.weight'].T
        return self.norm(x, w['output_norm.weight']) @ w.get('output.weight', w['token_embd.weight']).T


if __name__ == '__main__':
    tokens = [int(v) for v in sys.argv[2].split(',')]
    result = log_softmax(GgufLlama(sys.argv[1]).logits(tokens)[-1])
    print(json.dumps(dict(tokens=tokens, logprobs=ranked(result, len(result)))))
