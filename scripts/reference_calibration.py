"""Pins calibrations for the tests of `detente evaluate stance --calibration-gold`.

    python -m venv .venv && .venv/bin/pip install scikit-learn scipy "numpy<2"
    .venv/bin/python scripts/reference_calibration.py

writes tests/reference/calibration.json: scikit-learn's sigmoid and isotonic curves, and the temperature that scipy finds.
"""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

TARGET = Path(__file__).resolve().parent.parent / "tests" / "reference" / "calibration.json"


def temperature(probabilities, gold):
    logs = np.log(probabilities)

    def loss(ln):
        scaled = logs / np.exp(ln)
        return -(scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True))[np.arange(len(gold)), gold].sum()

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-10}).x))


def curves(random, rows):
    scores = np.round(random.normal(size=rows), 1)
    labels = random.random(rows) < 1 / (1 + np.exp(-2 * scores - 0.5))
    asked = np.linspace(-4, 4, 17)
    isotonic = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(scores, labels)
    sigmoid = _SigmoidCalibration().fit(scores, labels)
    return {
        "scores": scores.tolist(),
        "labels": labels.tolist(),
        "asked": asked.tolist(),
        "isotonic": isotonic.predict(asked).tolist(),
        "sigmoid": sigmoid.predict(asked).tolist(),
    }


if __name__ == "__main__":
    random = np.random.default_rng(7)
    gold = random.choice(3, 120)
    powers = np.exp(4 * (random.normal(size=(120, 3)) + np.eye(3)[gold]))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    # No probability so small that its logarithm is cut off.
    probabilities = 0.999 * probabilities + 0.001 / 3
    value = {
        "curves": [curves(random, rows) for rows in (12, 80)],
        "gold": gold.tolist(),
        "probabilities": probabilities.tolist(),
        "temperature": temperature(probabilities, gold),
    }
    TARGET.write_text(json.dumps(value) + "\n", encoding="utf-8")
