from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from random import Random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnostics import InputError
from reconciler.manifest.load import find_workspace, load, select_addresses
from reconciler.manifest.matrix import _bits, _hits
from reconciler.manifest.variants import describe, fill, lay
from reconciler.state.address import run_address
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.resources import LineFile, MetricTable, Run
from reconciler.state.snapshot import Desired

Load = Callable[[dict[str, str]], Desired]

HEAD = "apiVersion: reconciler/v1\n"
MODEL = f"{HEAD}kind: Ontology\nname: o\n---\n{HEAD}kind: Model\nname: m\nontology: o\n"
CONFIG = (
    f"---\n{HEAD}kind: RunConfig\nname: base\nconfig: {{opt: {{lr: 1, by: adam}}}}\n"
)


def _runs(text: str, load_files: Load) -> dict[str, JsonObject | None]:
    """Load the runs of one document, and give the config of each."""
    head = f"{MODEL}{CONFIG}---\n{HEAD}kind: ModelRun\nmodel: m\n"
    desired = load_files({"specs/a.yaml": head + text})
    return {run.name: run.config for run in desired.runs()}


def test_a_matrix_makes_a_run_of_every_combination(load_files: Load) -> None:
    runs = _runs(
        "name: n-{a}-{b}\nmatrix: {axes: {a: [1, 2], b: [x, y]}}\n", load_files
    )

    assert runs == {
        "n-1-x": {"a": 1, "b": "x"},
        "n-1-y": {"a": 1, "b": "y"},
        "n-2-x": {"a": 2, "b": "x"},
        "n-2-y": {"a": 2, "b": "y"},
    }


def test_an_axis_is_a_path_into_the_config(load_files: Load) -> None:
    runs = _runs(
        "name: n-{opt.lr}-{new.path}\n"
        "config: {opt: {lr: 1, by: adam}, seed: 3}\n"
        "matrix: {axes: {opt.lr: [0.1], new.path: [true]}}\n",
        load_files,
    )

    assert runs == {
        "n-0.1-true": {
            "new": {"path": True},
            "opt": {"by": "adam", "lr": 0.1},
            "seed": 3,
        }
    }
    assert list(runs["n-0.1-true"] or ()) == ["new", "opt", "seed"]


def test_axes_are_laid_over_a_config_that_builds_on_another(load_files: Load) -> None:
    runs = _runs(
        "name: n-{opt.lr}\nconfigFrom: {name: base, set: {opt: {lr: 2}, seed: 1}}\n"
        "matrix: {axes: {opt.lr: [3]}}\n",
        load_files,
    )

    assert runs == {"n-3": {"opt": {"by": "adam", "lr": 3}, "seed": 1}}


def test_combinations_are_left_out_and_added(load_files: Load) -> None:
    runs = _runs(
        "name: n-{a}-{b}\n"
        "matrix:\n"
        "  axes: {a: [1, 2], b: [1, 2, 3]}\n"
        "  include: [{b: 7, a: 2}]\n"
        "  exclude: [{a: 1, b: 1.0}, {b: 2}]\n",
        load_files,
    )

    assert list(runs) == ["n-1-3", "n-2-1", "n-2-3", "n-2-7"]


def test_what_is_left_out_may_be_added_again(load_files: Load) -> None:
    runs = _runs(
        "name: n-{a}\nmatrix: {axes: {a: [1, 2]}, include: [{a: 2}], exclude: [{a: 2}]}\n",
        load_files,
    )

    assert list(runs) == ["n-1", "n-2"]


def test_one_is_left_out_and_not_true(load_files: Load) -> None:
    runs = _runs(
        "name: n-{a}\nmatrix: {axes: {a: [1, true]}, exclude: [{a: 1.0}]}\n", load_files
    )

    assert list(runs) == ["n-true"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("1.0", "n-1"),
        ("1e-7", "n-1e-7"),
        ("1e21", "n-1e+21"),
        ("-0.0", "n-0"),
        ("true", "n-true"),
        ("null", "n-null"),
        ('"1.0"', "n-1.0"),
        ("a b/c", "n-a b/c"),
    ],
)
def test_values_are_written_into_names_as_canonical_json_writes_them(
    value: str, name: str, load_files: Load
) -> None:
    runs = _runs(f"name: n-{{a}}\nmatrix: {{axes: {{a: [{value}]}}}}\n", load_files)

    assert list(runs) == [name]


def test_a_name_may_hold_an_axis_twice(load_files: Load) -> None:
    runs = _runs("name: '{a}-{a}'\nmatrix: {axes: {a: [1]}}\n", load_files)

    assert list(runs) == ["1-1"]


def test_without_a_matrix_braces_are_braces(load_files: Load) -> None:
    desired = load_files(
        {
            "specs/a.yaml": f"{MODEL}---\n{HEAD}kind: ModelRun\nmodel: m\nname: '{{a}}'\n"
            "predictions: [{file: '{a}.ndjson'}]\n",
            "specs/{a}.ndjson": "x\n",
        }
    )

    (run,) = desired.runs()
    assert run.name == "{a}"
    assert _files(run) == ["specs/{a}.ndjson"]


def test_a_matrix_that_is_wrong_declares_no_run_of_its_bare_name(
    load_files: Load,
) -> None:
    run = f"---\n{HEAD}kind: ModelRun\nmodel: m\nname: n\n"

    with pytest.raises(InputError) as raised:
        load_files({"specs/a.yaml": f"{MODEL}{run}{run}matrix: {{axes: {{}}}}\n"})

    assert [found.code for found in raised.value.diagnostics] == ["wrong-value"]


def test_the_cap_may_be_reached(load_files: Load) -> None:
    assert (
        len(_runs("name: '{a}'\nmatrix: {axes: {a: [1, 2]}, cap: 2}\n", load_files))
        == 2
    )


