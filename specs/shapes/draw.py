"""Draws the scenes beside this, and writes down what is in them.

What is drawn and what the labels say come from the same few numbers, so the
ground truth is true to the pixel. The predictions are what a model might say that
is a little off: they are made up, by shifting the truth.

    python specs/shapes/draw.py            # write
    python specs/shapes/draw.py --check    # compare, and end with 1 at a difference
"""

import argparse
import base64
import csv
import io
import json
import struct
import sys
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT = 96, 64

SKY, GRASS, WALL, RED, BROWN, LEAF, LAKE, ROAD, SUN = range(9)
PALETTE = (
    (183, 219, 240),
    (126, 168, 86),
    (235, 223, 197),
    (178, 60, 48),
    (122, 84, 52),
    (52, 104, 60),
    (84, 138, 190),
    (140, 136, 130),
    (246, 205, 84),
)

Point: TypeAlias = tuple[int, int]
Line: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """What there is to see in one picture; places are in pixels.

    Attributes:
        key: Global key of the data row.
        split: Where the row belongs.
        house: Left, top, width and height of the walls; None for none.
        roof: RED or BROWN.
        tree: Left end of its foot, its top, and its right end; None for none.
        lake: Middle, half width and half height; None for none.
        road: Points from one end to the other; empty for none.
        sun: Middle of the sun; None where clouds are in front of it.
    """

    key: str
    split: str
    house: tuple[int, int, int, int] | None
    roof: int
    tree: tuple[Point, Point, Point] | None
    lake: tuple[Point, int, int] | None
    road: tuple[Point, ...]
    sun: Point | None


SCENES = (
    Scene(
        "scene-farm",
        "TRAINING",
        house=(14, 30, 22, 16),
        roof=RED,
        tree=((58, 46), (66, 20), (74, 46)),
        lake=None,
        road=((24, 46), (30, 54), (50, 63)),
        sun=(84, 10),
    ),
    Scene(
        "scene-lake",
        "TRAINING",
        house=None,
        roof=RED,
        tree=((8, 48), (18, 16), (28, 48)),
        lake=((64, 52), 24, 8),
        road=(),
        sun=(50, 12),
    ),
    Scene(
        "scene-village",
        "VALIDATION",
        house=(56, 26, 26, 20),
        roof=BROWN,
        tree=((20, 46), (27, 24), (34, 46)),
        lake=((22, 56), 14, 5),
        road=((95, 60), (70, 52), (68, 46)),
        sun=None,
    ),
    Scene(
        "scene-road",
        "TEST",
        house=(6, 32, 18, 14),
        roof=BROWN,
        tree=None,
        lake=((76, 50), 14, 6),
        road=((0, 60), (36, 54), (48, 40)),
        sun=(30, 9),
    ),
)

NOTES = (
    ("note-cat", "TRAINING", "The cat slept under the old oak.", ["cat"], ["oak"]),
    (
        "note-dog",
        "TRAINING",
        "A dog ran past the birch and barked.",
        ["dog"],
        ["birch"],
    ),
    (
        "note-both",
        "VALIDATION",
        "The dog chased the cat up an oak.",
        ["dog", "cat"],
        ["oak"],
    ),
    ("note-none", "TEST", "Nobody came that day.", [], []),
)
"""Key, split, text, animals and trees of each note."""


# --- Pictures


