"""Pins bootstrap intervals for the tests of `detente evaluate`.

    python -m venv .venv && .venv/bin/pip install scipy
    .venv/bin/python scripts/reference_intervals.py

writes tests/reference/intervals.json: scipy.stats.bootstrap's resamples of skewed samples, the values with each
observation left out, and the intervals it makes of them (BCa and percentile).
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats

TARGET = Path(__file__).resolve().parent.parent / "tests" / "reference" / "intervals.json"


def case(name, sample, statistic, seed):
    options = {"n_resamples": 499, "vectorized": False}
    bca = stats.bootstrap((sample,), statistic, method="BCa", random_state=np.random.default_rng(seed), **options)
    percentile = stats.bootstrap((sample,), statistic, method="percentile", random_state=np.random.default_rng(seed), **options)
    assert (bca.bootstrap_distribution == percentile.bootstrap_distribution).all()
    return {
        "name": name,
        "value": float(statistic(sample)),
        "resamples": bca.bootstrap_distribution.tolist(),
        "left_out": [float(statistic(np.delete(sample, at))) for at in range(len(sample))],
        "bca": [float(bca.confidence_interval.low), float(bca.confidence_interval.high)],
        "percentile": [float(percentile.confidence_interval.low), float(percentile.confidence_interval.high)],
    }


if __name__ == "__main__":
    random = np.random.default_rng(9)
    cases = [
        case("mean of an exponential sample", random.exponential(size=25), np.mean, 1),
        case("standard deviation", random.normal(size=30), np.std, 2),
        case("share near one, with many ties", np.repeat([1.0, 0.0], [37, 3]), np.mean, 3),
    ]
    TARGET.write_text(json.dumps(cases) + "\n", encoding="utf-8")
