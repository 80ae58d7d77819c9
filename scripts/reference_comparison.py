"""Pins tests of two systems for the tests of `detente compare`.

    python -m venv .venv && .venv/bin/pip install statsmodels scipy scikit-learn "numpy<2"
    .venv/bin/python scripts/reference_comparison.py

writes tests/reference/comparison.json: exact McNemar tests and Holm corrections of statsmodels, and a paired permutation
test by document that tries every arrangement.
"""

import itertools
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, f1_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

TARGET = Path(__file__).resolve().parent.parent / "tests" / "reference" / "comparison.json"


def permutation(random):
    """Ten documents: 1,024 arrangements."""
    documents = np.sort(random.choice(10, 60))
    documents[:10] = np.arange(10)
    gold = random.choice(3, 60)
    systems = [np.where(random.random(60) < noise, random.choice(3, 60), gold) for noise in (0.5, 0.25)]
    result = {"documents": documents.tolist(), "gold": gold.tolist(), "systems": [s.tolist() for s in systems], "p": {}}
    scores = {"accuracy": accuracy_score, "macro_f1": lambda g, p: f1_score(g, p, average="macro", zero_division=0)}
    for name, score in scores.items():
        observed = abs(score(gold, systems[1]) - score(gold, systems[0]))
        extreme = 0
        for arrangement in itertools.product((False, True), repeat=10):
            swap = np.asarray(arrangement)[documents]
            one, other = np.where(swap, systems[1], systems[0]), np.where(swap, systems[0], systems[1])
            extreme += abs(score(gold, other) - score(gold, one)) >= observed - 1e-12
        result["p"][name] = extreme / 1024
    return result


if __name__ == "__main__":
    random = np.random.default_rng(6)
    tables = [(0, 1), (3, 9), (10, 10), (40, 62), (120, 180)]
    p_values = [random.random(n).round(3).tolist() for n in (1, 3, 6)]
    value = {
        "mcnemar": [[b, c, float(mcnemar([[50, b], [c, 50]], exact=True).pvalue)] for b, c in tables],
        "holm": [[p, multipletests(p, method="holm")[1].tolist()] for p in p_values],
        "permutation": permutation(random),
    }
    TARGET.write_text(json.dumps(value) + "\n", encoding="utf-8")
