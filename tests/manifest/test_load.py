import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from reconciler.diagnostics import InputError, Span
from reconciler.manifest.load import (
    find_workspace,
    load,
    load_to_lock,
    select_addresses,
)
from reconciler.manifest.workspace import Checks, Limits, Severity, Workspace
from reconciler.plan.guards import Guards, Threshold
from reconciler.state.address import Address
from reconciler.state.snapshot import Desired

Write = Callable[[dict[str, str]], Path]
Load = Callable[[dict[str, str]], Desired]

HEAD = "apiVersion: reconciler/v1\n"
WORKSPACE = f"{HEAD}kind: Workspace\nname: example\n"


def _ontology(name: str) -> str:
    return f"{HEAD}kind: Ontology\nname: {name}\n"


def _codes(workspace: Workspace) -> list[str]:
    with pytest.raises(InputError) as raised:
        load(workspace)
    return [f"{found.span}: {found.code}" for found in raised.value.diagnostics]


def test_a_workspace_has_defaults(write: Write) -> None:
    root = write({})

    assert find_workspace(root) == Workspace(
        root=root.resolve(),
        name="example",
        remote="local",
        folders=("specs",),
        guards=Guards(rows_removed=Threshold(count=100, percent=10)),
        limits=Limits(
            requests_per_minute=1500,
            batch_size=10_000,
            page_size=5000,
            export_above=10_000,
            runs_per_model=None,
            predictions_per_job=1000,
            lock_rows=100_000,
        ),
        checks=Checks(
            content_across_splits=Severity.ERROR,
            group_across_splits=Severity.ERROR,
            frozen_trained_on=Severity.ERROR,
        ),
    )


def test_a_workspace_says_everything_itself(write: Write) -> None:
    settings = (
        "remote: labelbox\n"
        "folders: [./one/, two/three]\n"
        "guards: {rowsRemoved: {count: 5, percent: 2.5}}\n"
        "limits:\n"
        "  requestsPerMinute: null\n"
        "  batchSize: 1\n"
        "  pageSize: 2\n"
        "  exportAbove: 3\n"
        "  runsPerModel: 4\n"
        "  predictionsPerJob: 5\n"
        "  lockRows: 0\n"
        "checks:\n"
        "  contentAcrossSplits: off\n"
        "  groupAcrossSplits: warning\n"
        "  frozenTrainedOn: error\n"
    )
    root = write(
        {
            "reconciler.yaml": WORKSPACE + settings,
            "one/a.yaml": "",
            "two/three/a.yaml": "",
        }
    )

    assert find_workspace(root) == Workspace(
        root=root.resolve(),
        name="example",
        remote="labelbox",
        folders=("one", "two/three"),
        guards=Guards(rows_removed=Threshold(count=5, percent=2.5)),
        limits=Limits(
            requests_per_minute=None,
            batch_size=1,
            page_size=2,
            export_above=3,
            runs_per_model=4,
            predictions_per_job=5,
            lock_rows=0,
        ),
        checks=Checks(
            content_across_splits=Severity.OFF,
            group_across_splits=Severity.WARNING,
            frozen_trained_on=Severity.ERROR,
        ),
    )


def test_the_nearest_workspace_above_a_file_is_found(write: Write) -> None:
    root = write(
        {"specs/deep/a.yaml": _ontology("a"), "inner/reconciler.yaml": WORKSPACE}
    )

    assert find_workspace(root / "specs/deep/a.yaml").root == root.resolve()
    assert find_workspace(root / "inner").root == (root / "inner").resolve()


def test_a_start_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="file-missing"):
        find_workspace(tmp_path / "nowhere")


def test_files_are_read_in_the_order_of_their_paths(load_files: Load) -> None:
    desired = load_files(
        {
            "specs/b.yml": _ontology("w"),
            "specs/a/z.yaml": _ontology("x") + "---\n" + _ontology("y"),
            "specs/a.yaml": _ontology("z"),
            "specs/.hidden/x.yaml": "not: a manifest",
            "specs/.x.yaml": "not: a manifest",
            "specs/x.yaml.orig": "not: a manifest",
            "elsewhere/x.yaml": "not: a manifest",
        }
    )

    assert [str(address) for address in desired.resources] == [
        "ontology/z",
        "ontology/x",
        "ontology/y",
        "ontology/w",
    ]
    assert desired.origins[Address.parse("ontology/y")] == Span(
        "specs/a/z.yaml", 7, 7, 7, 8
    )


