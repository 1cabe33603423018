"""A run that has everything a run can have, made on a remote step by step."""

import base64
import hashlib
import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from reconciler.annotations.features import Features
from reconciler.annotations.rules import Rules
from reconciler.annotations.uploads import prepare
from reconciler.diagnostics import Span
from reconciler.pipeline import workspaces
from reconciler.pipeline.sessions import Session
from reconciler.plan.steps import (
    AddLabels,
    AddRows,
    AssignSplits,
    BatchRows,
    ConnectOntology,
    CreateDataset,
    CreateModel,
    CreateOntology,
    CreateProject,
    CreateRun,
    SendChunk,
    SetConfig,
    SetStatus,
    Step,
    UploadDataRows,
)
from reconciler.ports import Reader, Writer
from reconciler.server.settings import ServerSettings
from reconciler.state.address import (
    Address,
    Kind,
    RemoteId,
    model_address,
    project_address,
    run_address,
)
from reconciler.state.canonical import JsonObject
from reconciler.state.contents import ExportParams, RunRow
from reconciler.state.labels import ContentHash, PinnedLabel
from reconciler.state.ontology import normalise_ontology
from reconciler.state.resources import (
    DataRow,
    GlobalKey,
    LineFile,
    LocalFile,
    RowIdentity,
    RunStatus,
    Split,
    Status,
)
from reconciler.state.uploads import Family
from tests.support.twins import session_on, twin

RUN: Final = run_address("pets", "night")
MODEL: Final = model_address("pets")
ONTOLOGY: Final = Address(Kind.ONTOLOGY, ("pets",))
DATASET: Final = Address(Kind.DATASET, ("photos",))
PROJECT: Final = project_address("truth")
KEYS: Final = ("photo 1", "photo,2", "photo-3", "photo-4")

CONFIG: Final[JsonObject] = {"lr": 1e-4, "layers": [1, 2], "note": "no", "deep": {}}
STATUS: Final = RunStatus(Status.TRAINING_MODEL, {"epochs": 3})
SPLITS: Final[Mapping[Split, tuple[str, ...]]] = {
    Split.TRAINING: KEYS[:2],
    Split.TEST: KEYS[2:3],
}
SCHEMA: Final = normalise_ontology(
    {
        "tools": [
            {
                "tool": "rectangle",
                "name": "cat",
                "required": True,
                "classifications": [
                    {
                        "type": "radio",
                        "name": "fur",
                        "instructions": "Which fur?",
                        "options": [
                            {"value": "orange", "label": "Orange"},
                            {
                                "value": "black",
                                "options": [{"type": "text", "name": "shade"}],
                            },
                        ],
                    }
                ],
            },
            {"tool": "raster-segmentation", "name": "outline"},
            {"tool": "edge", "name": "chases"},
        ],
        "classifications": [
            {
                "type": "radio",
                "name": "weather",
                "options": [{"value": "sun"}, {"value": "no"}],
            },
            {"type": "text", "name": "note", "scope": "index"},
        ],
    }
)


