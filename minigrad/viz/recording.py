"""Keep what a graph by itself forgets: the values of every step, the modules that were called, and the lines of the program.

A node keeps only what its backward needs. `with recording():` every operation keeps copies of its inputs and its output too, and
notes which modules were being called, and the line of the program it came from. That costs time and memory, so it is done
for as long as it is asked for and not a moment longer: outside, the engine's own functions stand in their places.
"""

from __future__ import annotations

import contextlib
import linecache
import os
import sys
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import storage
from ..autograd.function import Function
from ..autograd.graph import Operation
from ..autograd.node import Node
from ..autograd.variable import Array, Variable
from ..nn.module import Module
from .names import tree

_KEY = "minigrad.viz"  # in a node's metadata
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


@dataclass
class Call:
    """One call of a module."""

    module: Module
    path: str  # its name, seen from the outermost module that was called; "" for that one
    number: int  # which call of it, from 1
    outer: Call | None
    outputs: list[weakref.ref[Node]] = field(default_factory=list)  # the nodes that made what it returned


@dataclass
class Kept:
    """What was kept of one operation."""

    inputs: list[Any]  # by input: a copy of the array, or the Python value
    tensors: list[bool]  # by input: whether it was a tensor
    cut: list[bool]  # by input: whether `detach` cut it off a graph
    outputs: list[Array | None]
    call: Call | None
    line: str  # "mine.py:12: loss = ..."
    saved: tuple[Any, ...] | None  # what `save_for_backward` kept, as copies: a freed graph can still be walked


def kept(node: Node) -> Kept | None:
    """What was kept of the operation whose node this is; None where nobody recorded."""
    return node.__dict__.get("_metadata", {}).get(_KEY)


class _Recorder:
    """The recording under way. One by process: a second `recording` inside the first keeps nothing twice."""

    depth = 0
    calls: list[Call]
    counts: dict[tuple[int, str], int]
    names: dict[int, str]
    alive: list[Any]  # modules whose ids are in use
    copies: dict[
        int, tuple[weakref.ref[Array], int, Array]
    ]  # by id: the array, its version, its copy, as long as the array lives

    def start(self) -> None:
        self.calls, self.counts, self.names, self.alive, self.copies = [], {}, {}, [], {}

    def copy(self, array: Any) -> Any:
        """A copy of an array, the same one for the same values."""
        if not isinstance(array, Array):
            return array
        record = storage.find(array)
        version = 0 if record is None else record.version
        found = self.copies.get(id(array))
        if found is not None and found[0]() is array and found[1] == version:
            return found[2]
        copied, key, copies = np.array(array), id(array), self.copies
        copies[key] = (weakref.ref(array, storage.forgetting(copies, key)), version, copied)
        return copied

    def keep(self, node: Node, inputs: tuple, outputs: list[Any]) -> None:
        arrays = [x.array if isinstance(x, Variable) else x for x in inputs]
        node.metadata[_KEY] = Kept(
            [self.copy(x) for x in arrays],
            [isinstance(x, Variable) for x in inputs],
            [isinstance(x, Variable) and x._of_a_graph and x._edge is None and not x._requires_grad for x in inputs],
            [self.copy(y.array) if isinstance(y, Variable) else None for y in outputs],
            self.calls[-1] if self.calls else None,
            _line(),
            None if isinstance(node, Function) else tuple(self.copy(v) for v in node._saved or ()),
        )

    def enter(self, module: Module) -> None:
        if not self.calls or id(module) not in self.names:  # an outermost module names those inside
            for path, part in tree(module):
                self.names.setdefault(id(part), path)
                self.alive.append(part)
        path = self.names[id(module)]
        key = (id(module), path)
        self.counts[key] = number = self.counts.get(key, 0) + 1
        self.calls.append(Call(module, path, number, self.calls[-1] if self.calls else None))


_recorder = _Recorder()

_EXAMPLE = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "__main__.py"
)  # `python -m minigrad.viz` without a program


def _line() -> str:
    """The line of the program that is running: the innermost outside of minigrad, or of its own example."""
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith((_PACKAGE, "<the reader of")):  # (signature.py)
        if frame.f_code.co_filename == _EXAMPLE and frame.f_code.co_name == "example":
            break
        frame = frame.f_back
    if frame is None:
        return ""
    name = frame.f_code.co_filename
    text = linecache.getline(name, frame.f_lineno, frame.f_globals).strip()
    return f"{os.path.basename(name)}:{frame.f_lineno}: {text}"


_apply = Operation.__dict__["apply"].__func__
_function_apply = Function.__dict__["apply"].__func__
_call = Module.__dict__["__call__"]


def _recorded_apply(cls: Any, *inputs: Any) -> Any:
    out = _apply(cls, *inputs)
    if isinstance(out, Variable) and out._edge is not None:
        _recorder.keep(out._edge[0], inputs, [out])
    return out


def _recorded_function_apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
    out = _function_apply(cls, *args, **kwargs)
    outputs = list(out) if isinstance(out, tuple) else [out]
    node = next((y._edge[0] for y in outputs if isinstance(y, Variable) and y._edge is not None), None)
    if node is not None:
        _recorder.keep(node, args, outputs)
    return out


def _recorded_call(self: Module, *args: Any, **kwargs: Any) -> Any:
    _recorder.enter(self)
    call = _recorder.calls[-1]
    try:
        out = _call(self, *args, **kwargs)
    finally:
        _recorder.calls.pop()
    for x in out if isinstance(out, tuple | list) else [out]:
        if isinstance(x, Variable) and x._edge is not None:
            call.outputs.append(weakref.ref(x._edge[0]))
    return out


def _put(apply: Any, function_apply: Any, call: Any) -> None:
    """Let operations, Functions and modules run so."""
    places: Any = Operation, Function, Module
    places[0].apply, places[1].apply, places[2].__call__ = classmethod(apply), classmethod(function_apply), call


class recording(contextlib.ContextDecorator):
    """Inside, operations keep what `viz` shows: all values, the modules called, and the program's lines.

        with viz.recording():
            loss = F.mse_loss(model(x), y)
        viz.page(loss, "backward.html")

    Also after `loss.backward()`, which frees a graph that was not recorded. A decorator, too.
    """

    def __enter__(self) -> recording:
        _recorder.depth += 1
        if _recorder.depth == 1:
            _recorder.start()
            _put(_recorded_apply, _recorded_function_apply, _recorded_call)
        return self

    def __exit__(self, *error: object) -> None:
        _recorder.depth -= 1
        if _recorder.depth == 0:
            _put(_apply, _function_apply, _call)
            _recorder.start()


def with_variables(function: Callable[..., Any], *arguments: Any) -> tuple[Any, dict[str, Any]]:
    """What a function returns, and the variables that it had when it returned, by name; also those around it that it uses.

    What it returns goes by the function's name, if it has no other. A function written in C has no variables.
    """
    inner = getattr(function, "__func__", function)
    code = getattr(inner, "__code__", None)
    if code is None:
        return function(*arguments), {}
    own: dict[str, Any] = {}

    def watch(frame: Any, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            own.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        out = function(*arguments)
    finally:
        sys.setprofile(before)
    around = {name: inner.__globals__[name] for name in code.co_names if name in inner.__globals__ and name not in own}
    names = own | around
    if inner.__name__.isidentifier():
        names.setdefault(inner.__name__, out)
    return out, names
