"""Which code reads `tensor.array` without reading values: it goes on to the shape, the type or the order in memory.

It is told from the code itself: the instruction after the one that read `array` must take an attribute that tells nothing
of the values. A few functions of the engine that hand the array on are listed by name, each after it was read. All others
count as reading values, and what the step does then cannot be written out.
"""

from __future__ import annotations

import dis
import itertools
import os
from types import CodeType

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
    ("autograd/fused.py", "Fused.apply.<locals>.<listcomp>"),  # for `work`: shapes and types
    ("autograd/differentiate.py", "_roots"),  # shape and type
    ("autograd/graph.py", "AccumulateGrad.__init__"),  # shape and type
    ("minigrad/tensor.py", "Tensor.contiguous"),  # the order of the memory
    ("minigrad/tensor.py", "Tensor.is_contiguous"),  # the same
    ("minigrad/tensor.py", "Tensor.dim_order"),  # the same
    ("minigrad/inplace.py", "setitem"),  # whose memory it is; (what it writes itself, without a record, is noted as written)
    ("minigrad/inplace.py", "check"),  # whose memory it is
    ("minigrad/inplace.py", "check_memory"),  # how the memory lies
    ("minigrad/signature.py", "Signature._check_types.<locals>.<listcomp>"),  # types
    ("nn/rnn.py", "RNNBase._layers"),  # whether it is a tensor
    ("ops/recurrent.py", "require_weights"),  # shapes and types
    ("ops/recurrent.py", "require_weights.<locals>.<genexpr>"),  # shapes and types
    ("ops/recurrent.py", "require_weights.<locals>.<listcomp>"),  # shapes and types
    ("ops/conv.py", "_check"),  # shapes and types
    ("ops/batch_norm.py", "batch_norm"),  # shapes
    ("ops/pool.py", "_max_pool"),  # shape and type; (indices of the winners are arrays that nobody knows)
    ("ops/attention.py", "scaled_dot_product_attention"),  # shapes; (a mask that it makes is an array that nobody knows)
    ("ops/attention.py", "scaled_dot_product_attention.<locals>.<genexpr>"),  # shapes
))  # fmt: skip

_verdicts: dict[tuple[CodeType, int], bool] = {}


def only_looks(code: CodeType, at: int) -> bool:
    """Whether the instruction of `code` at this place, which reads `array`, is followed by one that takes what is safe."""
    key = (code, at)
    verdict = _verdicts.get(key)
    if verdict is None:
        verdict = _verdicts[key] = _listed(code) or _next_is_safe(code, at)
    return verdict


def _listed(code: CodeType) -> bool:
    file = code.co_filename.replace(os.sep, "/")
    return ("/".join(file.split("/")[-2:]), code.co_qualname) in _LISTED


def _next_is_safe(code: CodeType, at: int) -> bool:
    """Also where the array is kept under a name, if all that the code does with this name is safe."""
    instructions = list(dis.get_instructions(code))
    after = {before.offset: instruction for before, instruction in itertools.pairwise(instructions)}
    following = after.get(at)
    if following is None:
        return False
    if following.opname == "STORE_FAST":
        name = following.argval
        loads = [i for i in instructions if i.argval == name and i.opname not in ("STORE_FAST", "DELETE_FAST")]
        if any(isinstance(i.argval, tuple) and name in i.argval for i in instructions):
            return False  # (instructions of later Pythons that take two names at once)
        return all(i.opname == "LOAD_FAST" and _is_safe(after.get(i.offset)) for i in loads)
    return _is_safe(following)


def _is_safe(instruction: dis.Instruction | None) -> bool:
    return (
        instruction is not None and instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and instruction.argval in _SAFE
    )
