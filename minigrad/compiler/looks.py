"""Which code reads `tensor.array` without reading values: it goes on to the shape, the type or the order in memory.

It is told from the code itself: the instruction after the one that read `array` must take an attribute that tells nothing
of the values. A few functions of the engine that hand the array on are listed by name, each after it was read. All others
count as reading values, and what the step does then cannot be written out.
"""

from __future__ import annotations

import dis
import itertools
import os
import re
from collections.abc import Iterator
from types import CodeType
from typing import Any, NamedTuple

_SAFE = frozenset(("shape", "ndim", "dtype", "size", "strides", "flags", "itemsize", "nbytes", "data_ptr"))

# By file and function. What they do with the array: look at its type (through a name of their own), or compare the object.
_LISTED = frozenset((
    ("minigrad/tensor_options.py", "read_like"),  # shape, type and order
    ("minigrad/tensor_options.py", "read_pattern"),  # shape, type and order
    ("autograd/views.py", "renew"),  # whose memory it is
    ("autograd/views.py", "_part_of"),  # where it lies
    ("ops/pool.py", "_avg_pool"),  # shape and type
    ("ops/adaptive_pool.py", "_target"),  # shape and type
    ("ops/piecewise.py", "prelu"),  # shapes and types
    ("ops/order.py", "sort"),  # for in_order, which is recorded
    ("ops/extremes.py", "_extreme_along"),  # for place_of, which is recorded
    ("ops/extremes.py", "_arg"),  # type and shape, and for place_of
    ("ops/keys.py", "index_tensor"),  # type; the array goes on, and what is checked of it is checked by the program (write.py)
    ("ops/masked.py", "_mask"),  # type
    ("ops/keys.py", "_array_of"),  # type; the array goes on into a key
    ("ops/index.py", "put"),  # shapes and types; (what a mask chooses is told by the operation itself)
    ("ops/checks.py", "require_floating"),  # type
    ("ops/checks.py", "type_name"),  # type
    ("ops/operands.py", "promote"),  # types
    ("ops/operands.py", "array_of"),  # for promote: types
    ("ops/choice.py", "where"),  # types; the condition goes on as the array that it is
    ("ops/shape.py", "view"),  # shape and strides
    ("ops/linear.py", "linear"),  # shapes and types
    ("ops/matrix.py", "matmul"),  # shapes and types
    ("ops/loss_classes.py", "_check_classes"),  # shapes and types
    ("ops/loss_binary.py", "binary_cross_entropy"),  # (also checks values; what stands for it does, see emit.py)
    ("ops/dropout.py", "dropout"),  # shape, and the order of the memory
    ("autograd/fused.py", "Fused.apply"),  # for `work`: shapes and types
    ("autograd/differentiate.py", "_roots"),  # shape and type
    ("autograd/graph.py", "AccumulateGrad.__init__"),  # shape and type
    ("minigrad/tensor.py", "Tensor.contiguous"),  # the order of the memory
    ("minigrad/tensor.py", "Tensor.is_contiguous"),  # the same
    ("minigrad/tensor.py", "Tensor.dim_order"),  # the same
    ("minigrad/inplace.py", "setitem"),  # whose memory it is; (what it writes itself, without a record, is noted as written)
    ("minigrad/inplace.py", "check"),  # whose memory it is
    ("minigrad/inplace.py", "check_memory"),  # how the memory lies
    ("minigrad/signature.py", "Signature._check_types"),  # types
    ("nn/rnn.py", "RNNBase._layers"),  # whether it is a tensor
    ("ops/recurrent.py", "require_weights"),  # shapes and types
    ("ops/conv.py", "_check"),  # shapes and types
    ("ops/batch_norm.py", "batch_norm"),  # shapes
    ("ops/pool.py", "_max_pool"),  # shape and type; (indices of the winners are arrays that nobody knows)
    ("ops/attention.py", "scaled_dot_product_attention"),  # shapes; (a mask that it makes is an array that nobody knows)
))  # fmt: skip

_COMPREHENSION = re.compile(r"(\.<locals>\.<(listcomp|setcomp|dictcomp|genexpr)>)+$")
# Of local variables: LOAD_FAST_CHECK and LOAD_FAST_BORROW load as LOAD_FAST does.
_ONE = re.compile(r"(?:LOAD|STORE)_FAST(?=_|$)")
_JOINED = re.compile(r"(LOAD|STORE)_FAST(_BORROW)?_(LOAD|STORE)_FAST(_BORROW)?")

_verdicts: dict[tuple[CodeType, int], bool] = {}


def only_looks(code: CodeType, at: int) -> bool:
    """Whether the instruction of `code` at this place, which reads `array`, is followed by one that takes what is safe."""
    key = (code, at)
    verdict = _verdicts.get(key)
    if verdict is None:
        verdict = _verdicts[key] = _listed(code) or _next_is_safe(code, at)
    return verdict


def _listed(code: CodeType) -> bool:
    """By its function, whose comprehensions and generators are a part of it. (Python 3.11 gives comprehensions a code of their own.)"""
    file = code.co_filename.replace(os.sep, "/")
    return ("/".join(file.split("/")[-2:]), _COMPREHENSION.sub("", code.co_qualname)) in _LISTED


class Step(NamedTuple):
    """An instruction, of which later Pythons join two: LOAD_FAST_LOAD_FAST, STORE_FAST_LOAD_FAST."""

    offset: int
    opname: str
    argval: Any


def _steps(code: CodeType) -> Iterator[Step]:
    for i in dis.get_instructions(code):
        if isinstance(i.argval, tuple) and _JOINED.fullmatch(i.opname):
            for opname, argval in zip(_ONE.findall(i.opname), i.argval, strict=True):
                yield Step(i.offset, opname, argval)
        else:
            yield Step(i.offset, (_ONE.match(i.opname) or [i.opname])[0], i.argval)


def _next_is_safe(code: CodeType, at: int) -> bool:
    """Also where the array is kept under a name, if all that the code does with this name is safe."""
    steps = [*_steps(code), Step(-1, "", None)]
    following = next((after for before, after in itertools.pairwise(steps) if before.offset == at), None)
    if following is None:
        return False
    if following.opname == "STORE_FAST":
        name = following.argval
        uses = [
            (s, after)
            for s, after in itertools.pairwise(steps)
            if s.argval == name and s.opname not in ("STORE_FAST", "DELETE_FAST")
        ]
        return all(s.opname == "LOAD_FAST" and _is_safe(after) for s, after in uses)
    return _is_safe(following)


def _is_safe(instruction: Step) -> bool:
    return instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and instruction.argval in _SAFE
