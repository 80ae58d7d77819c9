#!/usr/bin/env python3
"""Kills detente with SIGKILL at random moments, resumes it, and compares the result with that of one run.

    python3 scripts/kill_resume.py --kills 20 ../shared/corpora/kremlin-transcripts.jsonl.gz
    python3 scripts/kill_resume.py --command "classify --precision bf16" --formats jsonl,sqlite,parquet news.jsonl

Exit code 0 if every format came out the same. JSONL, CSV and Parquet are compared byte by byte, SQLite row by row.
"""

import argparse
import hashlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main():
    options = arguments()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        results = [compare(options, Path(folder), name, chance) for name in options.formats.split(",")]
    return 0 if all(results) else 1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+", help="what detente reads")
    parser.add_argument("--detente", default="target/release/detente", help="the program [%(default)s]")
    parser.add_argument("--command", default="quotes --quotes direct", help="command and options [%(default)s]")
    parser.add_argument("--formats", default="jsonl,csv,sqlite,parquet", help="endings of outputs [%(default)s]")
    parser.add_argument("--kills", type=int, default=20, help="kills of each format [%(default)s]")
    parser.add_argument("--seed", type=int, default=42, help="of the moments [%(default)s]")
    parser.add_argument("--work", help="folder for the outputs [the system's for temporary files]")
    return parser.parse_args()


def compare(options, folder, ending, chance):
    whole, out = folder / f"whole.{ending}", folder / f"out.{ending}"
    begun = time.monotonic()
    finish(options, whole)
    once = time.monotonic() - begun
    kills, lost = 0, 0.0
    # Each run gets a share of the time of one, so that the kills spread over the whole.
    while kills < options.kills and not out.exists():
        begun = time.monotonic()
        if killed(options, out, chance.uniform(0, 2.5 * once / options.kills)):
            kills += 1
            lost += time.monotonic() - begun
    begun = time.monotonic()
    finish(options, out)
    lost += time.monotonic() - begun
    same = digest(out) == digest(whole)
    verdict = "the same as one run" if same else "DIFFERS from one run"
    print(f"{ending}: killed {kills} times, {verdict}; {once:.1f} s in one run, {lost:.1f} s in all with kills")
    return same and kills == options.kills


def start(options, out):
    command = [options.detente, *options.command.split(), *options.inputs, "--output", str(out), "--resume", "--quiet"]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def killed(options, out, seconds):
    """Whether the run was still going when it was killed."""
    run = start(options, out)
    try:
        run.wait(seconds)
    except subprocess.TimeoutExpired:
        run.kill()
    return run.wait() == -signal.SIGKILL


def finish(options, out):
    code = start(options, out).wait()
    if code not in (0, 1):
        sys.exit(f"{out.name}: detente ended with exit code {code}")


def digest(path):
    if path.suffix != ".sqlite":
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    hashed = hashlib.sha256()
    with sqlite3.connect(path) as database:
        for table in ["documents", "quotes", "entities"]:
            for row in database.execute(f"SELECT * FROM {table}"):
                hashed.update(repr(row).encode())
    return hashed.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
