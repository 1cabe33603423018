"""Field-level differences of free-form configs.

The only module that knows deepdiff: its answer is turned into `FieldChange`
at once, so that nothing else depends on the shape of that library's answer.
"""

from collections.abc import Iterator

from reconciler.plan.changes import MISSING, FieldChange, Path
from reconciler.state.canonical import JsonObject, JsonValue


def diff_fields(before: JsonObject, after: JsonObject) -> tuple[FieldChange, ...]:
    """List the leaves of canonical *after* that differ from *before*, by path.

    Lists are compared by position: in a config the order of layers or of
    learning rates is part of the value.
    """
    if before == after and _same_types(before, after):
        return ()
    if not before:
        return added_fields(after)
    from deepdiff import DeepDiff
    from deepdiff.helper import notpresent

    tree = DeepDiff(
        before,
        after,
        view="tree",
        threshold_to_diff_deeper=0,
        zip_ordered_iterables=True,
        ignore_private_variables=False,  # or keys that begin with __ don't count
    )
    changes = [
        FieldChange(
            path=tuple(leaf.path(output_format="list")),
            before=MISSING if leaf.t1 is notpresent else leaf.t1,
            after=MISSING if leaf.t2 is notpresent else leaf.t2,
        )
        for leaves in tree.values()
        for leaf in leaves
    ]
    assert changes, "values that aren't equal differ somewhere"
    return tuple(sorted(changes, key=lambda change: _sortable(change.path)))


def added_fields(config: JsonObject) -> tuple[FieldChange, ...]:
    """List every leaf of a config that there was nothing of before."""
    return tuple(
        FieldChange(path, MISSING, value) for path, value in _leaves(config, ())
    )


def _leaves(value: JsonValue, path: Path) -> Iterator[tuple[Path, JsonValue]]:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _leaves(value[key], (*path, key))
    elif path:
        yield path, value


def _same_types(before: JsonValue, after: JsonValue) -> bool:
    # Python's == says True == 1; JSON doesn't.
    match before, after:
        case dict(), dict():
            return all(_same_types(before[key], after[key]) for key in before)
        case list(), list():
            return all(map(_same_types, before, after))
        case _:
            return isinstance(before, bool) is isinstance(after, bool)


def _sortable(path: Path) -> list[tuple[bool, int, str]]:
    return [
        (isinstance(part, str), part if isinstance(part, int) else 0, str(part))
        for part in path
    ]
