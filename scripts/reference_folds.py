"""Pins folds for the tests of `detente experiment`.

    python -m venv .venv && .venv/bin/pip install scikit-learn
    .venv/bin/python scripts/reference_folds.py

writes tests/reference/folds.json: documents and classes from a fixed seed, and the folds of scikit-learn's
StratifiedGroupKFold without shuffling.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

TARGET = Path(__file__).resolve().parent.parent / "tests" / "reference" / "folds.json"


def case(random, rows, documents, folds, shares):
    # Ascending documents: scikit-learn numbers groups in sorted order, we in the order of their first rows.
    groups = np.sort(random.choice(documents, rows))
    classes = random.choice(3, rows, p=shares)
    fold_of = np.zeros(rows, dtype=int)
    splitter = StratifiedGroupKFold(n_splits=folds)
    for fold, (_, test) in enumerate(splitter.split(np.zeros(rows), classes, groups)):
        fold_of[test] = fold
    return {"documents": groups.tolist(), "classes": classes.tolist(), "folds": folds, "fold_of": fold_of.tolist()}


if __name__ == "__main__":
    random = np.random.default_rng(8)
    cases = [
        case(random, 60, 20, 3, [0.3, 0.5, 0.2]),
        case(random, 200, 50, 5, [0.6, 0.3, 0.1]),
        case(random, 100, 100, 10, [0.4, 0.4, 0.2]),
        case(random, 80, 12, 4, [0.34, 0.33, 0.33]),
    ]
    TARGET.write_text(json.dumps(cases) + "\n", encoding="utf-8")
