"""Where in a line a problem is: paths of problems to the names in the text."""

import ast
import re
from typing import Final

from reconciler.rows.places import JsonPath, Spellings

SPELLINGS: Final[Spellings] = {
    "answer": ("answer", "answers"),
    "answers": ("answer", "answers"),
    "customMetrics": ("customMetrics", "custom_metrics"),
    "schemaId": ("schemaId", "schema_id"),
}
"""What fields may be called in a line, the one that counts first."""

_STEP: Final = re.compile(
    r"""\.?(?P<field>[^\W\d]\w*)
      | \[(?P<position>\d+)\]
      | \[(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]""",
    re.VERBOSE,
)


def steps_of(path: str) -> JsonPath:
    """Take the path of a `Problem` apart, as far as it can be read.

    `classifications[0].answer.name` is `("classifications", 0, "answer", "name")`,
    and `metricValue['0.5']` is `("metricValue", "0.5")`.
    """
    steps: list[str | int] = []
    at = 0
    while step := _STEP.match(path, at):
        at = step.end()
        if step["field"]:
            steps.append(step["field"])
        elif step["position"]:
            steps.append(int(step["position"]))
        else:
            steps.append(str(ast.literal_eval(step["quoted"])))
    return tuple(steps)
