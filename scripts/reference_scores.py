"""Pins scores of scikit-learn and seqeval for the tests of `detente evaluate`.

    python -m venv .venv && .venv/bin/pip install scikit-learn seqeval nervaluate "numpy<2"
    .venv/bin/python scripts/reference_scores.py

writes tests/reference/labels.json, tags.json, probabilities.json and baseline.json: inputs made from a fixed seed, and what the reference
implementations make of them.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from scipy.sparse import hstack
from sklearn import metrics
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from nervaluate.entities import Entity
from nervaluate.strategies import EntityTypeEvaluation, ExactEvaluation, PartialEvaluation, StrictEvaluation
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, IOBES

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "reference"
warnings.filterwarnings("ignore")


def number(value):
    """JSON has no NaN: null stands for it."""
    return None if not np.isfinite(value) else float(value)


def label_case(name, gold, predicted):
    average = lambda how: metrics.precision_recall_fscore_support(gold, predicted, average=how, zero_division=0)
    each = metrics.precision_recall_fscore_support(gold, predicted, labels=[0, 1, 2], average=None, zero_division=0)
    macro, weighted = average("macro"), average("weighted")
    return {
        "name": name,
        "gold": [int(x) for x in gold],
        "predicted": [int(x) for x in predicted],
        "scores": {
            "accuracy": metrics.accuracy_score(gold, predicted),
            "balanced_accuracy": metrics.balanced_accuracy_score(gold, predicted),
            "macro_precision": macro[0],
            "macro_recall": macro[1],
            "macro_f1": macro[2],
            "weighted_f1": weighted[2],
            "mcc": metrics.matthews_corrcoef(gold, predicted),
            "cohen_kappa": number(metrics.cohen_kappa_score(gold, predicted)),
        },
        "classes": [[float(each[row][k]) for row in range(3)] for k in range(3)],
    }


def label_cases(random):
    cases = []
    for rows, noise in ((200, 0.2), (57, 0.5), (9, 0.9)):
        gold = random.choice(3, rows, p=[0.3, 0.5, 0.2])
        predicted = np.where(random.random(rows) < noise, random.choice(3, rows), gold)
        cases.append(label_case(f"{rows} rows", gold, predicted))
    cases.append(label_case("one class in gold", [1] * 6, [1, 1, 0, 1, 1, 2]))
    cases.append(label_case("one class in predictions", [0, 1, 1, 0], [1, 1, 1, 1]))
    cases.append(label_case("all the same", [2] * 5, [2] * 5))
    cases.append(label_case("all wrong", [0, 1, 0, 1], [1, 0, 1, 0]))
    cases.append(label_case("two of three classes", [0, 1, 0, 1, 1], [0, 1, 1, 1, 0]))
    return cases


def tag_case(name, scheme, gold, predicted):
    def scores(**how):
        result = {}
        for average in ("micro", "macro", "weighted"):
            result[average] = [
                float(f(gold, predicted, average=average, zero_division=0, **how))
                for f in (precision_score, recall_score, f1_score)
            ]
        return result

    strict = {"mode": "strict", "scheme": IOB2 if scheme == "IOB2" else IOBES}
    return {
        "name": name,
        "gold": gold,
        "predicted": predicted,
        "strict": scores(**strict),
        "conlleval": scores(),
        "schemes": schemes(gold, predicted),
    }


def schemes(gold, predicted):
    """Outcomes of nervaluate's strategies over the spans that seqeval reads by default."""
    def entities(tags):
        return [Entity(label=kind, start=start, end=end) for kind, start, end in get_entities(tags)]

    strategies = {
        "strict": StrictEvaluation(),
        "exact": ExactEvaluation(),
        "partial": PartialEvaluation(),
        "type": EntityTypeEvaluation(),
    }
    outcomes = ("correct", "incorrect", "partial", "missed", "spurious")
    totals = {}
    for name, strategy in strategies.items():
        total = dict.fromkeys(outcomes, 0)
        for one, other in zip(gold, predicted):
            result, _ = strategy.evaluate(entities(one), entities(other), [])
            for outcome in outcomes:
                total[outcome] += getattr(result, outcome)
        totals[name] = [total[outcome] for outcome in outcomes]
    return totals


