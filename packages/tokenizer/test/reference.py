# Writes golden/*.json: ids of seeded texts from the reference implementations, so that tests need no Python.
#   pip install tokenizers==0.23.3 sentencepiece==0.2.3
#   tsx test/print-texts.ts | python test/reference.py
import json
import pathlib
import sys

import sentencepiece
import tokenizers

here = pathlib.Path(__file__).parent
texts = [json.loads(line) for line in sys.stdin]
clean = [t.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for t in texts]


def write(name, by, plain, special):
    rows = [[t, a] if a == b else [t, a, b] for t, a, b in zip(texts, plain, special)]
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (here / "golden" / f"{name}.json").write_text(f'{{"by":{json.dumps(by)},"rows":[\n{lines}\n]}}\n')


for name in ["llama2", "llama3", "qwen2_5", "deepseek_v3", "gpt2"]:
    file = here / f"../node_modules/@lenml/tokenizer-{name}/models/tokenizer.json"
    tokenizer = tokenizers.Tokenizer.from_file(str(file))
    tokenizer.encode_special_tokens = True
    plain = [e.ids for e in tokenizer.encode_batch(clean, add_special_tokens=False)]
    tokenizer.encode_special_tokens = False
    special = [e.ids for e in tokenizer.encode_batch(clean, add_special_tokens=False)]
    write(name, f"tokenizers {tokenizers.__version__}", plain, special)

model = here / "../../../../shared/models/llama2-tokenizer.model"
sp = sentencepiece.SentencePieceProcessor(model_file=str(model))
ids = [sp.encode(t) for t in clean]
write("llama2-sentencepiece", f"sentencepiece {sentencepiece.__version__}", ids, ids)

# unigram.model was trained by SentencePiece on lines of the Universal Declaration: 600 tokens, byte fallback, a small
# character map, user-defined symbols.
unigram = sentencepiece.SentencePieceProcessor(model_file=str(here / "golden/unigram.model"))
ids = [unigram.encode(t) for t in clean]
write("unigram", f"sentencepiece {sentencepiece.__version__}", ids, ids)
