"""A compiled step without overhead: gradients land in memory that is used again, and Adam over all parameters is one loop.

Of a small network's step the arithmetic takes microseconds, so what stands around it must not take more: no tensors are made
but what the step returns. A gradient's memory is used again when nobody but its parameter and this step holds it: Python
counts who does.
"""

from __future__ import annotations

import contextlib
import math
import sys
from typing import Any

import numpy as np

from .. import quiet, storage
from ..autograd.fused import _load
from ..autograd.modes import current
from ..autograd.variable import Array, wrap
from ..kernels import split
from ..kernels.ahead import kind_of
from ..optim.adam import _SMALL, Adam
from ..optim.adamw import AdamW
from ..optim.optimizer import scalar_state
from ..random import default_generator
from .fuse import Fused
from .loops import LANES, Loops
from .program import Program, Var
from .tapes import Places

_ONE = np.ones((), np.float32)  # (a Python number would be made an array at each call)
_COPIED = 4096  # bytes up to which a result is written into memory that stays, and copied out of it


class Slow(Exception):
    """What the step does around the loop is not of the simple kind."""


def effects_of(program: Program) -> tuple[list[tuple[Any, Var]], Any, list[Any]]:
    """The leaves with the gradients that they get, the optimizer that steps then, and schedulers. Slow for anything else."""
    schedulers: list[Any] = []
    found: list[tuple[int, Var]] = []
    optimizer: Any = None
    for effect in program.steps:
        if effect[0] == "grads":
            new = [(key, what) for key, (kind, what) in effect[1].items() if kind == "new"]
            other = [key for key, (kind, what) in effect[1].items() if kind == "none" or (kind == "plus" and what)]
            if other or (found and new) or (new and optimizer is not None):
                raise Slow
            found += new
        elif effect[0] == "update" and optimizer is None:
            optimizer = effect[1]
        elif effect[0] == "schedule" and optimizer is not None and effect[2] is None:
            schedulers.append(effect[1])
        else:
            raise Slow
    if len({v for _, v in found}) < len(found):
        raise Slow
    return found, optimizer, schedulers  # type: ignore[return-value]


class Loop:
    """The loop over blocks of rows, compiled when it is run first; with Adam in it, if `places` are given."""

    def __init__(self, loops: Loops, places: list[tuple[Any, int]] | None = None) -> None:
        self.text = loops.text if places is None else loops.with_adam(places)
        self.double = loops.dtype == np.float64
        self.workspace = np.empty((loops.size, LANES), loops.dtype)
        self.function: Any = None

    def __call__(self, arrays: list[Array], outs: list[Any], *adam: Any) -> Any:
        """Whether the values are refused."""
        if self.function is None:
            self._compile(arrays, outs, adam)
        return self.function(*arrays, self.workspace, *outs, *adam)

    def _compile(self, arrays: list[Array], outs: list[Any], adam: tuple[Any, ...]) -> None:
        function = _load("step.build")(self.text, self.double)
        _load("step.prepare")(function, list(map(_load("step.type_of"), self.kinds(arrays, outs, adam))))
        self.function = function

    def kinds(self, arrays: list[Array], outs: list[Any], adam: tuple[Any, ...]) -> list[Any]:
        """What it is called with, as a compiler sees it."""
        return [kind_of(x) for x in (*arrays, self.workspace, *outs, *adam)]


class Calls:
    """The fused form, ready to run."""

    def __init__(self, fused: Fused, draws: bool) -> None:
        self.fused, self.function, self.draws, self.text = fused, fused.function, draws, fused.text
        self.error: BaseException | None = None  # what it raised last

    def __call__(self, arrays: list[Array], outs: list[Any]) -> Any:
        """Whether the values are refused; then the random stream is where it was."""
        state = default_generator.get_state() if self.draws else None
        before, outside = current.recording, quiet.state()
        try:
            current.recording = False
            quiet.enter(outside)
            return self.function(*arrays, *outs)
        except Exception as error:  # an operation refuses its values: it runs eagerly, and says so
            self.error = error.with_traceback(None)
            if state is not None:
                default_generator.set_state(state)
            return True
        finally:
            current.recording = before
            quiet.put_back(outside)


