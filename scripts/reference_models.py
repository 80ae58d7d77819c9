#!/usr/bin/env python3
"""Tiny models of random weights, with the logits that PyTorch and transformers give for them.

Writes tests/reference/models/<name>/ for each architecture and task: the folder that transformers saves (config.json,
tokenizer.json, model.safetensors) and reference.json: inputs as text, the ids that the tokenizer gives, and the logits
of each input alone. tests/encoder_reference.rs compares with them. To repeat:

    python3 -m venv .venv && .venv/bin/pip install torch==2.4.0 transformers==4.44.2 "numpy<2"
    .venv/bin/python scripts/reference_models.py
"""

import json
import pathlib
import string

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "reference" / "models"
POSITIONS = 192
SIZES = {"vocab_size": 128, "hidden_size": 32, "intermediate_size": 64}
SIZES |= {"num_hidden_layers": 2, "num_attention_heads": 4}
TEXTS = [
    "The minister met envoys of Vantia in Port Lavel.",
    "Talks",
    "“We do not reject this dialogue,” she said; the Café\u00a0was closed 🕊 for 3 days.\r\n",
    "peace " * 24,
]
PAIRS = [
    ["We are ready to talk,", "[Summit opens] the minister said: …"],
    ["No.", "The envoy was asked about peace. … he said on Monday, before the talks went on in another room."],
    ["talk " * 16, "…"],
]


def word_piece():
    """Lower-cased letters, as BERT has them."""
    letters = string.ascii_lowercase + string.digits + ".,;:!?'\"“”…[]"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *("##" + c for c in string.ascii_lowercase)]
    pieces += ["the", "minister", "talk", "##s", "peace", "port", "envoy", "said"]
    vocab = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return with_specials(tokenizer, "[PAD]", "[CLS]", "[SEP]")


def byte_level():
    """Letters and a few merges over bytes, as RoBERTa has them; other bytes are unknown."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "Ġ", *string.ascii_letters, *string.digits, *".,;:!?'\"[]"]
    pieces += ["he", "Ġt", "Ġthe", "in", "Ġp"]
    merges = [("h", "e"), ("Ġ", "t"), ("Ġt", "he"), ("i", "n"), ("Ġ", "p")]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def unigram():
    """Letters and a few words with `▁` for spaces, as DeBERTa-v2 has them."""
    letters = string.ascii_letters + string.digits + ".,;:!?'\"“”[]"
    words = ["▁the", "▁minister", "▁talk", "▁peace", "ing", "▁said"]
    vocab = [("[PAD]", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("[UNK]", 0.0), ("▁", -2.5)]
    vocab += [(c, -5.0) for c in letters] + [(w, -6.0) for w in words]
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return with_specials(tokenizer, "[PAD]", "[CLS]", "[SEP]")


def with_specials(tokenizer, pad, cls, sep):
    tokenizer.add_special_tokens([pad, cls, sep, "[UNK]"])
    ids = [(token, tokenizer.token_to_id(token)) for token in (cls, sep)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}", pair=f"{cls} $A {sep} $B:1 {sep}:1", special_tokens=ids
    )
    return tokenizer


def architectures():
    """Name, tokenizer, configuration, and the classes for tokens and for sequences (None: no folder)."""
    t = transformers
    distil = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64, "vocab_size": 128}
    relative = {"relative_attention": True, "position_buckets": 8, "max_relative_positions": -1, "share_att_key": True}
    relative |= {"norm_rel_ebd": "layer_norm", "pos_att_type": ["p2c", "c2p"], "position_biased_input": False}
    bert = t.BertConfig(**SIZES, max_position_embeddings=POSITIONS, type_vocab_size=4)
    bert.detente = {"token_types": "case"}
    yield "bert", word_piece(), bert, t.BertForTokenClassification, t.BertForSequenceClassification
    config = t.DistilBertConfig(**distil, max_position_embeddings=POSITIONS)
    yield "distilbert", word_piece(), config, t.DistilBertForTokenClassification, t.DistilBertForSequenceClassification
    config = t.RobertaConfig(**SIZES, max_position_embeddings=POSITIONS + 2, type_vocab_size=1)
    yield "roberta", byte_level(), config, t.RobertaForTokenClassification, t.RobertaForSequenceClassification
    # As published: rust-bert has 1e-12 for every BERT and RoBERTa.
    config = t.RobertaConfig(**SIZES, max_position_embeddings=POSITIONS + 2, type_vocab_size=1, layer_norm_eps=1e-5)
    yield "roberta-eps", byte_level(), config, t.RobertaForTokenClassification, None
    # v3 keeps its tokens apart by relative positions alone; the largest v2 has a convolution and its own projections.
    config = t.DebertaV2Config(**SIZES, max_position_embeddings=POSITIONS, type_vocab_size=0, **relative)
    yield "deberta-v3", unigram(), config, t.DebertaV2ForTokenClassification, None
    relative |= {"share_att_key": False, "conv_kernel_size": 3, "conv_act": "gelu", "position_biased_input": True}
    config = t.DebertaV2Config(**SIZES, max_position_embeddings=POSITIONS, type_vocab_size=2, **relative)
    yield "deberta-v2", unigram(), config, None, t.DebertaV2ForSequenceClassification


def randomize(model, seed):
    """Every parameter random, biases and norms too, and large enough that the logits differ."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        centre = 1.0 if "LayerNorm.weight" in name or "layer_norm.weight" in name else 0.0
        parameter.data = centre + noise * (0.3 if parameter.dim() > 1 else 0.1)


