"""A document and its variables become an answer, by the schema.

graphql-core parses, validates and walks the document. Two things it does one
by one are done at once instead, by executing against a variant of the schema:
values in which nothing must be looked up are leaves, cut to the selection by
`shapes`; and lists of ids are one scalar, checked with one comparison.
"""

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    ListTypeNode,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    ValueNode,
    Visitor,
    build_schema,
    execute_sync,
    get_named_type,
    is_list_type,
    parse,
    validate,
    value_from_ast_untyped,
    visit,
)

from reconciler.server.errors import ApiError, Code
from reconciler.server.shapes import Compiler, Shape, cut

Resolver: TypeAlias = Callable[..., Any]
"""Called as `(source, info, **arguments)`, arguments in snake_case."""

Resolvers: TypeAlias = Mapping[tuple[str, str], Resolver]
"""By type and field; every other field is read off what its parent answered."""

log = logging.getLogger("reconciler.server")

CACHED_DOCUMENTS: Final = 512
CACHED_BYTES: Final = 20_000
"""Longer documents carry their data inline and won't come again."""

_RENAMED: Final = {"from": "after", "id": "identifier", "input": "asked"}
_VARIANT = "\nscalar Plain\nscalar IdList\n"
_BRACKETS = re.compile(r'"(?:\\.|[^"\\\n])*"|#[^\n]*|[{(\[]|[})\]]')


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is valid by the schema.

    Attributes:
        tree: As it is executed.
        fragments: By name.
        introspects: Whether it asks for the schema itself.
        shapes: What was compiled of it, by the first node of a field.
    """

    tree: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]
    introspects: bool
    shapes: dict[int, Shape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schema that clients see, and its variant that is executed."""

    published: GraphQLSchema
    variant: GraphQLSchema


def build_schemas(text: str, resolvers: Resolvers) -> Schemas:
    """Build both schemas; this takes some 50 ms, and they never change."""
    return Schemas(build_schema(text), _variant(text, resolvers))


class Api:
    """The schema with its resolvers, and the documents seen so far."""

    def __init__(self, schemas: Schemas, *, max_bytes: int, max_depth: int) -> None:
        self._published = schemas.published
        self._variant = schemas.variant
        self._max_bytes = max_bytes
        self._max_depth = max_depth
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._lock = threading.Lock()

    def execute(
        self,
        text: str,
        variables: Mapping[str, Any],
        *,
        operation: str | None,
        request: object,
    ) -> dict[str, Any]:
        """Answer a request with the body of its response.

        Args:
            text: The document.
            variables: As they came in.
            operation: Which one, if the document has several.
            request: What resolvers find as `info.context.request`.
        """
        try:
            document = self._document(text)
        except Refused as refused:
            return failure(refused.errors)
        result = execute_sync(
            self._published if document.introspects else self._variant,
            document.tree,
            context_value=Context(request, self._published, document, variables),
            variable_values=dict(variables),
            operation_name=operation,
        )
        if result.errors:
            return failure([_describe(error) for error in result.errors])
        return {"data": result.data}

    def _document(self, text: str) -> Document:
        with self._lock:
            if found := self._documents.get(text):
                self._documents.move_to_end(text)
                return found
        document = self._validate(text)
        if len(text) <= CACHED_BYTES:
            with self._lock:
                self._documents[text] = document
                while len(self._documents) > CACHED_DOCUMENTS:
                    self._documents.popitem(last=False)
        return document

    def _validate(self, text: str) -> Document:
        self._limit(text)
        try:
            tree = parse(text)
        except GraphQLError as error:
            raise Refused(
                [problem(Code.GRAPHQL_PARSE_FAILED, error.message)]
            ) from error
        if errors := validate(self._published, tree):
            raise Refused(
                [
                    problem(
                        Code.GRAPHQL_VALIDATION_FAILED, error.message.replace("'", '"')
                    )
                    for error in errors
                ]
            )
        introspects = _introspects(tree)
        return Document(
            tree=tree if introspects else visit(tree, _IdLists()),
            fragments={
                node.name.value: node
                for node in tree.definitions
                if isinstance(node, FragmentDefinitionNode)
            },
            introspects=introspects,
        )

    def _limit(self, text: str) -> None:
        if len(text) > self._max_bytes:
            message = f"the document is longer than {self._max_bytes} characters"
            raise Refused([problem(Code.BAD_USER_INPUT, message)])
        depth = 0
        for bracket in _BRACKETS.findall(text):
            depth += (bracket in "{([") - (bracket in "})]")
            if depth > self._max_depth:
                message = f"the document nests deeper than {self._max_depth} brackets"
                raise Refused([problem(Code.BAD_USER_INPUT, message)])


