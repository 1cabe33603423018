"""What is wrong with files of annotations and metrics, and where it is written."""

import json
from pathlib import Path

import pytest

from reconciler.annotations.places import steps_of
from reconciler.annotations.rules import Rules
from reconciler.diagnostics import Span
from reconciler.report.diagnostics import render_diagnostics
from reconciler.rows.places import JsonPath
from reconciler.state.resources import RowIdentity
from tests.annotations.uploading import (
    MENTION,
    box,
    file,
    metric,
    pointed,
    prepared,
    radio,
    refused,
    said,
    sent,
    table,
    uuid,
    written,
)


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("", ()),
        (
            "classifications[0].answer[12].name",
            ("classifications", 0, "answer", 12, "name"),
        ),
        ("metricValue['0.5']", ("metricValue", "0.5")),
        ("""a["it's"]['b\\\\']""", ("a", "it's", "b\\")),
        ("a[...].b", ("a",)),
        ("a['cut...", ("a",)),
    ],
)
def test_a_path_is_taken_apart_as_far_as_it_can_be_read(
    path: str, steps: JsonPath
) -> None:
    assert steps_of(path) == steps


def test_what_the_checker_refuses_is_pointed_to(tmp_path: Path) -> None:
    wrong = ' {"dataRow": {"globalKey": "a"}, "name": "radio_q", "answers": [{"name": '
    wrong += '"é"}], "custom_metrics": [{"name": "", "value": 1}]}'

    error = refused([file(tmp_path / "p.ndjson", box(), wrong, box(name="cta"))])

    assert said(error) == [
        "p.ndjson:2:74: 'radio_q' has no option 'é' [annotation-invalid]",
        "p.ndjson:2:109: customMetrics[0].name is empty [annotation-invalid]",
        "p.ndjson:3:41: the ontology has no feature 'cta'; did you mean 'cat'? "
        "[annotation-invalid]",
    ]
    assert pointed(error) == ['"é"', '""', '"cta"']
    assert {one.related for one in error.diagnostics} == {((MENTION, "named here"),)}


def test_a_problem_is_shown_with_a_caret(tmp_path: Path) -> None:
    source = file(tmp_path / "p.ndjson", '{"dataRow": {"id": ""}, "name": "x"}')

    shown = render_diagnostics(refused([source]).diagnostics)

    assert shown.splitlines()[:4] == [
        "Error: p.ndjson:1:1: the row is nothing: it has none of answer, answers, bbox, "
        "line, location, mask, masks, messageEvaluationTask, point, polygon, "
        "relationship, segments, textSelections [annotation-invalid]",
        '    {"dataRow": {"id": ""}, "name": "x"}',
        "    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "  run.yaml:3:5: named here",
    ]


def test_a_line_that_is_no_json_is_pointed_to_where_it_breaks(tmp_path: Path) -> None:
    latin = json.dumps(box(more="?")).encode().replace(b"?", b"\xff")
    source = file(tmp_path / "p.ndjson", "\ufeff{]", "", ' {"é": tru}', '{"a":', latin)

    assert said(refused([source])) == [
        "p.ndjson:1:2: the line is not JSON: object keys must be strings (byte 1) "
        "[annotation-invalid]",
        "p.ndjson:2:1: the line is empty [annotation-invalid]",
        "p.ndjson:3:9: the line is not JSON: invalid character (byte 8) "
        "[annotation-invalid]",
        "p.ndjson:4:6: the line is not JSON: input data was truncated "
        "[annotation-invalid]",
        "p.ndjson:5:113: p.ndjson is not UTF-8 text: byte 0xff [not-utf8]",
    ]


@pytest.mark.parametrize(
    ("line", "place", "why"),
    [
        ('"so', 4, "not JSON: input data was truncated"),
        ("so", 1, "not JSON: invalid character (byte 0)"),
        ("tru", 4, "not JSON: input data was truncated"),
        ('{"uuid": 5, "name"}', 19, "not JSON: expected ':' (byte 18)"),
        ('"so"', 1, "no object; it must be {...}"),
        ("[1]", 1, "no object; it must be {...}"),
        ("5", 1, "no object; it must be {...}"),
    ],
)
def test_a_line_that_is_no_object_says_what_it_is_not(
    tmp_path: Path, line: str, place: int, why: str
) -> None:
    source = file(tmp_path / "p.ndjson", line)

    [only] = said(refused([source]))

    assert only == f"p.ndjson:1:{place}: the line is {why} [annotation-invalid]"


