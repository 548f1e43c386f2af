"""Writes golden/hf.json: what Hugging Face's logits processors do to seeded logits. transformers 5.23, torch 2.15.

python packages/sampling/test/hf.py > packages/sampling/test/golden/hf.json
"""
import json
import torch
from transformers.generation import logits_process as L

torch.manual_seed(1234)
VOCAB = 40
rows = [(torch.randn(VOCAB) * s).tolist() for s in (0.5, 1.5, 4.0)]
rows = [[round(v, 4) for v in r] for r in rows]
tokens = [3, 7, 9, 3, 7, 11, 9, 3, 7]
ids = torch.tensor([tokens])


def cases():
    for t in (0.7, 1.8):
        yield "temperature", [t], L.TemperatureLogitsWarper(t)
    for k in (1, 7, 40):
        yield "topK", [k], L.TopKLogitsWarper(k)
    for p in (0.1, 0.5, 0.9, 0.99):
        yield "topP", [p], L.TopPLogitsWarper(p)
        yield "minP", [p], L.MinPLogitsWarper(p)
        yield "typicalP", [p], L.TypicalLogitsWarper(p)
    for e in (0.0005, 0.01, 0.05, 0.3):
        yield "epsilonCutoff", [e], L.EpsilonLogitsWarper(e)
        yield "etaCutoff", [e], L.EtaLogitsWarper(e)
    for h in (0.1, 0.4, 0.8, 0.95):
        yield "topH", [h], L.TopHLogitsWarper(h)
    for r in (1.3, 0.8):
        yield "repetition", [r], L.RepetitionPenaltyLogitsProcessor(r)
        yield "promptRepetition", [r], L.EncoderRepetitionPenaltyLogitsProcessor(r, ids[:, :4])
    for n in (1, 2, 3, 4):
        yield "noRepeatNgram", [n], L.NoRepeatNGramLogitsProcessor(n)
        yield "noRepeatPromptNgram", [n], L.EncoderNoRepeatNGramLogitsProcessor(n, ids[:, :4])
    words = [[5], [7, 20], [3, 7, 21], [9, 7, 22], [1, 3, 7, 9, 3, 7, 11, 9, 3, 7, 23]]
    yield "badWords", [words], L.NoBadWordsLogitsProcessor(words, eos_token_id=39)
    yield "sequenceBias", [[[w, 1.5] for w in words]], L.SequenceBiasLogitsProcessor([[w, 1.5] for w in words])
    # the prompt is the first four tokens
    yield "minTokens", [5, [2, 39]], L.MinNewTokensLengthLogitsProcessor(4, 5, [2, 39])
    yield "minTokens", [6, [2, 39]], L.MinNewTokensLengthLogitsProcessor(4, 6, [2, 39])
    yield "minLength", [10, 39], L.MinLengthLogitsProcessor(10, 39)
    yield "exponentialLengthPenalty", [2, 1.2, 39], L.ExponentialDecayLengthPenalty((2, 1.2), 39, 4)
    yield "watermark", [{}], L.WatermarkLogitsProcessor(VOCAB, "cpu")
    yield "watermark", [{"ratio": 0.5, "bias": 1.5, "key": 12345, "scheme": "selfhash", "contextWidth": 2}], (
        L.WatermarkLogitsProcessor(VOCAB, "cpu", 0.5, 1.5, 12345, "selfhash", 2)
    )


out = []
for name, args, processor in cases():
    result = []
    for row in rows:
        scores = processor(ids, torch.tensor([row]))[0]
        result.append({str(i): round(v, 5) for i, v in enumerate(scores.tolist()) if v != row[i] and v != float("-inf")})
        result[-1]["out"] = [i for i, v in enumerate(scores.tolist()) if v == float("-inf")]
    if name == "temperature":
        for r in result:
            for key in list(r):
                if key != "out" and int(key) > 2:
                    del r[key]
    out.append({"name": name, "args": args, "rows": result})
print(json.dumps({"tokens": tokens, "promptLength": 4, "rows": rows, "cases": out}, separators=(",", ":")))
