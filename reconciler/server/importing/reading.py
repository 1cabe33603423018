"""Lines of an import are read and checked, each on its own, by an ontology."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

import msgspec

from reconciler.annotations.checked import Annotation, Checked, Refused
from reconciler.annotations.checking import Checker
from reconciler.annotations.features import Features
from reconciler.annotations.problems import Problem
from reconciler.annotations.rows import Row, decode
from reconciler.annotations.rules import STRICT, Purpose, Rules
from reconciler.server.errors import bad_input
from reconciler.server.files import signed_file
from reconciler.server.importing.line_files import LineFile
from reconciler.server.settings import ServerSettings
from reconciler.server.store.annotation_imports import ImportType
from reconciler.server.store.ids import new_uuid
from reconciler.server.store.targets import Target

LONGEST_LINE: Final = 16 * 1024 * 1024
"""How many bytes a line may have: while it is read, it takes ten times as many."""

_PURPOSES: Final = {
    ImportType.PREDICTIONS: Purpose.PREDICTION,
    ImportType.LABELS: Purpose.LABEL,
    ImportType.PRELABELS: Purpose.PRELABEL,
    ImportType.RUN_PREDICTIONS: Purpose.PRELABEL,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says.

    Attributes:
        checked: What each line is.
        files: Ids of our files that annotations name.
    """

    checked: Sequence[Checked]
    files: AbstractSet[str]


def rules_of(settings: ServerSettings) -> Rules:
    """Say by which rules annotations are checked."""
    return STRICT if settings.strict_annotations else Rules()


def read_lines(
    lines: LineFile,
    kind: ImportType,
    target: Target,
    settings: ServerSettings,
    secret: bytes,
) -> Reading:
    """Check every line by what the run or project is about.

    Args:
        lines: The file.
        kind: What the lines become.
        target: Where they go.
        settings: How many lines there may be, and how strictly they are read.
        secret: What our URLs are signed with.

    Raises:
        ApiError: When there are no lines, or too many.
    """
    checker = Checker(
        Features.of(target.ontology),
        target.media_type,
        rules_of(settings),
        _PURPOSES[kind],
    )
    limit = settings.limits.annotations_per_import
    checked: list[Checked] = []
    files: set[str] = set()
    for line in lines:
        if limit is not None and len(checked) >= limit:
            raise bad_input(f"the file has more than {limit} lines")
        one = _checked(checker, line)
        if isinstance(one, Annotation):
            files.update(_files_in(line, secret))
        checked.append(one)
    if not checked and kind is not ImportType.RUN_PREDICTIONS:
        raise bad_input("the file has no lines")
    return Reading(checked, files)


def _checked(checker: Checker, line: bytes) -> Checked:
    if len(line) > LONGEST_LINE:
        message = f"the line has {len(line)} bytes; {LONGEST_LINE} are taken"
        return Refused(None, None, (Problem("TooLong", message),))
    match checker.read(line):
        case Annotation() as one:
            # The line can be found again, and a file of them is large.
            return msgspec.structs.replace(one, line=b"", uuid=one.uuid or new_uuid())
        case other:
            return other


def _files_in(line: bytes, secret: bytes) -> Iterator[str]:
    # Few lines have masks, so that few are read twice.
    if b"instanceURI" not in line:
        return
    for url in _mask_urls(decode(line)):
        if found := signed_file(url, secret):
            yield found[0]


def _mask_urls(row: Row) -> Iterator[str]:
    if row.mask is not None and row.mask.url is not None:
        yield row.mask.url
    if row.masks is not None:
        yield from (one.url for one in row.masks.frames if one.url is not None)
