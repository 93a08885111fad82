"""Writes tests/golden/tokenizers: small tokenizers, and what their makers' own packages do with fuzzed text.

    pip install sentencepiece==0.2.3    # tokenizers: requirements.txt
    python tests/golden/make_tokenizers.py

For each kind a folder with tokenizer.json (trained and run by Hugging Face's `tokenizers`) or tokenizer.model
(by `sentencepiece`). strings.json: the texts. expected.json, by kind: "digests", 6 hexadecimal digits per text, of
the SHA-256 of the ids with special tokens recognised, the ids with them taken as text, and the text decoded from
each, as digest() spells them; "decodes", [ids, text with special tokens, text without] of random ids.
"""
import hashlib
import io
import json
import pathlib
import random

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

OUT = pathlib.Path(__file__).parent / "tokenizers"
TEXTS = 2000
CORPUS = [
    "QUESTION: Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May.",
    "How many clips did Natalia sell altogether in April and May?\n\nANSWER: She sold 48/2 = 24 clips in May.",
    "The answer is 72. Therefore, the total is 48 + 24 = 72.\r\n\tIt's what we've said; they'll see, I'd think.",
    "def add(first, second):\n    return first + second  # the sum\n\n\nprint(add(12, 345))\n",
    "the then there these those other another together whether weather reading writing adding ending being",
    "Zürich, Köln, naïve café, résumé, ñandú, Ångström; Привет, мир! Как дела? Γειά σου Κόσμε",
    "日本語のテキストです。中文文本测试。한국어 텍스트 🙂 🙂🙃 👍🏽",
    "1 22 333 4444 55555 0.5 1,000 3/4 50% $9.99 x=2 (a)-(e) [i] {j} <b> && || != == :: -> ...",
]
ATOMS = ["a", "the ", "Hello", " world", "'s", "'LL", "don't", "\u017f", " ", "  ", "    ", "\n", "\r\n", "\t", "\n\n", "0",
         "12", "345", "67890", "½", "Ⅷ", "²", "é", "e\u0301", "\u212b", "ß", "日本", "語", "한국", "ᄒ\u1161", "🙂",
         "👩\u200d👩\u200d👧", "\u200d", "\u00a0", "\u3000", "\u180e", "\u0085", "\u2028", "ñ", "Ж", "<s>", "</s>",
         "<unk>", "<|x|>", " <|x|> ", "▁", "▁▁", "<0x41>", "_", "#", "!!", "...", "(", ")", "=", "+", "$", "~", "\0",
         "\x7f", "\ufeff", "\ufffd", "Ġ", "ing", "ANSWER:", " of"]
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA_DECODER = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]


def texts(rng):
    ranges = [(0x20, 0x7F), (0xA1, 0x250), (0x370, 0x3FF), (0x400, 0x450), (0x4E00, 0x9000), (0xAC00, 0xD7A0), (0x1F300, 0x1F640)]
    made = ["", " ", "  ", "a", " a", "a ", "\n", "<s>", "a</s>b", "<s> a", "1234567890", " " * 40, "ab" * 40, "🙂" * 20]
    while len(made) < TEXTS:
        kind = rng.random()
        if kind < 0.6:
            made.append("".join(rng.choice(ATOMS) for _ in range(rng.randint(1, 7))))
        elif kind < 0.8:
            line = rng.choice(CORPUS)
            begin = rng.randrange(len(line) - 8)
            made.append(line[begin:begin + rng.randint(1, 24)])
        else:
            made.append("".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(rng.randint(1, 6))))
    return made


def added(tokenizer, **how):
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.add_tokens([AddedToken("<|x|>", **how)])
    return tokenizer


def byte_level(pre_tokenizer, size=420, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return tokenizer


def split_bytes(expression):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(expression), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def qwen():
    tokenizer = byte_level(split_bytes(LLAMA3.replace("{1,3}", "")))
    tokenizer.normalizer = normalizers.NFC()
    return added(tokenizer)


def falcon():
    steps = [pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=True),
             pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")]
    return added(byte_level(pre_tokenizers.Sequence(steps)))


def sentencepiece_like(normalizer, pre_tokenizer, decoder, byte_fallback=True, **how):
    """A model that was trained with "▁" before words, in another pipeline."""
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    pieces = ["<unk>", "<s>", "</s>"] + ([f"<0x{byte:02X}>" for byte in range(256)] if byte_fallback else [])
    trained.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=len(pieces) + 180, special_tokens=pieces,
                                                            limit_alphabet=70, show_progress=False))
    model = json.loads(trained.to_str())["model"]
    tokenizer = Tokenizer(models.BPE(vocab=model["vocab"], merges=[tuple(pair) for pair in model["merges"]],
                                     unk_token="<unk>", fuse_unk=True, byte_fallback=byte_fallback))
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    tokenizer.add_special_tokens(["<unk>"])
    return added(tokenizer, **how)


