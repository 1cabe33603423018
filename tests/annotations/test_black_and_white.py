"""Pictures that are masks of one object, and pictures that are something else."""

import struct
import zlib

import pytest

from reconciler.annotations.black_and_white import is_black_and_white

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6


def png(
    rows: list[bytes],
    *,
    width: int,
    colour: int = GREY,
    depth: int = 8,
    interlaced: int = 0,
    more: bytes = b"",
) -> bytes:
    """Draw a picture; every row begins with its filter."""

    def part(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        size, check = len(content), zlib.crc32(checked)
        return struct.pack(">I", size) + checked + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n"
        + part(b"IHDR", header)
        + more
        + part(b"IDAT", zlib.compress(b"".join(rows)))
        + part(b"IEND", b"")
    )


PLAIN = [bytes([0, 0, 255, 0]), bytes([0, 255, 255, 255])]

# The same four pixels, 0 255 0 / 255 255 255, by every filter of PNG.
FILTERED = [
    bytes([1, 0, 255, 1]),  # Sub: each less the one before it
    bytes([2, 255, 0, 255]),  # Up: each less the one above it
]
AVERAGED = [bytes([0, 0, 255, 0]), bytes([3, 255, 0, 128])]
PAETH = [bytes([0, 0, 255, 0]), bytes([4, 255, 0, 255])]


@pytest.mark.parametrize(
    "picture",
    [
        png(PLAIN, width=3),
        png(FILTERED, width=3),
        png(AVERAGED, width=3),
        png(PAETH, width=3),
        png([bytes([0, 0b10100000])], width=3, depth=1),
        png([bytes([0, 0, 0, 0, 255, 255, 255])], width=2, colour=RGB),
        png([bytes([0, 255, 255, 0, 255])], width=2, colour=GREY_ALPHA),
        png([bytes([0, 255, 255, 255, 255])], width=1, colour=RGBA),
    ],
    ids=["none", "sub-up", "average", "paeth", "1-bit", "rgb", "grey-alpha", "rgba"],
)
def test_black_and_white_pictures_are_known(picture: bytes) -> None:
    assert is_black_and_white(picture)


@pytest.mark.parametrize(
    "picture",
    [
        png([bytes([0, 0, 254, 0])], width=3),
        png([bytes([0, 255, 0, 0])], width=1, colour=RGB),
        png([bytes([0, 255, 128])], width=1, colour=GREY_ALPHA),
        png([bytes([0, 255, 255, 255, 0])], width=1, colour=RGBA),
        png([bytes([0, 0, 1])], width=2, colour=PALETTE),
        png(PLAIN, width=3, interlaced=1),
        png([bytes([9, 0, 255, 0])], width=3),
        png(PLAIN, width=2),
        png(PLAIN, width=4),
        png(PLAIN, width=3)[:-20],
        png(PLAIN, width=3).replace(b"IDAT", b"tRNS"),
        b"GIF89a",
        b"",
    ],
    ids=[
        "grey",
        "red",
        "half-there",
        "see-through",
        "palette",
        "interlaced",
        "no-filter",
        "too-long",
        "too-short",
        "cut",
        "transparent",
        "gif",
        "empty",
    ],
)
def test_anything_else_is_none(picture: bytes) -> None:
    assert not is_black_and_white(picture)


def test_the_filters_are_undone_as_the_specification_says() -> None:
    # The first row is 0 255 0, so a wrong predictor gives another value than 0 or
    # 255 in the second, and the picture would count as grey.
    wrong = [bytes([0, 0, 255, 0]), bytes([3, 255, 1, 128])]

    assert not is_black_and_white(png(wrong, width=3))
