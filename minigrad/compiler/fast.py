"""A compiled step without overhead: gradients land in memory that is used again, and Adam is part of the loop.

Of a small network's step the arithmetic takes microseconds, so what stands around it must not take more: no tensors are made
but what the step returns. A gradient's memory is used again when nobody but its parameter and this step holds it: Python
counts who does.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .. import storage
from ..autograd.fused import _load
from ..autograd.variable import Array, wrap
from ..optim.adam import _SMALL, Adam
from ..optim.adamw import AdamW
from .loops import LANES, Loops
from .program import Program, Var


class Slow(Exception):
    """What the step does around the loop is not of the simple kind."""


def effects_of(program: Program) -> tuple[list[tuple[Any, Var]], Any]:
    """The leaves with the gradients that they get, and the optimizer that steps then. Slow for anything else."""
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
        else:
            raise Slow
    if len({v for _, v in found}) < len(found):
        raise Slow
    return found, optimizer  # type: ignore[return-value]


class FastStep:
    """The loop, its workspace, and the memory of its results."""

    def __init__(self, program: Program, loops: Loops, leaves: dict[int, Any], results: list[Var]) -> None:
        found, self.optimizer = effects_of(program)
        if {v for _, v in found} & set(results):
            raise Slow
        self.slots = [(leaves[key], loops.kept.index(v)) for key, v in found]
        self.results = [(loops.kept.index(v), v.shape, v.dtype) for v in dict.fromkeys(results)]
        self.adam = self._of_adam(loops) if self.optimizer is not None else False
        build = _load("step.build")
        if build is None:
            raise Slow
        text = loops.with_adam([(p, k) for p, k in self.slots]) if self.adam else loops.text
        self.text = text
        self.function = build(text, loops.dtype == np.float64)
        self.workspace = np.empty((loops.size, LANES), loops.dtype)
        self.outs: list[Any] = [None] * len(loops.kept)
        self.held: list[Any] = [None] * len(self.slots)  # the gradient that each leaf got last
        # Where the loop may refuse its values, it must leave the gradients of the call before alone: two sets take turns.
        self.spare = ([None] * len(loops.kept), [None] * len(self.slots)) if "return 1" in text else None
        self.shapes = [(v.shape, v.dtype) for v in loops.kept]
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
                none = np.empty(0, self.workspace.dtype)
                refused = self.function(*arrays, self.workspace, *outs, none, none, 0.0, 0.0, 0.0, 0.0, 0.0)
            else:
                pack, *rest = numbers
                refused = self.function(*arrays, self.workspace, *outs, pack.m, pack.v, *rest)
                if not refused:
                    np.add(pack.counts, 1, pack.counts)
        else:
            numbers = None
            refused = self.function(*arrays, self.workspace, *outs)
        if refused:
            return None
        if self.spare is not None:
            (self.outs, self.held), self.spare = self.spare, (outs, held)
        for (leaf, _), gradient in zip(self.slots, held):  # noqa: B905  they are of one length
            leaf._grad = gradient
        if numbers is not None:
            for leaf, _ in self.slots:
                storage.mark_written(leaf.array)
        elif self.optimizer is not None:
            self.optimizer.step()
        return outs
