"""A second thread beside a loop whose steps are too short for a hand-off by `split`: it is asked, and waits, in the processor.

    the walker                                          the helper
    ask:   is one waiting? then it gets a part          serve: until it is asked; if that takes long, it leaves
    does its own part                                   does its part
    meet:  until the helper has done its part           done

What a hand-off by Python's queues costs (tens of microseconds) here costs one. Both are parts of one `split`, and only where both
are under way does anyone wait, so what holds there holds here:

*Interrupts.* A thread in a kernel is not interrupted. A walker that an interrupt kept from beginning asks nobody, and the helper
leaves. A helper that no thread has begun is asked for nothing; one that is begun when the walk is over finds it closed.

*A busy machine.* A walker without a helper does all parts itself, so it waits only for a helper that has begun a part and lost its
processor within it, once: thereafter it goes alone.

They meet in an array, `hand`: hand[0] is the helper's state; hand[8], hand[9] say what is asked, hand[10] how many parts a helper has
done, hand[11] for how many pauses of the processor either waits before it goes on alone.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ..autograd.variable import Array
from .compiled import inline

NOBODY, WAITING, GONE = 0, 1, -1  # states; a part that is asked for is a number from 2 on
PATIENCE = 2_000  # pauses, some 50 us


def new_hand() -> Array:
    """Where a walker and its helper meet, once. The state has a line of the cache for itself."""
    out = np.zeros(16, np.int64)
    out[11] = PATIENCE
    return out


def _place(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return context.make_array(signature.args[0])(context, builder, args[0]).data  # of hand[0]


def _look(context, hand):
    """hand[0]; what its writer wrote before is there too."""

    def code(context, builder, signature, args):
        return builder.load_atomic(_place(context, builder, signature, args), "acquire", 8)

    return types.int64(hand), code


def _tell(context, hand, state):
    """hand[0] = state, after all that this thread wrote before."""

    def code(context, builder, signature, args):
        builder.store_atomic(args[1], _place(context, builder, signature, args), "release", 8)
        return context.get_dummy_value()

    return types.void(hand, types.int64), code


def _change(context, hand, before, after):
    """hand[0] = after, if it is `before`; whether it was."""

    def code(context, builder, signature, args):
        place = _place(context, builder, signature, args)
        return builder.extract_value(builder.cmpxchg(place, args[1], args[2], "acq_rel", "acquire"), 1)

    return types.boolean(hand, types.int64, types.int64), code


def _pause(context):
    """Some dozen cycles, during which a second thread of this core has the core."""

    def code(context, builder, signature, args):
        machine, number = llvm.get_process_triple().partition("-")[0], ir.IntType(32)
        if machine in ("x86_64", "i386", "i686"):
            _call(builder, "llvm.x86.sse2.pause")
        elif machine in ("aarch64", "arm64"):
            _call(builder, "llvm.aarch64.hint", number(1))  # yield
        return context.get_dummy_value()

    return types.void(), code


def _call(builder: Any, name: str, *args: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [a.type for a in args])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


look: Any = intrinsic(_look)
tell: Any = intrinsic(_tell)
change: Any = intrinsic(_change)
pause: Any = intrinsic(_pause)


# -- the walker's side


@inline
def ask(hand: Any, part: Any, a: Any, b: Any) -> Any:
    """Whether a helper begins `part` (from 2 on) now, with the numbers a and b."""
    if look(hand) != WAITING:
        return False
    hand[8], hand[9] = a, b
    return change(hand, WAITING, part)


@inline
def meet(hand: Any) -> None:
    """Return when the helper has done its part; it may be gone since. One that lets itself be waited for is not asked again."""
    pauses = 0
    while look(hand) > WAITING:
        pause()
        pauses += 1
    if pauses > hand[11]:
        change(hand, WAITING, GONE)


@inline
def close(hand: Any) -> None:
    """Nobody will ask any more."""
    if not change(hand, NOBODY, GONE):
        change(hand, WAITING, GONE)


# -- the helper's


@inline
def come(hand: Any) -> Any:
    """The helper is there; whether anyone may still ask."""
    return change(hand, NOBODY, WAITING)


@inline
def serve(hand: Any) -> Any:
    """The part that is asked for, or GONE."""
    pauses = 0
    while True:
        part = look(hand)
        if part != WAITING:
            return part
        pause()
        pauses += 1
        if pauses > hand[11] and change(hand, WAITING, GONE):
            return np.int64(GONE)


@inline
def done(hand: Any) -> None:
    """The part is done."""
    hand[10] += 1
    tell(hand, WAITING)
