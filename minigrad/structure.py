"""What `save` keeps around its tensors, as JSON: nested containers, plain values, and which tensors share memory.

A value becomes a node, {kind: content, ...}:

    {"value": 3}                                  None, text, numbers, bool
    {"list": [node, ...]}                         also tuple, set, frozenset
    {"dict": [[key, node], ...], "ordered": ...}  a key that is no JSON value is {"key": node}
    {"tensor": name, "requires_grad": ...}        the file's tensor of that name; with "in": [name, offset, shape, stride] it
                                                  looks into the memory of another, with "order" its memory is permuted;
                                                  one that shows elements many times, an expanded one, has no entry itself
    {"same": 4}                                   the tensor, array or container that came as the fourth from 0
    {"module": [place, name], "state": node}      a whole module: its class by name, and its attributes

and so on for the kinds of `_PLAIN`. What a node may name is listed here: nothing of a file is run.
"""

from __future__ import annotations

import base64
import sys
from collections import Counter, OrderedDict, defaultdict, namedtuple
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from . import dtypes
from .autograd.variable import Array, Variable, wrap
from .device import device
from .foreign import said
from .nn.module import Module
from .nn.parameter import Buffer, Parameter
from .public import FUNCTIONAL, MINIGRAD
from .size import Size

# By kind: the type, what is written of a value, and how it is made of that again.
_PLAIN: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "size": (Size, list, Size),
    "dtype": (dtypes.dtype, lambda d: d.name, lambda name: {d.name: d for d in dtypes.ALL}[name]),
    "device": (device, str, device),
    "bytes": (bytes, lambda b: base64.b64encode(b).decode(), lambda text: base64.b64decode(text, validate=True)),
    "bytearray": (bytearray, lambda b: base64.b64encode(b).decode(), lambda t: bytearray(base64.b64decode(t))),
    "complex": (complex, lambda c: [c.real, c.imag], lambda parts: complex(*parts)),
    "path": (PurePath, str, Path),
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "timedelta": (timedelta, lambda t: [t.days, t.seconds, t.microseconds], lambda parts: timedelta(*parts)),
}
_FACTORIES: dict[str, Any] = {t.__name__: t for t in (list, dict, set, int, float, str, bool)} | {"None": None}
_HUGE = 2**4000  # Python writes longer whole numbers in decimal only up to a limit


class Refused(ValueError):
    """A file is whole, but holds what is neither tensor, container nor plain value."""


# -- from a value to nodes


