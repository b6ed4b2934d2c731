"""What functions of matrices share: checks of their arguments, their error, the base of their nodes.

They are computed by LAPACK through NumPy, of a matrix or of each of a batch (.., m, n). Each is a `Function`: its backward is
written in tensors, so second derivatives follow from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.function import Function
from ..autograd.variable import Array, wrap
from ..quiet import quiet
from .checks import require_tensor, type_name
from .choice import where


class LinAlgError(RuntimeError):
    """A matrix that has no inverse, or no such decomposition. PyTorch: torch.linalg.LinAlgError."""


def require_matrix(A: Any, function: str, argument: str = "A", square: bool = False) -> None:
    """Errors unless A is a matrix (or a batch) of float32 or float64, and square if asked for."""
    name = function.rpartition(".")[2]
    require_tensor(A, f"linalg_{name}" if function.startswith("linalg") else name, argument)
    shape = A.array.shape
    if len(shape) < 2:
        raise RuntimeError(f"{function}: The input tensor {argument} must have at least 2 dimensions.")
    if square and shape[-1] != shape[-2]:
        raise RuntimeError(
            f"{function}: {argument} must be batches of square matrices, but they are {shape[-2]} by {shape[-1]} matrices"
        )
    require_real(A, function)


def require_real(A: Any, function: str) -> None:
    """RuntimeError unless A is of float32 or float64."""
    if A.array.dtype.kind != "f":
        raise RuntimeError(f"{function}: Expected a floating point or complex tensor as input. Got {type_name(A)}")
    if A.array.dtype.itemsize < 4:
        raise RuntimeError(f"{function}: Low precision dtypes not supported. Got {type_name(A)}")


def lapack(function: str, problem: str, compute: Any, *arrays: Array, **options: Any) -> Any:
    """What NumPy computes of the arrays; its LinAlgError becomes PyTorch's."""
    try:
        return compute(*arrays, **options)
    except np.linalg.LinAlgError:
        raise LinAlgError(f"{function}: {problem}") from None


class Decomposition(Function):
    """A Function whose node is called as in PyTorch."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "grad_fn_name" not in vars(cls):
            cls.grad_fn_name = f"Linalg{cls.__name__}Backward0"
        for name in ("forward", "backward"):  # not a program's own Function: NumPy's warnings stay here
            if name in vars(cls):
                setattr(cls, name, staticmethod(quiet(vars(cls)[name].__func__)))


def eye_like(A: Any, n: int) -> Any:
    return wrap(np.eye(n, dtype=A.array.dtype))


def divide(x: Any, by: Any) -> Any:
    """x / by, and 0 where x is 0: a difference of equal singular values does no harm where nothing depends on it."""
    return where(x == 0, x, x / where(by == 0, wrap(np.zeros((), by.array.dtype)), by))
