# The reference side of sweep.ts: ids of many texts from a reference implementation.
#   python sweep.py KIND FILE TEXTS OUT    KIND: hf, spm, tiktoken (FILE: name=ranks), llama.cpp (FILE: a GGUF)
# TEXTS holds a JSON string a line; OUT gets little-endian 32-bit numbers: for each text the number of ids and the ids,
# special tokens as text first, then the same with special tokens found where the reference can.
import array
import ctypes
import json
import os
import sys

kind, file, source, out = sys.argv[1:]
texts = [json.loads(line).encode("utf-16", "surrogatepass").decode("utf-16", "replace") for line in open(source)]


def hugging_face():
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(file)
    for special in (False, True):
        tokenizer.encode_special_tokens = not special
        for at in range(0, len(texts), 1000):
            for encoding in tokenizer.encode_batch(texts[at : at + 1000], add_special_tokens=False):
                yield encoding.ids


def sentence_piece():
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_file=file)
    for text in texts:
        yield model.encode(text)


def tiktoken_ranks():
    import tiktoken
    from tiktoken.load import load_tiktoken_bpe

    name, ranks = file.split("=", 1)
    pattern, special = json.load(open(f"{source}.{name}"))
    encoding = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=load_tiktoken_bpe(ranks), special_tokens=special)
    for allowed in (set(), "all"):
        for text in texts:
            yield encoding.encode(text, allowed_special=allowed, disallowed_special=())


def llama_cpp():
    lib = ctypes.CDLL(os.environ["LLAMA_CPP_LIBRARY"])

    class Parameters(ctypes.Structure):
        _fields_ = [("bytes", ctypes.c_ubyte * 512)]

    quiet = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
    lib.llama_log_set(quiet, None)
    lib.llama_backend_init()
    # The layout of the parameters differs from version to version: the defaults, with vocab_only found by its place.
    lib.llama_model_default_params.restype = Parameters
    parameters = lib.llama_model_default_params()
    parameters.bytes[int(os.environ.get("LLAMA_CPP_VOCAB_ONLY", "72"))] = 1
    lib.llama_model_load_from_file.restype = ctypes.c_void_p
    lib.llama_model_load_from_file.argtypes = [ctypes.c_char_p, Parameters]
    model = lib.llama_model_load_from_file(file.encode(), parameters)
    lib.llama_model_get_vocab.restype = ctypes.c_void_p
    lib.llama_model_get_vocab.argtypes = [ctypes.c_void_p]
    vocab = lib.llama_model_get_vocab(model)
    lib.llama_tokenize.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_int32, ctypes.c_bool, ctypes.c_bool
    ]  # fmt: skip
    room = (ctypes.c_int32 * (1 << 22))()
    for special in (False, True):
        for text in texts:
            data = text.encode()
            n = lib.llama_tokenize(vocab, data, len(data), room, len(room), False, special)
            yield room[:n]


kinds = {"hf": hugging_face, "spm": sentence_piece, "tiktoken": tiktoken_ranks, "llama.cpp": llama_cpp}
with open(out, "wb") as target:
    for ids in kinds[kind]():
        array.array("I", [len(ids), *ids]).tofile(target)
