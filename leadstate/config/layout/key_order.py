"""The order in which `fmt` puts the keys of a mapping: that of the schema; names first, what differs where last."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, get_args, get_origin

from leadstate.kinds.kind import Scoped, Spec

_FIRST: Final = ("name", "key")
_LAST: Final = (*(field.alias or name for name, field in Scoped.model_fields.items()), "overrides")

Shape = Any
"""What may stand at a place: a model of the schema, or the annotation of a field; None where nothing is known."""


def order_of(shape: Shape) -> tuple[str, ...]:
    """The keys of a mapping, in order; empty where people choose them."""
    if isinstance(shape, type) and issubclass(shape, Spec):
        return tuple(_fields(shape))
    if _container(shape) in (list, dict):
        return ()
    return next((found for part in get_args(shape) if (found := order_of(part))), ())


def below(shape: Shape, key: str | None) -> Shape:
    """What may stand under a key, or as an item of a list where there is none."""
    if isinstance(shape, type) and issubclass(shape, Spec):
        return _fields(shape).get(key or "")
    if (container := _container(shape)) in (list, dict):
        return get_args(shape)[-1] if (container is list) == (key is None) else None
    return next((found for part in get_args(shape) if (found := below(part, key)) is not None), None)


def _container(shape: Shape) -> object:
    return get_origin(shape)


@cache
def _fields(model: type[Spec]) -> Mapping[str, Shape]:
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    last = _LAST if issubclass(model, Scoped) else ()
    names = sorted(fields, key=lambda name: (name not in _FIRST, name in last, last.index(name) if name in last else 0))
    return {name: fields[name] for name in names}
