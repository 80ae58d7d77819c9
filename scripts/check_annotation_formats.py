"""Reads what `detente convert` writes with other people's software, and compares it with the gold records.

    python -m venv .venv && .venv/bin/pip install --no-deps web-anno-tsv==0.0.1 bratly==0.1.4 bratly-io-fs==0.1.4 \\
        label-studio-converter==0.0.59 label-studio-tools==0.0.4
    .venv/bin/pip install "pydantic>=2.10" ujson ijson pandas nltk requests Pillow lxml
    .venv/bin/pip download --no-deps -d wheels doccano==1.8.4
    .venv/bin/python scripts/check_annotation_formats.py target/release/detente wheels/doccano-1.8.4-py3-none-any.whl

Checked: Label Studio's own converter reads tasks and labelling configuration; doccano's own import classes accept every row;
bratly reads brat's files; web_anno_tsv reads WebAnno TSV. Each must find the names and quotes of datasets/wire, with emoji put
before every fifth document so that units of offsets differ. Prodigy is not free software: its rows are checked against
what its documentation says. Prints one line a tool; any difference ends with exit code 1.
"""

import json
import subprocess
import sys
import tempfile
import types
import uuid
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What all tools must find, unless the set of articles changes.
DOCUMENTS, NAMES, QUOTES, PARTS = 28, 516, 332, 76


def gold_records():
    """The records of datasets/wire, every fifth with characters before its text that count 1, 2 and 4."""
    records = [json.loads(line) for line in (ROOT / "datasets/wire/wire.jsonl").open(encoding="utf-8")]
    for record in records[::5]:
        before = "🕊 Né "
        record["text"] = before + record["text"]
        for span in spans(record):
            span["start"] += len(before)
            span["end"] += len(before)
    return records


def spans(record):
    yield from record["entities"]
    for quote in record["quotes"]:
        yield from quote["parts"]
        yield from [span for span in (quote["cue"], (quote["speaker"] or {}).get("mention")) if span]


def names_of(record):
    return sorted((e["start"], e["end"], e["type"]) for e in record["entities"])


def parts_of(record):
    return sorted(tuple((p["start"], p["end"]) for p in quote["parts"]) for quote in record["quotes"])


def check_label_studio(gold, convert, folder):
    from label_studio_converter import Converter

    tasks, setup = folder / "tasks.json", folder / "labels.xml"
    convert("--to", "label-studio", "-o", tasks, "--setup", setup)
    converter = Converter(str(setup), str(folder), download_resources=False)
    found = list(converter.iter_from_json_file(str(tasks)))
    quotes = 0
    for record, item in zip(gold, found, strict=True):
        text = item["input"]["text"].encode("utf-16-le")
        regions = item["output"]["label"]
        for region in regions:
            words = text[2 * region["start"] : 2 * region["end"]].decode("utf-16-le")
            assert words == region["text"], (words, region)
        names = [r for r in regions if r["labels"][0] not in ("quote", "quote-part", "cue", "speaker")]
        chars = lambda units: len(text[: 2 * units].decode("utf-16-le"))
        assert names_of(record) == sorted((chars(r["start"]), chars(r["end"]), r["labels"][0]) for r in names)
        assert len(item["output"]["stance"]) == sum("stance" in quote for quote in record["quotes"])
        quotes += sum(r["labels"] == ["quote"] for r in regions)
    return quotes


def doccano_labels(wheel):
    """doccano's classes that check rows on import; the database's classes that they mention are not called here."""
    import pydantic.v1

    sys.modules["pydantic"] = pydantic.v1
    for name in ("examples", "label_types", "labels", "projects", "pipeline"):
        sys.modules[name] = types.ModuleType(name)
    for name in ("examples", "label_types", "labels", "projects"):
        models = types.ModuleType(f"{name}.models")
        models.__getattr__ = lambda attribute: type(attribute, (), {})
        sys.modules[f"{name}.models"] = models
    label_types = types.ModuleType("pipeline.label_types")
    label_types.LabelTypes = dict
    sys.modules["pipeline.label_types"] = label_types
    module = types.ModuleType("pipeline.label")
    module.__package__ = "pipeline"
    source = zipfile.ZipFile(wheel).read("backend/data_import/pipeline/label.py").decode()
    exec(compile(source, "label.py", "exec"), module.__dict__)
    return module.SpanLabel, module.RelationLabel


def check_doccano(gold, convert, folder, wheel):
    span_label, relation_label = doccano_labels(wheel)
    file, flat = folder / "doccano.jsonl", folder / "labels.jsonl"
    convert("--to", "doccano", "-o", file)
    convert("--to", "doccano-labels", "-o", flat)
    quotes, ids = 0, set()
    for record, line, plain in zip(gold, file.open(encoding="utf-8"), flat.open(encoding="utf-8"), strict=True):
        row, plain = json.loads(line), json.loads(plain)
        labels = [span_label.parse(uuid.uuid4(), entity) for entity in row["entities"]]
        again = [span_label.parse(uuid.uuid4(), label) for label in plain["label"]]
        places = lambda list: [(label.start_offset, label.end_offset, label.label) for label in list]
        assert places(labels) == places(again)
        by_id = {label.id: label for label in labels}
        assert len(by_id) == len(labels) and not ids & set(by_id)
        ids |= set(by_id)
        parts = {label.id: [(label.start_offset, label.end_offset)] for label in labels if label.label.startswith("quote:")}
        for relation in (relation_label.parse(uuid.uuid4(), relation) for relation in row["relations"]):
            part = by_id[relation.to_id]
            if relation.type == "quote-part":
                parts[relation.from_id].append((part.start_offset, part.end_offset))
        assert parts_of(record) == sorted(tuple(sorted(spans)) for spans in parts.values())
        types_of_names = {entity["type"] for entity in record["entities"]}
        assert names_of(record) == sorted(place for place in places(labels) if place[2] in types_of_names)
        quotes += len(parts)
    return quotes


