"""`detente classify` as a stage of Apache Spark: articles in, the same rows with a column `record` out.

    spark-submit --master MASTER scripts/spark/classify.py --detente target/release/detente --models models \\
        --input articles.parquet --output classified.parquet

Program and models travel to the executors once, as one archive. Each task starts one `detente classify -`, writes the rows of
its partition to it as JSON lines and takes one record for each, in order; nothing is held but the batches under way. A task
that dies is run again by Spark, and nothing it wrote counts. README.md beside this file says more.
"""

import argparse
import collections
import json
import os
import shlex
import subprocess
import sys
import tarfile
import tempfile
import threading

import pyarrow as pa
from pyspark import SparkFiles, TaskContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

# Names of the unpacked archive on every executor, and of what is in it.
ARCHIVE = "detente-run"
# Where a row stands in the input: file, its part, and the row in that part.
ORDER = ["order_file", "order_block", "order_row"]
# What `detente` reads of a row, by its own name.
FIELDS = ["id", "text", "title", "date", "source"]


def archive(detente, models, libraries, folder):
    """One file with everything an executor needs: the program, its models, and shared libraries where it needs any."""
    path = os.path.join(folder, f"{ARCHIVE}.tar.gz")
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        tar.add(detente, "detente")
        tar.add(models, "models")
        for library in libraries:
            tar.add(os.path.realpath(library), os.path.join("lib", os.path.basename(library)))
    return path


def read(spark, path, text_column):
    """The rows of Parquet or JSON lines with the columns of their place."""
    rows = spark.read.json(path) if path.rstrip("/").endswith(("json", "jsonl", "json.gz", "jsonl.gz")) else spark.read.parquet(path)
    if text_column not in rows.columns:
        raise SystemExit(f"there is no column `{text_column}`; there are {', '.join(rows.columns)} (name it with --text-column)")
    place = [F.col("_metadata.file_path"), F.col("_metadata.file_block_start"), F.monotonically_increasing_id()]
    # The number within the partition rises with the row, whatever file the partition begins with.
    return rows.select("*", *(column.alias(name) for column, name in zip(place, ORDER)))


def check_ids(rows, id_column):
    """Every row has an id of its own: alone it would get another one where two are the same."""
    if id_column not in rows.columns:
        raise SystemExit(f"there is no column `{id_column}` (name it with --id-column)")
    counts = rows.groupBy(id_column).count().where((F.col("count") > 1) | F.col(id_column).isNull())
    twice = [row[id_column] for row in counts.limit(5).collect()]
    if twice:
        raise SystemExit(f"ids must be there and differ; these do not: {twice}")


def run_in(columns, options):
    """The function that Spark runs on the batches of a partition; `columns` names the column of each field."""

    def classify(batches):
        first = next(batches, None)
        if first is None:
            return
        with Run(columns, options) as run:
            threading.Thread(target=run.feed, args=(first, batches), daemon=True).start()
            yield from run.batches()
            run.finish()

    return classify


