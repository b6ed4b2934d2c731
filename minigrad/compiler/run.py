"""`compile`: a step that is recorded at its first calls and run as a program afterwards."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from typing import Any

from ..autograd.modes import current
from ..nn.everywhere import Everywhere
from ..nn.module import Module
from ..ops.batch_norm import Moments
from ..threads import Turn
from ..warn import warn
from .arguments import is_other, name_tensors, whole_key
from .frames import line_of_program
from .guards import State, Unfollowed, Wrapped, is_of_the_program
from .part import Part
from .program import Program, Refused, Var
from .ready import Ready, settings
from .record import NotCompiled, Recording, _turn
from .story import explained, memory_picture, source_of_part
from .text import assigned, run_text
from .undo import Undo
from .watch import Watch
from .write import GradOf, Norm, Result, Same, Unprogrammable, Writer
from .written import printed

LIMIT = 8  # programs of one step: one for each set of shapes, types and settings


class Compiled(Wrapped):
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
        if _turn.is_here():  # within a step that is recorded
            return self._function(*args, **kwargs)
        if self._gave_up is not None and not self._ready and self._runs_eagerly():
            return self._eagerly(args, kwargs)
        ticket = object()
        try:
            if self._has(self._busy, ticket, "ran it"):
                return self._call(args, kwargs)
        finally:
            self._busy.leave(ticket, None)
        return self._eagerly(args, kwargs)

    def _has(self, turn: Turn, ticket: object, did: str) -> bool:
        """Whether this call has the turn. Where another thread has it, this one runs eagerly and says so, or waits, with
        fullgraph=True; what this thread itself calls in a step is a part of that step."""
        while not turn.first(ticket):
            if _turn.is_here() or turn.is_here():
                return False
            if not self._fullgraph:
                self._because(f"another thread {did} at the same time")
                return False
            time.sleep(0.0005)
        return True

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
        ticket = object()
        try:
            if self._has(_turn, ticket, "recorded a step"):
                return self._record(args, kwargs, key, tensors, pending)
        finally:
            _turn.leave(ticket, None)
        return self._eagerly(args, kwargs)

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
        if any(at is not None and ready.last[at][0] is None for _, at, _ in part.reads):
            return []
        ticket = object()
        try:
            return part.costs([x for x, _, _ in ready.last]) if self._busy.first(ticket) else []
        except Exception:  # an operation that refuses the values of the moment
            return ["    (what it costs cannot be measured now)"]
        finally:
            self._busy.leave(ticket, None)


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
