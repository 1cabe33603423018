from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifest.runs import merge
from reconciler.state.address import Address, RemoteId, model_address, run_address
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import Dataset, Model, Ontology, Run, Split
from reconciler.state.snapshot import Desired

Load = Callable[[dict[str, str]], Desired]

HEAD = "apiVersion: reconciler/v1\n"
MODEL = f"{HEAD}kind: Ontology\nname: o\n---\n{HEAD}kind: Model\nname: m\nontology: o\n"


def _run(text: str, load_files: Load) -> Run:
    """Load the run that *text* ends, of a workspace with a model."""
    head = f"{MODEL}---\n{HEAD}kind: ModelRun\nmodel: m\nname: r\n"
    resource = load_files({"specs/a.yaml": head + text}).resources[
        run_address("m", "r")
    ]
    assert isinstance(resource, Run)
    return resource


def test_references_and_pins_are_resolved(load_files: Load) -> None:
    desired = load_files(
        {
            "specs/a.yaml": (
                f"{HEAD}kind: Model\nname: m/1\nontology: o\nid: model-id\n---\n"
                f"{HEAD}kind: Ontology\nname: o\nid: ontology-id\n---\n"
                f"{HEAD}kind: Dataset\nname: d\nid: dataset-id\n---\n"
                f"{HEAD}kind: ModelRun\nmodel: m/1\nname: r\nid: run-id\n"
            )
        }
    )

    ontology = Address.parse("ontology/o")
    dataset = Address.parse("dataset/d")
    assert desired.resources == {
        model_address("m/1"): Model("m/1", ontology),
        ontology: Ontology("o"),
        dataset: Dataset("d"),
        run_address("m/1", "r"): Run("m/1", "r"),
    }
    assert desired.pins == {
        model_address("m/1"): RemoteId("model-id"),
        ontology: RemoteId("ontology-id"),
        dataset: RemoteId("dataset-id"),
        run_address("m/1", "r"): RemoteId("run-id"),
    }


def test_what_is_absent_is_not_managed(load_files: Load) -> None:
    assert _run("", load_files) == Run("m", "r", config=None, rows=None)


def test_a_config_is_canonical(load_files: Load) -> None:
    run = _run("config: {b: 1.0, a: {d: -0.0, c: 1e-4}}\n", load_files)

    assert run.config == {"a": {"c": 0.0001, "d": 0}, "b": 1}
    assert list(run.config) == ["a", "b"]


def test_an_empty_config_is_managed(load_files: Load) -> None:
    assert _run("config: {}\n", load_files).config == {}


def test_a_config_builds_on_another(load_files: Load) -> None:
    run = _run(
        "configFrom: {name: base, set: {a: 0, opt: {lr: 0.1}, list: [3]}}\n---\n"
        f"{HEAD}kind: RunConfig\nname: base\n"
        "config: {seed: 1, opt: {lr: 1, name: adam}, list: [1, 2]}\n",
        load_files,
    )

    assert run.config == {
        "a": 0,
        "list": [3],
        "opt": {"lr": 0.1, "name": "adam"},
        "seed": 1,
    }
    assert list(run.config) == ["a", "list", "opt", "seed"]


def test_a_config_may_be_taken_as_it_is(load_files: Load) -> None:
    run = _run(
        f"configFrom: {{name: base}}\n---\n{HEAD}kind: RunConfig\nname: base\n"
        "config: {seed: 1}\n",
        load_files,
    )

    assert run.config == {"seed": 1}