def test_a_file_in_two_folders_is_read_once(load_files: Load) -> None:
    desired = load_files(
        {
            "reconciler.yaml": WORKSPACE + "folders: [specs, specs/a, .]\n",
            "specs/a/a.yaml": _ontology("a"),
        }
    )

    assert [str(address) for address in desired.resources] == ["ontology/a"]


def test_a_problem_shows_the_line_it_is_on(write: Write) -> None:
    root = write({"specs/a.yaml": f"{HEAD}kind: Modl\n"})

    with pytest.raises(InputError) as raised:
        load(find_workspace(root))

    (found,) = raised.value.diagnostics
    assert found.span == Span("specs/a.yaml", 2, 7, 2, 11)
    assert found.excerpt == "kind: Modl"


def test_a_value_that_was_refused_is_not_blamed_twice(write: Write) -> None:
    root = write({"specs/a.yaml": f"{HEAD}kind: Ontology\nname: 1e400\n"})

    assert _codes(find_workspace(root)) == ["specs/a.yaml:3:7: yaml-number"]


def test_problems_come_in_the_order_of_files_and_lines(write: Write) -> None:
    root = write(
        {
            "specs/b.yaml": f"{HEAD}kind: B\n---\n{HEAD}kind: C\n",
            "specs/a.yaml": f"{HEAD}kind: Model\nname: a\nontology: nobody\n---\n- x\n",
        }
    )

    assert _codes(find_workspace(root)) == [
        # Nothing is said of names, for the lost documents may have them.
        "specs/a.yaml:6:1: wrong-type",
        "specs/b.yaml:2:7: unknown-kind",
        "specs/b.yaml:5:7: unknown-kind",
    ]


def test_a_document_with_problems_can_still_be_referred_to(write: Write) -> None:
    root = write(
        {
            "specs/a.yaml": f"{HEAD}kind: Model\nname: m\nontology: o\n",
            "specs/b.yaml": _ontology("o") + "colour: red\n",
        }
    )

    assert _codes(find_workspace(root)) == ["specs/b.yaml:4:1: unknown-field"]


def test_a_link_to_a_manifest_outside_is_refused(write: Write) -> None:
    root = write({"reconciler.yaml": WORKSPACE, "specs/a.yaml": _ontology("a")})
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "b.yaml").write_text(_ontology("b"))
    (root / "specs/file.yaml").symlink_to(outside / "b.yaml")
    (root / "specs/folder").symlink_to(outside)
    (root / "specs/nothing.yaml").symlink_to(root / "specs/gone.yaml")

    assert _codes(find_workspace(root)) == [
        "specs/file.yaml:1:1: file-outside",
        "specs/folder:1:1: file-outside",
        "specs/nothing.yaml:1:1: file-missing",
    ]


@pytest.mark.parametrize("folder", [".", "specs"])
def test_the_file_of_a_workspace_is_no_link_that_leaves(
    folder: str, write: Write
) -> None:
    root = write({"specs/a.yaml": _ontology("a")})
    (root.parent / "secret").write_text("KEY=secret\n")
    own = root / folder / "reconciler.yaml"
    own.unlink(missing_ok=True)
    own.symlink_to(root.parent / "secret")

    with pytest.raises(InputError) as raised:
        find_workspace(root / folder)

    (found,) = raised.value.diagnostics
    assert (found.code, found.excerpt) == ("file-outside", None)
    assert "secret" not in str(found)


def test_the_file_of_a_workspace_may_be_a_link_inside_of_it(write: Write) -> None:
    root = write({"reconciler.yaml": "", "settings/own.yaml": WORKSPACE + "x: 1\n"})
    (root / "reconciler.yaml").unlink()
    (root / "reconciler.yaml").symlink_to(root / "settings/own.yaml")

    with pytest.raises(InputError, match=r"^reconciler.yaml:4:1: .*unknown-field"):
        find_workspace(root)


