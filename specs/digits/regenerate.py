"""scikit-learn's copy of the UCI digits to images, rows.csv and truth.ndjson.

Run it after `pip install -e '.[digits]'`. The same data gives the same bytes, with
any version of Python, zlib or scikit-learn: `--check` compares instead of writing,
names the first file that differs, and ends with 1.
"""

import argparse
import csv
import io
import json
import struct
import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
NAMES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"
)  # fmt: skip


class Digit(NamedTuple):
    """One image of the source: rows of pixels from 0 to 16, and what it shows."""

    pixels: Sequence[Sequence[int]]
    shows: int


def png(pixels: Sequence[Sequence[int]]) -> bytes:
    """Encode pixels from 0 to 16 as an 8-bit grayscale PNG.

    The image data is one stored block, written here rather than by a compressor,
    so that no version of zlib has a say in the bytes. It holds 65,535 of them at
    most, which is plenty for 8 rows of 1 + 8.
    """
    no_filter = b"\x00"
    raw = b"".join(
        no_filter + bytes(round(value * 255 / 16) for value in row) for row in pixels
    )
    header = struct.pack(">IIBBBBB", len(pixels[0]), len(pixels), 8, 0, 0, 0, 0)
    last_and_stored = struct.pack("<BHH", 1, len(raw), len(raw) ^ 0xFFFF)
    checksum = struct.pack(">I", zlib.adler32(raw))
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", b"\x78\x01" + last_and_stored + raw + checksum),
            _chunk(b"IEND", b""),
        ]
    )


def files(digits: Iterable[Digit]) -> dict[str, bytes]:
    """Name and encode everything that the digits become, the tables last."""
    found: dict[str, bytes] = {}
    truth: list[str] = []
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["global_key", "image", "digit"])
    for number, digit in enumerate(digits, start=1):
        image = f"images/digit-{number:04}.png"
        found[image] = png(digit.pixels)
        key = f"digits-{number:04}"
        rows.writerow([key, image, digit.shows])
        answer = {"name": NAMES[digit.shows]}
        label = {"dataRow": {"globalKey": key}, "name": "digit", "answer": answer}
        truth.append(f"{json.dumps(label)}\n")
    found["rows.csv"] = table.getvalue().encode()
    found["truth.ndjson"] = "".join(truth).encode()
    return found


def write(wanted: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder, over those of the same name."""
    for name, content in wanted.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def first_difference(wanted: Mapping[str, bytes], folder: Path) -> str | None:
    """Say where a folder first departs from the files it should hold, if it does."""
    for name, content in wanted.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        there = path.read_bytes()
        if there != content:
            return f"{name} differs at byte {_first_unequal(there, content)}"
    for path in sorted((folder / "images").iterdir()):
        if f"images/{path.name}" not in wanted:
            return f"images/{path.name} is not part of the data"
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with `--check` compare them.

    Returns:
        0 when done or the same, 1 when a file differs. Without scikit-learn, and on
        wrong usage, the process ends with 2.
    """
    parser = argparse.ArgumentParser(description="Regenerate the digits.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args(arguments)
    try:
        source = _source()
    except ModuleNotFoundError as error:
        parser.exit(2, f"{error}: pip install -e '.[digits]'\n")
    wanted = files(source)
    if not options.check:
        write(wanted, HERE)
        return 0
    difference = first_difference(wanted, HERE)
    if difference:
        print(difference, file=sys.stderr)
    return 1 if difference else 0


def _source() -> list[Digit]:
    # Imported here, so that the rest works where scikit-learn isn't installed. It has
    # no types; which of the codes applies depends on whether it is there.
    from sklearn.datasets import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        load_digits,
    )

    data = load_digits()
    return [
        Digit([[int(value) for value in row] for row in image], int(shows))
        for image, shows in zip(data.images, data.target, strict=True)
    ]


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def _first_unequal(one: bytes, other: bytes) -> int:
    pairs = zip(one, other, strict=False)
    shorter = min(len(one), len(other))
    return next((n for n, (a, b) in enumerate(pairs) if a != b), shorter)


if __name__ == "__main__":
    sys.exit(main())
