"""Nested tuples, lists and dicts: their leaves in order, and the same nesting around others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _is_node(x: Any) -> bool:
    return isinstance(x, tuple | list | dict)


def leaves(x: Any) -> list[Any]:
    """Everything in x that is no tuple, list or dict, in order."""
    if isinstance(x, dict):
        return [leaf for value in x.values() for leaf in leaves(value)]
    return [leaf for value in x for leaf in leaves(value)] if _is_node(x) else [x]


def rebuilt(x: Any, children: list[Any]) -> Any:
    """A node like x with other children."""
    if isinstance(x, dict):
        return type(x)(zip(x, children, strict=True))
    return type(x)(*children) if hasattr(x, "_fields") else type(x)(children)


def mapped(f: Callable[[Any], Any], x: Any) -> Any:
    """The nesting of x around f(leaf) of each leaf."""
    if not _is_node(x):
        return f(x)
    return rebuilt(x, [mapped(f, child) for child in (x.values() if isinstance(x, dict) else x)])


def filled(x: Any, values: list[Any]) -> Any:
    """The nesting of x around these values."""
    remaining = iter(values)
    return mapped(lambda _: next(remaining), x)


def spread(prefix: Any, x: Any) -> list[Any] | None:
    """A value for each leaf of x, from one or from a nesting of several that starts as x does; None if it does not."""
    if not _is_node(prefix):
        return [prefix] * len(leaves(x))
    if type(prefix) is not type(x) and not (isinstance(prefix, tuple) and isinstance(x, tuple)):
        return None
    if len(prefix) != len(x) or (isinstance(prefix, dict) and prefix.keys() != x.keys()):
        return None
    pairs = ((prefix[k], x[k]) for k in prefix) if isinstance(prefix, dict) else zip(prefix, x, strict=True)
    parts = [spread(p, child) for p, child in pairs]
    return None if any(part is None for part in parts) else [v for part in parts if part is not None for v in part]