def test_a_pipe_is_no_workspace_and_nobody_waits_for_it(write: Write) -> None:
    root = write({"specs/a.yaml": _ontology("a")})
    os.mkfifo(root / "specs/reconciler.yaml")

    with pytest.raises(InputError, match=r"reconciler\.yaml is no file"):
        find_workspace(root / "specs")


def test_links_to_what_is_hidden_are_refused(write: Write) -> None:
    rows = f"{HEAD}kind: DataRows\nname: r\nglobalKeys: {{file: keys.txt}}\n"
    root = write({"specs/a.yaml": rows, ".git/config": "secret\n"})
    for name in ("keys.txt", "b.yaml"):
        (root / "specs" / name).symlink_to(root / ".git/config")

    assert _codes(find_workspace(root)) == [
        "specs/a.yaml:4:20: file-outside",
        "specs/b.yaml:1:1: file-outside",
    ]


def test_a_workspace_below_a_hidden_folder_is_not_hidden(tmp_path: Path) -> None:
    root = tmp_path / ".cache" / "checkout"
    (root / "specs").mkdir(parents=True)
    (root / "reconciler.yaml").write_text(WORKSPACE)
    (root / "specs/a.yaml").write_text(_ontology("a"))

    assert len(load(find_workspace(root)).resources) == 1


def test_a_folder_of_manifests_is_not_hidden(write: Write) -> None:
    root = write({"reconciler.yaml": WORKSPACE + "folders: [.git]\n", ".git/a": ""})

    with pytest.raises(InputError, match=r"'\.git': what begins with a dot"):
        find_workspace(root)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"a\nb.yaml:1:1: fine.yaml", "a\\nb.yaml:1:1: fine.yaml"),
        (b"\x1b[2J.yaml", "\\x1b[2J.yaml"),
        (b"\xff.yaml", "\\udcff.yaml"),
        ("\u202elmay.yaml".encode(), "\\u202elmay.yaml"),
    ],
    ids=["line", "terminal", "bytes", "turned"],
)
def test_a_manifest_with_an_unfit_name_is_refused_by_an_escaped_one(
    name: bytes, shown: str, write: Write
) -> None:
    root = write({"specs/a.yaml": _ontology("a")})
    (root / "specs" / os.fsdecode(name)).write_text(_ontology("b"))

    with pytest.raises(InputError) as raised:
        load(find_workspace(root))

    (found,) = raised.value.diagnostics
    assert found.code == "file-name"
    assert found.span == Span(f"specs/{shown}")
    assert f"the name specs/{shown} " in found.message


def test_names_too_long_for_any_file_are_said(write: Write) -> None:
    name = "x" * 5_000
    root = write({"reconciler.yaml": f"{WORKSPACE}folders: [{name}]\n"})

    with pytest.raises(InputError, match="file-missing"):
        find_workspace(root)


def test_ten_problems_of_a_kind_and_file_are_said_and_the_rest_counted(
    write: Write,
) -> None:
    wrong = "---\n".join(f"{HEAD}kind: K{n}\n" for n in range(1_000))
    bad = "".join(
        f"---\n{HEAD}kind: DataRows\nname: r{n}\nglobalKeys: [{'x, ' * 13}]\n"
        for n in range(3)
    )
    root = write({"specs/a.yaml": wrong, "specs/b.yaml": bad})

    with pytest.raises(InputError) as raised:
        load(find_workspace(root))

    found = [str(each) for each in raised.value.diagnostics]
    assert len(found) == 22
    assert found[10] == (
        "specs/a.yaml:32:7: the same is wrong in 990 more places of specs/a.yaml"
        " [unknown-kind]"
    )
    assert found[21] == (
        "specs/b.yaml:5:47: the same is wrong in 26 more places of specs/b.yaml"
        " [row-twice]"
    )


