"""How much one request may ask for, whatever it is about.

Documents are measured before they are validated, because some rules of
validation take the square of what they look at. Arguments are checked before a
resolver sees them, so that no resolver has to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isinf
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Visitor,
    get_named_type,
    visit,
)

from reconciler.server.errors import ApiError, Code, bad_input
from reconciler.server.settings import Limits

TOO_COMPLEX: Final = "Query complexity limit exceeded"
"""The message by which clients know this refusal."""

KNOWN_PAGES: Final[Mapping[str, int]] = {
    "datasetDataRows": 500,
    "failedDataRowImports": 5_000,
    "successesfulDataRowImports": 5_000,
}
"""Pages that the official SDK asks for: a shorter limit doesn't hold for them."""

# What a server of one's own can bear.
_WHOLE: Final = 1_000_000

KNOWN_LISTS: Final[Mapping[str, int]] = {
    "addDataRowsToBatchAsync": 100_000,
    "queryAllDataRowsHaveBeenProcessed": 100_000,
    "exportDataRowsInCatalog": 2_000,
    "exportDataRowsInProject": 2_000,
    "dataRowsForGlobalKeys": _WHOLE,
    "assignGlobalKeysToDataRows": _WHOLE,
    "clearGlobalKeys": _WHOLE,
    "deleteDataRows": _WHOLE,
    "deleteLabels": _WHOLE,
    "deleteModelRunDataRows": _WHOLE,
}
"""Lists that are documented, or that the official SDK sends whole because nothing
is known of a limit: a shorter one doesn't hold for them."""

ARGUMENTS_PER_FIELD: Final = 2
"""How many arguments a document may have for each field that it may have."""

JSON_DEPTH: Final = 64
"""How deep a value of any shape, such as a config, may nest."""

_TEXTS: Final = frozenset({"ID", "String", "IdList"})
_CHECKED: Final = _TEXTS | {"Json"}
_JSON: Final = (str, int, float, bool, dict, list, type(None))


@dataclass(frozen=True, slots=True)
class Extent:
    """How large a selection is with its fragments in place.

    Attributes:
        fields: How many fields it has.
        depth: How deep it nests.
    """

    fields: int
    depth: int


@dataclass(slots=True)
class Measure:
    """Measures the selections of one document.

    Attributes:
        fragments: The document's fragments.
        max_depth: Where measuring is given up.
    """

    fragments: Mapping[str, FragmentDefinitionNode]
    max_depth: int
    _known: dict[str, Extent | None] = field(default_factory=dict)

    def selection(self, node: SelectionSetNode | None, above: int = 0) -> Extent:
        """Measure a selection that is `above` levels below the top.

        Raises:
            ApiError: When it nests deeper than is allowed.
        """
        if node is None:
            return Extent(0, 0)
        if above >= self.max_depth:
            raise _too_deep(self.max_depth)
        fields = depth = 0
        for one in node.selections:
            match one:
                case FieldNode():
                    inner = self.selection(one.selection_set, above + 1)
                    fields += 1
                case InlineFragmentNode():
                    inner = self.selection(one.selection_set, above + 1)
                case FragmentSpreadNode():
                    inner = self._fragment(one.name.value, above + 1)
                case _:
                    continue
            fields += inner.fields
            depth = max(depth, inner.depth + 1)
        return Extent(fields, depth)

    def _fragment(self, name: str, above: int) -> Extent:
        if name not in self.fragments:
            return Extent(0, 0)  # the rules of validation will say so
        if name not in self._known:
            # A fragment within itself is refused by validation as well.
            self._known[name] = None
            self._known[name] = self.selection(
                self.fragments[name].selection_set, above
            )
        found = self._known[name] or Extent(0, 0)
        if above + found.depth > self.max_depth:
            raise _too_deep(self.max_depth)
        return found


