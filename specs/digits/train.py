"""Trains a run on what `reconciler export` wrote, and writes what came of it.

    pip install -e '.[digits]'
    reconciler export run/digits/svm-rbf --to exported/svm-rbf --media
    python specs/digits/train.py exported/svm-rbf

It reads nothing but the exported folder: the config of the run, its data rows with
their splits and labels, and the images. It trains on TRAINING, predicts VALIDATION and
TEST, and writes a folder of the run's name into `results/`: predictions.ndjson as the
SDK's imports take them, metrics as scores.csv and counts.csv, and report.json with the versions that it used and
the digests of what it was trained on.
"""

import argparse
import csv
import importlib
import inspect
import json
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

RESULTS = Path(__file__).resolve().parent / "results"
HELD_OUT = ("VALIDATION", "TEST")
SCORES = ("key", "metric", "value")
COUNTS = ("key", "metric", "feature", "subclass", "tp", "fp", "tn", "fn")


@dataclass(frozen=True)
class Row:
    """One exported data row: what it is called, where it belongs, what it shows."""

    key: str
    split: str
    label: str
    image: Path


@dataclass(frozen=True)
class Guess:
    """What the model said of a row, and how likely it thinks the true answer is."""

    row: Row
    label: str
    confidence: float
    likelihood: float


@dataclass(frozen=True)
class Exported:
    """An exported run.

    Attributes:
        name: Its name.
        config: Its hyperparameters.
        rows: Its data rows, sorted by key.
        digests: What the export says of its parts.
    """

    name: str
    config: Mapping[str, Any]
    rows: Sequence[Row]
    digests: Mapping[str, str]


def read(folder: Path) -> Exported:
    """Read what `reconciler export --media` wrote."""
    documents = yaml.safe_load_all((folder / "specs" / "bundle.yaml").read_text())
    run = next(one for one in documents if one["kind"] == "ModelRun")
    images = {
        line["global_key"]: folder / "specs" / line["file"]
        for line in _lines(folder / "specs" / "uploads.ndjson")
    }
    rows = [_row(line, images) for line in _lines(folder / "export.ndjson")]
    bundle = json.loads((folder / "bundle.json").read_text())
    return Exported(
        name=run["name"],
        config=run["config"],
        rows=sorted(rows, key=lambda row: row.key),
        digests=bundle["digests"],
    )


def _lines(file: Path) -> Iterator[Any]:
    return map(json.loads, file.read_text().splitlines())


def _row(line: Mapping[str, Any], images: Mapping[str, Path]) -> Row:
    (model,) = line["experiments"].values()
    (run,) = model["runs"].values()
    (label,) = run["labels"]
    (answered,) = label["annotations"]["classifications"]
    key = line["data_row"]["global_key"]
    return Row(key, run["split"], answered["radio_answer"]["name"], images[key])


def train(run: Exported) -> list[Guess]:
    """Train as the config says, and guess the held-out rows."""
    import numpy as np
    from PIL import Image

    def pixels(rows: Sequence[Row]) -> Any:
        top = run.config["preprocessing"]["pixel_range"][1]
        grey = [np.asarray(Image.open(row.image), dtype=float).ravel() for row in rows]
        return np.rint(np.stack(grey) * top / 255)

    training = [row for row in run.rows if row.split == "TRAINING"]
    held_out = [row for row in run.rows if row.split in HELD_OUT]
    model = _estimator(run.config)
    model.fit(pixels(training), [row.label for row in training])
    classes = [str(one) for one in model.classes_]
    guesses = []
    for row, odds in zip(held_out, _likelihoods(model, pixels(held_out)), strict=True):
        best = int(odds.argmax())
        true = float(odds[classes.index(row.label)])
        guesses.append(Guess(row, classes[best], float(odds[best]), true))
    return guesses


def _estimator(config: Mapping[str, Any]) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    module, _, name = config["estimator"].rpartition(".")
    if not module.startswith("sklearn."):
        sys.exit(f"the estimator is {config['estimator']}, and must be scikit-learn's")
    make = getattr(importlib.import_module(module), name)
    seed = {"random_state": config["seed"]}
    known = inspect.signature(make).parameters
    model = make(**config["parameters"], **(seed if "random_state" in known else {}))
    if config["preprocessing"]["standardize"]:
        return make_pipeline(StandardScaler(), model)
    return model


def _likelihoods(model: Any, pixels: Any) -> Any:
    """Say how likely each class is; by the margins where a model has no odds."""
    if hasattr(model, "predict_proba"):
        return model.predict_proba(pixels)
    from scipy.special import softmax

    return softmax(model.decision_function(pixels), axis=1)


def predictions(guesses: Sequence[Guess]) -> Iterator[str]:
    """Say guesses as the SDK's imports take predictions, one a line."""
    for guess in guesses:
        answer = {"name": guess.label, "confidence": round(guess.confidence, 4)}
        row = {"globalKey": guess.row.key}
        yield json.dumps({"dataRow": row, "name": "digit", "answer": answer})


def scores(guesses: Sequence[Guess]) -> Iterator[Sequence[Any]]:
    """Measure guesses by numbers: rows of a table with the columns `SCORES`.

    `correct` is 1 or 0, so that its mean is the accuracy; `likelihood` is what the
    model gave to the true answer.
    """
    for guess in guesses:
        key = guess.row.key
        yield key, "correct", int(guess.label == guess.row.label)
        yield key, "likelihood", round(guess.likelihood, 4)


def counts(guesses: Sequence[Guess]) -> Iterator[Sequence[Any]]:
    """Measure guesses by counts: rows of a table with the columns `COUNTS`.

    One for each digit that an image shows or was taken for: whether that was a true
    positive, a false positive, or a false negative.
    """
    for guess in guesses:
        shown, taken_for = guess.row.label, guess.label
        for name in sorted({shown, taken_for}):
            found = name == shown, name == taken_for
            cell = {(True, True): 0, (False, True): 1, (True, False): 3}[found]
            yield (
                guess.row.key,
                "counts",
                "digit",
                name,
                *(int(n == cell) for n in range(4)),
            )


def report(run: Exported, guesses: Sequence[Guess]) -> dict[str, Any]:
    """Say how it went, what it was trained on, and with what."""
    accuracy = {}
    for split in HELD_OUT:
        right = [
            one.label == one.row.label for one in guesses if one.row.split == split
        ]
        accuracy[split] = round(sum(right) / len(right), 4)
    trained_on = {name: run.digests[name] for name in ("config", "splits", "labels")}
    versions = {"python": platform.python_version()}
    for name in ("sklearn", "numpy", "scipy", "PIL"):
        versions[name] = importlib.import_module(name).__version__
    return {"accuracy": accuracy, "trained_on": trained_on, "versions": versions}


def _table(file: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with file.open("w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train every run whose exported folder is named."""
    parser = argparse.ArgumentParser(description="Train exported runs.")
    parser.add_argument("folder", nargs="+", type=Path, help="what was exported")
    for folder in parser.parse_args(arguments).folder:
        run = read(folder)
        guesses = train(run)
        to = RESULTS / run.name
        to.mkdir(parents=True, exist_ok=True)
        lines = [f"{line}\n" for line in predictions(guesses)]
        (to / "predictions.ndjson").write_text("".join(lines))
        _table(to / "scores.csv", SCORES, scores(guesses))
        _table(to / "counts.csv", COUNTS, counts(guesses))
        said = report(run, guesses)
        (to / "report.json").write_text(json.dumps(said, indent=2) + "\n")
        print(run.name, said["accuracy"])


if __name__ == "__main__":
    main()
