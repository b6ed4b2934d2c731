"""`compile`: a step that is recorded at its first calls and run as a program afterwards."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes, quiet, storage
from ..autograd.fit import as_tuple
from ..autograd.fused import Fused as FusedOperation
from ..autograd.fused import _load, kernels_position, numba_is_installed
from ..autograd.graph import Operation
from ..autograd.modes import current
from ..autograd.variable import Array, Variable, wrap
from ..geometry import Geometry
from ..inplace import in_a_graph
from ..kernels import ahead
from ..nn.everywhere import Everywhere
from ..nn.module import Module
from ..nn.utils.clip_grad import clip_grads_with_norm_, clip_values, get_total_norm
from ..ops.batch_norm import Moments
from ..ops.extremes import place_of
from ..optim.optimizer import _post_hooks_of_all, _pre_hooks_of_all
from ..random import default_generator
from ..selection import in_order
from ..storage import clock
from ..sums import total
from ..threads import Turn, get_num_threads
from ..warn import warn
from .arguments import is_other, name_tensors, whole_key
from .fast import Calls, FastStep, Loop, Slow
from .frames import line_of_program
from .fuse import Fused, Unfused
from .guards import State, Unfollowed, is_of_the_program
from .loops import Loops, Unfit
from .places import ops_batch_norm
from .program import Program, Refused, Var
from .record import NotCompiled, Recording, _turn
from .refusal import why
from .story import costs, explained, fused_rows, measure, memory_picture, new_outs, numpy_rows, source_of_part
from .text import assigned, kept_of, results_of, run_text
from .undo import Undo
from .watch import Watch
from .write import GradOf, Norm, Result, Same, Unprogrammable, Writer
from .written import printed

# A small network's one loop takes seconds to compile (4 s for 2-4-1, 8 s for 1-64-64-1), and spares a tenth to a third of a
# step. It is worth that for who trains long. After as many calls as the first number says a process beside this one compiles
# it, unless it lies on the disk; until the second one the fused form runs, which needs no compiler, and from then on the loop;
# with mode="max-autotune" it runs at once. The two differ by rounding, so neither what lies compiled on the disk nor how
# quick a compiler was decides when one takes over from the other: the same program gives the same numbers at its first run and
# at its second.
CALLS_BEFORE_COMPILING = 5_000
CALLS_BEFORE_LOOPS = 50_000
LIMIT = 8  # programs of one step: one for each set of shapes, types and settings


# -- what programs call


def run(form: Any, needs: tuple[bool, ...], *inputs: Any) -> tuple[Array, Any]:
    """An operation's own forward on arrays: its output, and what it keeps for backward."""
    needs = needs or (False,) * len(inputs)
    if issubclass(
        form, FusedOperation
    ):  # (NumPy's form may have run when it was recorded, until a compiled one was there)
        form = form.again(inputs, needs)
    context = form()
    context.needs_input_grad = needs
    out = form.forward(context, *inputs)
    return (out if out.__class__ is Array else context.as_array(out)), context


def back(context: Any, grad: Any, n: int) -> tuple[Any, ...]:
    """An operation's own backward on arrays: a gradient for each input."""
    return tuple(as_tuple(context.run_backward(np.asarray(grad)))[:n])


def draw(method: str, *args: Any) -> Array:
    """Numbers from the random stream."""
    return getattr(default_generator, method)(*args)


def require(holds: Any) -> None:
    if not holds:
        raise Refused


def called(
    function: Any, shapes: tuple[tuple[tuple[int, ...], str], ...], *args: Any, **named: Any
) -> tuple[Array, ...]:
    """What a function of tensors gives, by arrays. Refused where it is of other shapes than it was."""

    def tensors(x: Any) -> Any:
        if x.__class__ is Array:
            return wrap(x)
        return type(x)(map(tensors, x)) if type(x) in (list, tuple) else x

    given = function(*map(tensors, args), **{key: tensors(x) for key, x in named.items()})
    arrays = tuple(x.array if isinstance(x, Variable) else x for x in (given if isinstance(given, tuple) else (given,)))
    if tuple((a.shape, a.dtype.name) for a in arrays) != shapes:
        raise Refused
    return arrays


def minus_at(x: Array, i: Array, j: Array, amount: Any) -> Array:
    x[i, j] -= amount
    return x


_SPACE = {
    "np": np,
    "run": run,
    "back": back,
    "draw": draw,
    "called": called,
    "require": require,
    "minus_at": minus_at,
    "total": total,
    "Geometry": Geometry,
    "in_order": in_order,
    "place_of": place_of,
    "inf": np.inf,
    "nan": np.nan,
}


class Gone(Operation):
    """The node of a tensor that a program made: the graph behind it was walked inside the step, and is not there."""

    def run_backward(self, gradient: Any) -> Any:
        raise RuntimeError(
            "Trying to backward through the graph a second time: it was walked inside the compiled step, which keeps no graph. "
            "Call backward once inside the step, or take it outside of minigrad.compile."
        )


