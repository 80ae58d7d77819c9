#!/usr/bin/env python3
"""Prints one part of Worldwide English Newswire as one CoNLL file, to score a model on articles it was not trained on.

    python3 scripts/newswire_split.py FOLDER test > newswire-test.conll

A file's part is told by the first byte of SHA-256 over its name: below 26 test, below 51 dev, else train, as `detente train
entities` does it. The first sentence of a file is its address and is left out; types become PER, ORG, LOC and MISC as in the
card of models/entities. `--list` prints the file names instead.
"""

import hashlib
import sys
from pathlib import Path

TYPES = {"Person": "PER", "Organization": "ORG", "Location": "LOC", "Facility": "LOC", "NORP": "MISC", "Product": "MISC",
         "Misc": "MISC"}


def part_of(name):
    first = hashlib.sha256(name.encode()).digest()[0]
    return "test" if first < 26 else "dev" if first < 51 else "train"


def tag(given):
    prefix, _, kind = given.partition("-")
    return f"{prefix}-{TYPES[kind]}" if kind in TYPES else "O"


def sentences(file):
    text = file.read_text(encoding="utf-8").replace("\r\n", "\n")
    blocks = [[line.split("\t") for line in block.split("\n") if line.strip()] for block in text.split("\n\n")]
    return [block for block in blocks if block][1:]


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    if len(arguments) != 2:
        sys.exit(__doc__)
    folder, part = Path(arguments[0]), arguments[1]
    for file in sorted(folder.glob("*.tsv")):
        if part_of(file.name) != part:
            continue
        if "--list" in sys.argv:
            print(file.name)
            continue
        for sentence in sentences(file):
            for columns in sentence:
                print(f"{columns[0].strip()}\t{tag(columns[1].strip())}")
            print()


if __name__ == "__main__":
    main()
