"""Runs the Spark job on a local cluster of two executors, kills one of them, and compares the records with a single machine's.

    python -m venv .venv && .venv/bin/pip install pyspark==4.0.1 pyarrow "pandas<3"
    .venv/bin/python scripts/spark/test_cluster.py target/release/detente models

The articles are those of datasets/demo and datasets/wire, and two that fail. Needs Java 17 or newer. Ends with exit code 1 when
a byte differs, a row is lost or doubled, a column changes, or nothing was killed.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FILES, PARTITIONS = 3, 8


def articles():
    rows = [json.loads(line) for line in (ROOT / "datasets/wire/wire.jsonl").open(encoding="utf-8")]
    rows = [{"id": row["id"], "text": row["text"], "title": row["title"], "desk": "wire", "page": at} for at, row in enumerate(rows)]
    for path in sorted((ROOT / "datasets/demo").glob("*.txt")):
        rows.append({"id": path.stem, "text": path.read_text(encoding="utf-8"), "title": None, "desk": "demo", "page": len(rows)})
    rows.insert(5, {"id": "blank", "text": " \n", "title": None, "desk": "wire", "page": None})
    rows.insert(20, {"id": "none", "text": None, "title": "🕊", "desk": None, "page": None})
    return rows


def write_input(rows, folder):
    """Parquet in several files, and the same rows as JSON lines for the single machine."""
    schema = pa.schema([("id", pa.string()), ("text", pa.string()), ("title", pa.string()), ("desk", pa.string()), ("page", pa.int32())])
    (folder / "articles.parquet").mkdir()
    size = -(-len(rows) // FILES)
    for number in range(FILES):
        table = pa.Table.from_pylist(rows[number * size : (number + 1) * size], schema)
        pq.write_table(table, folder / "articles.parquet" / f"part-{number}.parquet")
    names = ("id", "text", "title")
    lines = [json.dumps({name: row[name] for name in names}, ensure_ascii=False) + "\n" for row in rows]
    (folder / "articles.jsonl").write_text("".join(lines), encoding="utf-8")


def single_machine(detente, models, folder):
    command = [detente, "classify", "-", "--input-format", "jsonl", "--format", "jsonl", "--quiet", "--models", models]
    start = time.time()
    with (folder / "articles.jsonl").open("rb") as lines:
        done = subprocess.run(command, stdin=lines, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert done.returncode == 1, done.returncode
    print(f"single machine: {time.time() - start:.0f} s", flush=True)
    return done.stdout.decode().splitlines()


def without_line(record):
    """A failed document's message names the line that was read, which on the cluster is that of its partition."""
    return re.sub(r'("message":")-:\d+: ', r"\1", record)