@functools.cache
def _gone(name: str) -> type[Gone]:
    return type("Gone", (Gone,), {"grad_fn_name": name})


# -- one program, ready


def settings() -> tuple[Any, ...]:
    """How the engine runs now, as far as it decides which code runs."""
    return (
        current.recording, current.inference, current.anomaly, current.saved_hooks, Everywhere.any(), bool(_pre_hooks_of_all or _post_hooks_of_all), kernels_position(), get_num_threads(), dtypes.default_numpy(),
    )  # fmt: skip


class Part:
    """A program ready to run, with what becomes of its results. A step has several where it computes on after a change of
    what it computes from, as after an optimizer's step."""

    def __init__(self, program: Program, leaves: dict[int, Any], at_once: bool) -> None:
        self.at_once = at_once  # whether to compile what can be, whatever that costs
        self.calls = 0
        self.run_source = run_text(program)
        space = self.space = {**_SPACE, **{k: v for k, v in program.objects.items() if k.isidentifier()}}
        exec(compile(self.run_source, "<a step written out>", "exec"), space)
        self.function = space["program"]
        self.reads = [(v.tensor, v.argument, v.before) for v in program.inputs]
        self.kept = kept_of(program)
        self.place = {v: i for i, v in enumerate(self.kept)}
        self.draws = any(line.kind == "draw" or line.more.get("draws") for line in program.lines)
        self.leaves = leaves
        self.fresh = _fresh(program)
        self._choose_form(program)
        self.program = program

    def _choose_form(self, program: Program) -> None:
        """The compiled form, or the fused one, where the program is one that it serves and Numba may be used."""
        self.loops: Loops | None = None
        self.later: Loops | None = None  # the form that it may have after many calls
        self.ahead: Any = None  # the process that compiles it
        self.fused: Fused | None = None
        self.fast: FastStep | None = None
        self.why_not = self.why_not_compiled = ""
        if kernels_position() not in ("fastest", "compiled") or not numba_is_installed():
            self.why_not = self.why_not_compiled = "compiled loops are switched off"
            return
        if _load("native.follow") is None:
            self.why_not = self.why_not_compiled = "Numba cannot be used"
            return
        try:
            self.fused = Fused(program, _SPACE)
        except Unfused:
            pass
        except ImportError as error:  # of Numba, and the machine code does not lie on the disk
            self.why_not = self.why_not_compiled = str(error)
            return
        try:
            loops = Loops(program)
        except Unfit as error:
            self.why_not_compiled = str(error)
        else:
            if (self.fused is None or self.at_once or CALLS_BEFORE_LOOPS == 0) and _load("step.build") is not None:
                self.loops, self.fused = loops, None
            elif self.fused is not None:
                self.later = loops
        if self.loops is None and self.fused is None:
            self.why_not = "there is nothing to fuse: no arithmetic by element, and no product of matrices"
            return
        self._use(program, self.loops or self.fused)

    def _use(self, program: Program, form: Any) -> None:
        """Run in this form from now on."""
        self.reads = [(v.tensor, v.argument, v.before) for v in form.inputs]
        self.kept = form.kept
        self.place = {v: i for i, v in enumerate(self.kept)}
        self.fresh = set(self.kept)
        try:
            self.fast = FastStep(program, form, self.leaves, results_of(program.results), self.draws)
            self.fresh -= self.fast.copied
        except Slow:
            self.form = Loop(form) if self.loops is not None else Calls(form, self.draws)
            self.shapes = [(v.shape, v.dtype) for v in self.kept]
            self.function = self._run_compiled

    def _compile_ahead(self, program: Program, loops: Loops, tensors: list[Any], handed_on: dict[Var, Array]) -> None:
        """The step has run often: it is worth a compiler's time, in a process of its own."""
        with contextlib.suppress(Slow):
            form = FastStep(program, loops, self.leaves, results_of(program.results), self.draws)
            arrays = self.arrays([(v.tensor, v.argument, v.before) for v in loops.inputs], tensors, handed_on)
            if not ahead.kept(form.text):
                self.ahead = ahead.start(form.text, loops.dtype == np.float64, form.kinds(arrays))

    def _grow(self, program: Program) -> None:
        """It takes the form that was compiled for it."""
        if self.ahead is not None:
            ahead.wait(self.ahead)
        if _load("step.build") is None:  # (the tape's machine code needed no Numba)
            self.later = None
            return
        self.loops, self.fused, self.fast, self.later = self.later, None, None, None
        self._use(program, self.loops)

    def what_comes(self) -> str:
        """When the loop over rows takes over, for people."""
        told = f"from call {CALLS_BEFORE_LOOPS:,} on one compiled loop"
        if self.ahead is not None:
            done = self.ahead.poll() is not None
            return told + (", compiled already" if done else ", which another process is compiling")
        return told + (
            ""
            if self.calls > CALLS_BEFORE_COMPILING
            else f", which takes seconds to compile: that begins at call {CALLS_BEFORE_COMPILING:,}"
        )

    def _run_compiled(self, *arrays: Array) -> list[Array]:
        outs = [np.empty(shape, dtype) for shape, dtype in self.shapes]
        if self.form(list(arrays), outs):
            raise Refused from getattr(self.form, "error", None)
        return outs

    def arrays(self, inputs: Any, tensors: list[Any], handed_on: dict[Var, Array]) -> list[Array]:
        """The arrays of inputs: of an argument, of a tensor of the step's own, or handed on by an earlier part."""
        return [
            tensors[at].array if at is not None else tensor.array if tensor is not None else handed_on[before]
            for tensor, at, before in inputs
        ]

    def run(self, tensors: list[Any], handed_on: dict[Var, Array]) -> Ran:
        """Run it, and let its results take effect. Errors: Refused, before anything has changed."""
        program = self.program
        if self.later is not None:
            if self.calls >= CALLS_BEFORE_LOOPS:
                self._grow(program)
            elif self.calls == CALLS_BEFORE_COMPILING:
                self._compile_ahead(program, self.later, tensors, handed_on)
        arrays = self.arrays(self.reads, tensors, handed_on)
        if self.fast is not None:
            outs = self.fast(arrays)
            if outs is None:
                raise Refused from getattr(self.fast.run, "error", None)
            self.calls += 1
            return Ran(outs, set(), None)
        state = default_generator.get_state() if self.draws else None
        before, outside = current.recording, quiet.state()
        try:
            current.recording = False
            quiet.enter(outside)
            outs = self.function(*arrays)
        except Exception as error:
            if state is not None:
                default_generator.set_state(state)
            raise Refused from (error.__cause__ if isinstance(error, Refused) else error)
        finally:
            current.recording = before
            quiet.put_back(outside)
        given: set[int] = set()
        norm = None
        for effect in program.steps:
            if effect[0] == "grads":
                self._set_gradients(effect[1], outs, given)
            elif effect[0] == "count":
                effect[1].array += 1
            elif effect[0] == "move":
                _, running, momentum, moments, factor = effect
                ops_batch_norm._update_running(*running, momentum, moments.mean, moments.var * factor)
            elif effect[0] == "clip":
                norm = self._clip(effect[1], effect[2])
            elif effect[0] == "clip values":
                clip_values(effect[1], effect[2])
            elif effect[0] == "write":
                _, leaf, var = effect
                np.copyto(leaf.array, outs[self.place[var]])
                storage.mark_written(leaf.array, recorded=in_a_graph(leaf))
            elif effect[0] == "schedule" and effect[2] is not None:
                effect[1].step(wrap(np.array(outs[self.place[effect[2]]])))
            else:
                effect[1].step()
        self.calls += 1
        return Ran(outs, given, norm)

    def why_refused(
        self, tensors: list[Any], handed_on: dict[Var, Array], error: BaseException | None
    ) -> tuple[str, bool]:
        """Which line refuses the values of a call; whether it is an error of the operation's own."""
        program = self.program
        arrays = self.arrays([(v.tensor, v.argument, v.before) for v in program.inputs], tensors, handed_on)
        return why(program, arrays, _SPACE | {k: v for k, v in program.objects.items() if k.isidentifier()}, error)

    def costs(self, last: list[Any]) -> list[str]:
        """A table of what the statements cost, in a few runs that change nothing, on the arguments `last`.

        What an earlier part hands on is taken as zeros.
        """
        program = self.program
        of_earlier = {v.before: np.zeros(v.shape, v.dtype) for v in program.inputs if v.before is not None}
        arrays = self.arrays(self.reads, last, of_earlier)
        if self.fused is not None:
            form = self.fused
            space = form.space | {v.name: a for v, a in zip(form.inputs, arrays, strict=True)}
            space |= {v.name: a for v, a in zip(form.outs, new_outs(form.outs), strict=True)}
            measured = measure([("\n".join(text), None) for text in form.statements], space)
            return ["    what runs, and what it costs now:", *costs(fused_rows(form), measured)]
        told, statements = numpy_rows(program.lines)
        space = {**_SPACE, **{k: v for k, v in program.objects.items() if k.isidentifier()}}
        names = program.inputs if self.loops is None else self.loops.inputs
        space |= {v.name: a for v, a in zip(names, arrays, strict=True)}
        seconds = measure(statements, space)
        if self.loops is None:
            return ["    what runs, and what it costs now:", *costs(told, seconds)]
        outs = new_outs(self.kept)
        run = Loop(self.loops)
        whole = measure([("run(arrays, outs)", None)], {"run": run, "arrays": arrays, "outs": outs})[0]
        head = f"    all lines in one loop: {whole * 1e6:.1f} us (without the update); line by line NumPy would take {sum(seconds) * 1e6:.1f} us:"
        return [head, *costs(told, seconds)]

    def _set_gradients(self, gradients: dict[int, tuple[str, Any]], outs: Any, given: set[int]) -> None:
        for key, (kind, what) in gradients.items():
            leaf = self.leaves[key]
            if kind == "none":
                leaf._grad = None
            elif kind == "new":
                leaf._grad = wrap(self._own(what, outs, given))
            else:
                for var in what:
                    quiet.quiet(np.add)(leaf._grad.array, outs[self.place[var]], out=leaf._grad.array)
                    storage.mark_written(leaf._grad.array)

    def _own(self, var: Var, outs: Any, given: set[int]) -> Array:
        """The array of a result, in memory of its own."""
        array = outs[self.place[var]]
        if array.__class__ is not Array:
            return np.asarray(array)
        if var not in self.fresh or id(array) in given:
            return array.copy()
        given.add(id(array))
        return array

    def _clip(self, leaves: list[Any], max_norm: float) -> Any:
        norm = get_total_norm([p._grad for p in leaves], 2.0, False)
        clip_grads_with_norm_(leaves, max_norm, norm)
        return norm


