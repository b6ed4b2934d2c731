"""Contractions: products summed over dimensions that are counted (`tensordot`) or named (`einsum`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable
from ..foreign import said
from ..public import public
from .dims import normalize_dim
from .matrix import matmul
from .shape import expand, permute

if TYPE_CHECKING:
    from ..tensor import Tensor


@public
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Products summed over `dims`: the last n of a with the first n of b, or two lists of dimensions. PyTorch: torch.tensordot."""
    if isinstance(dims, Variable):
        dims = dims.array.tolist() if dims.array.ndim else int(dims.array)
    if not isinstance(dims, int | list | tuple):
        raise RuntimeError(
            f"tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] containing two lists, but got dims={dims}"
        )
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.array.ndim, b.array.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        over_a, over_b = list(range(a.array.ndim - dims, a.array.ndim)), list(range(dims))
    else:
        if len(dims) != 2:
            raise ValueError(f"tensordot(): expected two lists of dimensions, but got dims={dims}")
        for d in dims:
            if not isinstance(d, int | list | tuple | Variable):
                raise TypeError(
                    f"tensordot(): argument 'dims' (position 3) must hold ints or lists of ints, not {said(d)}"
                )
        over_a, over_b = ([d] if isinstance(d, int) else list(d) for d in dims)
    if len(over_a) != len(over_b):
        raise RuntimeError("both dimension lists should have same length")
    over_a = [normalize_dim(d, a.array.ndim) for d in over_a]
    over_b = [normalize_dim(d, b.array.ndim) for d in over_b]
    for i, (da, db) in enumerate(zip(over_a, over_b, strict=True)):
        if a.array.shape[da] != b.array.shape[db]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.array.shape[da]} in dim {da} and second has size "
                f"{b.array.shape[db]} in dim {db} (pair {i})"
            )
    free_a = [d for d in range(a.array.ndim) if d not in over_a]
    free_b = [d for d in range(b.array.ndim) if d not in over_b]
    n = math.prod(a.array.shape[d] for d in over_a)
    shape_a, shape_b = [a.array.shape[d] for d in free_a], [b.array.shape[d] for d in free_b]
    rows = permute(a, free_a + over_a).reshape(math.prod(shape_a), n)
    columns = permute(b, over_b + free_b).reshape(n, math.prod(shape_b))
    return matmul(rows, columns).reshape((*shape_a, *shape_b))


