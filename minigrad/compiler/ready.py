"""A step's programs, ready to run: whether they fit a call, and what the call gives."""

from __future__ import annotations

from typing import Any

from .. import dtypes, storage
from ..autograd.fused import kernels_position
from ..autograd.modes import current
from ..autograd.variable import Array, wrap
from ..nn.everywhere import Everywhere
from ..optim.optimizer import _post_hooks_of_all, _pre_hooks_of_all
from ..storage import clock
from ..threads import get_num_threads
from .guards import State
from .part import NOTHING, Part, Ran
from .program import Program, Refused, Var
from .space import gone
from .undo import Undo
from .write import GradOf, Norm, Result, Same, Writer


def settings() -> tuple[Any, ...]:
    """How the engine runs now, as far as it decides which code runs."""
    return (
        current.recording, current.inference, current.anomaly, current.saved_hooks, Everywhere.any(), bool(_pre_hooks_of_all or _post_hooks_of_all), kernels_position(), get_num_threads(), dtypes.default_numpy(),
    )  # fmt: skip


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
            one = self.alone.run(tensors, NOTHING)
        except Refused as refusal:
            refusal.told = self.alone.why_refused(tensors, NOTHING, refusal.__cause__)
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
                node = gone(x.gone)()
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


def _look_of(x: Any) -> tuple[Any, ...]:
    """What of an argument must be the same."""
    a = x.array
    return (
        type(x), a.shape, a.dtype, a.strides, x._requires_grad, x._edge is None, bool(x._hooks or x._post_hooks),
        x._base is None or (x._base._edge is None and not x._base._requires_grad),
    )  # fmt: skip