class Ran:
    """What a part gave: its results, those whose memory has been given away, and the norm by which gradients were clipped."""

    __slots__ = ("given", "norm", "outs")

    def __init__(self, outs: Any, given: set[int], norm: Any) -> None:
        self.outs, self.given, self.norm = outs, given, norm


_NOTHING: dict[Var, Array] = {}  # handed on to a program of one part


class Ready:
    """The program for calls that look like the one that was recorded: one part, or several that run one after the other."""

    def __init__(
        self, state: State, arguments: list[tuple[str, Any]], key: Any, settings: tuple[Any, ...], at_once: bool
    ) -> None:
        self.at_once = at_once
        self.state, self.key, self.settings = state, key, settings
        self.same = state.compiled()
        self.names = [name for name, _ in arguments]
        self.alone: Part | None = None  # the one part, where there is one
        self.settings_given: dict[str, Any] = {}  # arguments that are numbers
        self.parts: list[Part] = []  # none as long as it was recorded once
        self.text = ""
        self.told: list[tuple[str, str]] = []  # of a call that was recorded: its lines, and where they come from
        self.entry: list[tuple[Any, bool]] = []  # leaves, and whether they had no gradient when the call began
        self.looks = [_look_of(t) for _, t in arguments]
        self.last: list[tuple[Any, Any, bool]] = [(None, None, False)] * len(arguments)
        self.owners: list[Any] = []
        self.captured_ids = frozenset(state.tensors)
        self.updated_leaves: list[Any] = []  # those that the program gives gradients

    def fits(self, key: Any, tensors: list[Any]) -> bool:
        """Whether a call with these arguments, now, is as the one that was recorded."""
        if key != self.key or settings() != self.settings:
            return False
        if len(tensors) > 1 and len(set(map(id, tensors))) < len(tensors):
            return False
        for i, x in enumerate(tensors):
            known, array, requires = self.last[i]
            if (
                x is known and x.array is array and x._requires_grad is requires and x._edge is None and x._base is None
                and not x._hooks and not x._post_hooks
            ):  # fmt: skip
                continue  # the very one of the last call, of which nothing has changed but values
            if _look_of(x) != self.looks[i] or id(x) in self.captured_ids:
                return False
            if self.owners and id(storage.owner(x.array)) in {id(storage.owner(t.array)) for t in self.owners}:
                return False
            self.last[i] = x, x.array, x._requires_grad
        if not self.same():
            return False
        for leaf in self.updated_leaves:
            node = leaf._accumulator()
            if node is not None and node._node_hooks is not None:
                return False
        for leaf, is_none in self.entry:
            gradient = leaf._grad
            if (gradient is None) is not is_none or (
                not is_none and (gradient._edge is not None or gradient._requires_grad)
            ):
                return False
        if not self.parts:
            return True
        for one in self.captured:
            tensor, shape, dtype, strides, requires, array = one
            a = tensor.array
            if a is not array:
                if a.shape != shape or a.dtype is not dtype or a.strides != strides:
                    return False
                one[5] = a
            if tensor._requires_grad is not requires or tensor._edge is not None or tensor._hooks or tensor._post_hooks:
                return False
        return True

    def take(self, programs: list[Program], writer: Writer) -> None:
        """The program is made ready to run."""
        self.entry = list(writer.needs_entry.values())
        inputs = [v for program in programs for v in program.inputs if v.tensor is not None]
        self.captured = [
            [v.tensor, v.shape, v.dtype, v.strides, v.tensor._requires_grad, None]
            for v in {id(v.tensor): v for v in inputs}.values()
        ]
        known = {id(v.tensor) for v in inputs}
        for leaf, _ in self.state.tensors.values():
            if id(leaf) not in known and leaf._edge is None:
                a = leaf.array
                self.captured.append([leaf, a.shape, a.dtype, a.strides, leaf._requires_grad, None])
        steps = [effect for program in programs for effect in program.steps]
        self.owners = [p for e in steps if e[0] == "update" for g in e[1].param_groups for p in g["params"]]
        self.owners += [e[1] for e in steps if e[0] == "write"]
        self.owners += [t for e in steps for t in (e[1] if e[0] == "move" else e[1:2] if e[0] == "count" else ())]
        self.updated_leaves = list(writer.leaves.values())
        self.stepping = [e[1] for e in steps if e[0] in ("update", "schedule")]
        self.results = writer.results
        self.held = writer.held
        later = [line for program in programs[1:] for line in program.lines]
        self.refuses_late = any(line.kind in ("check", "whole") for line in later)
        self.parts = [Part(program, writer.leaves, self.at_once) for program in programs]
        self.alone = self.parts[0] if len(self.parts) == 1 else None

    @property
    def calls(self) -> int:
        """How often it ran."""
        return self.parts[0].calls if self.parts else 0

    def __call__(self, tensors: list[Any]) -> Any:
        """Run it. Errors: Refused, when nothing has changed, or all that had is put back."""
        if self.alone is None:
            ran = self._run_parts(tensors)
            norm = next((one.norm for one in reversed(ran) if one.norm is not None), None)
            return self._results(self.results, ran, tensors, norm, {})
        try:
            one = self.alone.run(tensors, _NOTHING)
        except Refused as refusal:
            refusal.told = self.alone.why_refused(tensors, _NOTHING, refusal.__cause__)
            raise
        return self._results(self.results, (one,), tensors, one.norm, {})

    def _run_parts(self, tensors: list[Any]) -> list[Ran]:
        """One part after the other. What a later one refuses is found out when something has changed, which is put back."""
        undo = None
        if self.refuses_late:
            changed = {id(t): t for t in (*self.owners, *self.updated_leaves)}
            undo = Undo(changed.values(), self.stepping)
        handed_on: dict[Var, Array] = {}
        ran: list[Ran] = []
        try:
            for part in self.parts:
                try:
                    ran.append(part.run(tensors, handed_on))
                except Refused as refusal:
                    refusal.told = part.why_refused(tensors, handed_on, refusal.__cause__)
                    if ran and undo is None and refusal.__cause__ is not None:
                        raise refusal.__cause__ from None  # an operation's own error: eager raises it here too
                    raise
                outs = ran[-1].outs
                handed_on |= {v: outs[part.place[v]] for v in part.program.handed_on}
        except Refused:
            if ran and undo is not None:
                undo.put_back()
            raise
        finally:
            for holder in self.held:
                holder.context = None
        return ran

    def __getattr__(self, name: str) -> Any:
        """What is asked of a program of one part is that part's."""
        parts = self.__dict__.get("parts")
        if not parts:
            raise AttributeError(name)
        return getattr(parts[0], name)

    @property
    def program(self) -> Program | None:
        """The first part's; None as long as there is none."""
        return self.parts[0].program if self.parts else None

    def _results(self, x: Any, ran: Any, tensors: list[Any], norm: Any, made: dict[int, Any]) -> Any:
        if isinstance(x, Result):
            if id(x) in made:  # one tensor that is returned in several places
                return made[id(x)]
            one = ran[x.part]
            out = made[id(x)] = wrap(self.parts[x.part]._own(x.var, one.outs, one.given))
            if x.gone is not None:
                node = _gone(x.gone)()
                node.sequence_nr, node._out_shape, node._out_dtype = next(clock), x.var.shape, x.var.dtype
                out._edge = (node, 0)
            return out
        if isinstance(x, Same):
            return x.tensor if x.at is None else tensors[x.at]
        if isinstance(x, GradOf):
            return x.leaf._grad
        if isinstance(x, Norm):
            return norm
        if isinstance(x, list | tuple):
            parts = [self._results(part, ran, tensors, norm, made) for part in x]
            return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
        if isinstance(x, dict):
            return {k: self._results(v, ran, tensors, norm, made) for k, v in x.items()}
        return x


