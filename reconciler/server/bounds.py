"""How much one request may ask for, whatever it is about.

Documents are measured before they are validated, because some rules of
validation take the square of what they look at. Arguments are checked before a
resolver sees them, so that no resolver has to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
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
    """Refuse a document that asks for too many fields, or nests too deep.

    Fields count as often as they would be answered: under each alias, and once
    for every place where their fragment is spread. A fragment counts as well, for
    it has to be validated.

    Raises:
        ApiError: Naming the limit; too many fields in the real service's words.
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
            raise ApiError(Code.GRAPHQL_VALIDATION_FAILED, TOO_COMPLEX)


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
        or get_named_type(type_).name == "IdList"
    )


def check_argument(
    type_: GraphQLInputType, value: Any, name: str, root: str, limits: Limits
) -> None:
    """Check the lists and page lengths in an argument.

    Args:
        type_: The argument's type.
        value: Its value, as resolvers get it.
        name: What the schema calls it.
        root: The field that it is for.
        limits: How much is too much.

    Raises:
        ApiError: Naming the limit.
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
        _check_length(values, name, limits)
        if isinstance(get_named_type(type_), GraphQLInputObjectType):
            for inner in values:
                check_argument(type_.of_type, inner, name, root, limits)
    elif isinstance(value, list) and get_named_type(type_).name == "IdList":
        _check_length(value, name, limits)
    elif name == "first":
        _check_page(value, root, limits)


def _check_page(first: object, root: str, limits: Limits) -> None:
    longest = max(limits.items_per_page, KNOWN_PAGES.get(root, 0))
    if isinstance(first, int) and not 0 <= first <= longest:
        raise bad_input(f"first must be between 0 and {longest}")


def _check_length(values: list[Any], name: str, limits: Limits) -> None:
    most = limits.ids_per_request
    if most is not None and len(values) > most:
        raise bad_input(
            f"{name} lists {len(values)} items; at most {most} go in one request"
        )


def _too_deep(most: int) -> ApiError:
    return bad_input(f"the document nests deeper than {most} levels")