class Description:
    """`root`, the node of a value, and `arrays`, what it holds of tensors and arrays, by the names in the file."""

    def __init__(self, value: Any, storable: Iterable[np.dtype]) -> None:
        self.arrays: dict[str, Array] = {}
        self._storable = set(storable)
        self._seen: dict[int, int] = {}  # by id: its number
        self._kept: list[Any] = []  # what was numbered: an id must not be used again
        self._nodes: list[tuple[dict[str, Any], str]] = []  # of tensors and arrays, with their names
        self.root = self._node(value, "")
        self._link()

    def _node(self, value: Any, path: str) -> dict[str, Any]:
        if isinstance(value, Variable | np.ndarray | list | dict | set | Module):
            if id(value) in self._seen:
                return {"same": self._seen[id(value)]}
            self._seen[id(value)] = len(self._seen)
            self._kept.append(value)
        if isinstance(value, Variable | np.ndarray):
            return self._array(value, path)
        if isinstance(value, dict):
            return self._dict(value, path)
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, str | int | float | bool):
            if isinstance(value, int) and abs(value) >= _HUGE:
                return {"int": hex(value)}
            return {"value": value}
        for kind, (cls, written, _) in _PLAIN.items():
            if isinstance(value, cls):
                return {kind: written(value)}
        if isinstance(value, list | tuple | set | frozenset):
            kind = next(t.__name__ for t in (list, tuple, set, frozenset) if isinstance(value, t))
            node: dict[str, Any] = {kind: [self._node(v, _inside(path, i)) for i, v in enumerate(value)]}
            if hasattr(value, "_fields"):  # a named tuple
                node["fields"] = [type(value).__name__, list(value._fields)]
            return node
        if isinstance(value, Module):
            cls = type(value)
            if _found(cls.__module__, cls.__qualname__) is not cls:
                raise TypeError(
                    f"save: cannot save a {cls.__name__} (at {path or 'the top'}): its class cannot be found by its name; "
                    "save its state_dict()"
                )
            return {"module": [cls.__module__, cls.__qualname__], "state": self._node(value.__getstate__(), path)}
        for name, function in (*MINIGRAD.items(), *FUNCTIONAL.items()):
            if value is function:
                return {"function": name}
        raise TypeError(
            f"save: cannot save a {said(value)} (at {path or 'the top'}); save a state_dict() and plain values"
        )

    def _dict(self, value: Mapping, path: str) -> dict[str, Any]:
        items: list[Any] = []
        node: dict[str, Any] = {"dict": items, "ordered": isinstance(value, OrderedDict)}
        if isinstance(value, Counter):
            node["of"] = "Counter"
        elif isinstance(value, defaultdict):
            factory = value.default_factory
            name = "None" if factory is None else getattr(factory, "__name__", repr(factory))
            if _FACTORIES.get(name, ...) is not factory:
                raise TypeError(
                    f"save: cannot save a defaultdict of {name} (at {path or 'the top'}); save a dict of it"
                )
            node |= {"of": "defaultdict", "factory": name}
        for key, item in value.items():
            plain = isinstance(key, str | int | float | bool) and not isinstance(key, np.generic)
            if not plain and isinstance(key, Variable | np.ndarray):
                raise TypeError(f"save: keys must not be tensors (at {path or 'the top'})")
            items.append([key if plain else {"key": self._node(key, path)}, self._node(item, _inside(path, key))])
        if hasattr(value, "_metadata"):  # of a state_dict: the versions of its modules
            node["metadata"] = self._node(value._metadata, _inside(path, "_metadata"))
        return node

    def _array(self, value: Any, path: str) -> dict[str, Any]:
        array = value.array if isinstance(value, Variable) else value
        if array.dtype not in self._storable:
            raise TypeError(
                f"save: cannot save an array of type {array.dtype} (at {path or 'the top'}); convert it with .astype first"
            )
        name = self._free(path or "tensor")
        self.arrays[name] = array
        if isinstance(value, Variable):
            node = {"tensor": name, "requires_grad": bool(value.requires_grad)}  # type: ignore[attr-defined]
            if isinstance(value, Parameter | Buffer):
                node["class"] = type(value).__name__
            if isinstance(value, Buffer):
                node["persistent"] = value.persistent
        else:
            node = {"array": name}
        order = sorted(range(array.ndim), key=lambda i: -array.strides[i])
        if order != sorted(order) and array.transpose(order).flags.c_contiguous:
            node["order"] = order
        self._nodes.append((node, name))
        return node

    def _free(self, name: str) -> str:
        """A name for the file: {"a.b": x, "a": {"b": y}} gives one path twice, and one name is not for tensors."""
        while name in self.arrays or name == "__metadata__":
            name += "'"
        return name

    def _link(self) -> None:
        """Say of tensors that look at the same memory how. Each stands in the file by itself too, for other programs."""
        found = []
        for node, name in self._nodes:
            if self.arrays[name].size:
                found.append((*np.lib.array_utils.byte_bounds(self.arrays[name]), node, name))
        found.sort(key=lambda item: item[:2])
        group: list[Any] = []
        end = 0
        for item in [*found, None]:
            if item is not None and item[0] < end:
                group.append(item)
                end = max(end, item[1])
                continue
            if len(group) > 1 or (group and _repeats(self.arrays[group[0][3]])):
                self._share(group, end)
            if item is not None:
                group, end = [item], item[1]

    def _share(self, group: list[Any], end: int) -> None:
        begin, _, _, first = group[0]
        arrays = [self.arrays[name] for *_, name in group]
        size = arrays[0].itemsize
        if len({a.dtype for a in arrays}) > 1:
            raise RuntimeError(
                f"save: cannot save tensors of different types that look at the same data ({group[0][3]}, {group[1][3]}); "
                "save a .clone() of one"
            )
        whole = [n for (b, e, _, n) in group if (b, e) == (begin, end) and self.arrays[n].flags.c_contiguous]
        if whole:
            memory = whole[0]
        else:  # none shows all that the others do: the memory itself is kept too
            memory = self._free(f"{first} (memory)")
            lowest = arrays[0][tuple(slice(None, None, -1 if s < 0 else 1) for s in arrays[0].strides)]
            self.arrays[memory] = np.lib.stride_tricks.as_strided(lowest, ((end - begin) // size,), (size,))
        for array, (_, _, node, name) in zip(arrays, group, strict=True):
            if name == memory:
                continue
            place = array.__array_interface__["data"][0] - begin
            if place % size == 0 and all(s % size == 0 for s in array.strides):
                node.pop("order", None)
                node["in"] = [memory, place // size, array.shape, [s // size for s in array.strides]]
                if _repeats(array):
                    del self.arrays[name]


def _repeats(array: Array) -> bool:
    """Whether it has more elements than its memory, as an expanded tensor has: written out they could fill any disk."""
    begin, end = np.lib.array_utils.byte_bounds(array)
    return array.nbytes > end - begin


def _found(place: str, name: str) -> Any:
    """What stands in a module that is there already, by its name; None where it is not."""
    found: Any = sys.modules.get(place)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _inside(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


# -- and back


class Restoration:
    """`root`, the value of a node; arrays: those of the file by name. weights_only: no whole modules."""

    def __init__(self, root: Any, arrays: Mapping[str, Array], weights_only: bool = True) -> None:
        self._arrays, self._weights_only = arrays, weights_only
        self._seen: list[Any] = []
        self._taken: set[str] = set()  # arrays that are a value of their own
        self._named_tuples: dict[tuple, type] = {}
        self.root = self._value(root)

    def _keep(self, value: Any) -> Any:
        self._seen.append(value)
        return value

    def _value(self, node: Any) -> Any:
        kind, content = next(iter(node.items()))
        if kind == "value":
            return content
        if kind in ("tensor", "array"):
            return self._keep(self._array(kind, content, node))
        if kind == "dict":
            return self._dict(node)
        if kind == "same":
            return self._seen[content]
        if kind in ("list", "set"):
            made: Any = self._keep([] if kind == "list" else set())
            add = made.append if kind == "list" else made.add
            for item in content:
                add(self._value(item))
            return made
        if kind in ("tuple", "frozenset"):
            values = [self._value(item) for item in content]
            if "fields" in node:
                return self._named_tuple(*node["fields"])(*values)
            return tuple(values) if kind == "tuple" else frozenset(values)
        if kind == "int":
            return int(content, 16)
        if kind == "module":
            place, name = content
            return self._module(place, name, node["state"])
        if kind == "function":
            return FUNCTIONAL.get(content) or MINIGRAD[content]
        return _PLAIN[kind][2](content)

    def _dict(self, node: Any) -> Any:
        if node.get("of") == "Counter":
            made: Any = Counter()
        elif node.get("of") == "defaultdict":
            made = defaultdict(_FACTORIES[node["factory"]])
        else:
            made = OrderedDict() if node["ordered"] else {}
        self._keep(made)
        for key, item in node["dict"]:
            key = self._value(key["key"]) if isinstance(key, dict) else key  # before the item, as it was written
            made[key] = self._value(item)
        if "metadata" in node and node["ordered"]:
            made._metadata = self._value(node["metadata"])
        return made

    def _named_tuple(self, name: str, fields: list[str]) -> Any:
        key = name, tuple(fields)
        if key not in self._named_tuples:
            self._named_tuples[key] = namedtuple(name, fields)  # type: ignore[misc]
        return self._named_tuples[key]

    def _module(self, place: str, name: str, state: Any) -> Any:
        """A module of a class that the program has already: its `__init__` is not called, and no other class is taken."""
        if self._weights_only:
            raise Refused(
                f"a whole {place}.{name}; pass weights_only=False if you have its class, or save its state_dict()"
            )
        cls = _found(place, name)
        if not (isinstance(cls, type) and issubclass(cls, Module)):
            raise Refused(f"a {place}.{name}, and there is no such class of modules in this program")
        made = self._keep(cls.__new__(cls))
        made.__setstate__(self._value(state))
        return made

    def _array(self, kind: str, name: str, node: Any) -> Any:
        if "in" in node:
            memory, offset, shape, stride = node["in"]
            array = window(self._arrays[memory].reshape(-1), offset, shape, stride, backwards=kind == "array")
        else:
            if name in self._taken:  # to copy it a thousand times would take a thousand times the file's memory
                raise ValueError(f"the tensor {name} stands in two places, but not as one")
            self._taken.add(name)
            array = self._arrays[name]
            if "order" in node:
                array = _permuted(array, node["order"])
        if kind == "array":
            return array
        tensor: Any = wrap(array)
        if node.get("class") == "Buffer":
            tensor = Buffer(tensor, persistent=bool(node["persistent"]))
        elif node.get("class") == "Parameter":
            tensor = Parameter(tensor, False)
        return tensor.requires_grad_(bool(node["requires_grad"]))


def _permuted(array: Array, order: list[int]) -> Array:
    """The same values, in memory in the order in which the dimensions are named."""
    back = sorted(range(len(order)), key=order.__getitem__)
    return np.ascontiguousarray(array.transpose(order)).transpose(back)


def window(memory: Array, offset: int, shape: Iterable[int], stride: Iterable[int], backwards: bool = False) -> Array:
    """What a tensor of this shape and stride, in elements, sees of a block of memory; ValueError where it reaches out.

    backwards: strides below 0 are allowed, which arrays of NumPy have and tensors have not.
    """
    shape, stride = tuple(shape), tuple(stride)
    if (
        len(shape) != len(stride)
        or not all(type(n) is int for n in (offset, *shape, *stride))
        or min((offset, *shape)) < 0
        or (min(stride, default=0) < 0 and not backwards)
    ):
        raise ValueError("a tensor of a shape and a stride that do not belong together")
    if 0 in shape:
        return np.empty(shape, memory.dtype)
    reach = [(n - 1) * s for n, s in zip(shape, stride, strict=True)]
    last = offset + sum(r for r in reach if r > 0)
    if last >= memory.size or offset + sum(r for r in reach if r < 0) < 0:
        raise ValueError(f"a tensor of shape {shape} reaches to element {last} of a block of {memory.size}")
    spread = any(n > 1 and s == 0 for n, s in zip(shape, stride, strict=True))  # an expanded tensor is only read
    steps = tuple(s * memory.itemsize for s in stride)
    return np.lib.stride_tricks.as_strided(memory[offset:], shape, steps, writeable=not spread)