def word():
    words = ["<unk>", "<s>", "</s>", "\n", "a", "b", "ANSWER:"] + [str(number) for number in range(20)]
    tokenizer = Tokenizer(models.WordLevel({word: id for id, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(" ", "removed"),
                                                       pre_tokenizers.Split("\n", "isolated")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace(Regex(r"\A"), " "), decoders.Fuse(),
                                           decoders.Replace(" \n", "\n"), decoders.Replace("\n ", "\n"),
                                           decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer


def character():
    vocabulary = {text: id for id, text in enumerate(["<unk>", "<s>", "</s>", *"abc 🙂é\n"])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer


def byte():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [value for value in range(256) if value not in printable]
    alphabet = {**{value: chr(value) for value in printable}, **{value: chr(256 + i) for i, value in enumerate(others)}}
    assert set(alphabet.values()) == set(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {**{alphabet[value]: value for value in range(256)}, "<s>": 256, "</s>": 257}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "</s>"])
    return tokenizer


def piece_model(**how):
    model = io.BytesIO()
    lines = [line for text in CORPUS for line in text.splitlines() if line]
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines * 3), model_writer=model, minloglevel=2,
                                             normalization_rule_name="identity", **how)
    return model.getvalue()


def huggingface_kinds():
    strip = decoders.Strip(" ", 1, 0)
    llama = lambda *more: decoders.Sequence([*LLAMA_DECODER, *more])
    to_marker = normalizers.Replace(" ", "▁")
    return {
        "gpt2": added(byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False)), lstrip=True, rstrip=True),
        "llama3": added(byte_level(split_bytes(LLAMA3), ignore_merges=True), rstrip=True, normalized=False),
        "qwen": qwen(),
        "falcon": falcon(),
        "llama2": sentencepiece_like(normalizers.Sequence([normalizers.Prepend("▁"), to_marker]), None, llama(strip)),
        "mistral": sentencepiece_like(None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), llama(strip),
                                      lstrip=True, normalized=False),
        "gemma": sentencepiece_like(to_marker, pre_tokenizers.Split(" ", "merged_with_previous"), llama()),
        "metaspace": sentencepiece_like(None, pre_tokenizers.Metaspace(), decoders.Metaspace(), byte_fallback=False),
        "word": word(),
        "char": character(),
        "byte": byte(),
    }


PIECE_KINDS = {
    "pieces": dict(model_type="bpe", vocab_size=450, byte_fallback=True, remove_extra_whitespaces=False,
                   split_digits=True, character_coverage=0.98),
    "unigram": dict(model_type="unigram", vocab_size=180, user_defined_symbols=["<|x|>"]),
}


def digest(rows):
    """Of [ids, text, ids, text]: "1,2;text of 1 2;3;text of 3;"; a text that is not comparable is left empty."""
    parts = [",".join(map(str, row)) if isinstance(row, list) else row for row in rows]
    return hashlib.sha256("".join(part + ";" for part in parts).encode()).hexdigest()[:6]


def comparable(kind, decoded):
    """Ours gives bytes that are not UTF-8 as they are; U+FFFD stands for them here."""
    return "" if "\ufffd" in decoded and kind in ("llama2", "mistral", "gemma", "pieces") else decoded


def expect_huggingface(kind, path, strings, rng):
    tokenizer = Tokenizer.from_file(str(path))
    rows = [[] for _ in strings]
    # Our word tokenizer never takes a word of the text for a special token.
    for as_text in (False,) if kind == "word" else (False, True):
        tokenizer.encode_special_tokens = as_text
        for text, row in zip(strings, rows):
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            row += [ids, comparable(kind, tokenizer.decode(ids, skip_special_tokens=as_text))]
    decodes = []
    for _ in range(60):
        ids = [rng.randrange(tokenizer.get_vocab_size()) for _ in range(rng.randint(1, 8))]
        decoded = [tokenizer.decode(ids, skip_special_tokens=skip) for skip in (False, True)]
        if "\ufffd" not in "".join(decoded):
            decodes.append([ids, *decoded])
    return {"digests": "".join(map(digest, rows)), "decodes": decodes}


def expect_sentencepiece(kind, model, strings, rng):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    digests = []
    for text in strings:
        ids = processor.encode(text)
        digests.append(digest([ids, comparable(kind, processor.decode(ids))]))
    decodes = []
    for _ in range(60):
        ids = [rng.randrange(processor.get_piece_size()) for _ in range(rng.randint(1, 8))]
        if "\ufffd" not in processor.decode(ids):
            decodes.append([ids, None, processor.decode(ids)])
    return {"digests": "".join(digests), "decodes": decodes}


def string_merges(path):
    """The older form of the file: merges as "a b"."""
    file = json.loads(path.read_text())
    file["model"]["merges"] = [" ".join(pair) for pair in file["model"]["merges"]]
    path.write_text(json.dumps(file, ensure_ascii=False, separators=(",", ":")))


def main():
    rng = random.Random(20240611)
    strings = texts(rng)
    expected = {}
    for kind, tokenizer in huggingface_kinds().items():
        (OUT / kind).mkdir(parents=True, exist_ok=True)
        path = OUT / kind / "tokenizer.json"
        tokenizer.save(str(path), pretty=False)
        if kind in ("gpt2", "llama2"):
            string_merges(path)
        expected[kind] = expect_huggingface(kind, path, strings, rng)
    for kind, how in PIECE_KINDS.items():
        (OUT / kind).mkdir(parents=True, exist_ok=True)
        model = piece_model(**how)
        (OUT / kind / "tokenizer.model").write_bytes(model)
        expected[kind] = expect_sentencepiece(kind, model, strings, rng)
    for name, value in {"strings": strings, "expected": expected}.items():
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        (OUT / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
