"""PNG images, as far as it takes to tell a mask of one object from other pictures."""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final[Mapping[int, int]] = {0: 1, 2: 3, 4: 2, 6: 4}
_LARGEST: Final = 1 << 28
"""Bytes that an image may unfold to; what is larger isn't looked into."""


def is_black_and_white(png: bytes) -> bool:
    """Tell whether an image is a PNG with no pixel but black and white ones.

    What this can't read for certain (interlaced images, palettes, 16 bits a
    channel, transparency, damage) is none.
    """
    try:
        header, packed = _parts(png)
        width, height, depth, colour, packing, filtering, interlaced = struct.unpack(
            ">IIBBBBB", header
        )
        if packing or filtering or interlaced or colour not in _CHANNELS:
            return False
        if (depth, colour) != (1, 0) and depth != 8:
            return False
        step = max(1, _CHANNELS[colour] * depth // 8)
        length = (width * _CHANNELS[colour] * depth + 7) // 8
        if not 0 < height * (length + 1) <= _LARGEST:
            return False
        rows = _rows(_unfolded(packed, height * (length + 1)), length, step)
        return depth == 1 or all(_is_plain(row, _CHANNELS[colour]) for row in rows)
    except (ValueError, struct.error, zlib.error):
        return False


def _parts(png: bytes) -> tuple[bytes, bytes]:
    if not png.startswith(_SIGNATURE):
        raise ValueError("no PNG")
    header, packed, at = b"", [], len(_SIGNATURE)
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        content = png[at + 8 : at + 8 + length]
        if len(content) != length:
            raise ValueError("cut short")
        match kind:
            case b"IHDR":
                header = content
            case b"IDAT":
                packed.append(content)
            case b"tRNS":
                raise ValueError("a colour is transparent")
            case b"IEND":
                return header, b"".join(packed)
            case _:
                pass
        at += length + 12
    raise ValueError("cut short")


def _unfolded(packed: bytes, expected: int) -> bytes:
    found = zlib.decompressobj().decompress(packed, expected + 1)
    if len(found) != expected:
        raise ValueError("another size than the header says")
    return found


def _is_plain(row: bytes, channels: int) -> bool:
    if set(row) - {0, 255}:
        return False
    if channels in (2, 4) and set(row[channels - 1 :: channels]) - {255}:
        return False
    return channels < 3 or row[::channels] == row[1::channels] == row[2::channels]


def _rows(content: bytes, length: int, step: int) -> Iterator[bytes]:
    before = bytes(length)
    for at in range(0, len(content), length + 1):
        row = bytearray(content[at + 1 : at + 1 + length])
        if kind := content[at]:
            if kind not in _PREDICTED:
                raise ValueError("no filter of PNG")
            predicted = _PREDICTED[kind]
            for n in range(length):
                left = row[n - step] if n >= step else 0
                corner = before[n - step] if n >= step else 0
                row[n] = (row[n] + predicted(left, before[n], corner)) & 255
        before = bytes(row)
        yield before


def _nearest(left: int, above: int, corner: int) -> int:
    """Predict as Paeth does: the neighbour nearest to left + above - corner."""
    guess = left + above - corner
    to_left, to_above, to_corner = (
        abs(guess - left),
        abs(guess - above),
        abs(guess - corner),
    )
    if to_left <= to_above and to_left <= to_corner:
        return left
    return above if to_above <= to_corner else corner


_PREDICTED: Final[Mapping[int, Callable[[int, int, int], int]]] = {
    1: lambda left, _above, _corner: left,
    2: lambda _left, above, _corner: above,
    3: lambda left, above, _corner: (left + above) // 2,
    4: _nearest,
}