def _fresh(p: Program) -> set[Var]:
    """Results whose array nobody else holds: made by arithmetic, and not looked at by a view that is kept as well."""
    made = {line.out for line in p.lines if line.kind in ("elementwise", "dot", "rows", "all")}
    for line in p.lines:
        if line.kind in ("view", "call", "whole", "numpy"):
            made -= set(line.inputs)
    return made


def _look_of(x: Any) -> tuple[Any, ...]:
    """What of an argument must be the same."""
    a = x.array
    return (
        type(x), a.shape, a.dtype, a.strides, x._requires_grad, x._edge is None, bool(x._hooks or x._post_hooks),
        x._base is None or (x._base._edge is None and not x._base._requires_grad),
    )  # fmt: skip


# -- the step


class Compiled:
    """A step that is written out. Made by `compile`; called as the function that it was made of."""

    def __init__(self, function: Callable[..., Any], fullgraph: bool, at_once: bool = False) -> None:
        functools.update_wrapper(self, function)
        self._function, self._fullgraph, self._at_once = function, fullgraph, at_once
        self._ready: list[Ready] = []
        self._reasons: list[str] = []  # why calls ran eagerly
        self._gave_up: str | None = None
        self._busy = Turn()
        self._eager_calls = 0
        self._wait = 4  # calls until it is tried again, after a reason that may pass
        self._again: int | None = None  # at how many eager calls
        try:
            target = function.forward if isinstance(function, Module) else function
            self._signature: Any = inspect.signature(target)
        except (TypeError, ValueError):
            self._signature = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (self._gave_up is not None and not self._ready and self._runs_eagerly()) or not self._busy.take():
            return self._eagerly(args, kwargs)
        try:
            return self._call(args, kwargs)
        finally:
            self._busy.give_back()

    def _runs_eagerly(self) -> bool:
        """Whether it has given up what has no program; what may pass is tried again, after twice as many calls each time.

        Errors: NotCompiled with fullgraph=True.
        """
        if self._gave_up is None:
            return False
        if self._again is None or (self._eager_calls < self._again and not self._fullgraph):
            if self._fullgraph:
                raise NotCompiled(f"minigrad.compile(fullgraph=True): {self._gave_up}")
            return True
        self._gave_up = None
        return False

    def _give_up(self, reason: str, passes: bool = False, where: str = "") -> None:
        """Calls that fit no program run eagerly from now on; where the reason `passes` (a hook that may be removed) they are
        recorded again later.

        where: the line of the program; without one it is that of the call.
        """
        self._ready = [ready for ready in self._ready if ready.parts]
        where = where or line_of_program()
        reason = f"{reason} ({where})" if where else reason
        self._because(reason)
        self._gave_up = reason
        self._wait = min(2 * self._wait, 1024)
        self._again = self._eager_calls + self._wait if passes else None
        if self._fullgraph:
            raise NotCompiled(f"minigrad.compile(fullgraph=True): {reason}")

    def _refused(self, refusal: Refused, args: tuple, kwargs: dict) -> Any:
        """The program does not serve the values of this call: it runs eagerly, and says so."""
        reason, of_operation = refusal.told
        known = reason in self._reasons
        self._because(reason)
        if self._fullgraph and not of_operation:  # (an operation's own error comes from running it)
            raise NotCompiled(f"minigrad.compile(fullgraph=True): {reason}") from refusal.__cause__
        result = self._eagerly(args, kwargs)
        if not known:
            warn(f"minigrad.compile: a call of {self._name()} ran eagerly: {reason}")
        return result

    def _name(self) -> str:
        return getattr(self._function, "__qualname__", type(self._function).__name__)

    def __reduce__(self) -> Any:  # copy and pickle: programs belong to this one
        return type(self), (self._function, self._fullgraph, self._at_once)

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        return self if obj is None else functools.partial(self, obj)

    def _eagerly(self, args: tuple, kwargs: dict) -> Any:
        self._eager_calls += 1
        return self._function(*args, **kwargs)

    def _call(self, args: tuple, kwargs: dict) -> Any:
        tensors: list[Any] = []
        key = whole_key(args, kwargs, tensors)
        pending = None
        for ready in self._ready:
            if ready.fits(key, tensors):
                if ready.program is None:
                    pending = ready
                    break
                try:
                    return ready(tensors)
                except Refused as refused:
                    refusal = refused
                return self._refused(refusal, args, kwargs)
        if self._runs_eagerly():
            return self._eagerly(args, kwargs)
        return self._recorded(args, kwargs, key, tensors, pending)

    def _because(self, reason: str) -> None:
        if reason not in self._reasons and len(self._reasons) < 32:
            self._reasons.append(reason)

    def _stop(self, reason: str, args: tuple, kwargs: dict, passes: bool = False, where: str = "") -> Any:
        self._give_up(reason, passes, where)
        return self._eagerly(args, kwargs)

    def _recorded(self, args: tuple, kwargs: dict, key: Any, tensors: list[Any], pending: Ready | None) -> Any:
        """Run the step and record it: a program is taken when two calls have given the same one."""
        if len(self._ready) >= LIMIT and pending is None:
            reason = f"{LIMIT} programs were written for different shapes, types or settings, and this call fits none of them"
            if varying := self._varying(args, kwargs):
                reason += (
                    f": {varying} was another number each time, and a number that changes is to be given as a tensor"
                )
            if not self._fullgraph:  # (as PyTorch does when it stops compiling anew)
                warn(f"minigrad.compile: {self._name()} runs eagerly from now on: {reason}")
            return self._stop(reason, args, kwargs)
        if not _turn.take():
            return self._eagerly(args, kwargs)  # another thread records
        try:
            return self._record(args, kwargs, key, tensors, pending)
        finally:
            _turn.give_back()

    def _varying(self, args: tuple, kwargs: dict) -> str:
        """Which arguments are numbers that were others in each program; "" if none is."""
        told = []
        for name, value in self._named(args, kwargs):
            known = {repr(ready.settings_given.get(name)) for ready in self._ready}
            if isinstance(value, int | float) and not isinstance(value, bool) and len(known) == len(self._ready):
                told.append(name)
        return " and ".join(told)

    def _record(self, args: tuple, kwargs: dict, key: Any, tensors: list[Any], pending: Ready | None) -> Any:
        where = ""
        try:
            arguments = self._arguments(args, kwargs, tensors)
            state = State(self._function)
            for name, value in self._others(args, kwargs):
                state.add_argument(value, name)
            problem = _problem(state, tensors)
            passes = problem is not None
            if problem is None and (current.saved_hooks or Everywhere.any()):
                problem, passes = "hooks on what is saved for backward, or on all modules", True
        except Unfollowed as error:
            problem, passes, where = f"it depends on {error}", error.passes, error.where
        if problem is not None:
            return self._stop(problem, args, kwargs, passes, where)
        began = settings()
        ready = pending or Ready(state, arguments, key, began, self._at_once)
        ready.settings_given = dict(self._numbers(args, kwargs))
        known = {id(t): t for _, t in arguments} | {i: t for i, (t, _) in state.tensors.items()}
        known |= {i: o for i, (o, _) in state.optimizers.items()}
        recording = Recording(known)
        recording.strict = self._fullgraph
        undo = self._undo(state, tensors) if self._fullgraph else None
        try:
            return self._read(recording, ready, state, arguments, began, key, pending, args, kwargs)
        except NotCompiled:
            if undo is not None:
                undo.put_back()
            raise
        finally:
            recording.forget()

    def _undo(self, state: State, tensors: list[Any]) -> Undo:
        """All that the step may reach and change, as it is."""
        held = {id(t): t for t in (*(t for t, _ in state.tensors.values()), *tensors)}
        tables = []
        for obj in state.reachable.values():
            if type(obj) in (list, dict):
                tables.append(obj)
            elif is_of_the_program(obj) and not isinstance(obj, type):
                tables.append(obj.__dict__)
        return Undo(held.values(), [o for o, _ in state.optimizers.values()], tables)

    def _read(
        self, recording: Recording, ready: Ready, state: State, arguments: list[tuple[str, Any]], began: tuple[Any, ...], key: Any,
        pending: Ready | None, args: tuple, kwargs: dict,
    ) -> Any:  # fmt: skip
        """The call, and the program that it gives."""
        watch = Watch(recording, state)
        with recording, watch:
            result = self._function(*args, **kwargs)
        after: list[Any] = []
        if recording.reason is None and whole_key(args, kwargs, after) != key:
            recording.reason, recording.where = "the step changes an argument", ""
        if recording.reason is None and settings() != began:
            recording.reason, recording.where = "the step changes how the engine runs", ""
        programs = None
        if recording.reason is None:
            writer = Writer(recording, state, arguments, result)
            try:
                programs = writer.programs()
            except Unprogrammable as error:
                recording.reason, recording.where = str(error), error.where
        if programs is None:
            reason: Any = recording.reason
            self._give_up(reason, recording.passes, recording.where)
            return result
        names = {i: path for i, (_, path) in state.tensors.items()} | {id(t): name for name, t in arguments}
        for program in programs:
            program.objects["names of leaves"] = names
        text = repr(([(run_text(program), _told(program.steps)) for program in programs], _told(writer.results)))
        if pending is None:
            ready.text, ready.told = text, _lines_of(programs)
            ready.entry = list(writer.needs_entry.values())
            if ready.same():  # (a step that changes what it depends on is recorded anew each time, until the limit)
                self._ready.append(ready)
            else:
                self._give_up("the step changes something that it depends on")
        elif text != ready.text:
            self._give_up(*_difference(ready.told, programs))
        else:
            ready.take(programs, writer)
        return result

    # -- arguments

    def _arguments(self, args: tuple, kwargs: dict, tensors: list[Any]) -> list[tuple[str, Any]]:
        """The tensors among the arguments, with names."""
        names: dict[int, str] = {}
        for name, value in self._named(args, kwargs):
            name_tensors(value, name, names)
        return [(names.get(id(t), f"argument_{i}"), t) for i, t in enumerate(tensors)]

    def _named(self, args: tuple, kwargs: dict) -> list[tuple[str, Any]]:
        try:
            bound = self._signature.bind(*args, **kwargs).arguments
        except (TypeError, AttributeError):
            bound = {f"argument_{i}": a for i, a in enumerate(args)} | kwargs
        return list(bound.items())

    def _others(self, args: tuple, kwargs: dict) -> list[tuple[str, Any]]:
        """The arguments that are no tensors nor made of them."""
        return [(n, v) for n, v in self._named(args, kwargs) if isinstance(v, Module) or is_other(v)]

    def _numbers(self, args: tuple, kwargs: dict) -> list[tuple[str, Any]]:
        """The arguments that are numbers."""
        return [(n, v) for n, v in self._named(args, kwargs) if isinstance(v, int | float)]

    # -- for people

    def source(self, form: str = "definition") -> str:
        """The program of the last set of shapes that was written.

        "definition": line by line as Python, which needs NumPy alone; what is drawn at random is an argument. "fused": which lines run together, as loops over
        elements. "compiled": what runs, to the instruction.
        """
        if form not in ("definition", "fused", "compiled"):
            raise ValueError(f"source() expected 'definition', 'fused' or 'compiled', got {form!r}")
        ready = next((ready for ready in reversed(self._ready) if ready.parts), None)
        if ready is None:
            raise RuntimeError(f"there is no program yet: {self._gave_up or 'call the step twice, then it is written'}")
        name = getattr(self._function, "__name__", "step").strip("<>") or "step"
        texts = []
        for i, part in enumerate(ready.parts):
            printed(part.program)
            texts.append(source_of_part(part, name if not i else f"{name}_part_{i + 1}", form))
        return "\n\n".join(texts)

    def explain(self) -> str:
        """What was written out, how it runs, what it costs, where it keeps its values, and why the rest runs eagerly."""
        lines = [f"{getattr(self._function, '__qualname__', type(self._function).__name__)}, compiled by minigrad"]
        for i, ready in enumerate(self._ready, 1):
            shapes = ", ".join(
                f"{n} {list(look[1])} {look[2].name}" for n, look in zip(ready.names, ready.looks, strict=True)
            )
            lines.append(f"program {i}: {shapes or 'no tensors as arguments'}")
            if not ready.parts:
                lines.append(
                    "    recorded once; the second call like it is compared, from the third on the program runs"
                )
            for k, part in enumerate(ready.parts, 1):
                if len(ready.parts) > 1:
                    lines.append(
                        f"  part {k} of {len(ready.parts)}, {'up to' if k == 1 else 'after'} an optimizer's step:"
                    )
                lines += [*explained(part), *self._costs(ready, part)]
                if part.fused is not None:
                    lines += memory_picture(part.fused)
        for reason in self._reasons:
            lines.append(f"ran eagerly: {reason}")
        return "\n".join(lines)

    def _costs(self, ready: Ready, part: Part) -> list[str]:
        """What each statement costs now, measured on the arrays of the last call; results go into memory of their own."""
        if any(at is not None and ready.last[at][0] is None for _, at, _ in part.reads) or not self._busy.take():
            return []
        try:
            return part.costs([x for x, _, _ in ready.last])
        except Exception:  # an operation that refuses the values of the moment
            return ["    (what it costs cannot be measured now)"]
        finally:
            self._busy.give_back()


