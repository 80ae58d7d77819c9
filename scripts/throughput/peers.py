#!/usr/bin/env python3
"""How fast detente finds entities beside other programs with the same weights, on the same documents, in one run.

    make bench                                                          # sets everything up, then this on datasets/wire
    .venv/bin/python scripts/throughput/peers.py ../shared/corpora/worldwide-newswire-text --documents 200

Each system is a program of its own that reads JSON lines and writes the entities of each. It is timed over all documents and over
one word, in turns; the second time is its start-up, the difference is what the rates are from. Tokens are the word pieces of the
documents, each counted once, whatever a system pads or reads twice. `same` is F1 of a system's entities against those of
detente in f32. The share of peak sets the arithmetic of those tokens against the fastest square matrix product measured here in
the same number format (int8: against f32).
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from process import timed

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
START_UP = [{"id": "start", "text": "Talks."}]


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        documents = read_documents(options.input, options.documents)
        write_rows(folder / "all.jsonl", documents)
        write_rows(folder / "one.jsonl", START_UP)
        systems = commands(options, folder)
        tokens = count_tokens(options.model, documents)
        peaks = {name: matrix_peak(name) for name in ["float32", "bfloat16"]}
        print(f"{len(documents)} documents, {sum(len(d['text'].split()) for d in documents):,} words, {tokens:,} tokens, {os.cpu_count()} processors; "
              f"matrix products: {peaks['float32'] / 1e12:.2f} TFLOP/s in f32, {peaks['bfloat16'] / 1e12:.2f} in bf16; best of {options.rounds} rounds\n")
        measured = measure(systems, folder, options.rounds)
        report(measured, folder, documents, tokens, options, peaks)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path, nargs="?", default=ROOT / "datasets/wire/wire.jsonl", help="JSON lines (perhaps .gz), or a folder of text files")
    parser.add_argument("--documents", type=int, default=200, help="so many of them, the first by name [%(default)s]")
    parser.add_argument("--rounds", type=int, default=2, help="[%(default)s]")
    parser.add_argument("--model", type=Path, default=ROOT / "models/entities")
    parser.add_argument("--detente", default=str(ROOT / "target/release/detente"), help="the program [%(default)s]")
    parser.add_argument("--no-stock", action="store_true", help="leave out rust-bert's pipeline, which cargo builds")
    parser.add_argument("--only", help="systems, by comma; detente f32 always runs")
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    return parser.parse_args()


def read_documents(path, count):
    if path.is_dir():
        texts = [(file.name, file.read_text(encoding="utf-8", errors="replace")) for file in sorted(path.glob("*.txt"))[:count]]
        return [{"id": name, "text": text} for name, text in texts]
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for _, line in zip(range(count), file)]
    return [{"id": str(row["id"]), "text": row["text"]} for row in rows]


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def commands(options, folder):
    """The command of each system, without input and output; the number format in which it multiplies."""
    models = str(options.model.resolve().parent)
    own = [options.detente, "entities", "--models", models, "--quiet", "--precision"]
    subprocess.run([sys.executable, HERE / "export_onnx.py", options.model, folder / "onnx"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peer = [sys.executable, str(HERE / "peer.py"), "--model", str(options.model), "--onnx", str(folder / "onnx")]
    all_systems = {
        "detente f32": ([*own, "f32"], "float32"),
        "detente bf16": ([*own, "bf16"], "bfloat16"),
        "transformers pipeline f32": ([*peer, "pipeline-f32"], "float32"),
        "transformers pipeline bf16": ([*peer, "pipeline-bf16"], "bfloat16"),
        "transformers batches f32": ([*peer, "batches-f32"], "float32"),
        "transformers batches bf16": ([*peer, "batches-bf16"], "bfloat16"),
        "ONNX Runtime f32": ([*peer, "onnx-f32"], "float32"),
        "ONNX Runtime int8": ([*peer, "onnx-int8"], "float32"),
        "spaCy en_core_web_sm": ([*peer, "spacy"], None),
    }
    if not options.no_stock:
        all_systems["rust-bert pipeline f32"] = ([stock_program(), str(options.model)], "float32")
    wanted = options.only.split(",") if options.only else list(all_systems)
    return {name: system for name, system in all_systems.items() if name in wanted or name == "detente f32"}


def stock_program():
    """rust-bert's own pipeline as a program."""
    command = ["cargo", "bench", "--locked", "--no-run", "--bench", "stock_entities", "--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    messages = map(json.loads, built.stdout.splitlines())
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "stock_entities")


