"""From what one call did to a program: each operation's lines, forward and backward, in the order in which they ran."""

from __future__ import annotations

import math
import re
import types
from typing import Any

import numpy as np

from ..autograd.fused import Fused
from ..autograd.variable import Array, Variable
from ..geometry import Geometry
from ..ops.along import IndexSelect
from ..ops.batch_norm import Moments
from ..ops.tables import Embedding
from ..tensor_options import memory_format
from . import texts as _texts  # noqa: F401  (they enter themselves)
from .emit import WRITTEN, Emitted, Unwritten
from .entries import (
    STALE,
    Added,
    Arrived,
    Backward,
    Called,
    Cleared,
    Clipped,
    ClippedByValue,
    Compared,
    Counted,
    Drawn,
    Fitted,
    Found,
    Looked,
    Made,
    Moved,
    Ones,
    Ran,
    Scheduled,
    Seen,
    Updated,
    Value,
    Wrote,
)
from .guards import State
from .program import BACKWARD, FORWARD, Line, Program, Var, number
from .record import Recording
from .written import Call

# Functions that are called as wholes, and are this in NumPy, of tensors of one type.
NUMPY = {
    **{name: f"np.{name}({{0}})" for name in ("isnan", "isinf", "isfinite", "logical_not", "signbit", "any", "all")},
    **{name: f"np.{name}({{0}}, {{1}})" for name in ("logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor")},
    "bitwise_not": "np.invert({0})",
}  # fmt: skip
_SIGNS = {"equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">="}


def _dimensions_of(key: tuple[Any, ...], shape: tuple[int, ...]) -> list[tuple[Value, int]]:
    """The arrays of whole numbers in a key, each with the number of entries of the dimension that it is for."""
    found = []
    for part, rest in ((key, shape), (key[::-1], shape[::-1])):  # up to `...` from the front, and from the end
        left = list(rest)
        for k in part:
            if k is Ellipsis:
                break
            if isinstance(k, Value) and k.dtype.kind != "b" and left:
                found.append((k, left[0]))
            if k is not None:
                del left[: len(k.shape) if isinstance(k, Value) and k.dtype.kind == "b" else 1]
        if Ellipsis not in [k for k in key if not isinstance(k, Value)]:
            break
    return found


def _text_of(e: Ran) -> Any:
    """The text of an operation: a compiled form has that of the operation in NumPy, where it gives the same bits."""
    form = e.form
    if form not in WRITTEN and issubclass(form, Fused):
        arrays = [x.array if isinstance(x, Value) else x for x in e.inputs]
        if form.compiled is not None and form.same_bits(*arrays):
            form = next((base for base in form.__mro__ if base in WRITTEN), form)
    return WRITTEN.get(form)


class Unprogrammable(Exception):
    """What was recorded cannot be written as a program; the reason is for people. where: the line of the program."""

    where = ""


# Entries that lines are made of.
_COMPUTE = (Added, Backward, Called, Compared, Drawn, Fitted, Found, Made, Ones, Ran, Seen)


class Same:
    """In the results: an argument (`at`) or a tensor of the step's own, given back as it is."""

    def __init__(self, tensor: Any, at: int | None) -> None:
        self.tensor, self.at = tensor, at


class Result:
    """In the results: a tensor around an array of the program; `gone`: the name of its node, whose graph was walked.

    part: which part of the step makes it.
    """

    def __init__(self, var: Var, gone: str | None, part: int = 0) -> None:
        self.var, self.gone, self.part = var, gone, part


class GradOf:
    """In the results: the gradient of a leaf."""

    def __init__(self, leaf: Any) -> None:
        self.leaf = leaf


class Norm:
    """In the results: what clip_grad_norm_ gave."""


class Writer:
    def __init__(self, recording: Recording, state: State, arguments: list[tuple[str, Any]], result: Any) -> None:
        self.r, self.state = recording, state
        self.p = Program()
        self.arguments = arguments
        self.at = {id(t): i for i, (_, t) in enumerate(arguments) if isinstance(t, Variable)}
        self.vars: dict[Value, Var] = {}
        self.emitted: dict[Any, Emitted | None] = {}
        self.lines_of: dict[Any, Line] = {}
        self.grads: dict[int, tuple[str, Any]] = {}  # by id of a leaf: ("none", None), ("new", Var) or ("plus", [Var])
        self.sums: dict[int, list[Var]] = {}  # by id of a leaf: what is still to be added to its new gradient
        self.leaves: dict[int, Any] = {}
        self.needs_entry: dict[int, tuple[Any, bool]] = {}  # leaves whose gradient was looked at before it was cleared
        self.walked: set[Any] = set()
        self.effects: list[tuple[Any, ...]] = []
        self.later: list[tuple[Any, ...]] = []  # running statistics
        self.parts: list[Program] = []  # those that are complete
        self.held: list[Any] = []  # where parts leave what later ones need of their operations
        self.returned: dict[Program, list[Var]] = {}  # by part, what the step returns of it
        self.result, self.results = result, None
        self.norm: Any = None
        self.given: dict[Var, tuple[Any, Result]] = {}  # what leaves the step: by Var, the tensor

    def programs(self) -> list[Program]:
        """The parts of the step: a new one begins where it computes on after an optimizer's step."""
        for entry in self.r.entries:
            try:
                if isinstance(entry, _COMPUTE) and any(effect[0] in ("update", "schedule") for effect in self.effects):
                    self._next_part()
                getattr(self, "_" + type(entry).__name__.lower())(entry)
            except Unprogrammable as error:
                error.where = error.where or entry.at
                raise
        self.effects.append(("grads", self._gradients()))
        try:
            self.results = self._results(self.result)
        except Unprogrammable as error:
            error.where = error.where or self.r.returned
            raise
        self._end_part()
        return self._joined()

    # -- parts

    def _end_part(self) -> None:
        self.p.steps = [*self.later, *self.effects]
        self.parts.append(self.p)
        self.effects, self.later = [], []

    def _next_part(self) -> None:
        """What follows reads the parameters as the optimizer left them."""
        before = self.p
        self._end_part()
        self.p = Program()
        self.p.objects, self.p._taken = before.objects, before._taken

    def _joined(self) -> list[Program]:
        """The parts, each of which gets from earlier ones what it computes with."""
        self.parts[-1].results = self.results
        made_in = {v: p for p in self.parts for line in p.lines for v in (line.out, *line.outs) if v is not None}
        for p in self.parts:
            own = {v for v, part in made_in.items() if part is p} | set(p.inputs)
            instead: dict[Var, Var] = {}
            lines: list[Line] = []
            for line in p.lines:
                self._hold_context(p, line, made_in)
                for v in (*line.inputs, *line.more.get("after", ())):
                    if v not in own and v not in instead:
                        instead[v] = self._from_earlier(p, v, made_in.get(v), lines)
                line.inputs = [instead.get(v, v) for v in line.inputs]
                if "after" in line.more:
                    line.more["after"] = [v for v in line.more["after"] if v in own]
                lines.append(line)
            p.lines = lines
            for i, effect in enumerate(p.steps):
                if effect[0] == "grads":
                    for kind, what in effect[1].values():
                        p.kept.update([what] if kind == "new" else what or [])
                elif effect[0] in ("write", "schedule") and effect[2] is not None:
                    v = effect[2]
                    if v not in own and v not in instead:
                        instead[v] = self._from_earlier(p, v, made_in.get(v), lines)
                    p.steps[i] = (*effect[:2], instead.get(v, v))
                    p.kept.add(p.steps[i][2])
        for p in self.parts[::-1]:  # (later parts first: what they do not read is not handed on)
            p.remove_dead()
            used = {v for line in p.lines for v in line.inputs} | p.kept
            p.inputs = [v for v in p.inputs if v in used]
            for v in p.inputs:
                if v.before is not None and v.before not in made_in[v.before].handed_on:
                    made_in[v.before].handed_on.append(v.before)
                    made_in[v.before].kept.add(v.before)
        if len(self.parts) > 1:
            for p in self.parts:
                p.results = [Result(v, None) for v in dict.fromkeys([*p.handed_on, *self.returned.get(p, ())])]
        return self.parts

    def _from_earlier(self, p: Program, v: Var, maker: Program | None, lines: list[Line]) -> Var:
        """A Var of an earlier part, as one of this part: read anew, made anew, or handed on."""
        if v.line is not None and not v.line.inputs and v.line.more.keys() & {"fixed", "one"}:
            of = v.line
            new = Var(p.name(v.name), v.shape, v.dtype)
            new.line = Line(of.kind, of.text, [], new, of.section, of.note, dict(of.more))
            lines.append(new.line)
            return new
        new = Var(p.name(v.name), v.shape, v.dtype, None, v.tensor, v.argument, v.path or v.name, v.strides)
        if maker is not None:
            new.before = v
        p.inputs.append(new)
        return new

    def _hold_context(self, p: Program, line: Line, made_in: dict[Var, Program]) -> None:
        """A backward call of an earlier part's operation finds there what that kept."""
        forward = line.of
        if line.kind != "call" or forward is None or "context" not in forward.more or made_in[forward.out] is p:
            return
        context = forward.more["context"]
        if "holder" not in forward.more:
            holder = types.SimpleNamespace(context=None)
            self.held.append(holder)
            forward.more["holder"] = p.bind(f"kept_{context}", holder)
            forward.more["no text"] = True
            made_in[forward.out].handed_on.append(forward.out)
            made_in[forward.out].kept.add(forward.out)
        line.text = line.text.replace(f"back({context},", f"back({forward.more['holder']}.context,")

    # -- values

    def var(self, value: Any) -> Any:
        """The Var of a Value; Python values as they are."""
        if isinstance(value, tuple) and any(isinstance(part, Value) for part in value):
            return tuple(map(self.var, value))
        if not isinstance(value, Value):
            return value
        found = self.vars.get(value)
        if found is not None:
            return found
        if value.tensor is None:
            raise Unprogrammable("a value that is not an array of the program is computed with")
        at = self.at.get(id(value.tensor))
        path = self.arguments[at][0] if at is not None else self.state.tensors[id(value.tensor)][1]
        made = Var(
            self.p.name(path), value.shape, value.dtype, None, None if at is not None else value.tensor, at, path
        )
        made.strides = value.array.strides
        self.p.inputs.append(made)
        self.vars[value] = made
        return made

    def _bind(self, value: Value, var: Var) -> None:
        if var.shape != value.shape or var.dtype != value.dtype:
            raise Unprogrammable(
                f"(of minigrad's own) {var.name} has shape {var.shape}, the operation gave {value.shape}"
            )
        self.vars[value] = var

    # -- entries

    def _ran(self, e: Ran) -> None:
        p = self.p
        p.section, p.note, p.of = FORWARD, e.form.__qualname__, None
        inputs = [self.var(x) for x in e.inputs]
        emitted = Emitted(e, inputs)
        emitted.name = self.r.names.get(id(e.out.array)) or _name_of(e.form)
        self._check_indices(e)
        before, taken = len(p.lines), set(p._taken)
        try:
            writes = emitted.writes = _text_of(e)
            if writes is None:
                raise Unwritten
            emitted.out = writes[0](p, emitted, *inputs)
            self._bind(e.out, emitted.out)
            self.emitted[e] = emitted
        except Unwritten:
            del p.lines[before:]
            p._taken = taken
            self.emitted[e] = None
            self._call(e, inputs, emitted.name)
        self.lines_of[e] = p.lines[-1]
        group = p.lines[before:]  # the lines of one operation
        for line in group:
            line.more["at"], line.more["group"] = e.at, group

    def _check_indices(self, e: Ran) -> None:
        """Of indices that are no constants: they must be within the dimension that they are for, as at the recorded call.

        `scatter` and its kin refuse what counts from the end, `x[i]` takes it, and both run the same operations. So one
        that did at the recorded call may do so again, and of others such an index runs eagerly, which knows the difference.
        """
        found: list[tuple[Any, int]] = []  # index, entries of the dimension
        if issubclass(e.form, Embedding):
            found.append((e.inputs[1], e.inputs[0].shape[0]))
        elif e.form is IndexSelect:
            found.append((e.inputs[2], e.inputs[0].shape[e.inputs[1]]))
        for key in e.inputs:
            if isinstance(key, tuple) and any(isinstance(k, Value) for k in key):
                found += _dimensions_of(key, e.inputs[0].shape)
        for value, n in found:
            if value.array.size and value.array.min() < 0:
                continue
            index = self.var(value)
            root = _root_of(index)
            if not math.prod(index.shape) or (root.line is not None and root.line.more.keys() & {"fixed", "found"}):
                continue
            self.p.add(
                "check",
                f"require(0 <= {{0}}.min() and {{0}}.max() < {n})",
                [index],
                "ok",
                (),
                np.dtype(bool),
                low=0,
                high=n - 1,
            )

    def _call(self, e: Ran, inputs: list[Any], name: str) -> None:
        """A call of the operation's own forward."""
        p = self.p
        form = p.bind(e.form.__qualname__, e.form)
        texts, variables = [], []
        for x in inputs:
            if isinstance(x, Var):
                if x not in variables:
                    variables.append(x)
                # NumPy makes numbers of arrays without dimensions, and computes with them by other functions
                texts.append(f"{{{variables.index(x)}}}" if x.shape else f"np.asarray({{{variables.index(x)}}})")
            elif isinstance(x, np.generic):
                texts.append(repr(x))
            elif x is None or isinstance(x, bool | int | str | float) or (isinstance(x, tuple) and _plain(x)):
                texts.append(
                    (number(x) if isinstance(x, int | float) else repr(x)).replace("{", "{{").replace("}", "}}")
                )
            elif isinstance(x, list) and _plain(tuple(x)):
                texts.append(repr(x))
            elif isinstance(x, Geometry):
                texts.append(f"Geometry{tuple(x)!r}")
            elif isinstance(x, tuple) and any(isinstance(k, Var) for k in x):
                texts.append(f"({', '.join(_part_of_key(k, variables) for k in x)},)")
            elif isinstance(x, Moments):
                texts.append(p.bind("moments", x))
            elif isinstance(x, np.dtype):
                texts.append(f"np.dtype({x.name!r})")
            elif isinstance(x, memory_format):
                texts.append(p.bind(str(x).rpartition(".")[2], x))
            else:
                raise Unprogrammable(f"{e.op or 'an operation'}, one of whose settings is a {type(x).__name__}")
        context = p.name(f"saved_{name}")
        text = f"run({form}, {e.needs!r}, {', '.join(texts)})" if texts else f"run({form}, {e.needs!r})"
        out = p.add(
            "call", text, variables, name, e.out.shape, e.out.dtype, context=context, strides=e.out.array.strides
        )
        out.line.more["call"] = Call(e.form, inputs, e.needs, out)  # type: ignore[union-attr]
        self._bind(e.out, out)

    def _backward(self, e: Backward) -> None:
        p = self.p
        p.section, p.note = BACKWARD, e.of.form.__qualname__
        p.of = self.lines_of[e.of]
        self.walked.add(e.of.node)
        grad = self.var(e.grad)
        emitted = self.emitted[e.of]
        if emitted is not None:
            found = emitted.writes[1](p, emitted, grad)
            for value, var in zip(e.results, found, strict=True):
                if value is not None:
                    if var is None:
                        raise Unprogrammable(
                            f"(of minigrad's own) {e.of.form.__qualname__} is written without a gradient"
                        )
                    if value not in self.vars:
                        self._bind(value, var)
            return
        line = self.lines_of[e.of]
        first = next((i for i, v in enumerate(e.results) if v is not None), None)
        if first is None:
            return
        outs: list[Var | None] = []
        for value, x in zip(e.results, e.of.inputs, strict=True):
            if value is None:
                outs.append(None)
            elif value in self.vars:
                outs.append(Var(p.name("same"), value.shape, value.dtype))
            else:
                wanted = self.var(x).name if isinstance(x, Value) else "x"
                outs.append(Var(p.name(f"d_{wanted}"), value.shape, value.dtype))
        given = [v for v in outs if v is not None]
        made = Line("call", f"back({line.more['context']}, {{0}}, {len(e.results)})", [grad], given[0], BACKWARD, p.note, {"after": [line.out]}, outs, line)  # fmt: skip
        for value, v in zip(e.results, outs, strict=True):
            if v is not None and value is not None:
                v.line = made
                if value not in self.vars:
                    self.vars[value] = v
        p.lines.append(made)

    def _fitted(self, e: Fitted) -> None:
        p = self.p
        value = self.var(e.value)
        p.section, p.note = BACKWARD, "summed down to the shape that was broadcast"
        p.of = self.lines_of.get(e.of)
        shape, target = e.value.shape, e.out.shape
        if e.value.dtype != e.out.dtype and shape == target:
            out = p.elementwise(f"{{0}}.astype(np.{e.out.dtype.name})", value, wanted=value.name, dtype=e.out.dtype)
            out.line.kind = "numpy"  # type: ignore[union-attr]
        elif e.value.dtype == e.out.dtype:
            added = len(shape) - len(target)
            stretched = [i + added for i, n in enumerate(target) if n == 1 and shape[i + added] != 1]
            axes = (*range(added), *stretched)
            kept = tuple(n for i, n in enumerate(shape) if i not in axes)
            text = f"total({{0}}, {axes!r})" + (f".reshape({target!r})" if kept != target else "")
            out = p.add("numpy", text, [value], value.name, target, e.out.dtype)
        else:
            raise Unprogrammable("a gradient of another shape and type")
        self._bind(e.out, out)

    def _added(self, e: Added) -> None:
        self.p.section, self.p.note, self.p.of = BACKWARD, "two gradients meet", None
        a, b = self.var(e.a), self.var(e.b)
        self._bind(e.out, self.p.elementwise("{0} + {1}", a, b, wanted=a.name))

    def _ones(self, e: Ones) -> None:
        self.p.section, self.p.note, self.p.of = BACKWARD, "the gradient of the result by itself", None
        text = f"np.ones({e.out.shape!r}, np.{e.out.dtype.name})"
        self._bind(e.out, self.p.add("numpy", text, [], "g", e.out.shape, e.out.dtype, one=True))

    def _arrived(self, e: Arrived) -> None:
        leaf, var = e.leaf, self.var(e.value)
        if id(leaf) in self.at:
            raise Unprogrammable("an argument gets a gradient")
        self.leaves[id(leaf)] = leaf
        kind, what = self._grad(leaf)
        if kind == "none":
            self.grads[id(leaf)] = ("new", var)
        elif kind == "new":
            self.sums.setdefault(id(leaf), []).append(var)
        else:
            self.grads[id(leaf)] = ("plus", [*what, var])

    def _gradients(self) -> dict[int, tuple[str, Any]]:
        """What the leaves' gradients are now, in the order of the leaves, with the sums of several backward passes.

        In which order they arrive depends on which tensors of earlier calls are alive: a leaf's accumulator is made when it is
        first needed and lives as long as a graph does, and backward passes go by age. The program is the same.
        """
        order = {key: i for i, key in enumerate(self.state.tensors)}
        for key in sorted(self.grads, key=lambda key: order.get(key, len(order))):
            for var in self.sums.pop(key, ()):
                what = self.grads[key][1]
                self.p.section, self.p.note, self.p.of = BACKWARD, "added to the gradient that is there", None
                self.grads[key] = ("new", self.p.elementwise("{0} + {1}", what, var, wanted=what.name))
            self.grads[key] = self.grads.pop(key)
        return dict(self.grads)

    def _grad(self, leaf: Any) -> tuple[str, Any]:
        """What the leaf's gradient is now: that at the start of the call if nothing has been done with it."""
        self.leaves[id(leaf)] = leaf
        if id(leaf) not in self.grads:
            is_none = self.r.entry_grads[id(leaf)]
            self.needs_entry[id(leaf)] = (leaf, is_none)
            return ("none", None) if is_none else ("plus", [])
        return self.grads[id(leaf)]

    def _looked(self, e: Looked) -> None:
        if id(e.leaf) in self.at:
            raise Unprogrammable("the gradient of an argument is looked at")
        self._grad(e.leaf)

    def _cleared(self, e: Cleared) -> None:
        if id(e.leaf) in self.at:
            raise Unprogrammable("an argument gets a gradient")
        self.leaves[id(e.leaf)] = e.leaf
        self.sums.pop(id(e.leaf), None)
        self.grads[id(e.leaf)] = ("none", None)

    def _drawn(self, e: Drawn) -> None:
        self.p.section, self.p.note, self.p.of = FORWARD, "from the random stream", None
        arguments = ", ".join(repr(a) if not isinstance(a, np.dtype) else f"np.dtype({a.name!r})" for a in e.args)
        out = self.p.add("draw", f"draw({e.method!r}, {arguments})", [], "noise", e.out.shape, e.out.dtype)
        out.strides = e.out.array.strides
        out.line.more["drawn"] = _drawn_as(e.method, e.args)  # type: ignore[union-attr]
        self._bind(e.out, out)

    def _found(self, e: Found) -> None:
        self.p.section, self.p.note, self.p.of = FORWARD, "of values, without a gradient", None
        name = self.r.names.get(id(e.out.array)) or "places"
        self._bind(e.out, self.p.add("numpy", e.text, [self.var(e.value)], name, e.out.shape, e.out.dtype, found=True))

    def _called(self, e: Called) -> None:
        """A function of the engine that is called as a whole: NumPy where that is all that it is."""
        p = self.p
        p.section, p.note, p.of = FORWARD, e.name or e.op or e.function.__name__, None
        names = [self.r.names.get(id(out.array)) or e.function.__name__ for out in e.outs]
        plain = NUMPY.get(e.function.__name__) if not e.draws else None
        given = [x for x in (*e.args, *e.named.values()) if x is not None and x is not False]
        if plain and all(isinstance(x, Value) for x in given) and len({x.dtype for x in given}) == 1:
            (out,) = e.outs
            self._bind(out, p.add("numpy", plain, [self.var(x) for x in given], names[0], out.shape, out.dtype))
        else:
            variables: list[Var] = []
            args = [self._argument(x, variables) for x in e.args]
            args += [f"{key}={self._argument(x, variables)}" for key, x in e.named.items()]
            shapes = tuple((out.shape, out.dtype.name) for out in e.outs)
            text = f"called({p.bind(e.function.__name__.strip('_'), e.function)}, {shapes!r}, {', '.join(args)})"
            outs: list[Var | None] = [Var(p.name(n), v.shape, v.dtype) for n, v in zip(names, e.outs, strict=True)]
            line = Line("whole", text, variables, outs[0], FORWARD, p.note, {"draws": e.draws}, outs)  # type: ignore[arg-type]
            for value, var in zip(e.outs, outs, strict=True):
                var.line = line  # type: ignore[union-attr]
                self._bind(value, var)  # type: ignore[arg-type]
            p.lines.append(line)
        p.lines[-1].more["at"] = e.at

    def _argument(self, x: Any, variables: list[Var]) -> str:
        """An argument of such a call as text."""
        if isinstance(x, Value):
            return _part_of_key(self.var(x), variables)
        if type(x) in (list, tuple):
            inner = "".join(f"{self._argument(part, variables)}, " for part in x)
            return f"[{inner}]" if type(x) is list else f"({inner})"
        if _plain((x,)) and not isinstance(x, float):
            return repr(x).replace("{", "{{").replace("}", "}}")
        return number(x) if type(x) is float else self.p.bind("setting", x)

    def _made(self, e: Made) -> None:
        self.p.section, self.p.note, self.p.of = FORWARD, "numbers of the program's own", None
        name = self.r.names.get(id(e.out.array)) or "numbers"
        self._bind(e.out, self.p.add("numpy", e.text, [], name, e.out.shape, e.out.dtype, fixed=True))

    def _compared(self, e: Compared) -> None:
        self.p.section, self.p.note, self.p.of = FORWARD, e.ufunc.__name__, None
        text = f"{{0}} {_SIGNS[e.ufunc.__name__]} {{1}}"
        a, b = self.var(e.a), self.var(e.b)
        self._bind(
            e.out,
            self.p.elementwise(text, a, b, wanted=self.r.names.get(id(e.out.array)) or "mask", dtype=np.dtype(bool)),
        )

    def _clipped(self, e: Clipped) -> None:
        for leaf in e.leaves:
            self._grad(leaf)
        self.effects.append(("grads", self._gradients()))
        self.effects.append(("clip", e.leaves, e.max_norm))
        self.norm = e.out
        self._settled()

    def _clippedbyvalue(self, e: ClippedByValue) -> None:
        for leaf in e.leaves:
            self._grad(leaf)
        self.effects.append(("grads", self._gradients()))
        self.effects.append(("clip values", e.leaves, e.value))
        self._settled()

    def _wrote(self, e: Wrote) -> None:
        if id(e.leaf) in self.at:
            raise Unprogrammable("a change in place of an argument")
        self.effects.append(("write", e.leaf, self.var(e.value)))

    def _counted(self, e: Counted) -> None:
        self.later.append(("count", e.counter))

    def _moved(self, e: Moved) -> None:
        self.later.append(("move", e.running, e.momentum, e.moments, e.factor))

    def _updated(self, e: Updated) -> None:
        for group in e.optimizer.param_groups:
            for p in group["params"]:
                self._grad(p)
        self.effects.append(("grads", self._gradients()))
        self.effects.append(("update", e.optimizer))
        self._settled()

    def _scheduled(self, e: Scheduled) -> None:
        measure = None if e.measure is None else self.var(e.measure)
        self.effects.append(("schedule", e.scheduler, measure))

    def _seen(self, e: Seen) -> None:
        p = self.p
        p.section, p.note, p.of = FORWARD, "by channel", None
        value = self.var(e.value)
        self._bind(
            e.out,
            p.add(
                "view",
                f"{{0}}.reshape({e.out.shape!r})",
                [value],
                f"{value.name}_by_channel",
                e.out.shape,
                value.dtype,
                how="reshape",
            ),
        )

    def _settled(self) -> None:
        """The gradients are where they belong: what comes later starts from there."""
        for key in self.grads:
            if self.grads[key][0] == "new" or self.grads[key][0] == "plus":
                self.grads[key] = ("plus", [])

    # -- results

    def _is_let_go(self, node: Any) -> bool:
        """Whether a backward pass from this node would fail, in eager too: what it or one behind it saved is let go."""
        seen, todo = set(), [node]
        while todo:
            node = todo.pop()
            if node in self.walked and node not in self.r.retained:
                return True
            if node not in seen:
                seen.add(node)
                todo.extend(edge[0] for edge in node._edges if edge is not None)
        return False

    def _results(self, x: Any) -> Any:
        if isinstance(x, Variable):
            array = x.__dict__["array"]
            value = self.r.values.get(id(array))
            if value is STALE:
                value = None
            at = self.at.get(id(x))
            if at is not None or id(x) in self.state.tensors:
                return Same(x, at)
            if x._base is not None:
                raise Unprogrammable("a view leaves the step")
            if self.norm is not None and value is self.norm:
                return Norm()
            owner = next((t for t in self.leaves.values() if t._grad is x), None)
            if owner is not None:
                return GradOf(owner)
            if value is None:
                raise Unprogrammable("a tensor leaves the step that was made in a way that is not recorded")
            gone = None
            if x._edge is not None:
                if x._edge[0] not in self.walked:
                    raise Unprogrammable(
                        "a tensor that requires grad leaves the step without a backward pass from it; compile the function that calls backward()"
                    )
                if not self._is_let_go(x._edge[0]):
                    raise Unprogrammable("a tensor whose graph is kept (retain_graph=True) leaves the step")
                gone = type(x._edge[0]).__name__
            elif x._requires_grad:
                raise Unprogrammable("a new leaf leaves the step")
            var = self.var(value)
            if var.line is None or _root_of(var).line is None:
                raise Unprogrammable("a view leaves the step")
            parts = [*self.parts, self.p]
            part = next(i for i, p in enumerate(parts) if any(var in (line.out, *line.outs) for line in p.lines))
            parts[part].kept.add(var)
            self.returned.setdefault(parts[part], []).append(var)
            tensor, given = self.given.setdefault(var, (x, Result(var, gone, part)))
            if tensor is not x:
                raise Unprogrammable("two tensors that share memory leave the step")
            return given
        if isinstance(x, list | dict) and id(x) in self.state.reachable:
            raise Unprogrammable("the step returns a list or a dict that is not its own")
        if hasattr(x, "_fields") and isinstance(x, tuple):  # a named tuple
            return type(x)(*map(self._results, x))
        if type(x) in (list, tuple):
            return type(x)(self._results(part) for part in x)
        if type(x) is dict:
            return {k: self._results(v) for k, v in x.items()}
        if isinstance(x, Array) or not _plain((x,)):
            raise Unprogrammable(f"the step returns a {type(x).__name__}")
        return x


def _drawn_as(method: str, args: tuple[Any, ...]) -> str:
    """How numbers are drawn, for people."""
    if method == "dropout_mask":
        rate = float(args[2])
        return f"0 with probability {rate:g}, else {1 / (1 - rate):g}" if rate < 1 else "0"
    settings = [repr(a) for a in args if isinstance(a, int | float) and not isinstance(a, bool)]
    return f"{method}({', '.join(settings)})"


def _part_of_key(k: Any, variables: list[Var]) -> str:
    """A part of the key of an index."""
    if not isinstance(k, Var):
        return repr(k)
    if k not in variables:
        variables.append(k)
    return f"np.asarray({{{variables.index(k)}}})"


def _name_of(form: Any) -> str:
    """A name for what an operation gave: that of the operation."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", form.__qualname__.rpartition(".")[2]).lower().strip("_")


def _root_of(var: Var) -> Var:
    """What a view looks at."""
    while var.line is not None and var.line.kind == "view":
        var = var.line.inputs[0]
    return var


def _plain(values: Any) -> bool:
    return all(
        x is None
        or isinstance(x, bool | int | float | str)
        or x is Ellipsis
        or (isinstance(x, tuple) and _plain(x))
        or isinstance(x, slice)
        for x in values
    )