_configs = st.recursive(
    st.none() | st.integers(0, 3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
)
_mappings = st.dictionaries(st.sampled_from("abc"), _configs, max_size=3)


@given(_mappings, _mappings)
def test_a_merged_config_has_what_was_laid_over_it(
    base: JsonObject, over: JsonObject
) -> None:
    merged = merge(base, over)

    assert merge(merged, over) == merged
    assert merge({}, over) == over
    assert merge(base, {}) == base
    assert merged.keys() == base.keys() | over.keys()


def test_a_merge_leaves_what_it_merges_alone() -> None:
    base: JsonObject = {"a": {"b": 1}}

    assert merge(base, {"a": {"c": 2}}) == {"a": {"b": 1, "c": 2}}
    assert base == {"a": {"b": 1}}


def test_only_the_literal_empty_list_means_no_rows(load_files: Load) -> None:
    rows = _run("rows: []\n", load_files).rows

    assert rows is not None
    assert len(rows) == 0
    assert not rows.assigns_splits


def test_runs_share_their_rows(load_files: Load) -> None:
    desired = load_files(
        {
            "specs/a.yaml": (
                f"{MODEL}---\n"
                f"{HEAD}kind: ModelRun\nmodel: m\nname: a\nrows: r\n---\n"
                f"{HEAD}kind: ModelRun\nmodel: m\nname: b\nrows: r\n---\n"
                f"{HEAD}kind: DataRows\nname: r\nglobalKeys: [x]\n"
            )
        }
    )

    first, second = desired.runs()
    assert first.rows is not None
    assert first.rows is second.rows


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("globalKeys: [a, b, c]\n", {Split.UNASSIGNED: 3}),
        ("dataRowIds: {file: ids.txt}\n", {Split.UNASSIGNED: 2}),
        (
            "globalKeys: [x, {file: rows.csv, column: key}, y, {file: rows.ndjson, "
            "column: key}, {file: rows.jsonl, column: key}]\n",
            {Split.UNASSIGNED: 6},
        ),
        (
            "globalKeys: {file: rows.csv, column: key}\nsplits: {column: split}\n",
            {Split.TRAINING: 1, Split.UNASSIGNED: 1},
        ),
        (
            "globalKeys: [a, i, j]\nsplits: {lists: {TEST: {file: ids.txt}}}\n",
            {Split.TEST: 2, Split.UNASSIGNED: 1},
        ),
        (
            "globalKeys: [a, b, c]\nsplits: {lists: {TEST: [c], TRAINING: [a]}}\n",
            {Split.TRAINING: 1, Split.TEST: 1, Split.UNASSIGNED: 1},
        ),
        (
            'globalKeys: [a, b, c, d]\nsplits: {positions: {TRAINING: "[:2]", '
            'TEST: "[3:]", VALIDATION: "[2:3]"}}\n',
            {Split.TRAINING: 2, Split.VALIDATION: 1, Split.TEST: 1},
        ),
        (
            "globalKeys: [digits-0001]\n"
            "splits: {hash: {weights: {TRAINING: 40.5, TEST: 59.5}, salt: v1}}\n",
            {Split.TEST: 1},
        ),
        (
            "globalKeys: [digits-0001]\n"
            "splits: {hash: {weights: {TRAINING: 40.51, TEST: 59.49}, salt: v1}}\n",
            {Split.TRAINING: 1},
        ),
        (
            "globalKeys: {file: rows.ndjson, column: key}\n"
            "splits: {hash: {weights: {TRAINING: 45, VALIDATION: 55}, group: of}}\n",
            {Split.VALIDATION: 1},
        ),
    ],
)
def test_rows_are_loaded_as_they_are_described(
    text: str, counts: dict[Split, int], load_files: Load
) -> None:
    files = {
        "specs/ids.txt": "i\nj\n",
        "specs/rows.csv": "key,split\na,TRAINING\nb,\n",
        "specs/rows.ndjson": '{"key": "n", "of": "a"}\n',
        "specs/rows.jsonl": '{"key": "o"}\n',
        "specs/rows.yaml": f"{HEAD}kind: DataRows\nname: r\n{text}",
        "specs/a.yaml": f"{MODEL}---\n{HEAD}kind: ModelRun\nmodel: m\nname: r\nrows: r\n",
    }
    (run,) = load_files(files).runs()

    assert run.rows is not None
    assert run.rows.counts() == counts
