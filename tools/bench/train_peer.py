"""The same training step in PyTorch at its best on a CPU: torch.compile, fused AdamW, SDPA. What train.ts races.

Each line on stdin is a number of steps to run; each answer is a line of JSON.
    python train_peer.py SHAPE fp32|bf16 compiled|eager
"""
import json
import os
import pathlib
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

name, precision, mode = (sys.argv[1:] + ['3.4M', 'fp32', 'compiled'][len(sys.argv) - 1:])[:3]
S = json.loads(pathlib.Path(__file__).with_name('train-shapes.json').read_text())[name]
torch.set_num_threads(int(os.environ.get('BENCH_THREADS', 2)))
torch.manual_seed(0)
D, H, KV, T = S['dim'], S['heads'], S['kvHeads'], S['seq']
HD = D // H


def rotary():
    angle = torch.arange(T)[:, None] * 10000.0 ** (-torch.arange(0, HD, 2) / HD)
    return torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)


def turn(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.n1, self.n2 = nn.RMSNorm(D, 1e-5), nn.RMSNorm(D, 1e-5)
        self.q, self.k, self.v = (nn.Linear(D, n * HD, bias=False) for n in (H, KV, KV))
        self.o = nn.Linear(D, D, bias=False)
        self.gate, self.up, self.down = (nn.Linear(*io, bias=False) for io in ((D, S['ffn']), (D, S['ffn']), (S['ffn'], D)))

    def forward(self, x, cos, sin):
        b, h = x.shape[0], self.n1(x)
        q, k, v = (p(h).view(b, T, -1, HD).transpose(1, 2) for p in (self.q, self.k, self.v))
        q, k = turn(q, cos, sin).to(v.dtype), turn(k, cos, sin).to(v.dtype)
        if KV != H:
            k, v = (t.repeat_interleave(H // KV, 1) for t in (k, v))
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o(a.transpose(1, 2).reshape(b, T, D))
        h = self.n2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(S['vocab'], D)
        self.blocks = nn.ModuleList(Block() for _ in range(S['layers']))
        self.norm = nn.RMSNorm(D, 1e-5)
        self.apply(lambda m: nn.init.normal_(m.weight, std=0.02) if isinstance(m, (nn.Linear, nn.Embedding)) else None)
        cos, sin = rotary()
        self.register_buffer('cos', cos)
        self.register_buffer('sin', sin)

    def forward(self, x, y):
        h = self.embed(x)
        for block in self.blocks:
            h = block(h, self.cos, self.sin)
        logits = F.linear(self.norm(h), self.embed.weight)
        return F.cross_entropy(logits.flatten(0, 1).float(), y.flatten())


model = Llama()
groups = [dict(params=[p for p in model.parameters() if (p.dim() == 2) == m], weight_decay=0.1 if m else 0.0) for m in (True, False)]
opt = torch.optim.AdamW(groups, lr=3e-4, betas=(0.9, 0.95), eps=1e-5, fused=True)
loss_of = torch.compile(model) if mode == 'compiled' else model
count = S['batch'] * T
ids = (torch.arange(count) * 7919 + 13) % S['vocab']
x, y = ids.view(S['batch'], T), ids.roll(-1).view(S['batch'], T)


def run(steps):
    start = time.perf_counter()
    for _ in range(steps):
        with torch.autocast('cpu', torch.bfloat16, enabled=precision == 'bf16'):
            loss = loss_of(x, y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        opt.step()
        opt.zero_grad(set_to_none=True)
    return time.perf_counter() - start, loss.item()


def answer(**value):
    print(json.dumps(value), flush=True)


first, _ = run(1)
answer(description=f'PyTorch {torch.__version__}, {torch.get_num_threads()} threads, {mode}', precision=precision, first=first)
for line in sys.stdin:
    before = time.process_time()
    seconds, loss = run(int(line))
    answer(seconds=seconds, cpuSeconds=time.process_time() - before, loss=loss, peakBytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
