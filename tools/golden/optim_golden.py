"""Writes optim.json: optimisers and schedules in PyTorch and transformers, to hold @cria/train against.

Parameters and gradients come from the integer hash of train_golden.py, so that a test rebuilds them without files. Five
steps of each optimiser, with the global norm clipped; the final parameters are stored whole. Optimisers are torch's own;
its Muon is run in f32 (its source rounds to bf16), and Lion, which torch has not, is Algorithm 2 of its paper.

    python optim_golden.py            # rewrites optim.json beside this file
"""
import base64
import inspect
import json
import math
import pathlib

import torch
import transformers
from torch.optim import _muon
from torch.optim.swa_utils import get_ema_multi_avg_fn
from transformers import optimization

from train_golden import unit

SHAPES = dict(wide=(4, 9), tall=(8, 3), vector=(5,))
STEPS, CLIP, EMA = 5, 1.0, 0.9
LR = [0.02, 0.03, 0.01, 0.04, 0.005]
PARAMETERS, GRADIENTS = 0, 100  # hash streams: parameter p is p; its gradient in step s is 100 + 10 s + p

source = inspect.getsource(_muon._zeropower_via_newtonschulz)
assert source.count('torch.bfloat16') == 1
exec(source.replace('torch.bfloat16', 'torch.float32'), _muon.__dict__)


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, Algorithm 2."""

    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=1.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group['betas']
            for p in group['params']:
                m = self.state[p].setdefault('m', torch.zeros_like(p))
                c = b1 * m + (1 - b1) * p.grad
                p -= group['lr'] * (c.sign() + group['weight_decay'] * p)
                m.copy_(b2 * m + (1 - b2) * p.grad)


def values(stream: int, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.tensor(unit(stream, math.prod(shape)).reshape(shape), dtype=torch.float64)


def groups(params: dict[str, torch.Tensor], decay: float) -> list[dict]:
    return [dict(params=[p for p in params.values() if (p.dim() == 2) == matrix], weight_decay=decay if matrix else 0.0)
            for matrix in (True, False)]


def run(name: str, make) -> dict:
    params = {k: values(PARAMETERS + i, s).requires_grad_() for i, (k, s) in enumerate(SHAPES.items())}
    optimisers, ema, norms = make(params), {k: p.detach().clone() for k, p in params.items()}, []
    average = get_ema_multi_avg_fn(EMA)
    for step in range(STEPS):
        for i, p in enumerate(params.values()):
            p.grad = values(GRADIENTS + 10 * step + i, tuple(p.shape))
        norms.append(float(torch.nn.utils.clip_grad_norm_(list(params.values()), CLIP)))
        for o in optimisers:
            for group in o.param_groups:
                group['lr'] = LR[step]
            o.step()
        average(list(ema.values()), [p.detach() for p in params.values()], None)
    pack = lambda ts: {k: base64.b64encode(t.detach().float().numpy().astype('<f4').tobytes()).decode() for k, t in ts.items()}
    return dict(name=name, norms=norms, parameters=pack(params), averages=pack(ema))


def muon(params: dict[str, torch.Tensor], **options) -> list[torch.optim.Optimizer]:
    two = [p for p in params.values() if p.dim() == 2]
    return [torch.optim.Muon(two, lr=1.0, **options),
            torch.optim.AdamW([params['vector']], lr=1.0, betas=(0.9, 0.95), eps=1e-5, weight_decay=0.0)]


def schedule(name: str, make, steps: int = 40) -> dict:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, out = make(optimiser), []
    for _ in range(steps):
        optimiser.step()
        scheduler.step()
        out.append(scheduler.get_last_lr()[0])
    return dict(name=name, values=out)


if __name__ == '__main__':
    doc = dict(
        source=f'tools/golden/optim_golden.py, PyTorch {torch.__version__.split("+")[0]}, transformers {transformers.__version__}',
        shapes=SHAPES, steps=STEPS, clip=CLIP, ema=EMA, lr=LR, parameterStream=PARAMETERS, gradientStream=GRADIENTS,
        optimisers=[
            run('adamw', lambda p: [torch.optim.AdamW(groups(p, 0.1), lr=1.0, betas=(0.9, 0.95), eps=1e-5)]),
            run('lion', lambda p: [Lion(groups(p, 1.0), lr=1.0)]),
            run('sgd', lambda p: [torch.optim.SGD(p.values(), lr=1.0, momentum=0.9)]),
            run('sgd, nesterov and decay', lambda p: [torch.optim.SGD(groups(p, 0.1), lr=1.0, momentum=0.9, nesterov=True)]),
            run('sgd, plain', lambda p: [torch.optim.SGD(p.values(), lr=1.0)]),
            run('muon', lambda p: muon(p, adjust_lr_fn='match_rms_adamw')),
            run('muon, shape', lambda p: muon(p, nesterov=False, weight_decay=0.0)),
        ],
        # Step n of ours is `current_step` n of theirs: the value after n calls of `scheduler.step()`.
        schedules=[
            schedule('constant', lambda o: optimization.get_constant_schedule_with_warmup(o, 8)),
            schedule('linear', lambda o: optimization.get_linear_schedule_with_warmup(o, 8, 40)),
            schedule('cosine', lambda o: optimization.get_cosine_with_min_lr_schedule_with_warmup(o, 8, 40, min_lr_rate=0.1)),
            schedule('wsd', lambda o: optimization.get_wsd_schedule(o, 8, 10, num_training_steps=40, decay_type='linear')),
            schedule('wsd, cosine', lambda o: optimization.get_wsd_schedule(
                o, 8, 10, num_training_steps=40, decay_type='cosine')),
            schedule('wsd, sqrt', lambda o: optimization.get_wsd_schedule(
                o, 8, 10, num_training_steps=40, decay_type='1-sqrt')),
        ])
    path = pathlib.Path(__file__).with_name('optim.json')
    path.write_text(json.dumps(doc, indent=0, separators=(',', ':')) + '\n')
    print(f'{path.name}: {path.stat().st_size} bytes')