def test_a_field_that_was_meant_is_named_when_a_row_is_nothing(tmp_path: Path) -> None:
    text = {**radio(), "locaton": {"start": 1, "end": 2}, "other": 1}
    del text["answer"]
    source = file(tmp_path / "p.ndjson", text)

    assert said(refused([source])) == [
        "p.ndjson:1:1: the row is nothing: 'locaton' is no field; did you mean "
        "'location'? [annotation-invalid]"
    ]


def test_a_misspelt_feature_hides_no_other_mistake(tmp_path: Path) -> None:
    wrong = box(name="cot", uuid="one", dataRow={}, bbox={"top": 1}, confidence=2)
    spelt = box(name="cot", bbox={"top": 1, "left": 2, "height": -3, "width": 4})
    source = file(tmp_path / "p.ndjson", wrong, spelt)

    assert said(refused([source])) == [
        "p.ndjson:1:13: dataRow needs either an id or a globalKey; it has neither "
        "[annotation-invalid]",
        "p.ndjson:1:25: the ontology has no feature 'cot'; did you mean 'cat'? "
        "[annotation-invalid]",
        "p.ndjson:1:40: bbox: object missing required field left [annotation-invalid]",
        "p.ndjson:1:60: uuid is 'one', which is no UUID [annotation-invalid]",
        "p.ndjson:1:81: confidence is 2.0; it must be from 0 to 1 [annotation-invalid]",
        "p.ndjson:2:41: the ontology has no feature 'cot'; did you mean 'cat'? "
        "[annotation-invalid]",
        "p.ndjson:2:88: bbox.height is -3.0; it must be 0 or more [annotation-invalid]",
    ]


def test_a_row_that_is_next_to_another_in_number_is_not_what_was_meant(
    tmp_path: Path,
) -> None:
    source = file(tmp_path / "p.ndjson", box("d-3"), box("dd-5"), box("d-05"))

    error = refused([source], members=frozenset({"d-5", "d-4"}))

    assert [one.hint for one in error.diagnostics] == [
        None,
        "did you mean 'd-5'?",
        "did you mean 'd-5'?",
    ]


def test_a_row_that_the_run_does_not_have_is_an_error(tmp_path: Path) -> None:
    source = file(tmp_path / "p.ndjson", box("img-1"), box("img-01"), metric("zzz"))

    error = refused([source], members=frozenset({"img-1", "img-2", "other"}))

    assert said(error) == [
        "p.ndjson:2:27: the run has no data row 'img-01' [row-not-in-run]",
        "p.ndjson:3:27: the run has no data row 'zzz' [row-not-in-run]",
    ]
    assert pointed(error) == ['"img-01"', '"zzz"']
    assert [one.hint for one in error.diagnostics] == ["did you mean 'img-1'?", None]


def test_a_label_for_a_row_outside_the_dataset_is_an_error(tmp_path: Path) -> None:
    error = refused(
        labels=[file(tmp_path / "l.ndjson", box("x"))],
        owner=("project", "pets"),
        members={"a"},
    )

    assert said(error) == [
        "l.ndjson:1:27: the project's dataset has no data row 'x' [row-not-in-run]"
    ]


def test_rows_that_are_named_otherwise_than_the_membership_are_an_error(
    tmp_path: Path,
) -> None:
    by_id = box(dataRow={"id": "x"})
    source = file(tmp_path / "p.ndjson", by_id, box("a"))

    asked = refused([source], by=RowIdentity.GLOBAL_KEY, members={"a", "x"})
    mixed = refused([source])

    assert said(asked) == [
        "p.ndjson:1:20: the data row is named by data row id, and must be by global key "
        "[wrong-row-name]"
    ]
    assert said(mixed) == [
        "p.ndjson:2:27: the data row is named by global key, and must be by data row id "
        "[wrong-row-name]"
    ]
    assert pointed(mixed) == ['"a"']


def test_two_annotations_of_one_uuid_on_a_row_are_an_error(tmp_path: Path) -> None:
    upper = box(number=1) | {"uuid": uuid(1).replace("-", "")}
    rows = [box(number=1), box("b", 1), upper]

    error = refused([file(tmp_path / "p.ndjson", *rows), file(tmp_path / "q", rows[0])])

    assert said(error) == [
        "p.ndjson:3:10: the data row 'a' has two annotations with the uuid "
        f"{uuid(1)} [uuid-twice]",
        f"q:1:10: the data row 'a' has two annotations with the uuid {uuid(1)} "
        "[uuid-twice]",
    ]
    assert pointed(error) == ['"00000000000040008000000000000001"', f'"{uuid(1)}"']
    assert error.diagnostics[1].related[0] == (Span("p.ndjson", 1), "the first one")


