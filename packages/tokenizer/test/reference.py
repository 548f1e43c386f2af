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


def write(name, by, plain, special, texts=texts, **more):
    rows = [[t, a] if a == b else [t, a, b] for t, a, b in zip(texts, plain, special)]
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    head = "".join(f'{json.dumps(k)}:{json.dumps(v, separators=(",", ":"))},' for k, v in {"by": by, **more}.items())
    (here / "golden" / f"{name}.json").write_text(f'{{{head}"rows":[\n{lines}\n]}}\n')


def woven(contents):
    """A hundred of the texts with these among them, twice."""
    for i, text in enumerate(clean[:100]):
        middle = len(text) // 2
        yield contents[i % len(contents)] + text[:middle] + contents[i * 7 % len(contents)] + text[middle:]
        yield text[:middle] + " " + contents[i * 3 % len(contents)] + contents[i * 5 % len(contents)]


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

# symbols.model: BPE, 700 tokens, trained like it with the user-defined symbols that are listed here.
symbols = ["<sym>", "[X]", "ab cd", "▁foo", "  ", "\t", "née", "foo", "<s>", " "]
bpe = sentencepiece.SentencePieceProcessor(model_file=str(here / "golden/symbols.model"))
texts = list(woven(symbols))
ids = [bpe.encode(t) for t in texts]
write("symbols", f"sentencepiece {sentencepiece.__version__}", ids, ids, texts)

# The tokens of unigram.model as Hugging Face weighs them, between added tokens with all their flags.
vocab = [(unigram.id_to_piece(i), unigram.get_score(i)) for i in range(unigram.get_piece_size())]
tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram(vocab, unk_id=0, byte_fallback=True))
pre = tokenizers.pre_tokenizers
tokenizer.pre_tokenizer = pre.Sequence([pre.WhitespaceSplit(), pre.Metaspace()])
tokenizer.normalizer = tokenizers.normalizers.StripAccents()
tokenizer.decoder = tokenizers.decoders.Metaspace()
flags = {"<L>": "lstrip", "<R>": "rstrip", "word": "single_word", "  ": "", "n\u00e9e": "", "ab cd": "normalized"}
tokenizer.add_tokens([tokenizers.AddedToken(c, **{"normalized": False, f: True} if f else {"normalized": False}) for c, f in flags.items()])
tokenizer.add_special_tokens([tokenizers.AddedToken(c, normalized=False) for c in ("<s>", "</s>")])
texts = list(woven([*flags, "<s>", "<unk>", "<0x0A>", "right"]))
tokenizer.encode_special_tokens = True
plain = [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
tokenizer.encode_special_tokens = False
special = [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
# Text that is not asked to be a special token becomes one there all the same; not here.
kept = [i for i, ids in enumerate(plain) if 1 not in ids and 2 not in ids]
pick = lambda rows: [rows[i] for i in kept]
write(
    "unigram-json",
    f"tokenizers {tokenizers.__version__}",
    pick(plain), pick(special), pick(texts),
    tokenizer=json.loads(tokenizer.to_str()),
)  # fmt: skip