def count_tokens(model, documents):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()
    return sum(len(code.ids) for code in tokenizer.encode_batch([d["text"] for d in documents], add_special_tokens=False))


def matrix_peak(kind, size=2048, seconds=2.0):
    """Operations a second of the fastest of many square products."""
    import torch

    a, b = (torch.randn(size, size, dtype=getattr(torch, kind)) for _ in range(2))
    best, end = float("inf"), time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def measure(systems, folder, rounds):
    """The shortest time over one word and over all, and the most memory."""
    found = {name: {"start": float("inf"), "all": float("inf"), "memory": 0} for name in systems}
    for _ in range(rounds):
        for name, (command, _) in systems.items():
            for part, file in (("start", "one"), ("all", "all")):
                seconds, memory = timed_on(command, folder / f"{file}.jsonl", folder / f"{name.replace(' ', '-')}-{file}.jsonl")
                found[name][part] = min(found[name][part], seconds)
                found[name]["memory"] = max(found[name]["memory"], memory)
    return {name: {**figures, "kind": systems[name][1]} for name, figures in found.items()}


def timed_on(command, source, target):
    target.unlink(missing_ok=True)
    places = [source, target] if "entities" != command[1] else [source, "--output", target]
    return timed([*command, *places])


def report(measured, folder, documents, tokens, options, peaks):
    work = tokens * operations_per_token(options.model)
    reference = entities(folder, "detente f32")
    base = measured["detente bf16" if "detente bf16" in measured else "detente f32"]
    base = base["all"] - base["start"]
    print(f"{'':<28}{'documents/s':>12}{'tokens/s':>10}{'time ×':>8}{'of peak':>9}{'memory MB':>11}{'start s':>9}{'same':>7}")
    rows = []
    for name, figures in measured.items():
        seconds = figures["all"] - figures["start"]
        found = entities(folder, name)
        row = {
            "system": name,
            "documents_per_second": len(documents) / seconds,
            "tokens_per_second": tokens / seconds,
            "times_of_detente": seconds / base,
            "share_of_peak": work / seconds / peaks[figures["kind"]] if figures["kind"] else None,
            "memory_mb": figures["memory"],
            "start_seconds": figures["start"],
            "same_entities_f1": agreement(reference, found),
            "failed": sum(value is None for value in found.values()),
        }
        rows.append(row)
        share = f"{row['share_of_peak']:.1%}" if figures["kind"] else "–"
        same = "–" if name.startswith("spaCy") else f"{row['same_entities_f1']:.3f}"
        failed = f"   {row['failed']} documents failed" if row["failed"] else ""
        print(f"{name:<28}{row['documents_per_second']:>12.1f}{row['tokens_per_second']:>10,.0f}{row['times_of_detente']:>8.2f}{share:>9}"
              f"{row['memory_mb']:>11,.0f}{row['start_seconds']:>9.1f}{same:>7}{failed}")
    if options.json:
        options.json.write_text(json.dumps({"documents": len(documents), "tokens": tokens, "peaks": peaks, "systems": rows}, indent=1))
    peers = [row for row in rows if not row["system"].startswith(("detente", "spaCy"))]
    if peers:
        fastest = min(peers, key=lambda row: row["times_of_detente"])
        print(f"\nthe fastest of the others with these weights, {fastest['system']}, takes {fastest['times_of_detente']:.2f} × the time of detente")


def operations_per_token(model):
    """Multiplications and additions in the linear layers of BERT; attention's own products are a few per cent more."""
    config = json.loads((model / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    return 2 * config["num_hidden_layers"] * (4 * hidden**2 + 2 * hidden * inner)


def entities(folder, name):
    """The entities of each document; nothing where it failed."""
    found = {}
    with open(folder / f"{name.replace(' ', '-')}-all.jsonl", encoding="utf-8") as file:
        for row in map(json.loads, file):
            if "error" in row:
                found[row["id"]] = None
            else:
                found[row["id"]] = {(e["start"], e["end"], e["type"]) if isinstance(e, dict) else tuple(e) for e in row["entities"]}
    return found


def agreement(reference, found):
    both = own = other = 0
    for document, expected in reference.items():
        got = found.get(document) or set()
        both, own, other = both + len(expected & got), own + len(expected), other + len(got)
    return 2 * both / max(1, own + other)


if __name__ == "__main__":
    main()