class Run:
    """One `detente classify -` and the batches that it is reading."""

    def __init__(self, columns, options):
        folder = SparkFiles.get(ARCHIVE)
        libraries = os.path.join(folder, "lib")
        environment = dict(os.environ)
        if os.path.isdir(libraries):
            environment["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, [libraries, environment.get("LD_LIBRARY_PATH")]))
        threads = TaskContext.get().cpus()
        command = [
            os.path.join(folder, "detente"), "classify", "-", "--input-format", "jsonl", "--format", "jsonl", "--quiet",
            "--models", os.path.join(folder, "models"), "--threads", str(threads), *options,
        ]
        # Errors go to a file: a pipe that nobody reads would stop the program.
        self.said = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, env=environment
        )
        self.columns = columns
        self.under_way = collections.deque()
        self.fed = threading.Event()
        self.failure = None
        self.more = threading.Condition()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Also where Spark stops early: no process outlives its task.
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def feed(self, first, batches):
        """Writes all rows; runs beside the reading of records, or both would wait for each other."""
        try:
            batch = first
            while batch is not None:
                with self.more:
                    self.under_way.append(batch)
                    self.more.notify()
                self.process.stdin.write(self.lines(batch))
                batch = next(batches, None)
        except BrokenPipeError:
            # The program ended before its input: its exit code tells why.
            pass
        except BaseException as failure:
            self.failure = failure
        finally:
            try:
                self.process.stdin.close()
            except OSError:
                pass
            with self.more:
                self.fed.set()
                self.more.notify()

    def lines(self, batch):
        """A batch as JSON lines."""
        fields = [(field, batch.column(column).to_pylist()) for field, column in self.columns]
        rows = ({field: values[row] for field, values in fields} for row in range(batch.num_rows))
        return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows).encode()

    def next_batch(self):
        with self.more:
            while not self.under_way and not self.fed.is_set():
                self.more.wait()
            return self.under_way.popleft() if self.under_way else None

    def batches(self):
        """Each batch with the records of its rows."""
        while (batch := self.next_batch()) is not None:
            records = []
            for _ in range(batch.num_rows):
                line = self.process.stdout.readline()
                if not line.endswith(b"\n"):
                    self.fail("the program ended before its last record")
                records.append(line[:-1].decode())
            yield pa.RecordBatch.from_arrays(
                [*batch.columns, pa.array(records, pa.string())], names=[*batch.schema.names, "record"]
            )

    def finish(self):
        if self.failure is not None:
            raise self.failure
        if self.process.stdout.readline():
            self.fail("there are more records than rows")
        # 1 says that some documents failed; each of them has its record.
        if self.process.wait() not in (0, 1):
            self.fail("the program failed")

    def fail(self, message):
        self.process.kill()
        code = self.process.wait()
        self.said.seek(0)
        said = self.said.read()[-2000:].decode(errors="replace")
        raise RuntimeError(f"{message} (exit code {code}): {said}")


def classify(spark, rows, columns, options=(), partitions=None):
    """`rows` with a column `record` of JSON, as `detente classify` writes it; `columns` are pairs of field and column."""
    # A new schema: `add` would change that of `rows` itself.
    schema = StructType([*rows.schema.fields, StructField("record", StringType())])
    if partitions:
        rows = rows.repartitionByRange(partitions, *ORDER)
    return rows.mapInArrow(run_in(columns, list(options)), schema)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--detente", required=True, help="the program, built with the engine")
    parser.add_argument("--models", required=True, help="the folder with the model folders")
    parser.add_argument("--library", action="append", default=[], help="a shared library to ship, for instance libtorch_cpu.so")
    parser.add_argument("--input", required=True, help="Parquet, or JSON lines (.jsonl, .json, also .gz); file or folder")
    parser.add_argument("--output", required=True, help="folder to write")
    parser.add_argument("--output-format", choices=["parquet", "json"], default="parquet")
    parser.add_argument("--keep-text", action="store_true", help="keep the column with the text")
    parser.add_argument("--partitions", type=int, help="how many tasks; by default as Spark splits the input")
    parser.add_argument("--options", default="", help='further options of `detente classify`, for instance "--precision bf16"')
    for field in FIELDS:
        parser.add_argument(f"--{field}-column", help=f"the column of the {field}")
    return parser.parse_args()


def main():
    arguments = parsed()
    spark = SparkSession.builder.appName("detente classify").getOrCreate()
    with tempfile.TemporaryDirectory() as folder:
        path = archive(arguments.detente, arguments.models, arguments.library, folder)
        spark.sparkContext.addArchive(f"{path}#{ARCHIVE}")
        given = {field: getattr(arguments, f"{field}_column") for field in FIELDS}
        rows = read(spark, arguments.input, given["text"] or "text")
        check_ids(rows, given["id"] or "id")
        columns = [(field, given[field] or field) for field in FIELDS if given[field] or field in rows.columns]
        done = classify(spark, rows, columns, shlex.split(arguments.options), arguments.partitions)
        if not arguments.keep_text:
            done = done.drop(given["text"] or "text")
        done.write.mode("errorifexists").format(arguments.output_format).save(arguments.output)
    written = spark.read.format(arguments.output_format).load(arguments.output)
    failed = written.where(F.get_json_object("record", "$.error.kind").isNotNull()).count()
    print(f"{written.count()} documents, {failed} failed", file=sys.stderr)
    spark.stop()


if __name__ == "__main__":
    main()