@dataclass(frozen=True, slots=True)
class Context:
    """What resolvers know of the request they work for."""

    request: Any
    schema: GraphQLSchema
    document: Document
    variables: Mapping[str, Any]


Info: TypeAlias = "GraphQLResolveInfo[Context]"
"""What a resolver is told; its `context` is ours."""


class Refused(Exception):  # noqa: N818  # it is a refusal, and never leaves here
    """A document that isn't executed."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        self.errors = errors
        super().__init__(errors)


def shape_of(info: Info) -> Shape:
    """Tell a resolver what is selected of its field."""
    context = info.context
    key = id(info.field_nodes[0])
    if found := context.document.shapes.get(key):
        return found
    owner = context.schema.type_map[info.parent_type.name]
    assert isinstance(owner, GraphQLObjectType)
    inner = get_named_type(owner.fields[info.field_name].type)
    compiler = Compiler(context.schema, context.document.fragments, context.variables)
    shape = compiler.compile(inner.name, info.field_nodes)
    # Two operations of one document may share fields through a fragment, but a
    # field's parent is the same type in both.
    if compiler.reusable:
        context.document.shapes[key] = shape
    return shape


def problem(code: Code, message: str) -> dict[str, Any]:
    """Describe one error as clients expect it."""
    described: dict[str, Any] = {"message": message, "extensions": {"code": code}}
    if code is Code.INTERNAL_SERVER_ERROR:
        described["extensions"]["exception"] = {"status": 500}
    if code is Code.MALFORMED_REQUEST:
        # Where a client looks for it when an export can't be started.
        described["errors"] = [message]
    return described


def failure(errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Make the body of an answer that says what went wrong, and nothing else."""
    return {"errors": list(errors), "data": None}


def _describe(error: GraphQLError) -> dict[str, Any]:
    match error.original_error:
        case ApiError() as refusal:
            return problem(refusal.code, refusal.message)
        case None:
            return problem(Code.BAD_USER_INPUT, error.message)
        case bug if error.path is None:
            # A scalar has refused a variable.
            return problem(Code.BAD_USER_INPUT, str(bug))
        case bug:
            where = ".".join(str(part) for part in error.path)
            log.error("a bug in %s", where, exc_info=bug)
            return problem(Code.INTERNAL_SERVER_ERROR, "Internal server error")


def _introspects(tree: DocumentNode) -> bool:
    roots = [
        node.name.value
        for definition in tree.definitions
        if isinstance(definition, OperationDefinitionNode)
        for node in definition.selection_set.selections
        if isinstance(node, FieldNode)
    ]
    asks = [name in {"__schema", "__type"} for name in roots]
    if any(asks) and not all(asks):
        message = "ask for the schema in a document of its own"
        raise Refused([problem(Code.BAD_USER_INPUT, message)])
    return any(asks)


class _IdLists(Visitor):
    """Gives variables that are lists of ids the type of one value."""

    def enter_list_type(self, node: ListTypeNode, *_: object) -> NamedTypeNode | None:
        inner = node.type.type if isinstance(node.type, NonNullTypeNode) else node.type
        if isinstance(inner, NamedTypeNode) and inner.name.value == "ID":
            return NamedTypeNode(name=NameNode(value="IdList"))
        return None


