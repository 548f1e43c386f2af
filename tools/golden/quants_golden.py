"""Writes quants.json: random blocks of every ggml format and the values the `gguf` package dequantises them to.

The blocks are random bytes with their f16 scales put in range, so every bit pattern of the quants occurs; three blocks
per type (their bytes and f32 values as base64). Types the package cannot dequantise are left out.

    python quants_golden.py           # rewrites quants.json beside this file
"""
import base64
import importlib.metadata
import json
import pathlib
import warnings

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

# Byte offsets of the f16 fields of a block (from the end when negative); formats without any are not named.
HALVES = dict(Q4_0=[0], Q4_1=[0, 2], Q5_0=[0], Q5_1=[0, 2], Q8_0=[0], Q2_K=[-4, -2], Q3_K=[-2], Q4_K=[0, 2], Q5_K=[0, 2],
              Q6_K=[-2], IQ4_NL=[0], IQ4_XS=[0], IQ2_XXS=[0], IQ2_XS=[0], IQ2_S=[0], IQ3_XXS=[0], IQ3_S=[0], IQ1_S=[0],
              TQ1_0=[-2], TQ2_0=[-2])
BLOCKS = 3


def blocks(kind: GGMLQuantizationType, rng: np.random.Generator) -> np.ndarray:
    size = GGML_QUANT_SIZES[kind][1]
    raw = rng.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    for offset in HALVES.get(kind.name, []):
        at = offset % size
        raw[:, at:at + 2] = (rng.standard_normal((BLOCKS, 1)) * 0.1).astype('<f2').view(np.uint8)
    if kind.name == 'IQ1_M':  # its scale is spread over the top four bits of the last four u16
        bits = np.array([0x2E66, 0x31EB, 0xAE66], dtype=np.uint16)
        last = raw[:, -8:].copy().view('<u2')
        for i in range(4):
            last[:, i] = (last[:, i] & 0x0FFF) | ((bits >> (4 * i)) & 0xF) << 12
        raw[:, -8:] = last.view(np.uint8)
    if kind.name == 'MXFP4':  # the first byte is a power of two
        raw[:, 0] = [120, 127, 130]
    return raw


if __name__ == '__main__':
    warnings.simplefilter('error')
    rng, types = np.random.default_rng(1), {}
    for kind, (count, size) in GGML_QUANT_SIZES.items():
        if count == 1:
            continue
        raw = blocks(kind, rng)
        try:
            values = dequantize(raw, kind).astype('<f4')
        except (NotImplementedError, KeyError):
            continue
        assert np.isfinite(values).all(), kind
        types[kind.name] = dict(id=int(kind), blockValues=count, blockBytes=size, bytes=base64.b64encode(raw.tobytes()).decode(),
                                values=base64.b64encode(values.tobytes()).decode())
    path = pathlib.Path(__file__).with_name('quants.json')
    path.write_text(json.dumps(dict(source=f'tools/golden/quants_golden.py, gguf {importlib.metadata.version("gguf")}', types=types), indent=1) + '\n')
    print(f'{path.name}: {", ".join(types)}; {path.stat().st_size} bytes')
