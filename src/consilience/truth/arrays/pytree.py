"""Frozen records that JAX can look into.

JAX rebuilds records while it transforms a function, with placeholders or stacks where
arrays belong. `register_dataclass` does so through the constructor, where shapes are
checked; here the fields are put in place without it, so that only records that a person
builds are checked.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from jax.tree_util import GetAttrKey, register_pytree_with_keys


def pytree[Record](*static: str) -> Callable[[type[Record]], type[Record]]:
    """Return a decorator that registers a frozen dataclass."""

    def register(record: type[Record]) -> type[Record]:
        names = [field.name for field in dataclasses.fields(record)]  # type: ignore[arg-type]
        leaves = [name for name in names if name not in static]

        def flatten(value: Record) -> tuple[list[tuple[GetAttrKey, Any]], Any]:
            keyed = [(GetAttrKey(name), getattr(value, name)) for name in leaves]
            return keyed, tuple(getattr(value, name) for name in static)

        def unflatten(fixed: Any, children: Any) -> Record:
            rebuilt = object.__new__(record)
            for name, child in zip(leaves, children, strict=True):
                object.__setattr__(rebuilt, name, child)
            for name, child in zip(static, fixed, strict=True):
                object.__setattr__(rebuilt, name, child)
            return rebuilt

        register_pytree_with_keys(record, flatten, unflatten)
        return record

    return register
