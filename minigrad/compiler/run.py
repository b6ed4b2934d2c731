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
from ..tensor import Tensor
from ..threads import Turn, get_num_threads
from ..warn import warn
from .fast import Calls, FastStep, Loop, Slow
from .fuse import Fused, Unfused
from .guards import State, Unfollowed
from .loops import Loops, Unfit
from .places import ops_batch_norm
from .program import KINDS, Program, Refused, Var
from .record import MAY_PASS, NotCompiled, Recording, _turn
from .refusal import why
from .story import (
    compiled_text,
    costs,
    fused_rows,
    fused_text,
    loops_text,
    measure,
    memory_picture,
    new_outs,
    numpy_rows,
)  # fmt: skip
from .text import definition, kept_of, results_of, run_text
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


def minus_at(x: Array, i: Array, j: Array, amount: Any) -> Array:
    x[i, j] -= amount
    return x


_SPACE = {
    "np": np,
    "run": run,
    "back": back,
    "draw": draw,
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


class Ready:
    """A program for calls that look like the one that was recorded."""

    def __init__(
        self, state: State, arguments: list[tuple[str, Any]], key: Any, settings: tuple[Any, ...], at_once: bool
    ) -> None:
        self.at_once = at_once  # whether to compile what can be, whatever that costs
        self.state, self.key, self.settings = state, key, settings
        self.same = state.compiled()
        self.names = [name for name, _ in arguments]
        self.program: Program | None = None
        self.text = ""
        self.calls = 0
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
        if self.program is None:
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

    def take(self, program: Program, writer: Writer) -> None:
        """The program is made ready to run."""
        self.entry = list(writer.needs_entry.values())
        self.captured = [
            [v.tensor, v.shape, v.dtype, v.strides, v.tensor._requires_grad, None]
            for v in program.inputs
            if v.tensor is not None
        ]
        known = {id(v.tensor) for v in program.inputs if v.tensor is not None}
        for leaf, _ in self.state.tensors.values():
            if id(leaf) not in known and leaf._edge is None:
                a = leaf.array
                self.captured.append([leaf, a.shape, a.dtype, a.strides, leaf._requires_grad, None])
        self.owners = [p for e in program.steps if e[0] == "update" for g in e[1].param_groups for p in g["params"]]
        self.owners += [e[1] for e in program.steps if e[0] == "write"]
        self.owners += [
            t for e in program.steps for t in (e[1] if e[0] == "move" else e[1:2] if e[0] == "count" else ())
        ]
        self.run_source = run_text(program)
        space = self.space = {**_SPACE, **{k: v for k, v in program.objects.items() if k.isidentifier()}}
        exec(compile(self.run_source, "<a step written out>", "exec"), space)
        self.function = space["program"]
        self.reads = [(v.tensor, v.argument) for v in program.inputs]
        self.kept = kept_of(program)
        self.place = {v: i for i, v in enumerate(self.kept)}
        self.draws = any(line.kind == "draw" for line in program.lines)
        self.leaves = writer.leaves
        self.updated_leaves = list(writer.leaves.values())
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
        self.reads = [(v.tensor, v.argument) for v in form.inputs]
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

    def _compile_ahead(self, program: Program, loops: Loops, tensors: list[Any]) -> None:
        """The step has run often: it is worth a compiler's time, in a process of its own."""
        with contextlib.suppress(Slow):
            form = FastStep(program, loops, self.leaves, results_of(program.results), self.draws)
            arrays = [tensors[v.argument].array if v.argument is not None else v.tensor.array for v in loops.inputs]
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

    def __call__(self, tensors: list[Any]) -> Any:
        """Run it. Errors: Refused, before anything has changed."""
        program: Any = self.program
        if self.later is not None:
            if self.calls >= CALLS_BEFORE_LOOPS:
                self._grow(program)
            elif self.calls == CALLS_BEFORE_COMPILING:
                self._compile_ahead(program, self.later, tensors)
        arrays = [tensors[at].array if at is not None else tensor.array for tensor, at in self.reads]
        if self.fast is not None:
            outs = self.fast(arrays)
            if outs is None:
                raise Refused from getattr(self.fast.run, "error", None)
            self.calls += 1
            return self._results(program.results, outs, tensors, set(), None, {})
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
        return self._results(program.results, outs, tensors, given, norm, {})

    def why_refused(self, tensors: list[Any], error: BaseException | None) -> tuple[str, bool]:
        """Which line refuses the values of a call; whether it is an error of the operation's own."""
        program: Any = self.program
        arrays = [tensors[v.argument].array if v.argument is not None else v.tensor.array for v in program.inputs]
        return why(program, arrays, _SPACE | {k: v for k, v in program.objects.items() if k.isidentifier()}, error)

    def costs(self) -> list[str]:
        """A table of what the statements cost, in a few runs that change nothing."""
        program: Any = self.program
        arrays = [t.array if at is None else self.last[at][0].array for t, at in self.reads]
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

    def _results(self, x: Any, outs: Any, tensors: list[Any], given: set[int], norm: Any, made: dict[int, Any]) -> Any:
        if isinstance(x, Result):
            if id(x) in made:  # one tensor that is returned in several places
                return made[id(x)]
            out = made[id(x)] = wrap(self._own(x.var, outs, given))
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
            return type(x)(self._results(part, outs, tensors, given, norm, made) for part in x)
        if isinstance(x, dict):
            return {k: self._results(v, outs, tensors, given, norm, made) for k, v in x.items()}
        return x


def _fresh(p: Program) -> set[Var]:
    """Results whose array nobody else holds: made by arithmetic, and not looked at by a view that is kept as well."""
    made = {line.out for line in p.lines if line.kind in ("elementwise", "dot", "rows", "all")}
    for line in p.lines:
        if line.kind == "view" or line.kind == "call" or line.kind == "numpy":
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
        if (self._gave_up is not None and self._runs_eagerly()) or not self._busy.take():
            return self._eagerly(args, kwargs)
        try:
            return self._call(args, kwargs)
        finally:
            self._busy.give_back()

    def _runs_eagerly(self) -> bool:
        """Whether it has given up; what may pass is tried again, after twice as many calls each time."""
        if self._gave_up is None:
            return False
        if self._again is None or self._eager_calls < self._again:
            return True
        self._gave_up = None
        return False

    def _give_up(self, reason: str, passes: bool = False) -> None:
        """Run eagerly from now on; where the reason `passes` (a hook that may be removed) it is tried again later."""
        self._because(reason)
        self._gave_up = reason
        self._wait = min(2 * self._wait, 1024)
        self._again = self._eager_calls + self._wait if passes else None
        if self._fullgraph:
            raise NotCompiled(f"minigrad.compile(fullgraph=True): {reason}")

    def _refused(self, ready: Ready, error: BaseException | None, args: tuple, kwargs: dict, tensors: list[Any]) -> Any:
        """The program does not serve the values of this call: it runs eagerly, and says so."""
        reason, of_operation = ready.why_refused(tensors, error)
        known = reason in self._reasons
        self._because(reason)
        if self._fullgraph and not of_operation:  # (an operation's own error comes from running it)
            raise NotCompiled(f"minigrad.compile(fullgraph=True): {reason}") from error
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
        key = _whole_key(args, kwargs, tensors)
        pending = None
        for ready in self._ready:
            if ready.fits(key, tensors):
                if ready.program is None:
                    pending = ready
                    break
                try:
                    return ready(tensors)
                except Refused as refusal:
                    error = refusal.__cause__
                return self._refused(ready, error, args, kwargs, tensors)
        return self._recorded(args, kwargs, key, tensors, pending)

    def _because(self, reason: str) -> None:
        if reason not in self._reasons and len(self._reasons) < 32:
            self._reasons.append(reason)

    def _stop(self, reason: str, args: tuple, kwargs: dict, passes: bool = False) -> Any:
        self._give_up(reason, passes)
        return self._eagerly(args, kwargs)

    def _recorded(self, args: tuple, kwargs: dict, key: Any, tensors: list[Any], pending: Ready | None) -> Any:
        """Run the step and record it: a program is taken when two calls have given the same one."""
        if len(self._ready) >= LIMIT and pending is None:
            reason = f"{LIMIT} programs were written for different shapes, types or settings, and this call fits none of them"
            if not self._fullgraph:  # (as PyTorch does when it stops compiling anew)
                warn(f"minigrad.compile: {self._name()} runs eagerly from now on: {reason}")
            return self._stop(reason, args, kwargs)
        if not _turn.take():
            return self._eagerly(args, kwargs)  # another thread records
        try:
            return self._record(args, kwargs, key, tensors, pending)
        finally:
            _turn.give_back()

    def _record(self, args: tuple, kwargs: dict, key: Any, tensors: list[Any], pending: Ready | None) -> Any:
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
            problem, passes = f"it depends on {error}", error.passes
        if problem is not None:
            return self._stop(problem, args, kwargs, passes)
        began = settings()
        ready = pending or Ready(state, arguments, key, began, self._at_once)
        known = {id(t): t for _, t in arguments} | {i: t for i, (t, _) in state.tensors.items()}
        known |= {i: o for i, (o, _) in state.optimizers.items()}
        recording = Recording(known)
        recording.strict = self._fullgraph
        try:
            return self._read(recording, ready, state, arguments, began, key, pending, args, kwargs)
        finally:
            recording.forget()

    def _read(
        self, recording: Recording, ready: Ready, state: State, arguments: list[tuple[str, Any]], began: tuple[Any, ...], key: Any,
        pending: Ready | None, args: tuple, kwargs: dict,
    ) -> Any:  # fmt: skip
        """The call, and the program that it gives."""
        watch = Watch(recording, state)
        with recording, watch:
            result = self._function(*args, **kwargs)
        after: list[Any] = []
        if recording.reason is None and _whole_key(args, kwargs, after) != key:
            recording.reason, recording.where = "the step changes an argument", ""
        if recording.reason is None and settings() != began:
            recording.reason, recording.where = "the step changes how the engine runs", ""
        program = None
        if recording.reason is None:
            writer = Writer(recording, state, arguments, result)
            try:
                program = writer.program()
            except Unprogrammable as error:
                recording.reason, recording.where = str(error), ""
        if program is None:
            where = f" ({recording.where})" if recording.where else ""
            self._give_up(f"{recording.reason}{where}", recording.reason in MAY_PASS)
            return result
        program.objects["names of leaves"] = {i: path for i, (_, path) in state.tensors.items()} | {
            id(t): name for name, t in arguments
        }
        text = repr((run_text(program), _told(program.steps), _told(program.results)))
        if pending is None:
            ready.text, ready.entry = text, list(writer.needs_entry.values())
            if ready.same():  # (a step that changes what it depends on is recorded anew each time, until the limit)
                self._ready.append(ready)
            else:
                self._give_up("the step changes something that it depends on")
        elif text != ready.text:
            self._give_up(
                "two calls alike did different things: it depends on something that minigrad.compile does not see"
            )
        else:
            ready.take(program, writer)
        return result

    # -- arguments

    def _arguments(self, args: tuple, kwargs: dict, tensors: list[Any]) -> list[tuple[str, Any]]:
        """The tensors among the arguments, with names."""
        names: dict[int, str] = {}
        for name, value in self._named(args, kwargs):
            _name(value, name, names)
        return [(names.get(id(t), f"argument_{i}"), t) for i, t in enumerate(tensors)]

    def _named(self, args: tuple, kwargs: dict) -> list[tuple[str, Any]]:
        try:
            bound = self._signature.bind(*args, **kwargs).arguments
        except (TypeError, AttributeError):
            bound = {f"argument_{i}": a for i, a in enumerate(args)} | kwargs
        return list(bound.items())

    def _others(self, args: tuple, kwargs: dict) -> list[tuple[str, Any]]:
        """The arguments that are no tensors nor made of them."""
        return [(n, v) for n, v in self._named(args, kwargs) if isinstance(v, Module) or _is_other(v)]

    # -- for people

    def source(self, form: str = "definition") -> str:
        """The program of the last set of shapes that was written.

        "definition": line by line as Python, which needs NumPy alone; what is drawn at random is an argument. "fused": which lines run together, as loops over
        elements. "compiled": what runs, to the instruction.
        """
        if form not in ("definition", "fused", "compiled"):
            raise ValueError(f"source() expected 'definition', 'fused' or 'compiled', got {form!r}")
        program, ready = None, None
        for ready in reversed(self._ready):
            if ready.program is not None:
                program = ready.program
                break
        if program is None or ready is None:
            raise RuntimeError(f"there is no program yet: {self._gave_up or 'call the step twice, then it is written'}")
        printed(program)
        if form == "definition":
            return definition(program, getattr(self._function, "__name__", "step").strip("<>") or "step")
        name = getattr(self._function, "__name__", "step").strip("<>") or "step"
        if ready.loops is None and ready.fused is None:
            raise RuntimeError(f"this program has no {form} form: {ready.why_not}")
        if ready.loops is not None:
            if form == "fused":
                return loops_text(ready.loops, name)
            return ready.form.text if ready.fast is None else ready.fast.text
        assert ready.fused is not None  # one of the two, or the error above
        return fused_text(ready.fused, name) if form == "fused" else compiled_text(ready.fused)

    def explain(self) -> str:
        """What was written out, how it runs, what it costs, where it keeps its values, and why the rest runs eagerly."""
        lines = [f"{getattr(self._function, '__qualname__', type(self._function).__name__)}, compiled by minigrad"]
        for i, ready in enumerate(self._ready, 1):
            shapes = ", ".join(
                f"{n} {list(look[1])} {look[2].name}" for n, look in zip(ready.names, ready.looks, strict=True)
            )
            lines.append(f"program {i}: {shapes or 'no tensors as arguments'}")
            if ready.program is None:
                lines.append(
                    "    recorded once; the second call like it is compared, from the third on the program runs"
                )
                continue
            printed(ready.program)
            kinds: dict[str, int] = {}
            for line in ready.program.lines:
                kinds[line.kind] = kinds.get(line.kind, 0) + 1
            told = ", ".join(f"{n} × {KINDS.get(kind, kind)}" for kind, n in kinds.items())
            lines.append(f"    {len(ready.program.lines)} lines: {told}")
            called = sorted({line.note for line in ready.program.lines if line.kind == "call"})
            if called:
                lines.append(f"    run by the operation's own code: {', '.join(called)}")
            if unwritten := sorted({line.note for line in printed(ready.program) if line.kind == "call"}):
                lines.append(f"    printed as calls, for want of a text: {', '.join(unwritten)}")
            if ready.loops is not None:
                form = "one compiled loop over blocks of rows"
            elif ready.fused is not None:
                counts = {kind: sum(s.kind == kind for s in ready.fused.steps) for kind in ("loop", "dot", "numpy")}
                form = f"{counts['loop']} fused loops, {counts['dot']} products and {counts['numpy']} other calls"
                if ready.later is not None:
                    form += f" ({ready.what_comes()})"
            else:
                form = f"NumPy, line by line ({ready.why_not})"
            lines.append(f"    run as {form}; ran {ready.calls} time{'' if ready.calls == 1 else 's'}")
            lines += self._costs(ready)
            if ready.fused is not None:
                lines += memory_picture(ready.fused)
        for reason in self._reasons:
            lines.append(f"ran eagerly: {reason}")
        return "\n".join(lines)

    def _costs(self, ready: Ready) -> list[str]:
        """What each statement costs now, measured on the arrays of the last call; results go into memory of their own."""
        if any(at is not None and ready.last[at][0] is None for _, at in ready.reads) or not self._busy.take():
            return []
        try:
            return ready.costs()
        except Exception:  # an operation that refuses the values of the moment
            return ["    (what it costs cannot be measured now)"]
        finally:
            self._busy.give_back()


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


def _whole_key(args: tuple, kwargs: dict, tensors: list[Any]) -> Any:
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


def _name(value: Any, name: str, names: dict[int, str]) -> None:
    if isinstance(value, Variable):
        names.setdefault(id(value), name)
    elif isinstance(value, list | tuple):
        for i, part in enumerate(value):
            _name(part, f"{name}_{i}", names)
    elif type(value) is dict:
        for k, part in value.items():
            _name(part, f"{name}_{k}" if name != "kwargs" else str(k), names)


def _is_other(value: Any) -> bool:
    if isinstance(value, Variable | bool | int | float | str | bytes | type(None)):
        return False
    if type(value) in (list, tuple):
        return any(_is_other(v) for v in value)
    if type(value) is dict:
        return any(_is_other(v) for v in value.values())
    return True