def paint(scene: Scene) -> list[list[int]]:
    """Paint a scene: rows of colours, as positions in the palette."""
    canvas = [[SKY if y < 40 else GRASS] * WIDTH for y in range(HEIGHT)]

    def fill(colour: int, inside: Callable[[int, int], bool]) -> None:
        for y, row in enumerate(canvas):
            for x in range(WIDTH):
                if inside(x, y):
                    row[x] = colour

    if scene.sun:
        fill(SUN, ellipse(scene.sun, 6, 6))
    if scene.lake:
        fill(LAKE, ellipse(*scene.lake))
    for start, end in zip(scene.road, scene.road[1:], strict=False):
        fill(ROAD, near(start, end))
    if scene.tree:
        fill(LEAF, triangle(*scene.tree))
    if scene.house:
        left, top, width, height = scene.house
        fill(WALL, lambda x, y: left <= x < left + width and top <= y < top + height)
        peak = (left + width // 2, top - 10)
        fill(scene.roof, triangle((left - 2, top), peak, (left + width + 1, top)))
    return canvas


def ellipse(middle: Point, across: int, down: int) -> Callable[[int, int], bool]:
    """Tell what is inside of an ellipse."""
    return lambda x, y: (
        ((x - middle[0]) * down) ** 2 + ((y - middle[1]) * across) ** 2
        <= (across * down) ** 2
    )


def triangle(one: Point, two: Point, three: Point) -> Callable[[int, int], bool]:
    """Tell what is inside of a triangle."""

    def side(a: Point, b: Point, x: int, y: int) -> int:
        return (x - b[0]) * (a[1] - b[1]) - (a[0] - b[0]) * (y - b[1])

    def inside(x: int, y: int) -> bool:
        sides = [side(*ends, x, y) for ends in ((one, two), (two, three), (three, one))]
        return all(s >= 0 for s in sides) or all(s <= 0 for s in sides)

    return inside


def near(start: Point, end: Point) -> Callable[[int, int], bool]:
    """Tell what is within two pixels of a line."""
    across, down = end[0] - start[0], end[1] - start[1]
    length = across**2 + down**2

    def inside(x: int, y: int) -> bool:
        along = ((x - start[0]) * across + (y - start[1]) * down) / length
        share = min(1.0, max(0.0, along))
        at = start[0] + share * across, start[1] + share * down
        return (x - at[0]) ** 2 + (y - at[1]) ** 2 <= 4

    return inside


def png(
    pixels: Sequence[Sequence[int]], palette: Sequence[Sequence[int]] = ()
) -> bytes:
    """Encode a picture as a PNG; no zlib has a say in the bytes.

    Args:
        pixels: Rows of positions in the palette, or of grey values without one.
        palette: Colours, as red, green and blue.
    """
    raw = b"".join(b"\x00" + bytes(row) for row in pixels)
    kind = 3 if palette else 0
    header = struct.pack(">IIBBBBB", len(pixels[0]), len(pixels), 8, kind, 0, 0, 0)
    stored = struct.pack("<BHH", 1, len(raw), len(raw) ^ 0xFFFF)
    data = b"\x78\x01" + stored + raw + struct.pack(">I", zlib.adler32(raw))
    colours = bytes(part for colour in palette for part in colour)
    parts = ((b"IHDR", header), (b"PLTE", colours), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
        if content or name == b"IEND"
    )


def mask(scene: Scene) -> str:
    """Draw where the lake is, white on black, as base64."""
    assert scene.lake
    inside = ellipse(*scene.lake)
    pixels = [[255 * inside(x, y) for x in range(WIDTH)] for y in range(HEIGHT)]
    picture = png(pixels)
    return base64.b64encode(picture).decode()


# --- What is in them


def scene_truth(scene: Scene) -> Iterable[Line]:
    """Say what is in a picture, one annotation a line."""
    row = {"dataRow": {"globalKey": scene.key}}
    if scene.house:
        left, top, width, height = scene.house
        yield row | {
            "name": "house",
            "bbox": {"top": top, "left": left, "height": height, "width": width},
            "classifications": [
                {
                    "name": "roof",
                    "answer": {"name": "red" if scene.roof == RED else "brown"},
                }
            ],
        }
    if scene.tree:
        yield row | {"name": "tree", "polygon": [_point(at) for at in scene.tree]}
    if scene.lake:
        yield row | {"name": "lake", "mask": {"png": mask(scene)}}
    if scene.road:
        yield row | {"name": "road", "line": [_point(at) for at in scene.road]}
    if scene.sun:
        yield row | {"name": "sun", "point": _point(scene.sun)}
    weather: Line = {"name": "clear" if scene.sun else "cloudy"}
    if not scene.sun:
        note = {"name": "cloud cover", "answer": "all of the sky"}
        weather["classifications"] = [note]
    yield row | {"name": "weather", "answer": weather}
    things = [
        {"name": name}
        for name, there in (("house", scene.house), ("lake", scene.lake))
        if there
    ]
    yield row | {"name": "landmarks", "answer": things}


def note_truth(note: tuple[str, str, str, list[str], list[str]]) -> Iterable[Line]:
    """Say what is in a note, one annotation a line."""
    key, _, text, animals, trees = note
    row = {"dataRow": {"globalKey": key}}
    for animal in animals:
        sort = [{"name": "sort", "answer": {"name": animal}}]
        place = _place(text, animal)
        yield row | {"name": "animal", "location": place, "classifications": sort}
    for tree in trees:
        yield row | {"name": "tree", "location": _place(text, tree)}
    yield row | {
        "name": "mood",
        "answer": {"name": "calm" if not animals else "lively"},
    }
    yield row | {"name": "summary", "answer": " and ".join(animals) or "nobody"}


def guessed(line: Line) -> Line:
    """Make up what a model might have said: a little off, and not quite sure."""
    said: Line = json.loads(json.dumps(line))
    sure = 0.9 if len(line["name"]) % 2 else 0.7
    metrics = [{"name": "margin", "value": round(sure - 0.5, 1)}]
    match said:
        case {"bbox": box}:
            box["left"] += 2
            box["height"] -= 1
        case {"polygon": points} | {"line": points}:
            points[0]["x"] += 1
        case {"point": point}:
            point["y"] += 1
        case {"answer": dict() as answer}:
            answer |= {"confidence": sure, "customMetrics": metrics}
            return said
        case {"answer": list() as answers}:
            for answer in answers:
                answer["confidence"] = sure
            return said
    said["confidence"] = sure
    if "mask" not in said:
        said["customMetrics"] = metrics
    for nested in said.get("classifications", ()):
        nested["answer"]["confidence"] = sure
    return said


def _point(at: Point) -> Line:
    return {"x": at[0], "y": at[1]}


def _place(text: str, word: str) -> Line:
    start = text.index(word)
    return {"start": start, "end": start + len(word) - 1}


# --- Files


def files() -> dict[str, bytes]:
    """Name and encode everything."""
    found = {f"images/{scene.key}.png": png(paint(scene), PALETTE) for scene in SCENES}
    images = [[s.key, f"images/{s.key}.png", s.split] for s in SCENES]
    found["scenes.csv"] = _table([["global_key", "image", "split"], *images])
    texts = [[key, text, split] for key, split, text, _, _ in NOTES]
    found["notes.csv"] = _table([["global_key", "text", "split"], *texts])
    truth = {
        "scenes": [(s.split, line) for s in SCENES for line in scene_truth(s)],
        "notes": [(note[1], line) for note in NOTES for line in note_truth(note)],
    }
    for name, lines in truth.items():
        found[f"{name}-truth.ndjson"] = _lines(line for _, line in lines)
        held_out = (guessed(line) for split, line in lines if split != "TRAINING")
        found[f"{name}-predictions.ndjson"] = _lines(held_out)
    return found


def _table(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _lines(lines: Iterable[Line]) -> bytes:
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with `--check` name the first that differs."""
    parser = argparse.ArgumentParser(description="Draw the scenes.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    wanted = files()
    if parser.parse_args(arguments).check:
        return _compare(wanted)
    for name, content in wanted.items():
        path = HERE / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return 0


def _compare(wanted: Mapping[str, bytes]) -> int:
    for name, content in wanted.items():
        path = HERE / name
        if not path.is_file() or path.read_bytes() != content:
            print(f"{name} is not what is drawn", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