def tag_cases(random):
    cases = []
    for scheme, prefixes in (("IOB2", "BI"), ("IOBES", "BIES")):
        tags = ["O"] + [f"{prefix}-{kind}" for prefix in prefixes for kind in ("PER", "ORG", "LOC")]
        for noise in (0.1, 0.5):
            gold, predicted = [], []
            for _ in range(40):
                length = int(random.integers(1, 12))
                sentence = [str(t) for t in random.choice(tags, length, p=[0.4] + [0.6 / (len(tags) - 1)] * (len(tags) - 1))]
                gold.append(sentence)
                predicted.append([str(random.choice(tags)) if random.random() < noise else tag for tag in sentence])
            cases.append(tag_case(f"{scheme} noise {noise}", scheme, gold, predicted))
    return cases


def probability_case(name, gold, probabilities):
    """Probabilities of three classes; what is undefined is null."""
    gold, probabilities = np.asarray(gold), np.asarray(probabilities)
    truth = np.eye(3)[gold]
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == gold
    error = 0.0
    for low in np.arange(10) / 10:
        inside = (confidence > low) & (confidence <= low + 0.1)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    per_class = []
    for k in range(3):
        both = truth[:, k].any() and not truth[:, k].all()
        area = metrics.roc_auc_score(truth[:, k], probabilities[:, k]) if both else None
        precision = metrics.average_precision_score(truth[:, k], probabilities[:, k]) if truth[:, k].any() else None
        per_class.append([area, precision])
    return {
        "name": name,
        "gold": gold.tolist(),
        "probabilities": probabilities.tolist(),
        "log_loss": metrics.log_loss(gold, probabilities, labels=[0, 1, 2]),
        "brier": float(((probabilities - truth) ** 2).sum(axis=1).mean()),
        "calibration_error": float(error),
        "classes": per_class,
    }


def probability_cases(random):
    cases = []
    for rows, sharpness in ((150, 3.0), (40, 0.5)):
        gold = random.choice(3, rows, p=[0.3, 0.5, 0.2])
        scores = random.normal(size=(rows, 3)) + sharpness * np.eye(3)[gold]
        powers = np.exp(scores)
        cases.append(probability_case(f"{rows} rows", gold, powers / powers.sum(axis=1, keepdims=True)))
    # Sixteenths are exact, so that ties are ties everywhere.
    gold = random.choice(3, 60)
    parts = random.multinomial(13, [0.3, 0.4, 0.3], size=60) + 1
    cases.append(probability_case("many ties", gold, parts / 16))
    cases.append(probability_case("one class", [1, 1, 1], [[0.125, 0.8125, 0.0625], [0.5, 0.25, 0.25], [0.0625, 0.875, 0.0625]]))
    return cases


def baseline_case(random):
    """Texts of made-up words, some of which speak for a class."""
    words = [["talk", "peace", "ready", "thank"], ["never", "demand", "threat", "refuse"], ["figure", "monday", "report", "plan"]]
    common = ["the", "we", "they", "of", "to", "a", "Élan", "is", "it", "side"]
    def texts(count):
        labels = [int(k) for k in random.choice(3, count, p=[0.3, 0.5, 0.2])]
        return [" ".join(str(w) for w in random.choice(words[k] + common * 2, 6)) for k in labels], labels
    train, labels = texts(60)
    test, _ = texts(10)
    test += ["", "x", "Talk,  talk: TALK!"]
    options = {"sublinear_tf": True, "min_df": 2}
    word = TfidfVectorizer(ngram_range=(1, 2), **options)
    letter = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **options)
    features = hstack([word.fit_transform(train), letter.fit_transform(train)])
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=10000).fit(features, labels)
    probabilities = model.predict_proba(hstack([word.transform(test), letter.transform(test)]))
    return {"train": train, "labels": labels, "test": test, "probabilities": probabilities.tolist()}


def write(name, value):
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_text(json.dumps(value, ensure_ascii=False, indent=None) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write("labels.json", label_cases(np.random.default_rng(1)))
    write("tags.json", tag_cases(np.random.default_rng(2)))
    write("probabilities.json", probability_cases(np.random.default_rng(4)))
    write("baseline.json", baseline_case(np.random.default_rng(3)))
