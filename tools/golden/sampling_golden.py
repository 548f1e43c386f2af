"""Writes packages/sampling/test/golden/hf.json: what Hugging Face's logits processors do to seeded logits, one by one
and in the order of `generate`, and what its beam search finds over a table of logits."""
import json
from pathlib import Path

import torch
from transformers import GenerationConfig, PretrainedConfig, PreTrainedModel
from transformers.generation import GenerationMixin
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


class TableConfig(PretrainedConfig):
    model_type = "table"
    hidden_size = num_hidden_layers = num_attention_heads = 1
    vocab_size = VOCAB


class Table(PreTrainedModel, GenerationMixin):
    """Logits that depend on the last token alone."""

    config_class = TableConfig

    def __init__(self, config, table):
        super().__init__(config)
        self.table = torch.nn.Parameter(table)

    def forward(self, input_ids, **_):
        from transformers.modeling_outputs import CausalLMOutput

        return CausalLMOutput(logits=self.table[input_ids])

    def prepare_inputs_for_generation(self, input_ids, **_):
        return {"input_ids": input_ids}


chains = []
table = Table(TableConfig(), torch.zeros(VOCAB, VOCAB))
for options in (
    dict(do_sample=True),
    dict(do_sample=True, temperature=0.7, top_k=12, top_p=0.85),
    dict(do_sample=True, temperature=1.3, top_k=0, top_p=0.9, min_p=0.02, typical_p=0.9),
    dict(do_sample=True, temperature=0.9, top_h=0.7, epsilon_cutoff=0.01, eta_cutoff=0.02),
    dict(do_sample=True, repetition_penalty=1.4, encoder_repetition_penalty=1.2, no_repeat_ngram_size=2, top_k=15),
    dict(do_sample=True, bad_words_ids=[[5], [7, 20], [39]], min_new_tokens=6, exponential_decay_length_penalty=(2, 1.3), top_k=20),
    dict(do_sample=False, temperature=0.2, top_k=3, suppress_tokens=[1, 2], encoder_no_repeat_ngram_size=2, min_length=12),
):
    config = GenerationConfig(eos_token_id=39, max_length=50, **options)
    table._prepare_special_tokens(config, device="cpu")
    processors = table._get_logits_processor(
        config, input_ids_seq_length=4, encoder_input_ids=ids[:, :4], device="cpu", logits_processor=[]
    )
    probs = [torch.softmax(processors(ids, torch.tensor([row])), -1)[0] for row in rows]
    chains.append({"options": options, "probs": [[round(v, 6) for v in p.tolist()] for p in probs]})

SMALL = 12
logits = (torch.randn(SMALL, SMALL) * 2).mul(1000).round().div(1000)
small = Table(TableConfig(vocab_size=SMALL), logits)
beams = []
for options in (
    dict(num_beams=3),
    dict(num_beams=4, length_penalty=2.0, num_return_sequences=3),
    dict(num_beams=4, length_penalty=-1.0, num_return_sequences=2),
    dict(num_beams=5, early_stopping=True, num_return_sequences=5),
    dict(num_beams=3, repetition_penalty=1.5, no_repeat_ngram_size=2, num_return_sequences=3),
    dict(num_beams=3, min_new_tokens=5, num_return_sequences=2),
):
    config = GenerationConfig(
        eos_token_id=0, pad_token_id=0, max_new_tokens=8, use_cache=False, output_scores=True, return_dict_in_generate=True, **options
    )
    found = small.generate(torch.tensor([[3, 5]]), generation_config=config)
    results = []
    for sequence, score in zip(found.sequences.tolist(), found.sequences_scores.tolist()):
        new = sequence[2:]
        results.append({"tokens": new[: new.index(0) + 1] if 0 in new else new, "score": round(score, 5)})
    beams.append({"options": options, "results": results})

golden = {
    "tokens": tokens,
    "promptLength": 4,
    "rows": rows,
    "cases": out,
    "chains": chains,
    "table": [[round(v, 3) for v in row] for row in logits.tolist()],
    "beams": beams,
}
target = Path(__file__).parents[2] / "packages/sampling/test/golden/hf.json"
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