def test_many_problems_are_found_in_little_time(write: Write) -> None:
    # Names that are alike take longest to compare; one line, to be looked up.
    names = [f"a-name-that-is-like-the-others-{n:05}" for n in range(1_500)]
    models = "---\n".join(
        f"{HEAD}kind: Model\nname: {name}\nontology: {name}x\n"
        f"---\n{HEAD}kind: Ontology\nname: {name}\n"
        for name in names
    )
    fields = ", ".join(f"field{n}: 1" for n in range(10_000))
    root = write(
        {
            "specs/a.yaml": models,
            "specs/b.yaml": "{apiVersion: reconciler/v1, kind: Model, name: m, "
            f"ontology: {names[0]}, {fields}}}\n",
        }
    )
    began = time.process_time()

    codes = _codes(find_workspace(root))

    assert time.process_time() - began < 10
    assert [code.rpartition(" ")[2] for code in codes] == [
        *["dangling-reference"] * 11,
        *["unknown-field"] * 11,
    ]


def test_a_reference_shows_three_of_many_declarations(write: Write) -> None:
    twice = "---\n".join(_ontology("o") for _ in range(500))
    model = f"---\n{HEAD}kind: Model\nname: m\nontology: o\n"
    root = write({"specs/a.yaml": model, "specs/b.yaml": twice})

    with pytest.raises(InputError) as raised:
        load(find_workspace(root))

    assert raised.value.diagnostics[0].related == (
        (Span("specs/b.yaml", 3, 7, 3, 8), "declared here"),
        (Span("specs/b.yaml", 7, 7, 7, 8), "declared here"),
        (
            Span("specs/b.yaml", 11, 7, 11, 8),
            "declared here, and in 497 more places",
        ),
    )


def test_links_inside_of_the_workspace_are_followed_once(write: Write) -> None:
    root = write({"shared/b.yaml": _ontology("b"), "specs/a.yaml": _ontology("a")})
    (root / "specs/link").symlink_to(root / "shared")
    (root / "specs/loop").symlink_to(root / "specs")

    desired = load(find_workspace(root))

    assert [str(address) for address in desired.resources] == [
        "ontology/a",
        "ontology/b",
    ]
    assert desired.origins[Address.parse("ontology/b")].file == "specs/link/b.yaml"


def test_row_files_behind_a_link_that_leaves_are_refused(write: Write) -> None:
    rows = f"{HEAD}kind: DataRows\nname: r\nglobalKeys: {{file: keys.txt}}\n"
    root = write({"specs/a.yaml": rows})
    (root.parent / "keys.txt").write_text("secret\n")
    (root / "specs/keys.txt").symlink_to(root.parent / "keys.txt")

    assert _codes(find_workspace(root)) == ["specs/a.yaml:4:20: file-outside"]


def test_a_file_that_may_not_be_read_is_said(write: Write) -> None:
    root = write({"specs/a.yaml": _ontology("a")})
    os.mkfifo(root / "specs/b.yaml")

    assert _codes(find_workspace(root)) == ["specs/b.yaml:1:1: file-missing"]


def test_a_workspace_is_no_place_for_a_second_one(write: Write) -> None:
    root = write({"specs/reconciler.yaml": WORKSPACE})

    assert _codes(find_workspace(root)) == [
        "specs/reconciler.yaml:2:7: misplaced-workspace"
    ]


@pytest.mark.parametrize(
    ("path", "selected"),
    [
        (".", None),
        ("specs", None),
        ("specs/", None),
        ("specs/../specs", None),
        ("..", None),
        ("specs/a.yaml", {"ontology/a"}),
        ("specs/b", {"ontology/b", "ontology/c"}),
        ("specs/b/c.yaml", {"ontology/c"}),
    ],
)
def test_a_path_selects_what_is_declared_there(
    path: str, selected: set[str] | None, write: Write
) -> None:
    root = write(
        {
            "specs/a.yaml": _ontology("a"),
            "specs/b/b.yaml": _ontology("b"),
            "specs/b/c.yaml": _ontology("c"),
        }
    )
    workspace = find_workspace(root)

    found = select_addresses(load(workspace), workspace, root / path)

    assert (None if found is None else set(map(str, found))) == selected


def test_a_path_may_be_a_link_of_the_workspace(write: Write) -> None:
    root = write({"shared/b.yaml": _ontology("b"), "specs/a.yaml": _ontology("a")})
    (root / "specs/b.yaml").symlink_to(root / "shared/b.yaml")
    workspace = find_workspace(root)

    found = select_addresses(load(workspace), workspace, root / "specs/b.yaml")

    assert found == frozenset({Address.parse("ontology/b")})


