import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.diagnostics import InputError, Span
from reconciler.manifest.load import find_workspace, load, select_addresses
from reconciler.manifest.workspace import Limits, Workspace
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
            page_size=1000,
            export_above=2000,
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
            requests_per_minute=None, batch_size=1, page_size=2, export_above=3
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
