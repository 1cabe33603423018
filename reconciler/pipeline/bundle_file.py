"""`bundle.json`: what an exported folder says of itself."""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.annotations.digests import Part
from reconciler.diagnostics import Diagnostic, InputError, Span
from reconciler.pipeline.folders import Folder
from reconciler.state.address import Address

BUNDLE: Final = "bundle.json"
"""The file that says what the others are."""

FORMAT_VERSION: Final = "1.0"
"""Of `BUNDLE`: a minor version adds fields, a major one changes their meaning."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What `bundle.json` says.

    Attributes:
        address: The run.
        endpoint: Where it was exported from.
        organisation: Id of the organisation there.
        digests: Of each part of the run.
        files: Hex SHA-256 of each file, by its name with `/`; all but this one
            and reconciler.yaml, which says where the run is made.
    """

    address: Address
    endpoint: str
    organisation: str
    digests: Mapping[Part, str]
    files: Mapping[str, str]


def write_bundle(folder: Folder, bundle: Bundle) -> None:
    """Write what a bundle says of itself, once its other files are there."""
    said = {
        "format_version": FORMAT_VERSION,
        "address": str(bundle.address),
        "endpoint": bundle.endpoint,
        "organisation": bundle.organisation,
        "digests": bundle.digests,
        "files": bundle.files,
    }
    text = json.dumps(said, indent=2, ensure_ascii=False)
    folder.write(BUNDLE, f"{text}\n".encode())


def read_bundle(folder: Path) -> Bundle:
    """Read what a bundle says of itself.

    Its files are all of the folder: nothing that is shared as a bundle leads to
    other files of who reads it.

    Raises:
        InputError: When it is no bundle, one of another version, or names what
            can be no file of it.
    """
    file = folder / BUNDLE
    root = os.path.realpath(folder)
    try:
        _check_file(root, BUNDLE)
        bundle = _read(json.loads(file.read_bytes()))
        for name in bundle.files:
            _check_file(root, name)
    except OSError as error:
        why = f"{file} can't be read: {(error.strerror or str(error)).lower()}"
    except ValueError as error:
        why = f"{file} isn't what `reconciler export` writes: {error}"
    except (KeyError, TypeError, AttributeError):
        why = f"{file} isn't what `reconciler export` writes: fields are missing"
    except RecursionError:
        why = f"{file} isn't what `reconciler export` writes: it is nested too deeply"
    else:
        return bundle
    hint = f"name a folder that `reconciler export` made; it has a {BUNDLE}"
    raise InputError(
        [Diagnostic(code="bundle-damaged", message=why, span=Span(BUNDLE), hint=hint)]
    )


def _check_file(root: str, name: str) -> None:
    """Refuse what isn't a file in the folder; one that is missing is none of that."""
    parts = name.split("/")
    if "\0" in name or not {"", ".", ".."}.isdisjoint(parts):
        raise ValueError(f"{name!r} is no name of a file in the folder")
    place = os.path.realpath(f"{root}/{name}")
    if not Path(place).is_relative_to(root):
        raise ValueError(f"{name!r} leads out of the folder")
    try:
        mode = Path(place).stat().st_mode
    except OSError:
        return
    if not stat.S_ISREG(mode):
        raise ValueError(f"{name!r} is no regular file")


def _read(said: Any) -> Bundle:
    json.dumps(said, ensure_ascii=False).encode()  # half a character has no bytes
    if str(said["format_version"]).partition(".")[0] != "1":
        raise ValueError("it is of another version")
    return Bundle(
        address=Address.parse(said["address"]),
        endpoint=str(said["endpoint"]),
        organisation=str(said["organisation"]),
        digests={Part(name): str(one) for name, one in said["digests"].items()},
        files={str(name): str(one) for name, one in said["files"].items()},
    )
