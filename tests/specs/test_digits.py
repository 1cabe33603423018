"""The digits in specs/ are whole, and are what their script would write again."""

import csv
import hashlib
import json
import runpy
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.pipeline.workspaces import specify
from reconciler.state.canonical import digest
from reconciler.state.labels import LabelPins

DIGITS = Path(__file__).parents[2] / "specs" / "digits"

FIRST = [
    [0, 0, 5, 13, 9, 1, 0, 0],
    [0, 0, 13, 15, 10, 15, 5, 0],
    [0, 3, 15, 2, 0, 11, 8, 0],
    [0, 4, 12, 0, 0, 8, 8, 0],
    [0, 5, 8, 0, 0, 9, 8, 0],
    [0, 4, 11, 0, 1, 12, 7, 0],
    [0, 2, 14, 5, 10, 12, 0, 0],
    [0, 0, 6, 13, 10, 0, 0, 0],
]
"""The first image of the source: a zero."""

DARK = [[0, 0], [0, 0]]
BRIGHT = [[16, 16], [16, 16]]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (DIGITS / "rows.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


@pytest.fixture(scope="module")
def images(rows: list[dict[str, str]]) -> list[bytes]:
    return [(DIGITS / row["image"]).read_bytes() for row in rows]


class Script:
    """regenerate.py, which is no part of a package, and needs no bytecode here."""

    def __init__(self) -> None:
        names = runpy.run_path(str(DIGITS / "regenerate.py"))
        self.digit: Callable[[Sequence[Sequence[int]], int], Any] = names["Digit"]
        self.png: Callable[[Sequence[Sequence[int]]], bytes] = names["png"]
        self.files: Callable[[Sequence[Any]], dict[str, bytes]] = names["files"]
        self.write: Callable[[Mapping[str, bytes], Path], None] = names["write"]
        self.first_difference: Callable[[Mapping[str, bytes], Path], str | None] = (
            names["first_difference"]
        )

    def two_digits(self) -> dict[str, bytes]:
        return self.files([self.digit(DARK, 4), self.digit(BRIGHT, 7)])


@pytest.fixture(scope="module")
def script() -> Script:
    return Script()


def chunks(image: bytes) -> list[tuple[bytes, bytes]]:
    """Read a PNG by the book: length, type, data, CRC of type and data."""
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    found = []
    at = 8
    while at < len(image):
        (length,) = struct.unpack_from(">I", image, at)
        kind, data = image[at + 4 : at + 8], image[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", image, at + 8 + length)
        assert checksum == zlib.crc32(kind + data)
        found.append((kind, data))
        at += 12 + length
    return found


def test_there_are_1797_rows_with_keys_of_their_own(
    rows: list[dict[str, str]],
) -> None:
    keys = [row["global_key"] for row in rows]

    assert len(keys) == 1797
    assert len(set(keys)) == 1797
    assert keys[0] == "digits-0001"
    assert keys[-1] == "digits-1797"


def test_each_digit_is_there_as_often_as_in_the_source(
    rows: list[dict[str, str]],
) -> None:
    assert Counter(row["digit"] for row in rows) == {
        "0": 178,
        "1": 182,
        "2": 177,
        "3": 183,
        "4": 181,
        "5": 182,
        "6": 181,
        "7": 179,
        "8": 174,
        "9": 180,
    }


def test_every_row_has_an_image_and_every_image_a_row(
    rows: list[dict[str, str]],
) -> None:
    there = {f"images/{path.name}" for path in (DIGITS / "images").iterdir()}

    assert {row["image"] for row in rows} == there


def test_every_image_is_a_png_of_8_by_8_gray_pixels(images: list[bytes]) -> None:
    header = bytes.fromhex("00000008 00000008 08 00 00 00 00")
    for image in images:
        (first, ihdr), (second, idat), (third, iend) = chunks(image)
        assert (first, second, third) == (b"IHDR", b"IDAT", b"IEND")
        assert (ihdr, iend) == (header, b"")
        lines = zlib.decompress(idat)
        assert len(lines) == 72
        assert lines[::9] == bytes(8)  # no line is filtered


def test_pixels_are_the_17_shades_of_the_source(images: list[bytes]) -> None:
    shades: set[int] = set()
    for image in images:
        lines = zlib.decompress(chunks(image)[1][1])
        shades.update(lines)

    assert sorted(shades) == [
        *(0, 16, 32, 48, 64, 80, 96, 112, 128),
        *(143, 159, 175, 191, 207, 223, 239, 255),
    ]


def test_no_two_images_are_the_same(images: list[bytes]) -> None:
    assert len(set(images)) == 1797


def test_images_and_table_are_byte_for_byte_what_was_generated(
    images: list[bytes],
) -> None:
    table = (DIGITS / "rows.csv").read_bytes()

    assert hashlib.sha256(b"".join(images)).hexdigest() == (
        "82be77aa2939271dc94b902b92ae6b4a97fb35c81a82d06c5b7da467be0b10b3"
    )
    assert hashlib.sha256(table).hexdigest() == (
        "9c2a3b31fa3c38a4565edc7181d021a016dc2d20b5444193f81f7447b6f15784"
    )


def test_the_script_writes_the_first_image_as_it_is_committed(script: Script) -> None:
    committed = (DIGITS / "images" / "digit-0001.png").read_bytes()

    assert script.png(FIRST) == committed


def test_the_script_numbers_images_and_rows_from_one(script: Script) -> None:
    files = script.two_digits()

    assert list(files) == [
        "images/digit-0001.png",
        "images/digit-0002.png",
        "rows.csv",
        "truth.ndjson",
    ]
    assert files["rows.csv"] == (
        b"global_key,image,digit\n"
        b"digits-0001,images/digit-0001.png,4\n"
        b"digits-0002,images/digit-0002.png,7\n"
    )


def test_what_the_script_has_written_doesnt_differ(
    script: Script, tmp_path: Path
) -> None:
    script.write(script.two_digits(), tmp_path)

    assert script.first_difference(script.two_digits(), tmp_path) is None


def test_the_script_finds_a_missing_file(script: Script, tmp_path: Path) -> None:
    script.write(script.two_digits(), tmp_path)
    (tmp_path / "rows.csv").unlink()

    assert script.first_difference(script.two_digits(), tmp_path) == (
        "rows.csv is missing"
    )


def test_the_script_names_only_the_first_file_that_differs_and_where(
    script: Script, tmp_path: Path
) -> None:
    script.write(script.two_digits(), tmp_path)
    image = tmp_path / "images" / "digit-0002.png"
    image.write_bytes(image.read_bytes()[:50])
    (tmp_path / "rows.csv").write_bytes(b"")

    assert script.first_difference(script.two_digits(), tmp_path) == (
        "images/digit-0002.png differs at byte 50"
    )


def test_the_script_finds_an_image_too_many(script: Script, tmp_path: Path) -> None:
    script.write(script.two_digits(), tmp_path)
    (tmp_path / "images" / "digit-0003.png").write_bytes(b"")

    assert script.first_difference(script.two_digits(), tmp_path) == (
        "images/digit-0003.png is not part of the data"
    )


def test_the_splits_of_the_readme_follow_from_the_keys(
    rows: list[dict[str, str]],
) -> None:
    def split(key: str) -> str:
        h = int(hashlib.sha256(f"v1\n{key}".encode()).hexdigest()[:16], 16)
        if h < 0xCCCCCCCCCCCCCCCC:  # 80% of 2^64, rounded down
            return "TRAINING"
        return "VALIDATION" if h < 0xE666666666666666 else "TEST"  # 90%

    assert Counter(split(row["global_key"]) for row in rows) == {
        "TRAINING": 1432,
        "VALIDATION": 189,
        "TEST": 176,
    }


def test_the_manifests_declare_one_model_and_its_runs() -> None:
    documents = [
        (document["kind"], document["name"])
        for path in sorted(DIGITS.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]

    assert documents == [
        ("RunConfig", "digits-shared"),
        ("DataRows", "digits-80-10-10"),
        ("Dataset", "digits"),
        ("Model", "digits"),
        ("Ontology", "digits"),
        ("Project", "digits"),
        ("ModelRun", "svm-rbf"),
        ("ModelRun", "random-forest"),
        ("ModelRun", "logistic-regression"),
        ("ModelRun", "knn-{parameters.n_neighbors}-{parameters.weights}"),
    ]


@pytest.fixture(scope="module")
def truth() -> dict[str, str]:
    """Say which digit each image shows, by name."""
    lines = map(json.loads, (DIGITS / "truth.ndjson").read_text().splitlines())
    return {one["dataRow"]["globalKey"]: one["answer"]["name"] for one in lines}


def test_every_row_is_labelled_with_the_digit_of_the_table(
    rows: list[dict[str, str]], truth: dict[str, str]
) -> None:
    names = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
    ]

    assert truth == {row["global_key"]: names[int(row["digit"])] for row in rows}


RUNS = (
    "svm-rbf",
    "random-forest",
    "logistic-regression",
    "knn-1-uniform",
    "knn-3-uniform",
    "knn-3-distance",
    "knn-7-distance",
)


@pytest.mark.parametrize("run", RUNS)
def test_the_report_of_a_run_follows_from_its_predictions(
    run: str, truth: dict[str, str]
) -> None:
    folder = DIGITS / "results" / run
    report = json.loads((folder / "report.json").read_text())
    said = map(json.loads, (folder / "predictions.ndjson").read_text().splitlines())
    right = {
        one["dataRow"]["globalKey"]: one["answer"]["name"]
        == truth[one["dataRow"]["globalKey"]]
        for one in said
    }
    members = {
        key: split
        for key, split in splits_of_the_workspace()
        if split in ("VALIDATION", "TEST")
    }

    assert right.keys() == members.keys()
    for split, accuracy in report["accuracy"].items():
        those = [right[key] for key in members if members[key] == split]
        assert round(sum(those) / len(those), 4) == accuracy
    assert report["versions"].keys() == {"python", "sklearn", "numpy", "scipy", "PIL"}


@pytest.mark.parametrize("run", RUNS)
def test_the_scores_of_a_run_say_which_predictions_were_right(
    run: str, truth: dict[str, str]
) -> None:
    folder = DIGITS / "results" / run
    said = map(json.loads, (folder / "predictions.ndjson").read_text().splitlines())
    guesses = {one["dataRow"]["globalKey"]: one["answer"]["name"] for one in said}
    with (folder / "scores.csv").open(newline="") as table:
        correct = {
            row["key"]: row["value"]
            for row in csv.DictReader(table)
            if row["metric"] == "correct"
        }

    assert correct == {
        key: "1" if guess == truth[key] else "0" for key, guess in guesses.items()
    }


def test_the_runs_were_trained_on_what_is_declared() -> None:
    workspace = specify(DIGITS)
    runs = {run.name: run for run in workspace.desired.runs() if run.model == "digits"}

    assert set(runs) == set(RUNS)
    for name, run in runs.items():
        report = (DIGITS / "results" / name / "report.json").read_text()
        assert run.rows is not None
        assert isinstance(run.labels, LabelPins)
        assert run.config is not None
        assert json.loads(report)["trained_on"] == {
            "config": digest(run.config),
            "splits": run.rows.digest(),
            "labels": run.labels.digest,
        }


def splits_of_the_workspace() -> list[tuple[str, str]]:
    """Say in which split each row of the runs is, as the tool reads it."""
    run = next(run for run in specify(DIGITS).desired.runs() if run.name == "svm-rbf")
    assert run.rows is not None
    return [(name, split.value) for name, split in run.rows]