def test_a_path_is_relative_to_where_one_is(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write({"specs/a.yaml": _ontology("a"), "specs/b.yaml": _ontology("b")})
    workspace = find_workspace(root)
    desired = load(workspace)
    monkeypatch.chdir(root / "specs")

    found = select_addresses(desired, workspace, Path("a.yaml"))

    assert found == frozenset({Address.parse("ontology/a")})
    assert select_addresses(desired, workspace, Path()) is None


@pytest.mark.parametrize("path", ["specs/rows.yaml", "specs/none.yaml", "elsewhere"])
def test_a_path_that_selects_nothing_is_said(path: str, write: Write) -> None:
    rows = f"{HEAD}kind: DataRows\nname: r\nglobalKeys: [a]\n"
    root = write({"specs/a.yaml": _ontology("a"), "specs/rows.yaml": rows})
    workspace = find_workspace(root)

    with pytest.raises(InputError, match="no-manifests"):
        select_addresses(load(workspace), workspace, root / path)


def test_loading_needs_no_slow_library() -> None:
    script = (
        "import sys, reconciler.manifest.load;"
        "print(sorted({'duckdb', 'httpx', 'click', 'deepdiff', 'sqlalchemy'}"
        " & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


SELECTED = f"{HEAD}kind: Dataset\nname: d\n---\n{HEAD}kind: DataRows\nname: r\nselect: {{dataset: d}}\n"


def test_a_missing_lock_stops_loading_but_not_locking(write: Write) -> None:
    workspace = find_workspace(write({"specs/a.yaml": SELECTED}))

    assert _codes(workspace) == ["specs/a.yaml:8:1: lock-missing"]
    desired, locks = load_to_lock(workspace)
    assert [str(address) for address in desired.resources] == ["dataset/d"]
    assert [*map(str, locks.wanted)] == ["rows/r"]
    assert [problem.code for problem in locks.problems] == ["lock-missing"]


def test_what_no_lock_can_mend_stops_locking_too(write: Write) -> None:
    text = SELECTED.replace("dataset: d", "dataset: e")
    workspace = find_workspace(write({"specs/a.yaml": text}))

    with pytest.raises(InputError) as raised:
        load_to_lock(workspace)

    assert [found.code for found in raised.value.diagnostics] == ["dangling-reference"]


LEAKING = {
    "specs/a.yaml": (
        f"{HEAD}kind: Dataset\nname: d\n"
        "files: [{file: d.csv, columns: {globalKey: k, rowData: r}}]\n"
        f"---\n{HEAD}kind: DataRows\nname: r\nglobalKeys: [a, b]\n"
        "splits: {lists: {TRAINING: [a], TEST: [b]}}\n"
    ),
    "specs/d.csv": "k,r\na,same\nb,same\n",
}
WAIVER = (
    "waivers: [{check: content-across-splits, reason: known, expires: 2027-01-31}]\n"
)


def test_a_finding_stops_loading_but_not_locking(write: Write) -> None:
    workspace = find_workspace(write(LEAKING))

    assert _codes(workspace) == ["specs/a.yaml:10:1: content-across-splits"]
    load_to_lock(workspace)


def test_a_warning_comes_along_with_its_line(write: Write) -> None:
    warned = WORKSPACE + "checks: {contentAcrossSplits: warning}\n"
    workspace = find_workspace(write({**LEAKING, "reconciler.yaml": warned}))

    (warning,) = load(workspace).warnings

    assert warning.code == "content-across-splits"
    assert warning.excerpt == "splits: {lists: {TRAINING: [a], TEST: [b]}}"


def test_a_waiver_holds_until_the_end_of_its_last_day(write: Write) -> None:
    files = {**LEAKING, "specs/a.yaml": LEAKING["specs/a.yaml"] + WAIVER}
    workspace = find_workspace(write(files))

    assert load(workspace, today=date(2027, 1, 31)).warnings == ()
    with pytest.raises(InputError, match="waiver-expired"):
        load(workspace, today=date(2027, 2, 1))
