"""`vmap`: a function of one example, as a function of a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import random
from ..autograd.differentiate import grad
from ..autograd.modes import enable_grad
from ..creation import ones_like
from ..foreign import said
from ..ops import stack
from ..tensor import Tensor
from . import tree


def vmap(
    func: Callable, in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *, chunk_size: int | None = None
) -> Callable:
    """func, called once for each entry of the dimensions `in_dims` of its inputs; results are stacked along `out_dims`.

    It runs as a loop over the batch, so it is right for every function, and no faster than the loop. in_dims: a dimension
    for all inputs, or one for each, nested as they are; None: the same for every example. randomness: "error" where
    func draws random numbers; "same": each example draws the same ones; "different": one after the other (PyTorch draws
    them for the whole batch at once, so from 16 normal numbers on they are others). chunk_size has nothing to divide.
    A result whose out_dim is None must not depend on the example: ValueError if the results differ, or one was recorded as
    computed from an example, for which func may be called once more. (Whole numbers are not recorded.)
    PyTorch: torch.func.vmap.
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    name = getattr(func, "__name__", type(func).__name__)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        dims = _dims(name, in_dims, args)
        named = tree.leaves(kwargs)
        dims += [0 if isinstance(x, Tensor) else None for x in named]
        inputs = tree.leaves(args) + named
        size = _size(inputs, dims)
        state = random.default_generator.get_state()

        def of(picked: list[Any]) -> Any:
            """func of these in the places of the inputs."""
            count = len(tree.leaves(args))
            if randomness == "same":
                random.default_generator.set_state(state)
            return func(*tree.filled(args, picked[:count]), **tree.filled(kwargs, picked[count:]))

        def called(i: int | None) -> Any:
            """func of example i; None: of zeros of an example's shape."""
            return of([x if d is None else _example(x, d, i) for x, d in zip(inputs, dims, strict=True)])

        def varying() -> list[bool]:
            """For each result whether it was computed from the examples, as their graph says."""
            before = random.default_generator.get_state()
            with enable_grad():
                mapped = [None if d is None else _recorded(_example(x, d, 0 if size else None)) for x, d in zip(inputs, dims, strict=True)]  # fmt: skip
                given = [x if leaf is None else leaf.clone() for x, leaf in zip(inputs, mapped, strict=True)]
                found = tree.leaves(of(given))
            random.default_generator.set_state(before)
            return [_is_from(y, given, mapped) for y in found]

        if size == 0:
            return _stacked(name, [called(None)], out_dims, varying, empty=True)
        results = [called(i) for i in range(size)]
        if randomness == "error" and not np.array_equal(state, random.default_generator.get_state()):
            random.default_generator.set_state(state)
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
                "randomness flags on vmap or perform the randomness operation out of vmap"
            )
        return _stacked(name, results, out_dims, varying)

    return wrapper


def _example(x: Any, dim: int, i: int | None) -> Any:
    return x.sum(dim, dtype=x.dtype) if i is None else x.select(dim, i)  # a sum of nothing is recorded zeros


def _recorded(x: Any) -> Any:
    """A leaf with the values of x, whose use is recorded if it has a derivative."""
    return x.detach().requires_grad_(x.array.dtype.kind == "f")


def _is_from(y: Any, given: list[Any], mapped: list[Any]) -> bool:
    """Whether y is one of the examples in `given`, or was computed from the leaves behind them."""
    if any(y is x for x, leaf in zip(given, mapped, strict=True) if leaf is not None):
        return True
    leaves = [leaf for leaf in mapped if leaf is not None and leaf.requires_grad]
    if not (isinstance(y, Tensor) and y.requires_grad and leaves):
        return False
    return any(g is not None for g in grad(y, leaves, ones_like(y), allow_unused=True, retain_graph=True))


def _dims(name: str, in_dims: Any, args: tuple) -> list[int | None]:
    """The dimension of each tensor among args that is the batch, counted from the front."""
    where = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, int | tuple):
        raise ValueError(
            f"{where}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, got: "
            f"{type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"{where}: got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function with no inputs."
        )
    found = tree.spread(in_dims, args)
    if found is None:
        raise ValueError(f"{where}: in_dims is not compatible with the structure of inputs.")
    dims: list[int | None] = []
    for x, d in zip(tree.leaves(args), found, strict=True):
        if d is None:
            dims.append(None)
            continue
        if isinstance(d, bool):
            raise TypeError(f"{where}: an in_dim must be int, not bool")
        if not isinstance(d, int):
            raise ValueError(
                f"{where}: Got in_dim={d} for an input but in_dim must be either an integer dimension or None."
            )
        if not isinstance(x, Tensor):
            raise ValueError(
                f"{where}: Got in_dim={d} for an input but the input is of type {said(x)}. We cannot vmap over non-Tensor "
                "arguments, please use None as the respective in_dim"
            )
        if not -x.dim() <= d < x.dim():
            raise ValueError(
                f"{where}: Got in_dim={d} for some input, but that input is a Tensor of dimensionality {x.dim()} so expected "
                f"in_dim to satisfy -{x.dim()} <= in_dim < {x.dim()}."
            )
        dims.append(d % x.dim())
    return dims


def _size(inputs: list[Any], dims: list[int | None]) -> int:
    sizes = [x.shape[d] for x, d in zip(inputs, dims, strict=True) if d is not None]
    if not sizes:
        raise ValueError("vmap: at least one input must have a dimension to map over; all of in_dims are None")
    if len(set(sizes)) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return sizes[0]


def _stacked(
    name: str, results: list[Any], out_dims: Any, varying: Callable[[], list[bool]], empty: bool = False
) -> Any:
    """The results of the examples as one.

    varying: which of them were computed from the examples; asked only where one without a dimension is the same for all.
    """
    first = results[0]
    if isinstance(out_dims, tuple) and len(out_dims) == 1 and isinstance(first, Tensor):
        out_dims = out_dims[0]
    dims = tree.spread(out_dims, first)
    if dims is None:
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims}): out_dims is not compatible with the structure of outputs."
        )
    columns = zip(*(tree.leaves(r) for r in results), strict=True)
    out = []
    for i, (column, d) in enumerate(zip(columns, dims, strict=True)):
        if d is None:
            differ = any(
                isinstance(x, Tensor) and not np.array_equal(x.array, column[0].array, equal_nan=True)
                for x in column[1:]
            )
            if differ or (isinstance(column[0], Tensor) and varying()[i]):
                raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
            out.append(column[0])
            continue
        if not isinstance(d, int):
            raise ValueError(
                f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python collection of ints "
                "representing where in the outputs the vmapped dimension should appear."
            )
        if not isinstance(column[0], Tensor):
            raise ValueError(
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {said(column[0])}. Did you mean to set "
                "out_dims= to None for output?"
            )
        joined = stack(list(column), d)
        out.append(joined.narrow(d % joined.dim(), 0, 0) if empty else joined)
    return tree.filled(first, out)
