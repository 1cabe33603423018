"""Plans for a pull request's comment."""

import re

from hypothesis import given
from hypothesis import strategies as st

from reconciler.report.markdown import COMMENT_LIMIT, code, escape, render_markdown
from reconciler.state.resources import Model, Ontology, Run, Split
from tests.support.values import (
    MODEL,
    PARENTS,
    RUN,
    SCHEMA,
    current_run,
    members,
    plan_of,
    run,
)


def test_a_plan_is_shown_with_sums_digest_and_changes() -> None:
    plan = plan_of(
        MODEL,
        run(config={"lr": 2}, rows={"a": Split.TEST}),
        there={**PARENTS, RUN: current_run({"lr": 1})},
        rows={RUN: {"b": Split.TEST, "a": Split.TRAINING}},
    )

    assert (
        render_markdown(plan).replace(plan.digest, "DIGEST")
        == """\
### Plan: workspace `test`

On the embedded server.

0 to create, 1 to update, 0 to adopt, 1 unchanged, **0 blocked**

Rows: **1 to remove**, 1 to move, 0 to add; 0 data rows to upload

Digest: `DIGEST`

- **update** `run/digits/svm`
  - **remove 1 row**: `b`
  - move 1 row, TRAINING → TEST: `a`
  - `config.lr`: `1` → `2`
"""
    )


def test_however_much_changes_the_comment_fits_and_says_what_is_left_out() -> None:
    ontology = Ontology("o", None, SCHEMA)
    model = Model("m", ontology.address)
    runs = [
        Run("m", f"r{n:05}", {"note": "ü" * 60}, members({"a": Split.TEST}))
        for n in range(3_000)
    ]
    plan = plan_of(ontology, model, *runs, owned={})

    text = render_markdown(plan)

    assert len(text) <= COMMENT_LIMIT
    assert len(text) > COMMENT_LIMIT * 0.9
    assert plan.digest in text
    assert re.search(r"_[\d,]+ more entries don't fit here", text)


def test_one_endless_value_does_not_push_the_rest_out() -> None:
    plan = plan_of(
        MODEL,
        run(config={"k" * 5_000: 1}, rows={"a": Split.TEST}),
        there=PARENTS,
        owned={},
    )

    text = render_markdown(plan)

    assert "(a line too long to show here)" in text
    assert "add 1 row to TEST" in text


@given(st.text(alphabet=st.characters(), max_size=30))
def test_a_code_span_cannot_be_closed_from_inside(text: str) -> None:
    span = code(text)

    fence = re.match("`+", span)
    assert fence is not None
    inside = span[len(fence[0]) : -len(fence[0])]
    assert span.endswith(fence[0])
    assert fence[0] not in re.findall("`+", inside)
    assert "\n" not in span


def test_escaped_text_mentions_nobody_and_links_nowhere() -> None:
    text = escape("@all #1 <b> [x](http://evil.test) www.evil.test **b** a_b `c`")

    assert not re.search(r"[@<>\[\]()*_`.:/]|#(?!\d+;)", text)