@public
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Products summed over the last dimension of both. PyTorch: torch.inner."""
    if input.array.ndim == 0 or other.array.ndim == 0:
        return input * other
    return tensordot(input, other, ([-1], [-1]))


class Einsum(Operation):
    """out = Einstein's sum over the subscripts that the output does not name.

    The gradient of one operand is again such a sum: of grad and the other operands, with the output and that operand's
    subscripts exchanged; a subscript that only that operand has was summed over, so its gradient is the same all along it.
    """

    @staticmethod
    def forward(ctx: Any, terms: tuple[str, ...], target: str, *operands: Array) -> Array:
        wanted = ctx.needs_input_grad[2:]
        ctx.shapes = [x.shape for x in operands]
        ctx.save_for_backward(*(x if any((*wanted[:i], *wanted[i + 1 :])) else None for i, x in enumerate(operands)))
        ctx.terms, ctx.target = terms, target
        return np.einsum(f"{','.join(terms)}->{target}", *operands, optimize=len(operands) > 1)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        operands = ctx.saved_tensors
        gradients: list[Any] = []
        for i, (term, needed) in enumerate(zip(ctx.terms, ctx.needs_input_grad[2:], strict=True)):
            if not needed:
                gradients.append(None)
                continue
            others = [x for j, x in enumerate(operands) if j != i]
            other_terms = [t for j, t in enumerate(ctx.terms) if j != i]
            known = set(ctx.target).union(*other_terms)
            present = "".join(c for c in term if c in known)
            g = Einsum.apply((ctx.target, *other_terms), present, grad, *others)
            shape = ctx.shapes[i]
            if present != term:  # alone in its operand: the gradient is spread along it
                g = expand(g.reshape(tuple(n if c in known else 1 for c, n in zip(term, shape, strict=True))), shape)
            gradients.append(g)
        return None, None, *gradients


@public(same="operands")
def einsum(equation: str, /, *operands: Tensor) -> Tensor:
    """Einstein's summation: `einsum("bij,bjk->bik", a, b)`; `...` for broadcast dimensions. PyTorch: torch.einsum."""
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    if not operands:
        raise ValueError("einsum(): must provide at least one operand")
    terms, target = _parse_einsum(equation, operands)
    if len(operands) > 1 and operands[0].array.dtype.kind == "b":
        raise NotImplementedError("\"bmm\" not implemented for 'Bool'; convert the tensors with .float() first")
    prepared, plain_terms = [], []
    for term, x in zip(terms, operands, strict=True):
        # A repeated subscript in one operand is its diagonal.
        while (repeated := next((c for c in term if term.count(c) > 1), None)) is not None:
            first = term.index(repeated)
            second = term.index(repeated, first + 1)
            if x.array.shape[first] != x.array.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {repeated} is repeated for operand but the sizes don't match, "
                    f"{x.array.shape[second]} != {x.array.shape[first]}"
                )
            x = x.diagonal(0, first, second)
            term = "".join(c for k, c in enumerate(term) if k not in (first, second)) + repeated
        prepared.append(x)
        plain_terms.append(term)
    sizes: dict[str, int] = {}
    for term, x in zip(plain_terms, prepared, strict=True):
        for c, n in zip(term, x.array.shape, strict=True):
            if sizes.setdefault(c, n) != n and 1 not in (n, sizes[c]):
                raise RuntimeError(
                    f"einsum(): operands do not broadcast with remapped shapes: subscript {c} has size {n} for one operand and "
                    f"{sizes[c]} for another"
                )
            sizes[c] = max(sizes[c], n) if n and sizes[c] else 0
    prepared = [expand(x, tuple(sizes[c] for c in term)) for term, x in zip(plain_terms, prepared, strict=True)]
    if len(prepared) == 1 and len(target) == len(plain_terms[0]):  # nothing is summed: a view
        return permute(prepared[0], [plain_terms[0].index(c) for c in target])
    return Einsum.apply(tuple(plain_terms), target, *prepared)


def _parse_einsum(equation: str, operands: Any) -> tuple[list[str], str]:
    """The subscripts of each operand and of the output, with letters in place of `...`."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise RuntimeError(
            f"einsum(): {'more' if len(operands) > len(terms) else 'fewer'} operands were provided than specified in the equation"
        )
    unused = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in equation]
    most = 0
    for i, (term, x) in enumerate(zip(terms, operands, strict=True)):
        named = term.replace("...", "")
        if not all(c.isalpha() for c in named):
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {i} in the equation string, subscripts must be in [a-zA-Z]"
            )
        free = x.array.ndim - len(named)
        if free < 0 or (free and "..." not in term):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(named)}) does not match the number of dimensions "
                f"({x.array.ndim}) for operand {i} and no ellipsis was given"
            )
        most = max(most, free) if "..." in term else most
    dots = "".join(unused[:most])
    terms = [
        t.replace("...", dots[most - (x.array.ndim - len(t.replace("...", ""))) :] if "..." in t else "")
        for t, x in zip(terms, operands, strict=True)
    ]
    joined = "".join(terms)
    if arrow:
        target = right.replace("...", dots)
        for c in target:
            if c not in joined:
                raise RuntimeError(
                    f"einsum(): output subscript {c} does not appear in the equation for any input operand"
                )
            if target.count(c) > 1:
                raise RuntimeError(f"einsum(): output subscript {c} appears more than once in the output")
    else:
        target = dots + "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c not in dots))
    return terms, target