def picture(*greys: int) -> bytes:
    """Draw a row of pixels as a PNG."""

    def part(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        size = struct.pack(">I", len(content))
        return size + checked + struct.pack(">I", zlib.crc32(checked))

    return (
        b"\x89PNG\r\n\x1a\n"
        + part(b"IHDR", struct.pack(">IIBBBBB", len(greys), 1, 8, 0, 0, 0, 0))
        + part(b"IDAT", zlib.compress(bytes([0, *greys])))
        + part(b"IEND", b"")
    )


def uuid(number: int) -> str:
    """Name an annotation."""
    return f"00000000-0000-4000-8000-{number:012x}"


def box(key: str, number: int, top: float = 1.0, **more: Any) -> dict[str, Any]:
    """Draw a cat of orange fur."""
    return {
        "uuid": uuid(number),
        "dataRow": {"globalKey": key},
        "name": "cat",
        "bbox": {"top": top, "left": 2.5, "height": 3.0, "width": 4.0},
        "classifications": [{"name": "fur", "answer": {"name": "orange"}}],
        **more,
    }


def mask(key: str, number: int, *greys: int) -> dict[str, Any]:
    """Draw an outline, as pixels."""
    return {
        "uuid": uuid(number),
        "dataRow": {"globalKey": key},
        "name": "outline",
        "mask": {"png": base64.b64encode(picture(*greys)).decode()},
    }


def weather(key: str, number: int, said: str = "sun", **more: Any) -> dict[str, Any]:
    """Say what the weather is."""
    return {
        "uuid": uuid(number),
        "dataRow": {"globalKey": key},
        "name": "weather",
        "answer": {"name": said, **more},
    }


def metric(key: str, value: object, name: str = "iou_custom") -> dict[str, Any]:
    """Measure a data row."""
    return {
        "dataRow": {"globalKey": key},
        "metricName": name,
        "metricValue": value,
        "featureName": "cat",
    }


TRUTH: Final = [
    box(KEYS[0], 1),
    mask(KEYS[0], 2, 0, 255),
    weather(KEYS[0], 3),
    box(KEYS[2], 4, top=9),
]
PREDICTIONS: Final = [
    box(KEYS[0], 11, confidence=0.5, customMetrics=[{"name": "iou", "value": 1}]),
    box(KEYS[0], 12, top=7),
    {
        "uuid": uuid(13),
        "dataRow": {"globalKey": KEYS[0]},
        "name": "chases",
        "relationship": {
            "source": uuid(11),
            "target": uuid(12),
            "type": "unidirectional",
        },
    },
    weather(KEYS[1], 14, "no", confidence=0.25),
    mask(KEYS[3], 15, 255, 0, 0),
]
METRICS: Final = [
    metric(KEYS[0], 0.5),
    {
        **metric(KEYS[1], [1, 2, 3, 4], "counts"),
        "aggregation": "CONFUSION_MATRIX",
    },
    {**metric(KEYS[2], {"0.5": 0.25, "0.75": 1}), "subclassName": "orange"},
]


class Maker:
    """Carries out steps on a remote, and remembers the ids.

    Args:
        reader: The remote.
        writer: The same.
        folder: Where files that are uploaded may be put.
    """

    def __init__(self, reader: Reader, writer: Writer, folder: Path) -> None:
        self.ids: dict[Address, RemoteId] = {}
        self._reader = reader
        self._writer = writer
        self._folder = folder
        self._jobs = 0
        folder.mkdir(parents=True, exist_ok=True)

    def perform(self, step: Step) -> None:
        """Carry out a step."""
        made = self._writer.perform(step, ids=self.ids)
        if made is not None:
            self.ids[step.address] = made

    def data_row(self, key: str, number: int) -> DataRow:
        """Draw a picture, to be uploaded."""
        content = picture(number, 255 - number)
        file = self._folder / f"{number}.png"
        file.write_bytes(content)
        return DataRow(
            GlobalKey(key),
            LocalFile(
                path=str(file),
                name=file.name,
                sha256=hashlib.sha256(content).hexdigest(),
                size=len(content),
                media_type="image/png",
            ),
            external_id=f"{number}.png",
            metadata=({"name": "tag", "value": f"number {number}"},),
            attachments=({"type": "RAW_TEXT", "value": f"photo {number}"},),
        )

    def send(
        self, address: Address, family: Family, lines: Sequence[Mapping[str, Any]]
    ) -> Mapping[str, ContentHash]:
        """Import lines, and know what labels say by row."""
        self._jobs += 1
        file = self._folder / f"{self._jobs}.ndjson"
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        (uploads,) = prepare(
            owner=(address.kind.value, *address.path),
            sources={family: [LineFile(str(file), file.name, Span("m.yaml"))]},
            features=Features.of(SCHEMA),
            media_type="IMAGE",
            rules=Rules(),
            by=RowIdentity.GLOBAL_KEY,
            members=None,
            per_job=1000,
        )
        for chunk in uploads.chunks:
            self.perform(
                SendChunk(
                    address, family, chunk, f"job {self._jobs}", 1, may_exist=False
                )
            )
        return uploads.contents or {}

    def row_ids(self, run: Address) -> Mapping[str, RemoteId]:
        """Know the ids of the data rows of a run, by key."""
        rows = self._reader.read_rows(self.ids[run], expected=0)
        return {str(row.key): RemoteId(row.id) for row in rows}

    def label(self, run: Address, contents: Mapping[str, ContentHash]) -> None:
        """Give rows of a run their labels, by what those say."""
        pins = tuple(PinnedLabel(row, contents[row]) for row in sorted(contents))
        self.perform(AddLabels(run, PROJECT, pins))


def make_whole_run(reader: Reader, writer: Writer, folder: Path) -> Maker:
    """Make a run with config, rows, splits, labels, predictions, metrics, status."""
    maker = Maker(reader, writer, folder)
    maker.perform(CreateOntology(ONTOLOGY, "IMAGE", SCHEMA))
    maker.perform(CreateDataset(DATASET, None))
    rows = tuple(maker.data_row(key, number) for number, key in enumerate(KEYS))
    maker.perform(UploadDataRows(DATASET, rows))
    maker.perform(CreateProject(PROJECT, "IMAGE"))
    maker.perform(ConnectOntology(PROJECT, ONTOLOGY))
    maker.perform(BatchRows(PROJECT, "all", KEYS))
    contents = maker.send(PROJECT, Family.LABELS, TRUTH)
    maker.perform(CreateModel(MODEL, ONTOLOGY))
    maker.perform(CreateRun(RUN))
    maker.perform(SetConfig(RUN, CONFIG))
    maker.perform(AddRows(RUN, RowIdentity.GLOBAL_KEY, KEYS))
    maker.label(RUN, contents)
    maker.perform(AssignSplits(RUN, RowIdentity.GLOBAL_KEY, SPLITS))
    maker.send(RUN, Family.PREDICTIONS, PREDICTIONS)
    maker.send(RUN, Family.METRICS, METRICS)
    maker.perform(SetStatus(RUN, STATUS))
    return maker


EMPTY_WORKSPACE: Final = """\
apiVersion: reconciler/v1
kind: Workspace
name: empty
"""


@contextmanager
def whole_run(
    folder: Path, settings: ServerSettings | None = None
) -> Iterator[tuple[Session, Maker]]:
    """Have such a run on a twin, and a workspace of no manifests beside it."""
    workspace = folder / "w"
    (workspace / "specs").mkdir(parents=True)
    (workspace / "reconciler.yaml").write_text(EMPTY_WORKSPACE)
    given = workspaces.specify_remote(workspace)
    with (
        twin(folder, settings) as connect,
        session_on(connect(), workspace, specification=given) as session,
    ):
        assert session.writer is not None
        yield session, make_whole_run(session.reader, session.writer, folder / "files")


def without_keys(reader: Reader, *keys: str) -> Reader:
    """See a remote where some data rows have no global key."""
    return cast("Reader", _Keyless(reader, frozenset(keys)))


class _Keyless:
    """Answers as another reader does, but of some keys."""

    def __init__(self, reader: Reader, keys: frozenset[str]) -> None:
        self._reader = reader
        self._keys = keys

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def run_contents(
        self, run: RemoteId, wanted: ExportParams
    ) -> Iterator[Sequence[RunRow]]:
        for batch in self._reader.run_contents(run, wanted):
            yield [
                replace(row, key=None) if row.key in self._keys else row
                for row in batch
            ]
