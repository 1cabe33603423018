"""The schema becomes the variant of it that is executed.

Values in which nothing must be looked up are leaves, cut to the selection by
`shapes`; lists of ids are one scalar, checked with one comparison; arguments
get Python's names, and are checked against the limits before a resolver sees
them.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    ValueNode,
    build_schema,
    get_named_type,
    is_list_type,
    value_from_ast_untyped,
)

from reconciler.server.bounds import check_argument, is_bounded
from reconciler.server.execution import Info, Resolver, Resolvers, Schemas, shape_of
from reconciler.server.shapes import cut

_RENAMED: Final = {"from": "after", "id": "identifier", "input": "asked"}
_VARIANT = "\nscalar Plain\nscalar IdList\n"


def build_schemas(text: str, resolvers: Resolvers) -> Schemas:
    """Build both schemas; this takes some 50 ms, and they never change."""
    return Schemas(build_schema(text), _variant(text, resolvers))


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
                for argument_name, argument in defined.args.items():
                    argument.type = _id_list(argument.type, ids)
                    argument.out_name = _python_name(argument_name)
                resolver = resolvers.get((type_.name, name))
                _prepare(
                    defined, resolver and _bounded(resolver, name, defined), busy, plain
                )
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


def _bounded(resolver: Resolver, root: str, defined: GraphQLField) -> Resolver:
    checked: list[tuple[str, str, GraphQLArgument]] = [
        (argument.out_name or name, name, argument)
        for name, argument in defined.args.items()
        if is_bounded(argument.type, name)
    ]
    if not checked:
        return resolver

    def resolve(source: Any, info: Info, **arguments: Any) -> Any:
        limits = info.context.limits
        for key, name, argument in checked:
            check_argument(argument.type, arguments.get(key), name, root, limits)
        return resolver(source, info, **arguments)

    return resolve


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
