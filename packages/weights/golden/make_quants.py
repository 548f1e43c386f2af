"""Writes quantize.json and the tensor package's decode.json with ggml's own C code.

    python make_quants.py PATH_TO_LLAMA_CPP     # needs gcc and `pip install numpy`
"""
import base64
import ctypes
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

here = Path(__file__).parent
ggml = Path(sys.argv[1]) / 'ggml'
stub = r'''
#include <stdint.h>
#include <stdlib.h>
static const int bytes[64] = {4,2,18,20,0,0,22,24,34,36,84,110,144,176,210,292,66,74,98,50,18};
static const int block[64] = {1,1,32,32,0,0,32,32,32,32,256,256,256,256,256,256,256,256,256,256,32};
void ggml_abort(const char *file, int line, const char *format, ...) { abort(); }
void ggml_log_internal(int level, const char *format, ...) {}
size_t ggml_type_size(int t) { return bytes[t]; }
const char *ggml_type_name(int t) { return "type"; }
size_t ggml_row_size(int t, int64_t n) { return n / block[t] * bytes[t]; }
'''
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / 'stub.c').write_text(stub)
    library = Path(folder) / 'quants.so'
    subprocess.run(
        ['gcc', '-O1', '-ffp-contract=off', '-fPIC', '-shared', '-w', '-o', library, ggml / 'src/ggml-quants.c',
         Path(folder) / 'stub.c', f'-I{ggml}/include', f'-I{ggml}/src', '-lm'], check=True)
    lib = ctypes.CDLL(str(library), mode=os.RTLD_LAZY)

# name: elements and bytes of a block, offsets of its f16 scales
formats = {
    'q4_0': (32, 18, [0]), 'q4_1': (32, 20, [0, 2]), 'q5_0': (32, 22, [0]), 'q5_1': (32, 24, [0, 2]),
    'q8_0': (32, 34, [0]), 'q8_1': (32, 36, [0, 2]), 'q2_k': (256, 84, [80, 82]), 'q3_k': (256, 110, [108]),
    'q4_k': (256, 144, [0, 2]), 'q5_k': (256, 176, [0, 2]), 'q6_k': (256, 210, [208]), 'q8_k': (256, 292, []),
    'iq2_xxs': (256, 66, [0]), 'iq2_xs': (256, 74, [0]), 'iq2_s': (256, 82, [0]), 'iq3_xxs': (256, 98, [0]),
    'iq3_s': (256, 110, [0]), 'iq1_s': (256, 50, [0]), 'iq1_m': (256, 56, []), 'iq4_nl': (32, 18, [0]),
    'iq4_xs': (256, 136, [0]), 'tq1_0': (256, 54, [52]), 'tq2_0': (256, 66, [64]), 'mxfp4': (32, 17, []),
    'nvfp4': (64, 36, []), 'q1_0': (128, 18, [0]), 'q2_0': (64, 18, [0]),
}


def c_name(name):
    return name[:-1] + 'K' if name.endswith('_k') else name


def dequantize(name, blocks):
    elements = formats[name][0]
    if name == 'q8_1':  # ggml has no function for it
        return blocks[:, :2].copy().view(np.float16).astype(np.float32) * blocks[:, 4:].view(np.int8)
    out = np.zeros((len(blocks), elements), np.float32)
    blocks = np.ascontiguousarray(blocks)
    function = getattr(lib, f'dequantize_row_{c_name(name)}')
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    function(blocks.ctypes.data, out.ctypes.data, out.size)
    return out


def decode_cases():
    rng = np.random.default_rng(7)
    out = {}
    for name, (_, size, halves) in formats.items():
        blocks = rng.integers(0, 256, (6, size), dtype=np.uint8)
        for at in halves:  # two ordinary scales, two extreme ones, two left random
            scales = np.concatenate([rng.normal(0, .05, 2), rng.choice([0., -0., 6e-8, 65504, -65504, 1e-5, 1, -1], 2)])
            blocks[:4, at:at + 2] = scales.astype(np.float16).view(np.uint8).reshape(-1, 2)
        blocks[4:6] = [[0], [255]]
        values = dequantize(name, blocks)
        values[np.isnan(values)] = np.float32('nan')
        first = [float(v) if np.isfinite(v) else None for v in values.ravel()[:4]]
        out[name] = {'blocks': base64.b64encode(blocks.tobytes()).decode(),
                     'sha256': hashlib.sha256(values.tobytes()).hexdigest(), 'first': first}
    return out


def test_values(count):
    """The numbers of test/random.ts: sums of a 32-bit linear congruential generator, and some edges."""
    state, out = 12345, np.zeros(count, np.float32)
    for i in range(count):
        total = 0.0
        for _ in range(4):
            state = (state * 1664525 + 1013904223) & 0xffffffff
            total += state / 4294967296 - 0.5
        out[i] = total * 0.04
    out[:256], out[256:288], out[288:320], out[320] = 0, np.float32(1e-30), -3, 65504
    return out


def quantize_cases():
    x = test_values(256 * 64)
    out = {'values': hashlib.sha256(x.tobytes()).hexdigest(), 'formats': {}}
    for name in ['q8_0', 'q4_0', 'q4_1', 'q5_0', 'q5_1', 'q2_k', 'q3_k', 'q4_k', 'q5_k', 'q6_k', 'iq4_nl']:
        elements, size, _ = formats[name]
        blocks = np.zeros((len(x) // elements, size), np.uint8)
        function = getattr(lib, f'quantize_{c_name(name)}')
        function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
        function(x.ctypes.data, blocks.ctypes.data, 1, len(x), None)
        error = dequantize(name, blocks).ravel()[512:].astype(np.float64) - x[512:]
        out['formats'][name] = {'sha256': hashlib.sha256(blocks.tobytes()).hexdigest(),
                                'rmse': float(np.sqrt((error ** 2).mean()))}
    return out


def write(path, value):
    path.write_text(json.dumps(value, indent=1) + '\n')


write(here / 'quantize.json', quantize_cases())
write(here.parents[1] / 'tensor/src/blocks/golden/decode.json', decode_cases())