def _settings(group: dict[str, Any]) -> tuple[Any, ...]:
    """Those of Adam, apart from the rate."""
    return (
        group["betas"], group["eps"], group["weight_decay"], group["decoupled_weight_decay"], group["amsgrad"], group["maximize"],
        group.get("differentiable"),
    )  # fmt: skip


class AdamOverAll:
    """Adam's step for all parameters of an optimizer as one loop over their elements; `Adam._step` says what it computes."""

    def __init__(self, optimizer: Any, leaves: list[Any]) -> None:
        groups = optimizer.param_groups
        self.optimizer = optimizer
        if type(optimizer) not in (Adam, AdamW) or {id(p) for g in groups for p in g["params"]} != {
            id(p) for p in leaves
        }:
            raise Slow
        if len({p.array.dtype for p in leaves}) != 1 or leaves[0].array.dtype.char not in "fd":
            raise Slow
        self.dtype = leaves[0].array.dtype
        load = _load("native.adam")
        if load is None:
            raise Slow
        try:
            self.code = load(self.dtype == np.float64)
        except ImportError:
            raise Slow from None
        params = [p for g in groups for p in g["params"]]
        self.place = np.zeros((len(params), 4), np.int64)
        self.numbers = np.zeros((len(params), 7))
        self.eps, self.rate = self.numbers[:, 3], self.numbers[:, 4]
        self.ends = np.cumsum([p.array.size for p in params]).astype(np.int64)
        self.known: list[Any] = [None] * (4 * len(params))
        self.gradients = [Places() for _ in params]
        self.last = [0] * len(params)  # the addresses of the gradients in `place`
        self.total = int(self.ends[-1])
        lie = (self.place, self.ends, self.numbers)
        self.frame = self.code.frame([*(a.__array_interface__["data"][0] for a in lie), len(params), 0, self.total])
        self.pack: Any = None  # the state of all parameters, if the last step had it as one vector
        self.known_params: list[Any] = []  # and their arrays, and the settings, of which all but the rate are the same
        self.settings: Any = None

    def _as_before(self) -> bool:
        """Take the step where all is as at the last one: one vector of state, whose places are known. Else False."""
        pack, optimizer = self.pack, self.optimizer
        group = optimizer.param_groups[0]
        if self.settings != _settings(group) or type(group["lr"]) is not float:
            return False
        params = group["params"]
        if len(params) != len(self.known_params):
            return False
        place, last, gradients = self.place, self.last, self.gradients
        for i, p in enumerate(params):
            address = gradients[i].known(p._grad.array)
            if p.array is not self.known_params[i] or not address:
                return False
            if address != last[i]:
                last[i] = place[i, 1] = address
        if optimizer._pack(params, params) is not pack:
            return False
        (beta1, beta2), lr, t = group["betas"], group["lr"], float(pack.counts[0]) + 1
        root = (1 - beta2**t) ** 0.5
        self.eps.fill(group["eps"] * root)
        self.rate.fill(lr * root / (1 - beta1**t))
        split(self.total, self.total * 4, self._part, in_place=True)
        np.add(pack.counts, _ONE, pack.counts)
        storage.mark_all_written(self.known_params)
        return True

    def step(self) -> bool:
        """Take the step; False if it is not the plain one (nothing has changed then)."""
        optimizer = self.optimizer
        if optimizer._repeating:
            return False
        if self.pack is not None and self._as_before():
            return True
        self.pack = None
        for group in optimizer.param_groups:
            betas, lr, decay = group["betas"], group["lr"], group["weight_decay"]
            if (
                group["amsgrad"] or group["maximize"] or group.get("differentiable") or 1 - betas[0] >= 0.5
                or not (type(lr) is type(group["eps"]) is type(betas[0]) is type(betas[1]) is float) or type(decay) not in (int, float)
            ):  # fmt: skip
                return False
        todo: list[tuple[Any, Any]] = []  # counters, and what they count next
        i = 0
        for group in optimizer.param_groups:
            params = group["params"]
            small: list[Any] = []
            if not group["weight_decay"]:
                small = [p for p in params if p.array.size <= _SMALL and p.array.dtype == params[0].array.dtype]
            pack: Any = optimizer._pack(small, params) if len(small) > 1 else None
            mine = set(map(id, small)) if pack is not None else ()
            if pack is not None:
                todo.append((pack.counts, None))
            (beta1, beta2), lr, decay = group["betas"], group["lr"], group["weight_decay"]
            apart = group["decoupled_weight_decay"]
            numbers = None
            for p in params:
                state = optimizer.state[p]
                if not state:
                    self._begin(p, state)
                if id(p) in mine:
                    t = float(pack.counts[0]) + 1
                else:
                    if p.array.size <= _SMALL:
                        optimizer._apart = True
                    todo.append((state["step"].array, None))
                    t = float(state["step"].array) + 1
                if numbers is None or numbers[0] != t:
                    root = (1 - beta2**t) ** 0.5
                    numbers = t, (1 - beta1, beta2, 1 - beta2, group["eps"] * root, lr * root / (1 - beta1**t),
                                  1 - lr * decay if apart else 1.0, 0.0 if apart else decay)  # fmt: skip
                self.numbers[i] = numbers[1]
                for k, a in enumerate((p.array, p._grad.array, state["exp_avg"].array, state["exp_avg_sq"].array)):
                    at = 4 * i + k
                    if k == 1:  # (no reference to a gradient is kept: who holds one is counted)
                        address = self.gradients[i].known(a)
                        if address:
                            if address != self.last[i]:
                                self.last[i] = self.place[i, 1] = address
                            continue
                    elif a is self.known[at]:
                        continue
                    if not a.flags.c_contiguous or a.dtype != self.dtype or a.size != p.array.size:
                        return False
                    if k == 1:
                        self.last[i] = self.place[i, 1] = self.gradients[i].of(a)
                    else:
                        self.known[at] = a
                        self.place[i, k] = a.__array_interface__["data"][0]
                i += 1
        split(self.total, self.total * 4, self._part, in_place=True)
        for counter, _ in todo:
            np.add(counter, 1, counter)
        if pack is not None and len(optimizer.param_groups) == 1 and len(small) == len(params):
            self.pack, self.known_params = pack, [p.array for p in params]
            self.settings = _settings(group)
        storage.mark_all_written([p.array for group in optimizer.param_groups for p in group["params"]])
        return True

    def _part(self, begin: int, end: int) -> None:
        whole = (begin, end) == (0, self.total)
        frame = self.frame if whole else self.code.frame([*self.frame.numbers[:4], begin, end])  # (one for each thread)
        frame.run()

    def _begin(self, p: Any, state: dict[str, Any]) -> None:
        state["step"] = scalar_state(0.0)
        state["exp_avg"] = wrap(np.zeros_like(p.array))
        state["exp_avg_sq"] = wrap(np.zeros_like(p.array))