def _variant(text: str, resolvers: Resolvers) -> GraphQLSchema:
    schema = build_schema(text + _VARIANT)
    plain = schema.type_map["Plain"]
    ids = schema.type_map["IdList"]
    assert isinstance(plain, GraphQLScalarType)
    assert isinstance(ids, GraphQLScalarType)
    _parse_with(ids, parse_ids)
    _parse_numbers(schema)
    busy = _looked_up(schema, resolvers)
    for type_ in schema.type_map.values():
        if type_.name.startswith("__"):
            continue
        if isinstance(type_, GraphQLInputObjectType):
            for value in type_.fields.values():
                value.type = _id_list(value.type, ids)
        if isinstance(type_, GraphQLObjectType):
            for name, defined in type_.fields.items():
                _prepare(defined, resolvers.get((type_.name, name)), busy, plain)
                for argument_name, argument in defined.args.items():
                    argument.type = _id_list(argument.type, ids)
                    argument.out_name = _python_name(argument_name)
    return schema


def _prepare(
    defined: GraphQLField,
    resolver: Resolver | None,
    busy: frozenset[str],
    plain: GraphQLScalarType,
) -> None:
    inner = get_named_type(defined.type)
    if isinstance(inner, GraphQLScalarType) or inner.name in busy:
        defined.resolve = resolver
    elif not hasattr(inner, "values"):
        defined.type = plain
        defined.resolve = _cutting(resolver)
    else:
        defined.resolve = resolver


def _cutting(resolver: Resolver | None) -> Resolver:
    def resolve(source: Any, info: Info, **arguments: Any) -> Any:
        if resolver is None:
            value = source[info.field_name]
        else:
            value = resolver(source, info, **arguments)
        return cut(value, shape_of(info)) if value else value

    return resolve


def _looked_up(schema: GraphQLSchema, resolvers: Resolvers) -> frozenset[str]:
    """Name the types that have a resolver in them, or below them."""
    busy = {owner for owner, _ in resolvers}
    while True:
        above = {
            type_.name
            for type_ in schema.type_map.values()
            if isinstance(type_, GraphQLObjectType)
            and any(
                get_named_type(one.type).name in busy for one in type_.fields.values()
            )
        }
        if above <= busy:
            return frozenset(busy)
        busy |= above


def _python_name(name: str) -> str:
    snake = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
    return _RENAMED.get(snake, snake)


def _id_list(type_: Any, ids: GraphQLScalarType) -> Any:
    required = isinstance(type_, GraphQLNonNull)
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(inner, GraphQLList) and is_list_type(inner):
        item = inner.of_type
        if get_named_type(item).name == "ID":
            return GraphQLNonNull(ids) if required else ids
    return type_


def parse_ids(value: object) -> list[str]:
    """Check a list of ids without looking at each; one id is a list of one.

    Raises:
        GraphQLError: When it holds anything but ids.
    """
    ids: list[Any] = value if isinstance(value, list) else [value]
    kinds = set(map(type, ids))
    if kinds <= {str}:
        return ids
    if kinds <= {str, int}:
        return [str(one) for one in ids]
    msg = "a list of ids holds something that is no id"
    raise GraphQLError(msg)


def _parse_with(scalar: GraphQLScalarType, parser: Callable[[object], Any]) -> None:
    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        return parser(value_from_ast_untyped(node, variables))

    # Version 3.3 of graphql-core reads the first under its new name only.
    parsers = {
        "parse_value": parser,
        "coerce_input_value": parser,
        "parse_literal": parse_literal,
    }
    for name, function in parsers.items():
        setattr(scalar, name, function)


def _parse_numbers(schema: GraphQLSchema) -> None:
    for name, limit in (("UInt64", 2**64), ("PageSize", 2**31)):
        scalar = schema.type_map[name]
        assert isinstance(scalar, GraphQLScalarType)
        _parse_with(scalar, partial(_parse_number, name=name, limit=limit))


def _parse_number(value: object, *, name: str, limit: int) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:25])
    if type(value) is int and 0 <= value < limit:
        return value
    msg = f"{value!r} is no {name}"
    raise GraphQLError(msg)