def executors():
    """The executors of this test: children of the JVM that this process started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            parent = int(re.search(r"PPid:\s+(\d+)", (entry / "status").read_text())[1])
            ours = int(re.search(r"PPid:\s+(\d+)", Path(f"/proc/{parent}/status").read_text())[1]) == os.getpid()
        except (OSError, TypeError, ValueError):
            continue
        if ours and b"org.apache.spark.executor.CoarseGrainedExecutorBackend" in command:
            found.append(int(entry.name))
    return found


class Killer(threading.Thread):
    """Kills one executor as soon as a task is done and others are running."""

    def __init__(self, spark):
        super().__init__(daemon=True)
        self.tracker = spark.sparkContext.statusTracker()
        self.killed = None
        self.stop = threading.Event()

    def run(self):
        while not self.stop.wait(0.2):
            stages = [self.tracker.getStageInfo(stage) for stage in self.tracker.getActiveStageIds()]
            running = [s for s in stages if s and s.numTasks == PARTITIONS and s.numCompletedTasks and s.numActiveTasks > 1]
            if running and (ours := executors()):
                os.kill(ours[0], signal.SIGKILL)
                self.killed = ours[0]
                return


def on_cluster(detente, models, folder, libraries, workers, kill):
    sys.path.insert(0, str(HERE))
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_WORKER_DIR"] = str(folder / "work")
    import classify as job
    from pyspark.sql import SparkSession

    cluster = f"local-cluster[{workers},1,1024]"
    builder = SparkSession.builder.master(cluster).appName("detente test").config("spark.ui.enabled", "false")
    spark = builder.config("spark.log.level", "ERROR").getOrCreate()
    try:
        # A worker keeps running Spark's own copy of the job, so it must be able to import it.
        spark.sparkContext.addPyFile(str(HERE / "classify.py"))
        spark.sparkContext.addArchive(f"{job.archive(detente, models, libraries, folder)}#{job.ARCHIVE}")
        rows = job.read(spark, str(folder / "articles.parquet"), "text")
        job.check_ids(rows, "id")
        columns = [("id", "id"), ("text", "text"), ("title", "title")]
        output = folder / f"out-{workers}-{kill}"
        killer = Killer(spark)
        if kill:
            killer.start()
        start = time.time()
        job.classify(spark, rows, columns, partitions=PARTITIONS).drop("text").write.parquet(str(output))
        took = time.time() - start
        killer.stop.set()
        assert not kill or killer.killed, "no executor was killed"
        print(f"{cluster}, executor killed: {'yes' if kill else 'no'}: {took:.0f} s", flush=True)
    finally:
        spark.stop()
    return pq.read_table(output)


def check(table, rows, expected):
    table = table.sort_by([(name, "ascending") for name in ("order_file", "order_block", "order_row")])
    names = ["id", "title", "desk", "page", "order_file", "order_block", "order_row", "record"]
    assert table.schema.names == names, table.schema.names
    assert table.schema.field("page").type == pa.int32()
    for name in ("id", "title", "desk", "page"):
        assert table[name].to_pylist() == [row[name] for row in rows], name
    records = table["record"].to_pylist()
    same = sum(without_line(record) == without_line(single) for record, single in zip(records, expected, strict=True))
    failed = sum('"error":' in record for record in records)
    print(f"  {same} of {len(rows)} records are byte for byte those of the single machine; {failed} documents failed", flush=True)
    assert (same, failed) == (len(rows), 2)


def check_command(detente, models, folder, libraries, expected):
    """The command as people call it, on JSON lines, with what a user may get wrong first."""
    lines = (folder / "articles.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:6]
    few, output = folder / "few.jsonl", folder / "few-out"
    submit = shutil.which("spark-submit", path=os.path.dirname(sys.executable))
    command = [submit, "--master", "local[1]", "--conf", "spark.ui.enabled=false", str(HERE / "classify.py")]
    command += ["--detente", detente, "--models", models, "--input", str(few), "--output", str(output), "--output-format", "json"]
    command += [option for library in libraries for option in ("--library", library)]
    few.write_text(lines[0] + lines[0], encoding="utf-8")
    # spark-submit joins both outputs of the job.
    run = lambda: subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = run()
    assert said.returncode != 0 and "ids must be there and differ" in said.stdout, said.stdout[-2000:]
    few.write_text("".join(lines), encoding="utf-8")
    said = run()
    assert said.returncode == 0 and "6 documents, 1 failed" in said.stdout, said.stdout[-2000:]
    rows = [json.loads(line) for path in output.glob("*.json") for line in path.open(encoding="utf-8")]
    rows.sort(key=lambda row: (row["order_block"], row["order_row"]))
    assert [without_line(row["record"]) for row in rows] == [without_line(record) for record in expected[:6]]
    print("spark-submit on JSON lines: 6 of 6 records are the same", flush=True)


def main():
    detente, models = (str(Path(path).resolve()) for path in sys.argv[1:3])
    libraries = sys.argv[3:]
    folder = Path(tempfile.mkdtemp())
    try:
        rows = articles()
        write_input(rows, folder)
        expected = single_machine(detente, models, folder)
        for workers, kill in ((1, False), (2, False), (2, True)):
            check(on_cluster(detente, models, folder, libraries, workers, kill), rows, expected)
        check_command(detente, models, folder, libraries, expected)
    finally:
        shutil.rmtree(folder)
    print("all records are the same, and a killed executor changes nothing")


if __name__ == "__main__":
    main()