def test_two_answers_to_one_question_about_a_row_are_an_error(tmp_path: Path) -> None:
    checklist = {**radio(), "name": "check_q", "answer": [{"name": "x"}]}
    text = {**radio(), "name": "free_text", "answer": "so"}
    lines = [
        radio(),
        radio("b"),
        checklist,
        text,
        {**text, "answer": "or so"},
        {**checklist, "answer": [{"name": "y"}]},
        radio(answer="b"),
        radio(uuid=uuid(1)),
    ]
    source = file(tmp_path / "p.ndjson", *lines)

    for error in (refused([source]), refused(labels=[source])):
        assert said(error) == [
            "p.ndjson:5:41: the data row 'a' has two answers to 'free_text' "
            "[answered-twice]",
            "p.ndjson:6:41: the data row 'a' has two answers to 'check_q' "
            "[answered-twice]",
            "p.ndjson:7:41: the data row 'a' has two answers to 'radio_q' "
            "[answered-twice]",
            "p.ndjson:8:41: the data row 'a' has two answers to 'radio_q' "
            "[answered-twice]",
        ]
        first = [one.related[0] for one in error.diagnostics]
        assert first == [
            (Span("p.ndjson", line), "the first one") for line in (4, 3, 1, 1)
        ]
        assert pointed(error)[0] == '"free_text"'


def test_every_message_of_a_row_has_one_answer(tmp_path: Path) -> None:
    lines = [radio(), radio(messageId="1"), radio(messageId="2"), radio(messageId="1")]
    source = file(tmp_path / "p.ndjson", *lines)

    assert said(refused([source])) == [
        "p.ndjson:4:41: the message '1' of the data row 'a' has two answers to "
        "'radio_q' [answered-twice]"
    ]
    assert prepared([file(tmp_path / "p.ndjson", *lines[:3])])


def test_answers_on_frames_may_be_several(tmp_path: Path) -> None:
    answers = [{"name": "a", "frames": [{"start": 1, "end": 2}]}]
    later = [{"name": "b", "frames": [{"start": 3, "end": 4}]}]
    lines = [{**radio(), "answer": one} for one in (answers, later)]

    [uploads] = prepared([file(tmp_path / "p.ndjson", *lines)], media_type="VIDEO")

    assert len(sent(uploads)) == 2


def test_a_metric_that_is_given_twice_is_an_error(tmp_path: Path) -> None:
    other = metric(featureName="cat")
    source = file(tmp_path / "p.ndjson", metric(), other, metric("b"), metric())
    more = table(tmp_path / "m.csv", 'row,feature,name,value\n"a",cat,m,1\nb,,m,2\n')

    error = refused([source], [more, written(metric())])

    assert said(error) == [
        "m.csv:2:9: the metric 'm' of 'cat' is there twice for the data row 'a' "
        "[metric-twice]",
        "m.csv:3:4: the metric 'm' is there twice for the data row 'b' [metric-twice]",
        "p.ndjson:4:47: the metric 'm' is there twice for the data row 'a' "
        "[metric-twice]",
        "run.yaml:20:7: the metric 'm' is there twice for the data row 'a' "
        "[metric-twice]",
    ]
    assert pointed(error) == ["m", "m", '"m"', None]
    assert error.diagnostics[0].related == (
        (Span("p.ndjson", 2), "the first one"),
        (MENTION, "named here"),
    )


def test_one_metric_has_one_aggregation_in_the_whole_run(tmp_path: Path) -> None:
    source = file(tmp_path / "p.ndjson", metric(), metric("b", aggregation="SUM"))
    more = table(tmp_path / "m.csv", "row,name,value,aggregation\nc,m,1,SUM\nd,n,1,\n")

    error = refused([source], [more])

    assert said(error) == [
        "m.csv:2:7: the metric 'm' has the aggregation SUM; others of it have "
        "ARITHMETIC_MEAN [metric-aggregation]",
        "p.ndjson:2:87: the metric 'm' has the aggregation SUM; others of it have "
        "ARITHMETIC_MEAN [metric-aggregation]",
    ]
    assert pointed(error) == ["SUM", '"SUM"']
    assert error.diagnostics[1].related[0] == (
        Span("p.ndjson", 1),
        "ARITHMETIC_MEAN here",
    )


