#!/usr/bin/env python3
"""Runs detente over many documents, watches its memory, and checks that nothing is lost and nothing doubled.

    python3 scripts/soak.py --documents 200000 ../shared/corpora/kremlin-transcripts.jsonl.gz
    python3 scripts/soak.py --documents 2000 --command "classify --precision bf16" news.jsonl

The documents of a JSONL file are repeated, each time with another sentence at the end, and every tenth as it is (a copy).
Exit code 0 if resident memory is flat within the limit after warming up, and every id comes once, in order, with its text.
"""

import argparse
import gzip
import hashlib
import json
import subprocess
import sys
import threading
import time


def main():
    options = arguments()
    with (gzip.open if options.input.endswith(".gz") else open)(options.input, "rt", encoding="utf-8") as file:
        originals = [text_of(json.loads(line)) for line in file if line.strip()]
    command = [options.detente, *options.command.split(), "-", "--with-text", "--format", "jsonl", "--progress", "none"]
    run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    memory = Memory(run.pid)
    threads = [threading.Thread(target=write, args=(run.stdin, originals, options.documents)), threading.Thread(target=memory.watch)]
    for thread in threads:
        thread.start()
    begun = time.monotonic()
    faults, counts = check(run.stdout, originals, options.documents)
    seconds = time.monotonic() - begun
    code = run.wait()
    for thread in threads:
        thread.join()
    low, high = memory.range()
    grown = (high - low) / low
    print(f"{counts['documents']:,} documents of {options.documents:,}, {counts['bytes'] / 1e6:,.0f} MB of text, {counts['failed']:,} failed, "
          f"{seconds:,.0f} s, {counts['documents'] / seconds:,.1f} documents/s")
    print(f"resident memory after the first {memory.WARM:.0%}: {low / 1024:,.0f} to {high / 1024:,.0f} MiB, {grown:.1%} apart")
    print(f"exit code {code}; lost or doubled or changed: {faults}")
    return 0 if faults == 0 and counts["documents"] == options.documents and grown <= options.flat and code in (0, 1) else 1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", help="a JSONL file, perhaps .gz")
    parser.add_argument("--documents", type=int, default=200_000, help="[%(default)s]")
    parser.add_argument("--detente", default="target/release/detente", help="the program [%(default)s]")
    parser.add_argument("--command", default="quotes --quotes direct", help="command and options [%(default)s]")
    parser.add_argument("--flat", type=float, default=0.05, help="how far memory may move [%(default)s]")
    return parser.parse_args()


def text_of(row):
    return next(row[name] for name in ("text", "body", "content") if isinstance(row.get(name), str))


def document(originals, number):
    text = originals[number % len(originals)]
    if number % 10 == 0:
        return text
    return f"{text}\n\n“This is number {number},” Minister Anna Lind said."


def write(pipe, originals, count):
    try:
        for number in range(count):
            row = json.dumps({"id": f"d{number}", "text": document(originals, number)}, ensure_ascii=False)
            pipe.write(row.encode() + b"\n")
        pipe.close()
    except BrokenPipeError:
        pass  # its exit code tells


def check(pipe, originals, count):
    """Compares each record with the document it must be of."""
    counts = {"documents": 0, "failed": 0, "bytes": 0}
    faults = 0
    for number, line in enumerate(pipe):
        record = json.loads(line)
        counts["documents"] += 1
        counts["failed"] += "error" in record
        if "error" not in record:
            expected = document(originals, number)
            counts["bytes"] += len(expected.encode())
            faults += digest(record["text"]) != digest(expected)
            quotes = record.get("quotes") or []
            marked = number % 10 == 0 or any(f"number {number}," in part["text"] for q in quotes for part in q["parts"])
            faults += not marked
        faults += record["id"] != f"d{number}"
    return faults + abs(count - counts["documents"]), counts


def digest(text):
    return hashlib.sha1(text.encode()).digest()


class Memory:
    """Resident memory of a process, looked at ten times a second."""

    WARM = 0.25

    def __init__(self, pid):
        self.status, self.seen = f"/proc/{pid}/status", []

    def watch(self):
        while True:
            try:
                with open(self.status) as file:
                    resident = [int(line.split()[1]) for line in file if line.startswith("VmRSS")]
            except OSError:
                return
            if not resident:
                return
            self.seen += resident
            time.sleep(0.1)

    def range(self):
        """The lowest and the highest of means over tenths of the time, in KiB, without the first part and the very end."""
        settled = self.seen[int(len(self.seen) * self.WARM) : int(len(self.seen) * 0.98)] or self.seen
        size = max(1, len(settled) // 10)
        means = [sum(part) / len(part) for part in (settled[i : i + size] for i in range(0, len(settled) - size + 1, size))]
        return min(means), max(means)


if __name__ == "__main__":
    sys.exit(main())
