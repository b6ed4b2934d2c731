"""A part of a step as a program that runs: in which form, and how its results take effect."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from .. import quiet, storage
from ..autograd.fit import add_into
from ..autograd.fused import _load, kernels_position, numba_is_installed
from ..autograd.modes import current
from ..autograd.variable import Array, wrap
from ..inplace import in_a_graph
from ..kernels import ahead
from ..nn.utils.clip_grad import clip_grads_with_norm_, clip_values, get_total_norm
from ..random import default_generator
from .fast import Calls, FastStep, Loop, Slow
from .fuse import Fused, Unfused
from .loops import Loops, Unfit
from .places import ops_batch_norm
from .program import Program, Refused, Var
from .refusal import why
from .space import SPACE
from .story import costs, fused_rows, measure, new_outs, numpy_rows
from .text import kept_of, results_of, run_text

# A small network's one loop takes seconds to compile (4 s for 2-4-1, 8 s for 1-64-64-1), and spares a tenth to a third of a
# step. It is worth that for who trains long. After as many calls as the first number says a process beside this one compiles
# it, unless it lies on the disk; until the second one the fused form runs, which needs no compiler, and from then on the loop;
# with mode="max-autotune" it runs at once. The two differ by rounding, so neither what lies compiled on the disk nor how
# quick a compiler was decides when one takes over from the other: the same program gives the same numbers at its first run and
# at its second.
CALLS_BEFORE_COMPILING = 5_000
CALLS_BEFORE_LOOPS = 50_000


class Part:
    """A program ready to run, with what becomes of its results. A step has several where it computes on after a change of
    what it computes from, as after an optimizer's step."""

    def __init__(self, program: Program, leaves: dict[int, Any], at_once: bool) -> None:
        self.at_once = at_once  # whether to compile what can be, whatever that costs
        self.calls = 0
        self.run_source = run_text(program)
        space = self.space = {**SPACE, **{k: v for k, v in program.objects.items() if k.isidentifier()}}
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
            self.fused = Fused(program, SPACE)
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
        return why(program, arrays, SPACE | {k: v for k, v in program.objects.items() if k.isidentifier()}, error)

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
        space = {**SPACE, **{k: v for k, v in program.objects.items() if k.isidentifier()}}
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
                    quiet.quiet(add_into)(leaf._grad.array, outs[self.place[var]])

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


NOTHING: dict[Var, Array] = {}  # handed on to a program of one part


def _fresh(p: Program) -> set[Var]:
    """Results whose array nobody else holds: made by arithmetic, and not looked at by a view that is kept as well."""
    made = {line.out for line in p.lines if line.kind in ("elementwise", "dot", "rows", "all")}
    for line in p.lines:
        if line.kind in ("view", "call", "whole", "numpy"):
            made -= set(line.inputs)
    return made
