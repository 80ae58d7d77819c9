"""Pins coefficients of agreement for the tests of `detente agree`.

    python -m venv .venv && .venv/bin/pip install scikit-learn krippendorff irrCAC statsmodels "numpy<2"
    .venv/bin/python scripts/reference_agreement.py

writes tests/reference/agreement.json: labels made from a fixed seed, and what the reference implementations make of them.
"""

import itertools
import json
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
from irrCAC.raw import CAC
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

TARGET = Path(__file__).resolve().parent.parent / "tests" / "reference" / "agreement.json"
CLASSES = 3


def cohen(ratings, weights=None):
    """Mean over pairs of annotators of the rows that both labelled."""
    kappas = []
    for a, b in itertools.combinations(range(ratings.shape[1]), 2):
        both = ~np.isnan(ratings[:, a]) & ~np.isnan(ratings[:, b])
        kappas.append(cohen_kappa_score(ratings[both, a], ratings[both, b], weights=weights, labels=range(CLASSES)))
    return float(np.mean(kappas))


def case(name, ratings):
    frame = pd.DataFrame(ratings)
    # Rows without any label carry nothing.
    frame = frame[frame.notna().any(axis=1)]
    plain, weighted = CAC(frame, digits=14), CAC(frame, weights="quadratic", digits=14)
    gwet, fleiss, ac2 = plain.gwet()["est"], plain.fleiss()["est"], weighted.gwet()["est"]
    alpha = lambda level: float(krippendorff.alpha(reliability_data=ratings.T, level_of_measurement=level, value_domain=list(range(CLASSES))))
    result = {
        "name": name,
        "labels": [[None if np.isnan(x) else int(x) for x in row] for row in ratings],
        "coefficients": {
            "percent_agreement": float(gwet["pa"]),
            "cohen_kappa": cohen(ratings),
            "cohen_kappa_linear": cohen(ratings, "linear"),
            "cohen_kappa_quadratic": cohen(ratings, "quadratic"),
            "fleiss_kappa": float(fleiss["coefficient_value"]),
            "krippendorff_alpha_nominal": alpha("nominal"),
            "krippendorff_alpha_ordinal": alpha("ordinal"),
            "gwet_ac1": float(gwet["coefficient_value"]),
            "gwet_ac2_quadratic": float(ac2["coefficient_value"]),
        },
    }
    if not np.isnan(ratings).any():
        table, _ = aggregate_raters(ratings.astype(int), n_cat=CLASSES)
        assert abs(fleiss_kappa(table) - result["coefficients"]["fleiss_kappa"]) < 1e-9, "two references differ"
    return result


def noisy(random, rows, annotators, noise, missing, shares):
    truth = random.choice(CLASSES, rows, p=shares)
    ratings = np.tile(truth[:, None], (1, annotators)).astype(float)
    wrong = random.random(ratings.shape) < noise
    ratings[wrong] = random.choice(CLASSES, wrong.sum())
    ratings[random.random(ratings.shape) < missing] = np.nan
    return ratings


if __name__ == "__main__":
    random = np.random.default_rng(5)
    cases = [
        case("two annotators", noisy(random, 80, 2, 0.3, 0.0, [0.3, 0.4, 0.3])),
        case("two annotators, skewed", noisy(random, 80, 2, 0.2, 0.0, [0.92, 0.04, 0.04])),
        case("two annotators, missing", noisy(random, 60, 2, 0.4, 0.2, [0.3, 0.4, 0.3])),
        case("four annotators", noisy(random, 50, 4, 0.4, 0.0, [0.2, 0.3, 0.5])),
        case("five annotators, missing", noisy(random, 40, 5, 0.5, 0.3, [0.2, 0.3, 0.5])),
    ]
    TARGET.write_text(json.dumps(cases) + "\n", encoding="utf-8")