def test_a_row_takes_so_many_metrics_and_no_more(tmp_path: Path) -> None:
    rows = [metric(name=f"m{n}") for n in range(3)]
    again = metric(name="m0", featureName="cat")
    source = file(tmp_path / "p.ndjson", *rows, again, metric("b"))

    names = refused([source], rules=Rules(metrics_per_row=2))
    identities = refused(
        [source], rules=Rules(metrics_per_row=3, metrics_counted="identities")
    )

    assert said(names) == [
        "p.ndjson:3:47: a data row takes 2 metrics; for 'a' this is one more "
        "[too-many-metrics]"
    ]
    assert said(identities) == [
        "p.ndjson:4:47: a data row takes 3 metrics; for 'a' this is one more "
        "[too-many-metrics]"
    ]
    assert len(prepared([source], rules=Rules(metrics_per_row=3))) == 2


def test_a_row_takes_so_many_annotations_of_a_feature(tmp_path: Path) -> None:
    rows = [box(number=1), radio(), box("b"), box(number=2), box(number=3)]
    source = file(tmp_path / "p.ndjson", *rows)

    error = refused([source], rules=Rules(annotations_per_feature=2))

    assert said(error) == [
        "p.ndjson:5:1: the data row 'a' has more than 2 annotations of 'cat' "
        "[annotation-invalid]"
    ]


def test_what_a_relationship_relates_must_be_on_its_row(tmp_path: Path) -> None:
    ends = {"source": uuid(1), "target": uuid(2)}
    row = {"dataRow": {"globalKey": "a"}, "name": "rel", "relationship": ends}
    rows = [row, box(number=1), box("b", 2)]

    error = refused([file(tmp_path / "p.ndjson", *rows)])

    assert said(error) == [
        f"p.ndjson:1:125: relationship.target is {uuid(2)}; the data row 'a' has no "
        "such annotation [annotation-invalid]"
    ]


def test_a_relationship_relates_no_relationships(tmp_path: Path) -> None:
    ends = {"source": uuid(1), "target": uuid(2)}
    row = {
        "uuid": uuid(2),
        "dataRow": {"globalKey": "a"},
        "name": "rel",
        "relationship": ends,
    }

    error = refused([file(tmp_path / "p.ndjson", row, box(number=1))])

    assert [one.message for one in error.diagnostics] == [
        f"relationship.target is {uuid(2)}; the data row 'a' has no such annotation"
    ]


def test_an_end_that_was_refused_itself_is_not_missed(tmp_path: Path) -> None:
    ends = {"source": uuid(1), "target": uuid(1)}
    row = {"dataRow": {"globalKey": "a"}, "name": "rel", "relationship": ends}

    error = refused([file(tmp_path / "p.ndjson", row, box(number=1, name="cta"))])

    assert [one.span and one.span.line for one in error.diagnostics] == [2]


def test_files_of_metrics_hold_nothing_else(tmp_path: Path) -> None:
    error = refused(metrics=[file(tmp_path / "m.ndjson", metric(), box())])

    assert said(error) == [
        "m.ndjson:2:1: the line is no metric; annotations are predictions "
        "[annotation-invalid]"
    ]


def test_labels_have_no_metrics(tmp_path: Path) -> None:
    error = refused(
        labels=[file(tmp_path / "l.ndjson", metric())], owner=("project", "pets")
    )

    assert said(error) == [
        "l.ndjson:1:47: metrics come with predictions, not with a label "
        "[annotation-invalid]"
    ]


def test_what_is_wrong_with_a_written_metric_is_said_where_it_is_written() -> None:
    error = refused(metrics=[written(metric(name="iou"))])

    assert said(error) == [
        "run.yaml:20:7: metricName 'iou' is the name of a metric that is computed; "
        "choose another [annotation-invalid]"
    ]


def test_every_problem_of_every_source_is_said_at_once(tmp_path: Path) -> None:
    missing = file(tmp_path / "gone.ndjson")
    Path(missing.path).unlink()

    error = refused(
        [
            missing,
            file(tmp_path / "empty.ndjson"),
            file(tmp_path / "p.ndjson", "{", box(number=1), box(number=1)),
        ],
        [table(tmp_path / "m.csv", "row,name,value\na,m,x\n")],
        members={"a"},
    )

    assert [(one.code, str(one.span)) for one in error.diagnostics] == [
        ("empty-file", "empty.ndjson:1:1"),
        ("row-invalid", "m.csv:2:5"),
        ("annotation-invalid", "p.ndjson:1:2"),
        ("uuid-twice", "p.ndjson:3:10"),
        ("file-missing", "run.yaml:3:5"),
    ]