def logits_of(model, ids, type_ids):
    takes_types = model.config.model_type in ("bert", "deberta-v2")
    with torch.no_grad():
        inputs = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
        if takes_types:
            inputs["token_type_ids"] = torch.tensor([type_ids])
        logits = model(**inputs).logits[0]
    return [[round(x, 6) for x in row] for row in logits.reshape(-1, logits.shape[-1]).tolist()]


def token_example(model, tokenizer, text):
    encoding = tokenizer.encode(text)
    # Any token types will do for the comparison of logits; word case is the Rust side's own business.
    types = [i % 4 for i in range(len(encoding))] if model.config.model_type == "bert" else [0] * len(encoding)
    return {"text": text, "ids": encoding.ids, "type_ids": types, "logits": logits_of(model, encoding.ids, types)}


def pair_example(model, tokenizer, pair):
    encoding = tokenizer.encode(*pair)
    types = encoding.type_ids if getattr(model.config, "type_vocab_size", 0) >= 2 else [0] * len(encoding)
    return {"pair": pair, "ids": encoding.ids, "type_ids": types, "logits": logits_of(model, encoding.ids, types)}


def write(folder, model_class, config, tokenizer, labels, example, inputs, seed):
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: i for i, label in enumerate(labels)}
    model = model_class(config).eval()
    randomize(model, seed)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    examples = [example(model, tokenizer, item) for item in inputs]
    versions = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
    with open(folder / "reference.json", "w", encoding="utf-8") as file:
        json.dump({"versions": versions, "examples": examples}, file, ensure_ascii=False)
    print(folder.name, sum(f.stat().st_size for f in folder.iterdir()) // 1024, "kB")


def main():
    tags = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    stances = ["neutral", "firm", "conciliatory"]
    for seed, (name, tokenizer, config, token_class, sequence_class) in enumerate(architectures()):
        if token_class:
            write(OUT / f"{name}-tokens", token_class, config, tokenizer, tags, token_example, TEXTS, 10 + seed)
        if sequence_class:
            write(OUT / f"{name}-pairs", sequence_class, config, tokenizer, stances, pair_example, PAIRS, 20 + seed)


if __name__ == "__main__":
    main()
