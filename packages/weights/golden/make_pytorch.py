"""Writes the PyTorch fixtures: `python make_pytorch.py`, with `pip install torch`."""
import json
import os
from collections import OrderedDict
from pathlib import Path

import torch

here = Path(__file__).parent
torch.manual_seed(3)
state = OrderedDict()
state['a.weight'] = torch.randn(3, 4)
state['h'] = torch.randn(5).half()
state['b'] = torch.randn(2, 3).bfloat16()
state['t'] = torch.randn(4, 6).t()
state['v'] = torch.randn(10)[3:7]
state['i'] = torch.arange(5)
state['s'] = torch.tensor(2.5)
state['e'] = torch.zeros(0, 4)
state['p'] = torch.nn.Parameter(torch.ones(2))
state['f64'] = torch.randn(2, dtype=torch.float64)


class Evil:
    def __reduce__(self):
        return (os.system, ('touch evil',))


torch.save(state, here / 'plain.pth')
torch.save(state, here / 'legacy.pth', _use_new_zipfile_serialization=False)
torch.save({'a': torch.ones(2), 'x': Evil()}, here / 'evil.pth')
values = {
    name: {'shape': list(t.shape), 'dtype': str(t.dtype), 'data': t.detach().float().reshape(-1).tolist()}
    for name, t in state.items()
}
(here / 'plain.json').write_text(json.dumps(values))
