"""What is said of data that runs learn from and are examined with."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from reconciler.diagnostics import Diagnostic, InputError
from reconciler.manifest.load import find_workspace, load, load_to_lock
from reconciler.rows.digest import digest_rows
from reconciler.state.resources import Split

T, V, E, U = Split
Write = Callable[[dict[str, str]], Path]
TODAY = date(2026, 6, 15)

WORKSPACE = """\
apiVersion: reconciler/v1
kind: Workspace
name: example
CHECKS
"""

DOCUMENTS = """\
apiVersion: reconciler/v1
kind: Ontology
name: o
---
apiVersion: reconciler/v1
kind: Model
name: m
ontology: o
---
apiVersion: reconciler/v1
kind: Model
name: other
ontology: o
---
apiVersion: reconciler/v1
kind: Dataset
name: notes
files:
  - file: notes.csv
    columns: {globalKey: key, rowData: text, metadata: {city: city}}
"""

NOTES = """\
key,text,city,split
n1,same,Oslo,TRAINING
n2,same,Oslo,TEST
n3,lone,Bergen,TRAINING
n4,only,Bergen,
n5,solo,,TEST
"""

ROWS = """\
---
apiVersion: reconciler/v1
kind: DataRows
name: night
globalKeys: {file: notes.csv, column: key}
splits: {column: split}
"""

CONTENT = "1 content in more than one split, of 2 rows"
GROUP = "1 group in more than one split, of 2 rows"


def files(*documents: str, checks: str = "", notes: str = NOTES) -> dict[str, str]:
    return {
        "reconciler.yaml": WORKSPACE.replace("CHECKS", checks),
        "specs/a.yaml": DOCUMENTS + "".join(documents),
        "specs/notes.csv": notes,
    }


def run(name: str, rows: str, *fields: str, model: str = "m") -> str:
    head = f"---\napiVersion: reconciler/v1\nkind: ModelRun\nmodel: {model}\n"
    return f"{head}name: {name}\nrows: {rows}\n" + "".join(f"{one}\n" for one in fields)


def errors(root: Path, today: date = TODAY) -> list[Diagnostic]:
    try:
        load(find_workspace(root), today=today)
    except InputError as error:
        return [*error.diagnostics]
    return []


def warnings(root: Path, today: date = TODAY) -> list[Diagnostic]:
    return [*load(find_workspace(root), today=today).warnings]


def said(found: list[Diagnostic]) -> list[tuple[str, int, str]]:
    return [(one.code, one.span.line if one.span else 0, one.message) for one in found]


def test_the_same_content_in_two_splits_is_shown_where_splits_are_declared(
    write: Write,
) -> None:
    [found] = errors(write(files(ROWS)))

    assert said([found]) == [("content-across-splits", 26, CONTENT)]
    assert found.details == ("n1 (TRAINING), n2 (TEST)",)
    assert found.excerpt == "splits: {column: split}"


def test_the_same_file_under_two_names_is_the_same_content(write: Write) -> None:
    notes = "key,text,city,split\nn1,a.txt,,TRAINING\nn2,b.txt,,TEST\nn3,c.txt,,TEST\n"
    given = files(ROWS, notes=notes)
    given["specs/a.yaml"] = given["specs/a.yaml"].replace("rowData", "upload")

    texts = {"specs/a.txt": "same", "specs/b.txt": "same", "specs/c.txt": "other"}
    found = errors(write({**given, **texts}))

    assert [one.details for one in found] == [("n1 (TRAINING), n2 (TEST)",)]


def test_rows_that_are_written_in_a_run_are_looked_at_too(write: Write) -> None:
    rows = "{globalKeys: [n1, n2], splits: {lists: {TRAINING: [n1], TEST: [n2]}}}"

    assert said(errors(write(files(run("first", rows))))) == [
        ("content-across-splits", 26, CONTENT)
    ]


def test_unassigned_rows_and_unmanaged_splits_are_in_nobodys_way(write: Write) -> None:
    apart = NOTES.replace("n2,same,Oslo,TEST", "n2,same,Oslo,")
    unsplit = ROWS.replace("splits: {column: split}\n", "")

    assert not errors(write(files(ROWS, notes=apart)))
    assert not errors(write(files(unsplit)))


@pytest.mark.parametrize("group", ["column: city", "metadata: city"])
def test_rows_of_one_group_in_two_splits_are_found(write: Write, group: str) -> None:
    distinct = NOTES.replace("n2,same", "n2,different")
    rows = f"{ROWS}group: {{{group}}}\n"

    [found] = errors(write(files(rows, notes=distinct)))

    assert said([found]) == [("group-across-splits", 26, GROUP)]
    assert found.details == ("Oslo: n1 (TRAINING), n2 (TEST)",)


def test_groups_that_nobody_asks_for_are_not_missed(write: Write) -> None:
    distinct = NOTES.replace("n2,same", "n2,different")
    rows = f"{ROWS}group: {{metadata: town}}\n"
    off = "checks: {groupAcrossSplits: 'off'}"

    assert warnings(write(files(rows, notes=distinct)))
    assert not warnings(write(files(rows, notes=distinct, checks=off)))


def test_groups_of_rows_that_are_named_by_ids_are_not_known(write: Write) -> None:
    rows = (
        "---\napiVersion: reconciler/v1\nkind: DataRows\nname: night\n"
        "dataRowIds: [i1, i2]\nsplits: {lists: {TEST: [i1]}}\n"
        "group: {metadata: city}\n"
    )

    [found] = warnings(write(files(rows)))

    assert found.code == "group-unknown"
    assert found.message == (
        "rows are named by data row ids here, and by global keys in Datasets: groups "
        "aren't checked"
    )
    assert found.hint == "name them by global keys, or name a `column` of the group"


def test_groups_that_nobody_knows_are_a_warning(write: Write) -> None:
    distinct = NOTES.replace("n2,same", "n2,different")
    rows = f"{ROWS}group: {{metadata: town}}\n"

    assert said(warnings(write(files(rows, notes=distinct)))) == [
        (
            "group-unknown",
            27,
            "no data row of a declared Dataset says its 'town': groups aren't checked",
        )
    ]


def test_a_wrong_group_column_is_shown_where_it_is_named(write: Write) -> None:
    rows = f"{ROWS}group: {{column: town}}\n"

    found = errors(write(files(rows)))

    assert [(one.code, str(one.span)) for one in found] == [
        ("wrong-column", "specs/a.yaml:27:17")
    ]


# --- Frozen rows

FREE = NOTES.replace("n2,same", "n2,different")
FROZEN = f"""\
---
apiVersion: reconciler/v1
kind: DataRows
name: exam
globalKeys: [n4, n5]
splits: {{lists: {{TEST: [n4, n5]}}}}
frozen: true
digest: {digest_rows([("n4", E), ("n5", E)])}
"""
LEARNS = "{globalKeys: [n3, n4], splits: {lists: {TRAINING: [n3, n4]}}}"


def test_a_model_may_not_learn_what_it_is_examined_with(write: Write) -> None:
    documents = (FROZEN, run("exam", "exam"), run("first", LEARNS))

    [found] = errors(write(files(*documents, notes=FREE)))

    assert said([found]) == [
        (
            "frozen-trained-on",
            40,
            "1 row in TRAINING that 'exam' examines runs of 'm' with",
        )
    ]
    assert found.details == ("n4",)
    assert [span.line for span, _ in found.related] == [27]


def test_another_model_may_learn_it(write: Write) -> None:
    documents = (FROZEN, run("exam", "exam"), run("first", LEARNS, model="other"))

    assert not errors(write(files(*documents, notes=FREE)))


def test_whoever_learns_from_many_frozen_rows_hears_of_each(write: Write) -> None:
    frozen = [FROZEN.replace("name: exam", f"name: exam{n}") for n in range(10)]
    runs = [run(f"r{n}", f"exam{n}") for n in range(10)]
    documents = (*frozen, *runs, run("first", LEARNS), run("o", LEARNS, model="other"))

    found = errors(write(files(*documents, notes=FREE)))

    assert [one.message for one in found] == [
        f"1 row in TRAINING that 'exam{n}' examines runs of 'm' with" for n in range(10)
    ]


def test_what_is_not_frozen_may_be_learned(write: Write) -> None:
    thawed = FROZEN.replace("frozen: true\n", "")
    documents = (thawed, run("exam", "exam"), run("first", LEARNS))

    assert not errors(write(files(*documents, notes=FREE)))


def test_frozen_rows_that_are_others_are_an_error(write: Write) -> None:
    [found] = errors(write(files(FROZEN.replace("TEST: [n4, n5]", "TEST: [n4]"))))

    assert found.code == "frozen-changed"
    assert digest_rows([("n4", E), ("n5", E)]) in found.message
    assert digest_rows([("n4", E), ("n5", U)]) in found.message


# --- Severities and waivers


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ("", ["error"]),
        ("checks: {contentAcrossSplits: warning}", ["warning"]),
        ("checks: {contentAcrossSplits: 'off'}", []),
        ("checks: {groupAcrossSplits: 'off'}", ["error"]),
    ],
)
def test_a_workspace_says_what_a_finding_means(
    write: Write, checks: str, expected: list[str]
) -> None:
    root = write(files(ROWS, checks=checks))
    found = errors(root)

    told = ["error"] * len(found)
    if not found:
        told = ["warning"] * len(warnings(root))
    assert told == expected


def waived(expires: str, check: str = "content-across-splits") -> str:
    return f"{ROWS}waivers: [{{check: {check}, reason: seen, expires: {expires}}}]\n"


def test_a_waiver_holds_until_its_last_day_is_over(write: Write) -> None:
    root = write(files(waived("2026-06-15")))

    assert not errors(root, date(2026, 6, 15))
    assert not warnings(root, date(2026, 6, 15))
    assert [one.code for one in errors(root, date(2026, 6, 16))] == [
        "content-across-splits",
        "waiver-expired",
    ]


def test_an_expired_waiver_is_as_severe_as_what_it_was_for(write: Write) -> None:
    checks = "checks: {contentAcrossSplits: warning}"

    found = warnings(write(files(waived("2026-01-01"), checks=checks)))

    assert [one.code for one in found] == ["content-across-splits", "waiver-expired"]


def test_a_waiver_beside_an_expired_one_is_enough(write: Write) -> None:
    one = "{check: content-across-splits, reason: seen, expires: DAY}"
    days = (one.replace("DAY", day) for day in ("2026-01-01", "2027-01-01"))
    root = write(files(f"{ROWS}waivers: [{', '.join(days)}]\n"))

    assert not errors(root)


def test_a_waiver_of_nothing_is_a_warning(write: Write) -> None:
    root = write(files(waived("2027-01-01"), notes=FREE))

    assert said(warnings(root)) == [
        (
            "waiver-unused",
            27,
            "nothing is found of content-across-splits, which is waived",
        )
    ]


def test_a_waiver_of_what_nobody_checks_is_kept_quiet(write: Write) -> None:
    checks = "checks: {contentAcrossSplits: 'off'}"

    assert not warnings(write(files(waived("2027-01-01"), checks=checks)))


def test_a_waiver_of_a_run_is_for_what_the_run_learns(write: Write) -> None:
    waiver = "waivers: [{check: frozen-trained-on, reason: old, expires: 2027-01-01}]"
    documents = (FROZEN, run("exam", "exam"), run("first", LEARNS, waiver))

    root = write(files(*documents, notes=FREE))

    assert not errors(root)
    assert not warnings(root)


def test_dishonest_splits_stop_no_lock(write: Write) -> None:
    desired, _ = load_to_lock(find_workspace(write(files(ROWS))))

    assert [str(address) for address in desired.resources][:2] == [
        "ontology/o",
        "model/m",
    ]