def _lines_of(programs: list[Program]) -> list[tuple[str, str]]:
    """The lines, each with the line of the user's program that it comes from."""
    lines = [line for program in programs for line in program.lines]
    return [(assigned(line), (line if line.of is None else line.of).more.get("at", "")) for line in lines]


def _difference(told: list[tuple[str, str]], programs: list[Program]) -> tuple[str, bool, str]:
    """Why a second call that is like the first has another program: the reason, that it does not pass, and the first line."""
    now = _lines_of(programs)
    pairs = zip([*told, ("", "")], [*now, ("", "")], strict=False)
    where = next((b[1] or a[1] for a, b in pairs if a[0] != b[0]), "")
    return (
        "two calls alike did different things: it depends on something that minigrad.compile does not see",
        False,
        where,
    )


def _told(x: Any) -> Any:
    """A structure as one that can be compared."""
    if isinstance(x, Var):
        return x.name
    if isinstance(x, Result):
        return ("result", x.var.name, x.gone)
    if isinstance(x, Same):
        return ("same", x.at, id(x.tensor) if x.at is None else 0)
    if isinstance(x, Norm):
        return "norm"
    if isinstance(x, GradOf):
        return ("grad", id(x.leaf))
    if isinstance(x, list | tuple):
        return [_told(part) for part in x]
    if isinstance(x, dict):
        return [(_told(k), _told(v)) for k, v in x.items()]
    if isinstance(x, Moments):
        return "moments"
    return x if isinstance(x, bool | int | float | str | None) else id(x)


def _problem(state: State, tensors: list[Any]) -> str | None:
    if len({id(t) for t in tensors}) < len(tensors) or any(id(t) in state.tensors for t in tensors):
        return None if not tensors else _twice(state, tensors)
    for t in tensors:
        if t._edge is not None:
            return "an argument has a history: its gradient would leave the step"
    return None


def _twice(state: State, tensors: list[Any]) -> str | None:
    return "a tensor is given twice, or is one that the step uses by another name"
