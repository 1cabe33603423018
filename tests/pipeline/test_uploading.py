"""What is declared for imports, made ready against the ontologies that are known."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from reconciler.diagnostics import InputError
from reconciler.manifest.load import find_workspace, load
from reconciler.pipeline.uploading import (
    Prepared,
    Schemas,
    check_uploads,
    prepare_uploads,
)
from reconciler.state.address import Address, project_address, run_address
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import RowIdentity
from reconciler.state.snapshot import Desired
from reconciler.state.uploads import Family

HEAD = "apiVersion: reconciler/v1\n"
ONTOLOGY = Address.parse("ontology/animals")
SCHEMA: JsonObject = {
    "tools": [{"tool": "point", "name": "eye", "required": False}],
    "classifications": [],
}
KNOWN: Schemas = {ONTOLOGY: (SCHEMA, "IMAGE")}

REFERENCE = f"{HEAD}kind: Ontology\nname: animals\n"
WHOLE = f"{REFERENCE}mediaType: IMAGE\ntools: [{{tool: point, name: eye}}]\n"
MODEL = f"---\n{HEAD}kind: Model\nname: m\nontology: animals\n"
RUN = f"---\n{HEAD}kind: ModelRun\nmodel: m\nname: r\n"

Write = Callable[..., Path]


def _eye(key: str, name: str = "eye") -> str:
    return (
        f'{{"name": "{name}", "dataRow": {{"globalKey": "{key}"}}, '
        '"point": {"x": 1, "y": 1}}\n'
    )


@pytest.fixture
def root(tmp_path: Path) -> Callable[[str, Mapping[str, str]], Path]:
    """Write a workspace of one manifest and its files."""

    def write(manifest: str, files: Mapping[str, str]) -> Path:
        (tmp_path / "specs").mkdir()
        (tmp_path / "reconciler.yaml").write_text(f"{HEAD}kind: Workspace\nname: w\n")
        for name, text in {"a.yaml": manifest, **files}.items():
            (tmp_path / "specs" / name).write_text(text)
        return tmp_path

    return write


def _load(root: Path) -> Desired:
    return load(find_workspace(root))


def test_what_runs_and_projects_are_sent_is_made_ready(root: Write) -> None:
    desired = _load(
        root(
            f"{REFERENCE}{MODEL}{RUN}rows: {{globalKeys: [a, b]}}\n"
            "predictions: [{file: p.ndjson}]\n"
            "metrics: [{globalKey: b, name: n, value: 1}]\n"
            f"---\n{HEAD}kind: Project\nname: p\nontology: animals\n"
            "labels: [{file: p.ndjson}]\n"
            f"{RUN.replace('name: r', 'name: bare')}",
            {"p.ndjson": _eye("a") + _eye("b")},
        )
    )

    prepared = prepare_uploads(desired, KNOWN, 1)

    run, project = prepared[run_address("m", "r")], prepared[project_address("p")]
    assert prepared.keys() == {run_address("m", "r"), project_address("p")}
    assert [(one.family, one.count, one.slots) for one in run] == [
        (Family.PREDICTIONS, 2, 2),
        (Family.METRICS, 1, 1),
    ]
    assert [(one.family, one.count, one.by) for one in project] == [
        (Family.LABELS, 2, RowIdentity.GLOBAL_KEY)
    ]
    assert project[0].contents is not None
    assert project[0].contents.keys() == {"a", "b"}


def test_what_is_by_an_unknown_ontology_is_left_out(root: Write) -> None:
    desired = _load(
        root(
            f"{REFERENCE}{MODEL}{RUN}predictions: [{{file: p.ndjson}}]\n",
            {"p.ndjson": "nonsense\n"},
        )
    )

    assert prepare_uploads(desired, {}, 1000) == {}


def test_the_same_annotation_of_two_runs_has_two_uuids(root: Write) -> None:
    desired = _load(
        root(
            f"{REFERENCE}{MODEL}---\n{HEAD}kind: ModelRun\nmodel: m\nname: 'r{{a}}'\n"
            "rows: {globalKeys: [a]}\n"
            "predictions: [{file: p.ndjson}]\nmatrix: {axes: {a: [1, 2]}}\n",
            {"p.ndjson": _eye("a")},
        )
    )

    prepared = prepare_uploads(desired, KNOWN, 1000)

    digests = {one.chunks[0].digest for (one,) in prepared.values()}
    assert len(prepared) == len(digests) == 2


def test_a_row_may_be_any_where_rows_are_not_managed(root: Write) -> None:
    manifest = f"{WHOLE}{MODEL}{RUN}predictions: [{{file: p.ndjson}}]\n"
    workspace = find_workspace(root(manifest, {"p.ndjson": _eye("any")}))

    check_uploads(load(workspace), workspace)


def test_what_is_by_a_reference_is_not_checked_offline(root: Write) -> None:
    manifest = f"{REFERENCE}{MODEL}{RUN}predictions: [{{file: p.ndjson}}]\n"
    workspace = find_workspace(root(manifest, {"p.ndjson": "nonsense\n"}))

    check_uploads(load(workspace), workspace)


def test_every_run_is_checked_against_its_own_rows(root: Write) -> None:
    sent = "rows: {globalKeys: [a]}\npredictions: [{file: a.ndjson}]\n"
    other = sent.replace("[a]", "[b]").replace("a.nd", "b.nd")
    manifest = f"{WHOLE}{MODEL}{RUN}{sent}{RUN.replace('name: r', 'name: s')}{other}"
    files = {"a.ndjson": _eye("a"), "b.ndjson": _eye("b")}
    workspace = find_workspace(root(manifest, files))

    check_uploads(load(workspace), workspace)


def test_the_problems_of_all_files_are_said_together(root: Write) -> None:
    workspace = find_workspace(
        root(
            f"{WHOLE}{MODEL}{RUN}rows: {{globalKeys: [a]}}\n"
            "predictions: [{file: p.ndjson}]\n"
            f"{RUN.replace('name: r', 'name: s')}predictions: [{{file: q.ndjson}}]\n"
            f"---\n{HEAD}kind: Dataset\nname: d\n"
            "files: [{file: d.csv, columns: {globalKey: k, rowData: r}}]\n"
            f"---\n{HEAD}kind: Project\nname: p\nontology: animals\ndataset: d\n"
            "labels: [{file: t.ndjson}]\n",
            {
                "p.ndjson": _eye("b"),
                "q.ndjson": _eye("a", "ear"),
                "t.ndjson": _eye("c"),
                "d.csv": "k,r\na,x\n",
            },
        )
    )

    with pytest.raises(InputError) as raised:
        check_uploads(load(workspace), workspace)

    assert [(str(one.span), one.code) for one in raised.value.diagnostics] == [
        ("specs/p.ndjson:1:42", "row-not-in-run"),
        ("specs/q.ndjson:1:10", "annotation-invalid"),
        ("specs/t.ndjson:1:42", "row-not-in-run"),
    ]


def test_a_metric_in_a_manifest_is_pointed_to_at_the_field_that_is_wrong_and_once(
    root: Write,
) -> None:
    metrics = (
        "rows: {globalKeys: [a]}\nmatrix: {axes: {a: [1, 2, 3]}}\nmetrics:\n"
        "- {globalKey: a, name: n, value: 1, aggregation: SOM}\n"
        "- {globalKey: b, name: m, value: 1}\n"
        "- globalKey: a\n"
        "  name: o\n"
        '  value: {"0.5": 1, "0.9": -1}\n'
        "  feature: ear\n"
    )
    run = RUN.replace("name: r", "name: 'r{a}'")
    workspace = find_workspace(root(f"{WHOLE}{MODEL}{run}{metrics}", {}))

    with pytest.raises(InputError) as raised:
        check_uploads(load(workspace), workspace)

    found = raised.value.diagnostics
    shown = [
        one.excerpt[one.span.column - 1 : one.span.end_column - 1]
        for one in found
        if one.excerpt is not None and one.span
    ]
    assert [one.code for one in found] == [
        "annotation-invalid",
        "row-not-in-run",
        "annotation-invalid",
        "annotation-invalid",
    ]
    assert shown == ["SOM", "b", "-1", "ear"]


def test_what_is_ready_is_kept_until_the_ontology_is_another(root: Write) -> None:
    file = "predictions: [{file: p.ndjson}]\n"
    desired = _load(root(f"{REFERENCE}{MODEL}{RUN}{file}", {"p.ndjson": _eye("a")}))
    ready = Prepared()
    run = run_address("m", "r")
    other: Schemas = {ONTOLOGY: ({**SCHEMA, "classifications": []}, "TEXT")}

    first = ready.uploads(desired, KNOWN, 1000)

    assert ready.uploads(desired, dict(KNOWN), 1000)[run] is first[run]
    with pytest.raises(InputError, match="point"):
        ready.uploads(desired, other, 1000)
    assert ready.uploads(desired, {}, 1000) == {}
    assert ready.uploads(desired, KNOWN, 1000)[run] is not first[run]
