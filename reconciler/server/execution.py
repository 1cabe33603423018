"""A document and its variables become an answer, by the schema.

graphql-core parses, validates and walks the document. What it does one by one
is done at once instead, by executing against a `variant` of the schema.
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
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    ListTypeNode,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    Visitor,
    execute_sync,
    get_named_type,
    parse,
    validate,
    visit,
)

from reconciler.server.bounds import check_argument, measure_document, mutations_of
from reconciler.server.errors import STATUS, ApiError, Code
from reconciler.server.settings import Limits
from reconciler.server.shapes import Compiler, Shape

Resolver: TypeAlias = Callable[..., Any]
"""Called as `(source, info, **arguments)`, arguments in snake_case."""

Resolvers: TypeAlias = Mapping[tuple[str, str], Resolver]
"""By type and field; every other field is read off what its parent answered."""

log = logging.getLogger("reconciler.server")

CACHED_DOCUMENTS: Final = 512
CACHED_BYTES: Final = 20_000
"""Longer documents carry their data inline and won't come again."""

_BRACKETS = re.compile(r'"(?:\\.|[^"\\\n])*"|#[^\n]*|[{(\[]|[})\]]')


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is valid by the schema.

    Attributes:
        tree: As it is executed.
        fragments: By name.
        introspects: Whether it asks for the schema itself.
        mutations: Names of the mutations in it.
        shapes: What was compiled of it, by the first node of a field.
    """

    tree: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]
    introspects: bool
    mutations: frozenset[str]
    shapes: dict[int, Shape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schema that clients see, and its variant that is executed."""

    published: GraphQLSchema
    variant: GraphQLSchema


class Api:
    """The schema with its resolvers, and the documents seen so far."""

    def __init__(self, schemas: Schemas, limits: Limits) -> None:
        self._published = schemas.published
        self._variant = schemas.variant
        self._limits = limits
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._lock = threading.Lock()

    def execute(
        self,
        text: str,
        variables: Mapping[str, Any],
        *,
        operation: str | None,
        request: object,
        allow: Callable[[frozenset[str]], None] = lambda _: None,
    ) -> dict[str, Any]:
        """Answer a request with the body of its response.

        Args:
            text: The document.
            variables: As they came in.
            operation: Which one, if the document has several.
            request: What resolvers find as `info.context.request`.
            allow: Called with the names of the document's mutations; raises an
                `ApiError` when one of them may not be asked for.

        Raises:
            ApiError: What `allow` raises.
        """
        try:
            document = self._document(text)
        except Refused as refused:
            return failure(refused.errors)
        allow(document.mutations)
        result = execute_sync(
            self._published if document.introspects else self._variant,
            document.tree,
            context_value=Context(request, self._published, document, self._limits),
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
        try:
            measure_document(tree, self._limits)
            errors = validate(self._published, tree)
        except ApiError as refusal:
            raise Refused([problem(refusal.code, refusal.message)]) from refusal
        if errors:
            raise Refused(
                [
                    problem(
                        Code.GRAPHQL_VALIDATION_FAILED, error.message.replace("'", '"')
                    )
                    for error in errors
                ]
            )
        introspects = _introspects(tree)
        fragments = {
            node.name.value: node
            for node in tree.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        return Document(
            tree=tree if introspects else visit(tree, _IdLists()),
            fragments=fragments,
            introspects=introspects,
            mutations=mutations_of(tree, fragments),
        )

    def _limit(self, text: str) -> None:
        if len(text) > self._limits.document_bytes:
            message = (
                f"the document is longer than {self._limits.document_bytes} characters"
            )
            raise Refused([problem(Code.BAD_USER_INPUT, message)])
        depth = 0
        for bracket in _BRACKETS.findall(text):
            depth += (bracket in "{([") - (bracket in "})]")
            if depth > self._limits.document_depth:
                message = f"the document nests deeper than {self._limits.document_depth} brackets"
                raise Refused([problem(Code.BAD_USER_INPUT, message)])


@dataclass(frozen=True, slots=True)
class Context:
    """What resolvers know of the request they work for."""

    request: Any
    schema: GraphQLSchema
    document: Document
    limits: Limits


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
    compiler = Compiler(
        context.schema,
        info.schema,
        context.document.fragments,
        _variables(info),
        partial(check_argument, limits=context.limits),
    )
    shape = compiler.compile(inner.name, info.field_nodes)
    # Two operations of one document may share fields through a fragment, but a
    # field's parent is the same type in both.
    if compiler.reusable:
        context.document.shapes[key] = shape
    return shape


def _variables(info: Info) -> Mapping[str, Any]:
    # Version 3.3 of graphql-core keeps where a value came from beside it.
    values: Any = info.variable_values
    found: Mapping[str, Any] = getattr(values, "coerced", values)
    return found


def problem(code: Code, message: str) -> dict[str, Any]:
    """Describe one error as clients expect it."""
    described: dict[str, Any] = {"message": message, "extensions": {"code": code}}
    if status := STATUS.get(code):
        described["extensions"] = {
            "code": Code.INTERNAL_SERVER_ERROR,
            "exception": {"status": status},
        }
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
