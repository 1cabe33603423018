"""Raster masks of images and videos.

An image at a URL is not fetched, and no image is decoded.
"""

import binascii
from collections.abc import Sequence

from reconciler.annotations.problems import Problem, show
from reconciler.annotations.rows import Mask, Masks


def check_mask(mask: Mask, found: list[Problem]) -> None:
    """Check that a mask is of one sort, and whole."""
    given = [
        name
        for name, value in (
            ("instanceURI", mask.url),
            ("png", mask.png),
            ("counts", mask.counts),
        )
        if value is not None
    ]
    match given:
        case ["instanceURI"]:
            _check_url(mask.url or "", "mask.instanceURI", found)
            _check_colour(mask.colour, "mask.colorRGB", found)
        case ["png"]:
            _check_base64(mask.png or "", "mask.png", found)
        case ["counts"]:
            _check_run_lengths(mask, found)
        case _:
            said = "none" if not given else ", ".join(given)
            message = (
                "a mask is an instanceURI with a colorRGB, a png, or counts with a "
                f"size; there is {said}"
            )
            found.append(Problem("WrongMask", message, "mask"))


def _check_url(url: str, path: str, found: list[Problem]) -> None:
    scheme, separator, rest = url.partition("://")
    if not (scheme and separator and rest):
        found.append(Problem("WrongMask", f"{path} is {show(url)}; no URL", path))


def _check_colour(
    colour: Sequence[int] | None, path: str, found: list[Problem]
) -> None:
    if colour is None:
        message = f"{path} is missing: it says which colour is the mask"
        found.append(Problem("MissingField", message, path))
    elif len(colour) != 3 or not all(0 <= part <= 255 for part in colour):
        message = f"{path} is {show(colour)}; it must be three numbers from 0 to 255"
        found.append(Problem("WrongMask", message, path))


def _check_base64(text: str, path: str, found: list[Problem]) -> None:
    try:
        content = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        message = f"{path} is not base64: {str(error).lower()}"
        found.append(Problem("WrongMask", message, path))
    else:
        if not content:
            found.append(Problem("WrongMask", f"{path} is empty", path))


def _check_run_lengths(mask: Mask, found: list[Problem]) -> None:
    if mask.size is None or len(mask.size) != 2 or min(mask.size) < 1:
        given = "missing" if mask.size is None else show(mask.size)
        message = f"mask.size is {given}; it must be a width and a height"
        found.append(Problem("WrongMask", message, "mask.size"))
    if not mask.counts or min(mask.counts) < 0:
        message = "mask.counts must be run lengths of 0 or more"
        found.append(Problem("WrongMask", message, "mask.counts"))


def check_masks(masks: Masks, found: list[Problem]) -> None:
    """Check the masks of a video, apart from the features of its instances."""
    for what, given in (("frames", masks.frames), ("instances", masks.instances)):
        if not given:
            path = f"masks.{what}"
            found.append(Problem("WrongMask", f"{path} is empty", path))
    for n, frame in enumerate(masks.frames):
        path = f"masks.frames[{n}]"
        if frame.index < 0:
            message = f"{path}.index is {frame.index}; it must be 0 or more"
            found.append(Problem("WrongFrames", message, f"{path}.index"))
        if frame.url is not None:
            _check_url(frame.url, f"{path}.instanceURI", found)
        elif frame.image is not None:
            _check_base64(frame.image, f"{path}.imBytes", found)
        else:
            message = f"{path} has no instanceURI and no imBytes"
            found.append(Problem("WrongMask", message, path))
    for n, instance in enumerate(masks.instances):
        _check_colour(instance.colour, f"masks.instances[{n}].colorRGB", found)
