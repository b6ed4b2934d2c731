"""What of a call's arguments must be as it was: their structure and what is no tensor; and their names."""

from __future__ import annotations

from typing import Any

from ..autograd.variable import Variable
from ..tensor import Tensor


def _key(value: Any, tensors: list[Any]) -> Any:
    """What of an argument must be equal: its structure, its values but those of tensors."""
    if isinstance(value, Variable):
        tensors.append(value)
        return Tensor
    if isinstance(value, float):
        return (float, repr(value))
    if isinstance(value, bool | int | str | bytes | type(None)):
        return (type(value), value)
    if type(value) in (list, tuple):
        return (type(value), *(_key(v, tensors) for v in value))
    if type(value) is dict:
        return (dict, *((_key(k, tensors), _key(v, tensors)) for k, v in value.items()))
    return _Identity(value)


def whole_key(args: tuple, kwargs: dict, tensors: list[Any]) -> Any:
    """What of all arguments must be equal. Their tensors are put into `tensors`, in order."""
    key: Any = tuple(_key(a, tensors) for a in args)
    return (key, tuple((k, _key(v, tensors)) for k, v in kwargs.items())) if kwargs else key


class _Identity:
    """An object, equal to itself alone. (It is held, so that its id is its own.)"""

    __slots__ = ("obj",)

    def __init__(self, obj: Any) -> None:
        self.obj = obj

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.obj is self.obj

    __hash__ = None  # type: ignore[assignment]


def name_tensors(value: Any, name: str, names: dict[int, str]) -> None:
    """Names, by id, for the tensors of an argument of this name."""
    if isinstance(value, Variable):
        names.setdefault(id(value), name)
    elif isinstance(value, list | tuple):
        for i, part in enumerate(value):
            name_tensors(part, f"{name}_{i}", names)
    elif type(value) is dict:
        for k, part in value.items():
            name_tensors(part, f"{name}_{k}" if name != "kwargs" else str(k), names)


def is_other(value: Any) -> bool:
    """Whether an argument is, or holds, what is neither a tensor nor told by its value."""
    if isinstance(value, Variable | bool | int | float | str | bytes | type(None)):
        return False
    if type(value) in (list, tuple):
        return any(is_other(v) for v in value)
    if type(value) is dict:
        return any(is_other(v) for v in value.values())
    return True
