#!/usr/bin/env python3
"""What detente costs by the number of documents and by their length: a table, and a plot as SVG.

    make bench          # sets everything up, then this on datasets/wire
    .venv/bin/python scripts/throughput/cost.py ../shared/corpora/kremlin-transcripts.jsonl.gz --plot cost.svg

Documents by number are single paragraphs (at least 20 words; where there are too few, they come again with their number, so
that none is a copy). Documents by length are paragraphs joined up to the wished number of words. Each point is one start of the
program, models loaded anew.
"""

import argparse
import gzip
import itertools
import json
import os
import tempfile
from pathlib import Path

from process import timed

ROOT = Path(__file__).resolve().parent.parent.parent
LEAST_WORDS = 20


def main():
    options = arguments()
    paragraphs = read_paragraphs(options.input)
    counts = [10**power for power in range(6) if 10**power <= options.most]
    lengths = [10**power for power in range(1, 6) if 10**power <= options.longest]
    print(f"detente {options.command}, {os.cpu_count()} processors, {len(paragraphs):,} different paragraphs\n")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "documents.jsonl"
        by_count = series(options, file, counts, lambda count: numbered(paragraphs, count), "documents")
        by_length = series(options, file, lengths, lambda words: [joined(paragraphs, words)], "words in one document")
    if options.plot:
        draw(options, by_count, by_length)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path, nargs="?", default=ROOT / "datasets/wire/wire.jsonl", help="JSON lines with `text`, perhaps .gz")
    parser.add_argument("--detente", default=str(ROOT / "target/release/detente"), help="the program [%(default)s]")
    parser.add_argument("--command", default="entities --precision bf16", help="command and options [%(default)s]")
    parser.add_argument("--most", type=int, default=100_000, help="documents [%(default)s]")
    parser.add_argument("--longest", type=int, default=100_000, help="words in one document [%(default)s]")
    parser.add_argument("--plot", type=Path, help="draw into this file")
    return parser.parse_args()


def read_paragraphs(path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        lines = (line.strip() for row in file for line in json.loads(row)["text"].splitlines())
        return list(dict.fromkeys(line for line in lines if len(line.split()) >= LEAST_WORDS))


def numbered(paragraphs, count):
    texts = (paragraphs[at % len(paragraphs)] + (f" {at}" if at >= len(paragraphs) else "") for at in range(count))
    return list(texts)


def joined(paragraphs, words):
    kept, total = [], 0
    for paragraph in itertools.cycle(paragraphs):
        kept.append(paragraph)
        total += len(paragraph.split())
        if total >= words:
            return " ".join("\n".join(kept).split(" ")[:words])


def series(options, file, sizes, texts_of, what):
    print(f"{what:>24}{'words':>12}{'seconds':>10}{'ms a document':>15}{'words/s':>10}{'memory MB':>11}")
    points = []
    for size in sizes:
        texts = texts_of(size)
        file.write_text("".join(json.dumps({"id": f"d{at}", "text": text}) + "\n" for at, text in enumerate(texts)))
        words = sum(len(text.split()) for text in texts)
        seconds, memory = timed([options.detente, *options.command.split(), str(file), "--quiet", "--output", str(file.with_name("out.jsonl"))])
        points.append((size, seconds, memory))
        print(f"{size:>24,}{words:>12,}{seconds:>10.2f}{1e3 * seconds / len(texts):>15.2f}{words / seconds:>10,.0f}{memory:>11,.0f}", flush=True)
    print()
    return points


def draw(options, by_count, by_length):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "cost", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(8, 3), sharey=True, layout="constrained")
    for axis, points, what in ((axes[0], by_count, "documents of one paragraph"), (axes[1], by_length, "words in one document")):
        axis.loglog([p[0] for p in points], [p[1] for p in points], "o-", color="#0072b2", label="seconds")
        axis.loglog([p[0] for p in points], [p[2] / 1e3 for p in points], "s--", color="#d55e00", label="memory, GB")
        axis.set_xlabel(what)
    axes[0].legend(frameon=False)
    figure.suptitle(f"detente {options.command}", fontsize=9)
    figure.savefig(options.plot, metadata={"Date": None})


if __name__ == "__main__":
    main()