def test_axes_stand_in_the_names_of_files(load_files: Load) -> None:
    desired = load_files(
        {
            "specs/a.yaml": f"{MODEL}---\n{HEAD}kind: ModelRun\nmodel: m\nname: n-{{a}}\n"
            "predictions: [{file: 'p-{a}.ndjson'}, {file: all.ndjson}]\n"
            "metrics: [{file: 'm-{a}.csv', columns: {globalKey: k, name: n, value: v}}]\n"
            "matrix: {axes: {a: [1, 2]}}\n",
            **{
                f"specs/{name}": "x\n"
                for name in (
                    "p-1.ndjson",
                    "p-2.ndjson",
                    "all.ndjson",
                    "m-1.csv",
                    "m-2.csv",
                )
            },
        }
    )

    assert {run.name: [*_files(run)] for run in desired.runs()} == {
        "n-1": ["specs/p-1.ndjson", "specs/all.ndjson", "specs/m-1.csv"],
        "n-2": ["specs/p-2.ndjson", "specs/all.ndjson", "specs/m-2.csv"],
    }


def _files(run: Run) -> list[str]:
    sources = (*(run.predictions or ()), *(run.metrics or ()))
    return [one.name for one in sources if isinstance(one, LineFile | MetricTable)]


def test_runs_of_a_matrix_are_declared_where_it_is_named(
    write: Callable[[dict[str, str]], Path],
) -> None:
    root = write(
        {
            "specs/a.yaml": MODEL,
            "specs/b.yaml": f"{HEAD}kind: ModelRun\nmodel: m\nname: n-{{a}}\n"
            "matrix: {axes: {a: [1, 2]}}\n",
        }
    )
    workspace = find_workspace(root)

    desired = load(workspace)

    first, second = run_address("m", "n-1"), run_address("m", "n-2")
    assert {str(desired.origins[one]) for one in (first, second)} == {
        "specs/b.yaml:4:7"
    }
    assert select_addresses(desired, workspace, root / "specs" / "b.yaml") == frozenset(
        {first, second}
    )


def test_runs_of_a_matrix_know_what_their_config_builds_on(load_files: Load) -> None:
    desired = load_files(
        {
            "specs/a.yaml": f"{MODEL}{CONFIG}"
            f"---\n{HEAD}kind: ModelRun\nmodel: m\nname: a-{{x}}\nconfig: {{seed: 1}}\n"
            "matrix: {axes: {x: [1]}}\n"
            f"---\n{HEAD}kind: ModelRun\nmodel: m\nname: b-{{x}}\n"
            "matrix: {axes: {x: [1]}}\n"
            f"---\n{HEAD}kind: ModelRun\nmodel: m\nname: c\n"
            "configFrom: {name: base, set: {x: 1}}\n"
            f"---\n{HEAD}kind: ModelRun\nmodel: m\nname: d\nconfig: {{x: 1}}\n"
        }
    )

    assert desired.bases == {
        run_address("m", "a-1"): {"seed": 1},
        run_address("m", "b-1"): {},
        run_address("m", "c"): {"opt": {"by": "adam", "lr": 1}},
    }


_KEYS = st.sampled_from(["a", "b", "c.d", "c.e", "f.g.h"])
_SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3)


@given(st.dictionaries(_KEYS, _SCALARS))
def test_what_is_laid_over_a_config_is_found_at_its_path(
    values: Mapping[str, JsonValue],
) -> None:
    config: JsonObject = {"c": {"d": 0, "z": 1}, "z": 1}

    laid = lay(values, config)

    assert {axis: _at(laid, axis) for axis in values} == values
    assert _at(laid, "z") == 1
    assert _at(laid, "c.z") == 1
    assert config == {"c": {"d": 0, "z": 1}, "z": 1}


def _at(config: JsonObject, axis: str) -> JsonValue:
    found: JsonValue = config
    for part in axis.split("."):
        assert isinstance(found, dict)
        found = found[part]
    return found


def test_values_are_said_in_one_line() -> None:
    assert describe({"a.b": "x", "c": 0.1}) == 'a.b = "x", c = 0.1'


def test_a_value_that_looks_like_an_axis_is_left_alone() -> None:
    assert fill("{a}-{b}", {"a": "{b}", "b": "x"}) == "{b}-x"


@given(st.data())
def test_exclusions_leave_out_what_they_say_and_those_that_do_not_are_told(
    data: st.DataObject,
) -> None:
    scalars = st.sampled_from([0, 1, 2, True, False, None, "1", "true", 0.5])
    axes = data.draw(
        st.dictionaries(
            st.sampled_from("abcd"), st.lists(scalars, min_size=1, max_size=3)
        )
    )
    points = st.fixed_dictionaries({}, optional=dict.fromkeys(axes, scalars))
    excluded = data.draw(st.lists(points, max_size=4))
    combinations = [
        dict(zip(axes, values, strict=True)) for values in product(*axes.values())
    ]

    hits = list(_hits(axes, excluded))

    assert [list(_bits(hit, len(combinations))) for hit in hits] == [
        [
            all(repr(one[axis]) == repr(value) for axis, value in point.items())
            for one in combinations
        ]
        for point in excluded
    ]


def test_many_exclusions_cost_little_more_than_one() -> None:
    axes: dict[str, list[JsonValue]] = {f"a{n}": [0, 1, 2, 3] for n in range(8)}
    random = Random(0)
    excluded: list[dict[str, JsonValue]] = [
        {axis: random.randrange(4) for axis in random.sample(sorted(axes), 4)}
        for _ in range(3_000)
    ]

    before = process_time()
    assert all(_hits(axes, excluded))
    assert process_time() - before < 2
