"""What manifests want locked, and what their locks must say."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from reconciler.diagnostics import InputError
from reconciler.manifest.load import find_workspace, load, load_to_lock
from reconciler.manifest.locks import WantedLabels, WantedRows, file_name
from reconciler.rows.lock_labels import labels_header, labels_lines
from reconciler.rows.lock_large import write_parquet
from reconciler.rows.lock_rows import in_parquet, row_fields, rows_header, rows_lines
from reconciler.state.address import Address, RemoteId, project_address, run_address
from reconciler.state.canonical import JsonValue
from reconciler.state.labels import ContentHash, LabelPins, PinnedLabel
from reconciler.state.resources import Run, Split
from reconciler.state.selection import Condition, Selection

T, V, E, U = Split
Write = Callable[[dict[str, str]], Path]

DOCUMENTS = """\
apiVersion: reconciler/v1
kind: Ontology
name: o
---
apiVersion: reconciler/v1
kind: Dataset
name: streets
---
apiVersion: reconciler/v1
kind: Project
name: truth
---
apiVersion: reconciler/v1
kind: Model
name: m
ontology: o
---
"""

ROWS = """\
apiVersion: reconciler/v1
kind: DataRows
name: night
select: {dataset: streets, keys: "n*", metadata: [{field: n, equals: [1, true]}]}
splits: {hash: {weights: {TRAINING: 50, TEST: 50}}}
FIELDS
---
apiVersion: reconciler/v1
kind: ModelRun
model: m
name: first
rows: night
"""

LABELLED = """\
apiVersion: reconciler/v1
kind: ModelRun
model: m
name: first
labels: LABELS
"""

SELECT: dict[str, JsonValue] = {
    "source": "dataset/streets",
    "keys": "n*",
    "metadata": [{"field": "n", "equals": [1, True], "minimum": None, "maximum": None}],
}
SPLITS: JsonValue = {
    "hash": {"weights": {"TRAINING": 50, "TEST": 50}, "salt": "", "group": None}
}
MEMBERS = {"n1": T, "n2": E}


def rows_lock(
    rows: Mapping[str, Split] = MEMBERS,
    select: Mapping[str, JsonValue] = SELECT,
    splits: JsonValue = SPLITS,
    parquet: Path | None = None,
) -> str:
    header = rows_header(
        select=dict(select),
        splits=splits,
        endpoint="local",
        organisation=RemoteId("org"),
        rows=rows,
        groups=None,
    )
    if parquet:
        digest = write_parquet(row_fields(header, rows, None), parquet)
        header = in_parquet(header, digest)
    return "".join(rows_lines(header, rows, None))


def labels_lock(project: str | None = "truth") -> str:
    labels = {
        "n1": PinnedLabel("n1", ContentHash("sha256:" + "a" * 64), RemoteId("l1"))
    }
    header = labels_header(
        project=project_address(project) if project else None,
        endpoint="local",
        organisation=RemoteId("org"),
        labels=labels,
    )
    return "".join(labels_lines(header, labels))


def rows_files(fields: str = "", **locks: str) -> dict[str, str]:
    named = {f"specs/locks/rows/{name}.lock": text for name, text in locks.items()}
    return {"specs/a.yaml": DOCUMENTS + ROWS.replace("FIELDS\n", fields), **named}


def labels_files(labels: str, **locks: str) -> dict[str, str]:
    named = {f"specs/locks/labels/m/{name}.lock": text for name, text in locks.items()}
    return {"specs/a.yaml": DOCUMENTS + LABELLED.replace("LABELS", labels), **named}


def first(root: Path) -> Run:
    found = load(find_workspace(root)).resources[run_address("m", "first")]
    assert isinstance(found, Run)
    return found


def problems(root: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load(find_workspace(root))
    return [f"{one} ({one.hint})" for one in caught.value.diagnostics]


def test_rows_are_those_of_the_lock(write: Write) -> None:
    run = first(write(rows_files(night=rows_lock())))

    assert run.rows is not None
    assert dict(run.rows) == MEMBERS
    assert run.rows.assigns_splits


def test_what_must_be_locked_is_told_whatever_is_wrong_with_locks(write: Write) -> None:
    root = write(rows_files() | {"specs/locks/rows/night.lock": "gibberish\n"})

    desired, locks = load_to_lock(find_workspace(root))

    [wanted] = locks.wanted.values()
    assert isinstance(wanted, WantedRows)
    assert str(wanted.address) == "rows/night"
    assert wanted.file.name == "specs/locks/rows/night.lock"
    assert wanted.selection == Selection(
        source=Address.parse("dataset/streets"),
        keys="n*",
        metadata=(Condition(field="n", equals=(1, True)),),
    )
    assert wanted.splits == SPLITS
    assert [one.code for one in locks.problems] == ["lock-edited"]
    assert run_address("m", "first") in desired.resources


def test_no_lock_is_a_problem_that_says_what_to_do(write: Write) -> None:
    assert problems(write(rows_files())) == [
        "specs/a.yaml:21:1: rows/night has no lock: there is no "
        "specs/locks/rows/night.lock [lock-missing] (run `reconciler lock rows/night`, "
        "review, and commit it)"
    ]


@pytest.mark.parametrize(
    ("lock", "why"),
    [
        (rows_lock(select={**SELECT, "keys": "x*"}), "another selection"),
        (
            rows_lock(
                select={
                    **SELECT,
                    "metadata": [
                        {
                            "field": "n",
                            "equals": [1, 1],
                            "minimum": None,
                            "maximum": None,
                        }
                    ],
                }
            ),
            "another selection",
        ),
        (rows_lock(splits={"hash": {"weights": {"TEST": 100}}}), "other splits"),
        (rows_lock(splits=None), "other splits"),
        (labels_lock(), "labels, not for rows"),
    ],
)
def test_a_lock_for_something_else_is_out_of_date(
    write: Write, lock: str, why: str
) -> None:
    assert problems(write(rows_files(night=lock))) == [
        f"specs/a.yaml:21:1: specs/locks/rows/night.lock was made for {why} "
        "[lock-outdated] (run `reconciler lock --update rows/night`, review, and "
        "commit it)"
    ]


def test_an_edited_lock_is_shown_with_its_line(write: Write) -> None:
    lock = rows_lock().replace("n2\tTEST", "n2\tTSET")

    assert problems(write(rows_files(night=lock))) == [
        "specs/locks/rows/night.lock:4:1: specs/locks/rows/night.lock isn't as it was "
        "made: 'TSET' is no split [lock-edited] (run `reconciler lock --update "
        "rows/night`, review, and commit it)"
    ]


def test_a_lock_may_have_another_place(write: Write) -> None:
    files = rows_files("lock: ../night.lock\n")

    run = first(write({**files, "night.lock": rows_lock()}))

    assert run.rows is not None
    assert dict(run.rows) == MEMBERS


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../../night.lock", "file-outside"),
        ("/night.lock", "file-outside"),
        (".hidden/night.lock", "file-outside"),
        ("night.txt", "wrong-value"),
    ],
)
def test_a_lock_stays_in_the_workspace_and_is_called_one(
    write: Write, path: str, code: str
) -> None:
    root = write(rows_files(f"lock: {path}\n"))

    with pytest.raises(InputError) as caught:
        load_to_lock(find_workspace(root))

    assert [one.code for one in caught.value.diagnostics] == [code]


def test_a_lock_behind_a_link_that_leaves_the_workspace_is_not_read(
    write: Write, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "night.lock").write_text(rows_lock())
    root = write(rows_files("lock: there/night.lock\n"))
    (root / "specs" / "there").symlink_to(outside)

    assert any("[file-outside]" in each for each in problems(root))


def test_rows_of_a_large_lock_are_beside_it_and_named_by_the_manifest(
    write: Write,
) -> None:
    root = write(rows_files())
    folder = root / "specs" / "locks" / "rows"
    folder.mkdir(parents=True)
    (folder / "night.lock").write_text(rows_lock(parquet=folder / "night.parquet"))

    [unnamed] = problems(root)
    digest = unnamed.partition("`digest: ")[2].partition("`")[0]
    write(rows_files(f"digest: {digest}\n"))
    run = first(root)
    (folder / "night.parquet").unlink()

    assert "[digest-missing]" in unnamed
    assert run.rows is not None
    assert dict(run.rows) == MEMBERS
    assert (
        "there is no specs/locks/rows/night.parquet [lock-missing]" in problems(root)[0]
    )


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("digest: sha256:" + "0" * 64, ["digest-differs"]),
        ("frozen: true\ndigest: sha256:" + "0" * 64, ["frozen-changed"]),
    ],
)
def test_a_digest_that_does_not_fit_stops_a_plan_but_no_lock(
    write: Write, fields: str, found: list[str]
) -> None:
    root = write(rows_files(f"{fields}\n", night=rows_lock()))

    _, locks = load_to_lock(find_workspace(root))

    assert [one.code for one in locks.problems] == found
    assert [one.partition("[")[2].partition("]")[0] for one in problems(root)] == found


def test_two_documents_may_not_take_one_lock_for_different_rows(write: Write) -> None:
    files = rows_files("lock: shared.lock\n")
    other = ROWS.partition("---")[0].replace("night", "day").replace("n*", "d*")
    text = f"{files['specs/a.yaml']}---\n{other.replace('FIELDS', 'lock: shared.lock')}"

    found = problems(write({"specs/a.yaml": text, "specs/shared.lock": rows_lock()}))

    assert [one.partition("[")[2].partition("]")[0] for one in found] == ["lock-shared"]
    assert (
        "specs/shared.lock would be the lock of rows/day and of rows/night" in found[0]
    )


def test_labels_are_those_of_the_lock(write: Write) -> None:
    run = first(write(labels_files("{project: truth}", first=labels_lock())))

    assert isinstance(run.labels, LabelPins)
    assert run.labels.project == project_address("truth")
    assert run.labels.organisation == "org"
    assert list(run.labels.labels) == ["n1"]
    assert run.labels.name == "specs/locks/labels/m/first.lock"


def test_labels_of_a_lock_alone_are_of_no_project(write: Write) -> None:
    files = labels_files("{lock: a.lock}") | {"specs/a.lock": labels_lock(None)}

    root = write(files)
    run = first(root)
    _, locks = load_to_lock(find_workspace(root))

    assert isinstance(run.labels, LabelPins)
    assert run.labels.project is None
    assert not locks.wanted


@pytest.mark.parametrize(
    ("labels", "lock", "code"),
    [
        ("{project: truth}", None, "lock-missing"),
        ("{project: truth}", labels_lock("lies"), "lock-outdated"),
        ("{project: truth}", labels_lock(None), "lock-outdated"),
        ("{project: truth}", rows_lock(), "lock-outdated"),
        ("{project: truth}", labels_lock().replace("l1", "l1\t"), "lock-edited"),
    ],
)
def test_labels_need_their_lock(
    write: Write, labels: str, lock: str | None, code: str
) -> None:
    root = write(labels_files(labels, **({"first": lock} if lock else {})))

    _, locks = load_to_lock(find_workspace(root))

    assert [one.code for one in locks.problems] == [code]
    assert isinstance(locks.wanted[run_address("m", "first")], WantedLabels)
    assert f"[{code}]" in problems(root)[0]


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("night", "night"),
        ("a b.c", "a b.c"),
        (".hidden", "%2Ehidden"),
        ("..", "%2E."),
        ("a/b", "a%2Fb"),
        ("50%", "50%25"),
        ("n\xe6r", "n\xe6r"),
        ("a\u2028b", "a%E2%80%A8b"),
    ],
)
def test_a_lock_is_called_after_what_it_is_for(name: str, called: str) -> None:
    assert file_name(name) == called


def test_the_file_of_a_long_name_can_be_made() -> None:
    long, other = file_name("\xe6" * 300), file_name("\xe6" * 301)

    assert len(long.encode()) <= 200
    assert long != other
