"""Reads the runs of an experiment with MLflow itself.

    python -m venv .venv && .venv/bin/pip install mlflow-skinny
    detente experiment run datasets/experiments/plv.toml --setting "bag of words"
    .venv/bin/python scripts/check_mlflow.py runs/plv

prints every run as MLflow sees it, and fails when one has no figures or files.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")

from mlflow.tracking import MlflowClient  # noqa: E402


def main(folder):
    client = MlflowClient((Path(folder).resolve() / "mlruns").as_uri())
    seen = 0
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id]):
            files = [item.path for item in client.list_artifacts(run.info.run_id)]
            history = client.get_metric_history(run.info.run_id, "macro_f1")
            assert run.info.status == "FINISHED" and history and "predictions.jsonl" in files, run.info.run_name
            print(f"{experiment.name}: {run.info.run_name}: macro F1 {history[0].value:.4f}, {run.data.params}")
            seen += 1
    assert seen, "there is no run"


if __name__ == "__main__":
    main(*sys.argv[1:])
