"""Writes distillation.json: losses and gradients of knowledge distillation by PyTorch, to hold @cria/train's against.

Student and teacher are output layers over hashed hidden states (`unit` of train_golden.py); the loss is Hinton's:
(1 - hard) T^2 F.kl_div(log_softmax(s / T), softmax(t / T)) + hard F.cross_entropy(s, targets), summed over the rows
whose target is not negative. All in f64.

    python distillation_golden.py
"""
import json
import pathlib

import torch
import torch.nn.functional as F

from train_golden import unit

HERE = pathlib.Path(__file__).parent
ROWS, WORDS, WIDTH, TEACHER_WIDTH = 7, 13, 5, 8
STREAMS = dict(hidden=6000, weight=6001, teacherHidden=6002, teacherWeight=6003)
TARGETS = [3, -100, 0, 12, 7, -100, 7]
CASES = [(1, 0), (1, 0.5), (2, 0), (2, 0.1), (4, 1), (0.5, 0.3)]


def tensor(name: str, *shape: int) -> torch.Tensor:
    # Three times the hash: logits then spread over several nats.
    return torch.tensor(3 * unit(STREAMS[name], shape[0] * shape[1]).reshape(shape), dtype=torch.float64)


def case(temperature: float, hard: float) -> dict:
    hidden = tensor('hidden', ROWS, WIDTH).requires_grad_()
    weight = tensor('weight', WORDS, WIDTH).requires_grad_()
    teacher = tensor('teacherHidden', ROWS, TEACHER_WIDTH) @ tensor('teacherWeight', WORDS, TEACHER_WIDTH).T
    targets = torch.tensor(TARGETS)
    logits = hidden @ weight.T
    kept = targets >= 0
    soft = F.kl_div((logits / temperature).log_softmax(-1)[kept], (teacher / temperature).softmax(-1)[kept],
                    reduction='sum')
    loss = (1 - hard) * temperature ** 2 * soft + hard * F.cross_entropy(logits, targets, reduction='sum')
    loss.backward()
    return dict(temperature=temperature, hard=hard, loss=loss.item(),
                **{name: [round(g, 9) for g in t.grad.flatten().tolist()] for name, t in
                   dict(hidden=hidden, weight=weight).items()})


if __name__ == '__main__':
    doc = dict(source=f'tools/golden/distillation_golden.py, PyTorch {torch.__version__.split("+")[0]}',
               shape=dict(rows=ROWS, words=WORDS, width=WIDTH, teacherWidth=TEACHER_WIDTH), scale=3, streams=STREAMS,
               targets=TARGETS, cases=[case(*c) for c in CASES])
    path = HERE / 'distillation.json'
    path.write_text(json.dumps(doc, indent=0, separators=(',', ':')) + '\n')
    print(f'{path.name}: {path.stat().st_size} bytes')