def check_brat(gold, convert, folder):
    from bratly import AttributeAnnotation, EntityAnnotation, RelationAnnotation
    from bratly.io.file_read_src import read_and_load_ann_file

    convert("--to", "brat", "-o", folder / "brat")
    quotes = 0
    for record in gold:
        # Not as text, which would change line ends.
        text = (folder / "brat" / f"{record['id']}.txt").read_bytes().decode()
        assert text == record["text"]
        found = read_and_load_ann_file(str(folder / "brat" / f"{record['id']}.ann"), no_duplicates=False)
        entities = [a for a in found.annotations if isinstance(a, EntityAnnotation)]
        for entity in entities:
            words = " ".join(text[f.start : f.end] for f in entity.fragments)
            assert words == entity.content, (words, entity.content)
        of_quotes = [e for e in entities if e.label == "quote"]
        helpers = ("quote", "cue", "speaker")
        names = [(e.fragments[0].start, e.fragments[-1].end, e.label) for e in entities if e.label not in helpers]
        assert sorted(names) == names_of(record)
        stances = [a for a in found.annotations if isinstance(a, AttributeAnnotation) and a.label == "stance"]
        assert len(stances) == sum("stance" in quote for quote in record["quotes"])
        cues = [a for a in found.annotations if isinstance(a, RelationAnnotation) and a.label == "cue"]
        assert len(cues) == sum(quote["cue"] is not None for quote in record["quotes"])
        quotes += len(of_quotes)
    return quotes


def check_webanno(gold, convert, folder):
    """The library knows one layer, so names are checked with it; quotes are checked by the columns that it passes over."""
    from web_anno_tsv import open_web_anno_tsv

    convert("--to", "webanno", "-o", folder / "names", "--only", "entities")
    convert("--to", "webanno", "-o", folder / "all")
    quotes = 0
    for record in gold:
        file = folder / "names" / f"{record['id']}.tsv"
        with open_web_anno_tsv(str(file)) as sentences:
            sentences = list(sentences)
        # The library leaves carriage returns escaped; here they stand behind the last word of a sentence.
        texts = [sentence.text.replace("\\r", "\r") for sentence in sentences]
        assert "".join(texts) == record["text"]
        found, start = [], 0
        for sentence, text in zip(sentences, texts):
            found += [(start + a.start, start + a.stop, a.label) for a in sentence.annotations]
            start += len(text)
        assert sorted(found) == names_of(record), record["id"]
        lines = (folder / "all" / f"{record['id']}.tsv").read_text(encoding="utf-8").split("\n")
        rows = [line.split("\t") for line in lines if line[:1].isdigit()]
        header = next(line for line in lines if line.startswith("#T_SP=webanno.custom.Speech")).split("|")
        column = 3 + 2 + header.index("label") - 1
        assert {len(row) for row in rows} == {3 + 2 + len(header) - 1 + 2 + 1}
        labels = {value for row in rows for value in row[column].split("|") if value.startswith("quote")}
        alone = sum(value == "quote" for row in rows for value in row[column].split("|"))
        quotes += len({value for value in labels if value.startswith("quote[")}) + alone
    return quotes


def check_prodigy(gold, convert, folder):
    """`text[start:end]` is the span, and so are the characters from its first token to its last, which is included."""
    file = folder / "prodigy.jsonl"
    convert("--to", "prodigy", "-o", file)
    quotes = 0
    for record, line in zip(gold, file.open(encoding="utf-8"), strict=True):
        task = json.loads(line)
        text, tokens = task["text"], task["tokens"]
        assert [t["id"] for t in tokens] == list(range(len(tokens)))
        for token in tokens:
            assert text[token["start"] : token["end"]] == token["text"]
            assert token["ws"] == text[token["end"] : token["end"] + 1].isspace()
        for span in task["spans"]:
            first, last = tokens[span["token_start"]], tokens[span["token_end"]]
            assert (first["start"], last["end"]) == (span["start"], span["end"]), span
        for relation in task["relations"]:
            assert relation["head"] == relation["head_span"]["token_end"]
            assert relation["child"] == relation["child_span"]["token_end"]
        quotes += sum(span["label"].startswith("quote:") for span in task["spans"])
    return quotes


def main():
    detente, wheel = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    gold = gold_records()
    counts = (len(gold), sum(len(r["entities"]) for r in gold), sum(len(r["quotes"]) for r in gold))
    assert counts == (DOCUMENTS, NAMES, QUOTES), counts
    assert sum(len(q["parts"]) - 1 for r in gold for q in r["quotes"]) == PARTS
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        records = folder / "gold.jsonl"
        records.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in gold), encoding="utf-8")
        convert = lambda *options: subprocess.run([detente, "convert", records, "--quiet", *options], check=True)
        checks = {
            "Label Studio, label-studio-converter 0.0.59": check_label_studio(gold, convert, folder),
            "brat, bratly 0.1.4": check_brat(gold, convert, folder),
            "WebAnno TSV, web-anno-tsv 0.0.1": check_webanno(gold, convert, folder),
            "Prodigy, its documentation": check_prodigy(gold, convert, folder),
            "doccano, doccano 1.8.4": check_doccano(gold, convert, folder, wheel),
        }
    for tool, quotes in checks.items():
        print(f"{tool}: {DOCUMENTS} documents, {NAMES} names, {quotes} of {QUOTES} quotes")
    sys.exit(any(quotes != QUOTES for quotes in checks.values()))


if __name__ == "__main__":
    main()
