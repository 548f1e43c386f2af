"""Writes peft.json and fixtures/peft-*: adapters made by PEFT, to hold @cria/train's LoRA against.

The model is the half-split one of train_golden.py (weights from the integer hash). For LoRA, rank-stabilised LoRA and
DoRA: hashed A, B and magnitudes, saved by PEFT itself; the logits and the loss, the gradients of A and B, and the norm
and probe of the merged weights, all in f64.

    python peft_golden.py                  # rewrites peft.json and the fixtures beside this file
    python peft_golden.py --check FOLDER   # loads an adapter that @cria/train wrote and prints its loss
"""
import json
import pathlib
import shutil
import sys

import peft
import torch
import transformers

from train_golden import PROBE, SHAPE, batch, initial, unit

HERE = pathlib.Path(__file__).parent
VARIANTS = {
    'lora': dict(r=4, lora_alpha=8, target_modules=['q_proj', 'v_proj']),
    'rslora': dict(r=2, lora_alpha=3, target_modules=['up_proj', 'o_proj'], use_rslora=True),
    'dora': dict(r=3, lora_alpha=6, target_modules=['k_proj', 'down_proj'], use_dora=True),
}
ADAPTER = 5000  # hash stream of the adapter's first tensor, in the order of PEFT's state dict


def model() -> torch.nn.Module:
    config = transformers.LlamaConfig(
        vocab_size=SHAPE['vocab'], hidden_size=SHAPE['dim'], intermediate_size=SHAPE['ffn'],
        num_hidden_layers=SHAPE['layers'], num_attention_heads=SHAPE['heads'], num_key_value_heads=SHAPE['kv_heads'],
        rms_norm_eps=SHAPE['norm_eps'], rope_parameters=dict(rope_type='default', rope_theta=SHAPE['theta']),
        attn_implementation='eager')
    m = transformers.LlamaForCausalLM(config).double()
    m.load_state_dict({k: p.detach() for k, p in initial(False, torch.float64).items()})
    return m


def loss_of(m: torch.nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    ids = batch(0)
    logits = m(ids[:, :-1]).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()), logits


def describe(tensor: torch.Tensor, stream: int) -> dict:
    t = tensor.detach().double().flatten()
    return dict(norm=float(t.norm()), dot=float(t.numpy() @ unit(PROBE + stream, t.numel())))


def variant(name: str, options: dict) -> dict:
    m = peft.get_peft_model(model(), peft.LoraConfig(task_type='CAUSAL_LM', **options))
    trained = {k: p for k, p in m.named_parameters() if p.requires_grad}
    with torch.no_grad():
        for i, p in enumerate(trained.values()):
            u = torch.tensor(unit(ADAPTER + i, p.numel()).reshape(p.shape))
            # A magnitude starts as the norm of its row; moved by a tenth, it stays positive.
            p.copy_((p * (1 + u / 10) if p.dim() == 1 else u * 0.3).float())
    folder = HERE / 'fixtures' / f'peft-{name}'
    shutil.rmtree(folder, ignore_errors=True)
    m.float().save_pretrained(folder)
    m.double()
    for extra in ('README.md',):
        (folder / extra).unlink(missing_ok=True)
    # The saved file is f32: the golden numbers are those of the rounded adapter.
    loss, logits = loss_of(m)
    loss.backward()
    grads = {k.replace('.default', '').removesuffix('_vector.weight') + ('_vector' if 'magnitude' in k else ''): p.grad
             for k, p in trained.items()}
    out = dict(name=name, options=options, loss=loss.item(), logits=describe(logits, 0),
               gradients=[dict(name=k, **describe(g, i)) for i, (k, g) in enumerate(grads.items())])
    merged = m.merge_and_unload()
    changed = {k: p for k, p in merged.named_parameters() if any(f'.{t}.' in k for t in options['target_modules'])}
    out['merged'] = [dict(name=k, **describe(p, i)) for i, (k, p) in enumerate(changed.items())]
    print(f'{name}: loss {out["loss"]:.6f}, {len(grads)} gradients, {len(changed)} merged')
    return out


if __name__ == '__main__':
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    if sys.argv[1:2] == ['--check']:
        m = peft.PeftModel.from_pretrained(model(), sys.argv[2]).double()
        print(loss_of(m)[0].item())
        sys.exit()
    doc = dict(source=f'tools/golden/peft_golden.py, PEFT {peft.__version__}, PyTorch {torch.__version__.split("+")[0]}',
               plainLoss=loss_of(model())[0].item(), variants=[variant(k, v) for k, v in VARIANTS.items()])
    path = HERE / 'peft.json'
    path.write_text(json.dumps(doc, indent=0, separators=(',', ':')) + '\n')
    print(f'{path.name}: {path.stat().st_size} bytes')