def test_of_very_many_problems_the_first_of_the_text_are_shown(tmp_path: Path) -> None:
    rows = [box(f"r{n}", 1) for n in range(100)]
    wrong = ["[]"] * 30

    error = refused([file(tmp_path / "p.ndjson", *wrong, *rows, *rows)], per_job=1)

    shown = [
        (one.code, one.span and one.span.line, one.message) for one in error.diagnostics
    ]
    assert [line for code, line, _ in shown if code == "annotation-invalid"] == [
        *range(1, 12)
    ]
    assert [line for code, line, _ in shown if code == "uuid-twice"] == [
        *range(131, 142)
    ]
    assert shown[10][2] == "the same is wrong in 20 more places of p.ndjson"
    assert shown[-1][2] == "the same is wrong in 90 more places of p.ndjson"


TABLES = {
    "no number": (
        "row,name,value\na,m,1\nb,m,1_0\n",
        "m.csv:3:5: 'value' is '1_0', which is no number [row-invalid]",
    ),
    "no value": (
        "row,name,value\na,m,\n",
        "m.csv:2:5: 'value' is '', which is no number [row-invalid]",
    ),
    "no whole number": (
        "row,name,tp,fp,tn,fn\na,m,1,2,3.0,4\n",
        "m.csv:2:9: 'tn' is '3.0', which is no whole number [row-invalid]",
    ),
    "no confidence": (
        "row,name,value,confidence\na,m,1,half\n",
        "m.csv:2:7: 'confidence' is 'half', which is no number [row-invalid]",
    ),
    "one confidence twice": (
        "row,name,value,confidence\na,m,1,0.5\na,m,1,0.1\na,m,1,0.50\n",
        "m.csv:4:7: the metric has another value already; this one is at confidence "
        "0.5 [metric-twice]",
    ),
    "a value with and one without a confidence": (
        "row,name,value,confidence\na,m,1,\na,m,1,0.1\n",
        "m.csv:3:7: the metric has another value already; this one is at confidence "
        "0.1 [metric-twice]",
    ),
    "two aggregations": (
        "row,name,value,confidence,aggregation\na,m,1,0.5,SUM\na,m,1,0.1,\n",
        "m.csv:3:11: the metric has another aggregation at another confidence "
        "[metric-aggregation]",
    ),
    "a confidence that is none": (
        "row,name,value,confidence\na,m,1,0.5\na,m,1,2\n",
        "m.csv:3:5: metricValue['2'] is no confidence; it must be a number from 0 to 1 "
        "[annotation-invalid]",
    ),
    "too few confidences": (
        "row,name,value,confidence\na,m,1,0.5\n",
        "m.csv:2:5: metricValue takes 2 to 15 confidences; it has 1 "
        "[annotation-invalid]",
    ),
    "an unknown feature": (
        "row,name,feature,value\na,m,cta,1\n",
        "m.csv:2:5: the ontology has no feature 'cta'; did you mean 'cat'? "
        "[annotation-invalid]",
    ),
    "no row": (
        "row,name,value\n,m,1\n",
        "m.csv:2:1: dataRow holds an empty name [annotation-invalid]",
    ),
    "no name": (
        "row,name,value\na,,1\n",
        "m.csv:2:3: metricName is empty; leave it out, or give the metric a name "
        "[annotation-invalid]",
    ),
    "another row": (
        "row,name,value\na,m,1\nx,m,1\n",
        "m.csv:3:1: the run has no data row 'x' [row-not-in-run]",
    ),
    "no lines": ("row,name,value\n", "m.csv:1:1: m.csv has no rows [empty-file]"),
}


@pytest.mark.parametrize(("text", "expected"), TABLES.values(), ids=TABLES)
def test_what_is_wrong_with_a_table_is_said_where_it_stands(
    tmp_path: Path, text: str, expected: str
) -> None:
    error = refused(
        metrics=[table(tmp_path / "m.csv", text)], members=frozenset({"a", "b"})
    )

    assert said(error) == [expected]


def test_a_column_that_a_table_does_not_have_is_said_where_it_is_named(
    tmp_path: Path,
) -> None:
    source = table(
        tmp_path / "m.csv", "key,metric,value\na,m,1\n", row="key", name="metrik"
    )

    [problem] = refused(metrics=[source]).diagnostics

    assert str(problem) == (
        "run.yaml:3:5: m.csv has no column 'metrik'; it has 'key', 'metric', 'value' "
        "[wrong-column]"
    )
    assert problem.hint == "did you mean 'metric'?"


def test_columns_may_have_other_names_than_what_they_hold(tmp_path: Path) -> None:
    source = table(tmp_path / "m.csv", "k,n,v\na,m,1\n", row="k", name="n", value="v")

    [uploads] = prepared(metrics=[source])

    assert sent(uploads) == [metric(metricValue=1)]