class FastStep:
    """A form of the program, and the memory of its results."""

    def __init__(self, program: Program, form: Any, leaves: dict[int, Any], results: list[Var], draws: bool) -> None:
        found, self.optimizer, self.schedulers = effects_of(program)
        if {v for _, v in found} & set(results):
            raise Slow
        self.slots = [(leaves[key], form.kept.index(v)) for key, v in found]
        # Small results are written into memory that stays, whose address is known, and copied; large ones into new memory.
        self.copied = {v for v in results if math.prod(v.shape) * v.dtype.itemsize <= _COPIED}
        self.results = [(form.kept.index(v), v.shape, v.dtype) for v in dict.fromkeys(results) if v not in self.copied]
        self.adam, self.over_all = False, None
        late = True
        if isinstance(form, Loops):
            self.adam = self._of_adam(form) if self.optimizer is not None else False
            self.run: Any = Loop(form, [(p, k) for p, k in self.slots] if self.adam else None)
            self.dtype = form.dtype
            late = "return 1" in self.run.text
        else:
            self.run = Calls(form, draws)
            late = form.refuses_late()
            if self.optimizer is not None:
                with contextlib.suppress(Slow):
                    self.over_all = AdamOverAll(self.optimizer, [leaf for leaf, _ in self.slots])
        self.text = self.run.text
        self.outs: list[Any] = [np.empty(v.shape, v.dtype) if v in self.copied else None for v in form.kept]
        self.held: list[Any] = [None] * len(self.slots)  # the gradient that each leaf got last
        # Where the values may be refused, the gradients of the call before must be left alone: two sets take turns.
        self.spare = (list(self.outs), [None] * len(self.slots)) if late else None
        self.shapes = [(v.shape, v.dtype) for v in form.kept]
        self.made = 0  # arrays made for gradients, ever

    def _of_adam(self, loops: Loops) -> bool:
        """Whether the optimizer's step is the plain one of small parameters, all of which are inputs of the loop."""
        groups = self.optimizer.param_groups
        if type(self.optimizer) not in (Adam, AdamW) or len(groups) != 1 or len(groups[0]["params"]) < 2:
            return False
        mine = {id(leaf) for leaf, _ in self.slots}
        given = {id(v.tensor): v for v in loops.inputs if v.tensor is not None}
        for p in groups[0]["params"]:
            v = given.get(id(p))
            if (
                id(p) not in mine
                or v is None
                or p.array.size > _SMALL
                or not p.array.flags.c_contiguous
                or v.dtype != loops.dtype
            ):
                return False
        self.slots.sort(key=lambda slot: [p is slot[0] for p in groups[0]["params"]].index(True))
        return len(self.slots) == len(groups[0]["params"])

    def _numbers(self) -> Any:
        """Adam's settings and vectors for this step; None if it is not the plain step."""
        optimizer = self.optimizer
        group = optimizer.param_groups[0]
        lr, betas, eps = group["lr"], group["betas"], group["eps"]
        if (
            group["weight_decay"] or group["amsgrad"] or group["maximize"] or group.get("differentiable")
            or type(lr) is not float or type(eps) is not float or type(betas[0]) is not float or type(betas[1]) is not float
            or 1 - betas[0] >= 0.5 or optimizer._repeating
        ):  # fmt: skip
            return None
        params = group["params"]
        pack = optimizer._pack(params, params)
        if pack is None:
            return None
        t = float(pack.counts[0]) + 1
        root = (1 - betas[1] ** t) ** 0.5
        return pack, 1 - betas[0], betas[1], 1 - betas[1], eps * root, lr * root / (1 - betas[0] ** t)

    def kinds(self, arrays: list[Array]) -> list[Any]:
        """What a loop will be called with, as a compiler sees it."""
        outs = [np.empty(shape, dtype) for shape, dtype in self.shapes]
        vector = np.empty(1, self.dtype)
        return self.run.kinds(arrays, outs, (vector, vector, 0.0, 0.0, 0.0, 0.0, 0.0) if self.adam else ())

    def __call__(self, arrays: list[Array]) -> list[Any] | None:
        """Run it: the memory of the results, by place. None where the loop refuses the values (then nothing has changed)."""
        outs, held, getrefcount = self.outs, self.held, sys.getrefcount
        for i, (leaf, k) in enumerate(self.slots):
            gradient = held[i]
            # held: by this list and `gradient`, and the call, and by the leaf if it still is its gradient; its array by itself, by `outs`, and the call
            if (
                gradient is None
                or getrefcount(gradient) > 3 + (leaf._grad is gradient)
                or getrefcount(outs[k]) > 3
                or len(gradient.__dict__) != 1
                or gradient.__dict__["array"] is not outs[k]
            ):
                outs[k] = np.empty(*self.shapes[k])
                held[i] = wrap(outs[k])
                self.made += 1
        gradient = None
        for k, shape, dtype in self.results:
            outs[k] = np.empty(shape, dtype)
        if self.adam:
            numbers = self._numbers()
            if numbers is None:
                none = np.empty(0, self.dtype)
                refused = self.run(arrays, outs, none, none, 0.0, 0.0, 0.0, 0.0, 0.0)
            else:
                pack, *rest = numbers
                refused = self.run(arrays, outs, pack.m, pack.v, *rest)
                if not refused:
                    np.add(pack.counts, _ONE, pack.counts)
        else:
            numbers = None
            refused = self.run(arrays, outs)
        if refused:
            return None
        if self.spare is not None:
            (self.outs, self.held), self.spare = self.spare, (outs, held)
        for (leaf, _), gradient in zip(self.slots, held):  # noqa: B905  they are of one length
            leaf._grad = gradient
        if numbers is not None:
            storage.mark_all_written([leaf.array for leaf, _ in self.slots])
        elif self.optimizer is not None and (self.over_all is None or not self.over_all.step()):
            self.optimizer.step()
        for scheduler in self.schedulers:
            scheduler.step()
        return outs