def measure_document(tree: DocumentNode, limits: Limits) -> None:
    """Refuse a document that asks for too much, nests too deep, or can't be held.

    Fields count as often as they would be answered: under each alias, and once
    for every place where their fragment is spread. A fragment counts as well, for
    it has to be validated. Arguments count as often as they are written.

    Raises:
        ApiError: Naming the limit, too many fields or arguments in the real
            service's words; or the number that JSON can't hold.
    """
    definitions = tree.definitions
    fragments = {
        one.name.value: one
        for one in definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    measure = Measure(fragments, limits.document_depth)
    fields = 0
    for one in definitions:
        if isinstance(one, OperationDefinitionNode):
            fields += measure.selection(one.selection_set).fields
        elif isinstance(one, FragmentDefinitionNode):
            measure.selection(one.selection_set)  # for its depth
            fields += 1
        if fields > limits.document_fields:
            raise _too_complex()
    visit(tree, _Values(limits.document_fields * ARGUMENTS_PER_FIELD))


class _Values(Visitor):
    """Counts arguments, and refuses numbers that would become null or nothing."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most

    def enter_argument(self, *_: object) -> None:
        self._left -= 1
        if self._left < 0:
            raise _too_complex()

    def enter_int_value(self, node: IntValueNode, *_: object) -> None:
        # The length first: Python refuses to read thousands of digits.
        if len(node.value) > 20 or not -(2**63) <= int(node.value) < 2**64:
            raise _too_large(node.value)

    def enter_float_value(self, node: FloatValueNode, *_: object) -> None:
        if isinf(float(node.value)):
            raise _too_large(node.value)


def mutations_of(
    tree: DocumentNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> frozenset[str]:
    """Name the mutations in a valid document, in whichever of its operations."""
    found: set[str] = set()
    for one in tree.definitions:
        if (
            isinstance(one, OperationDefinitionNode)
            and one.operation is OperationType.MUTATION
        ):
            found |= _roots(one.selection_set, fragments)
    return frozenset(found)


def _roots(
    node: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> set[str]:
    found: set[str] = set()
    for one in node.selections:
        match one:
            case FieldNode():
                found.add(one.name.value)
            case InlineFragmentNode():
                found |= _roots(one.selection_set, fragments)
            case FragmentSpreadNode():
                found |= _roots(fragments[one.name.value].selection_set, fragments)
            case _:
                continue
    return found


def is_bounded(type_: GraphQLInputType, name: str) -> bool:
    """Say whether values of an argument have to be checked at all."""
    while isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    return (
        name == "first"
        or isinstance(type_, GraphQLList | GraphQLInputObjectType)
        or get_named_type(type_).name in _CHECKED
    )


def check_argument(
    type_: GraphQLInputType, value: Any, name: str, root: str, limits: Limits
) -> None:
    """Check the lists, page lengths, texts and values of any shape in an argument.

    Args:
        type_: The argument's type.
        value: Its value, as resolvers get it.
        name: What the schema calls it.
        root: The field that it is for.
        limits: How much is too much.

    Raises:
        ApiError: Naming the limit, or the text that holds a NUL.
    """
    if value is None:
        return
    if isinstance(type_, GraphQLNonNull):
        check_argument(type_.of_type, value, name, root, limits)
    elif isinstance(type_, GraphQLInputObjectType):
        for key, inner in value.items():
            check_argument(type_.fields[key].type, inner, key, root, limits)
    elif isinstance(type_, GraphQLList):
        values = value if isinstance(value, list) else [value]
        _check_length(values, name, root, limits)
        if isinstance(get_named_type(type_), GraphQLInputObjectType):
            for inner in values:
                check_argument(type_.of_type, inner, name, root, limits)
        elif get_named_type(type_).name in _TEXTS:
            _check_texts(values, name)
    elif get_named_type(type_).name in _TEXTS:
        values = value if isinstance(value, list) else [value]
        _check_length(values, name, root, limits)
        _check_texts(values, name)
    elif get_named_type(type_).name == "Json":
        _check_json(value, name)
    elif name == "first":
        _check_page(value, root, limits)


def _check_page(first: object, root: str, limits: Limits) -> None:
    longest = max(limits.items_per_page, KNOWN_PAGES.get(root, 0))
    if isinstance(first, int) and not 0 <= first <= longest:
        raise bad_input(f"first must be between 0 and {longest}")


def _check_length(values: list[Any], name: str, root: str, limits: Limits) -> None:
    if limits.ids_per_request is None:
        return
    most = max(limits.ids_per_request, KNOWN_LISTS.get(root, 0))
    if len(values) > most:
        raise bad_input(
            f"{name} lists {len(values)} items; at most {most} go in one request"
        )


def _check_texts(values: list[str | None], name: str) -> None:
    # Most are long lists without any: those are looked at in one go.
    if "\0" in "".join(filter(None, values)):
        bad = next(one for one in values if one and "\0" in one)
        raise bad_input(f"{name}: {bad!r} holds a NUL character; leave it out")


def _check_json(value: object, name: str) -> None:
    level: list[object] = [value]
    for _ in range(JSON_DEPTH + 1):
        if not all(isinstance(one, _JSON) for one in level):
            raise bad_input(f"{name} holds a file, which can't be a part of it")
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise bad_input(f"{name} must not nest deeper than {JSON_DEPTH} levels")


def _too_complex() -> ApiError:
    return ApiError(Code.GRAPHQL_VALIDATION_FAILED, TOO_COMPLEX)


def _too_large(number: str) -> ApiError:
    shown = number if len(number) <= 40 else f"{number[:40]}..."
    return bad_input(f"{shown} is too large a number")


def _too_deep(most: int) -> ApiError:
    return bad_input(f"the document nests deeper than {most} levels")
