"""Products of matrices and vectors, of every rank, on BLAS; and what else is asked of matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable, wrap
from ..foreign import said
from ..public import public
from .arithmetic import add, mul
from .arrange import flip
from .checks import refuse_type
from .cumulative import cumprod
from .join import cat, stack
from .operands import cast
from .shape import forget_base

if TYPE_CHECKING:
    from ..tensor import Tensor


TRUTHS = np.dtype(np.bool_)


def require_same_dtype(a: Operand, b: Operand) -> None:
    if a.dtype != b.dtype:
        short = {"float32": "float", "float64": "double", "int64": "long int", "int32": "int", "float16": "Half"}
        names = [short.get(x.dtype.name, x.dtype.name) for x in (a, b)]
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {names[0]} != {names[1]}; convert one with .to()"
        )


class Dot(Operation):
    """out = Σ aᵢ bᵢ.  da = grad · b, db = grad · a"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        da, db = ctx.needs_input_grad
        ctx.save_for_backward(a if db else None, b if da else None)
        return np.dot(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        da, db = ctx.needs_input_grad
        return grad * b if da else None, grad * a if db else None


class MatMul(Operation):
    """out = a @ b, the last two dimensions as matrices, the others broadcast.  da = grad @ bᵀ, db = aᵀ @ grad"""

    grad_fn_name = "MmBackward0"

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        da, db = ctx.needs_input_grad
        ctx.save_for_backward(a if db else None, b if da else None)  # what the other's gradient reads
        ctx.one_matrix = a.ndim > 2 and b.ndim == 2
        if a.ndim > 2 or b.ndim > 2:
            ctx.saved_turned = (0,) if b.ndim == 2 else (0, 1)
        return np.matmul(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        da, db = ctx.needs_input_grad
        if ctx.one_matrix and db:
            # One large product for the whole batch, not a product for each entry and a sum.
            rows = math.prod(a.shape[:-1])
            flat_a, flat_grad = a.reshape((rows, a.shape[-1])), grad.reshape((rows, grad.shape[-1]))
            return product(grad, b.swapaxes(-1, -2)) if da else None, product(flat_a.swapaxes(0, 1), flat_grad)
        return product(grad, b.swapaxes(-1, -2)) if da else None, product(a.swapaxes(-1, -2), grad) if db else None


class Bmm(MatMul):
    """out[i] = a[i] @ b[i].  da = grad @ bᵀ, db = aᵀ @ grad"""

    grad_fn_name = "BmmBackward0"

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        out = MatMul.forward(ctx, a, b)
        ctx.saved_turned = ()
        return out


class MatVec(Operation):
    """out = a @ b, rows (.., m) by a vector (m,).  da = grad bᵀ, db = aᵀ @ grad"""

    grad_fn_name = "MvBackward0"

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        da, db = ctx.needs_input_grad
        ctx.save_for_backward(a if db else None, b if da else None)
        if a.ndim > 2:
            ctx.saved_turned = (0,)
        return np.matmul(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        da = db = None
        if b is not None:
            da = grad.reshape((*grad.shape, 1)) * b
        if a is not None:
            n = math.prod(a.shape[:-1])
            db = matmul(a.reshape((n, a.shape[-1])).swapaxes(0, 1), grad.reshape((n,)))
        return da, db


@public
def matmul(input: Operand, other: Operand) -> Tensor:
    """input @ other: (.., n, m) @ (.., m, p) -> (.., n, p), leading dimensions broadcast; vectors as rows and columns.

    PyTorch: torch.matmul.
    """
    if isinstance(input, np.ndarray) and isinstance(other, np.ndarray):
        return np.matmul(input, other)  # type: ignore[return-value]
    for x in (input, other):
        if not isinstance(x, Variable):
            name = "input" if x is input else "other"
            raise TypeError(f"matmul(): argument '{name}' must be Tensor, not {said(x)}")
    a, b = input.array, other.array
    if a.ndim == 0 or b.ndim == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D")
    require_same_dtype(a, b)
    inner_b = b.shape[0] if b.ndim == 1 else b.shape[-2]
    if a.shape[-1] != inner_b:
        if a.ndim == 1 and b.ndim == 1:
            raise _vector_error(a.shape, b.shape)
        if b.ndim == 1:
            raise RuntimeError(
                f"size mismatch, got input ({a.size // max(a.shape[-1], 1)}), mat ({'x'.join(map(str, a.shape))}), vec ({b.shape[0]})"
            )
        if a.ndim > 2 and b.ndim > 2:
            raise RuntimeError(
                f"Expected size for first two dimensions of batch2 tensor to be: {[a.shape[-1]]} but got: {[inner_b]}; shapes {list(a.shape)} @ {list(b.shape)}"
            )
        rows = math.prod(a.shape[:-1]) if a.ndim > 1 else 1
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{a.shape[-1]} and {inner_b}x{b.shape[-1]})"
        )
    if a.dtype is TRUTHS and (a.ndim == b.ndim == 1 or (a.size and b.size)):
        kernel = "dot" if a.ndim == b.ndim == 1 else "addmv_impl_cpu" if b.ndim == 1 else "addmm_impl_cpu_"
        refuse_type("bmm" if a.ndim > 2 and b.ndim > 2 else kernel, TRUTHS, input)
    if a.ndim == 1 and b.ndim == 1:
        return Dot.apply(input, other)
    if b.ndim == 1:
        return MatVec.apply(input, other)
    if a.ndim == 1 and b.ndim > 2:
        return MatVec.apply(other.mT, input)
    if a.ndim == 1:
        return forget_base(matmul(input.reshape(1, -1), other).squeeze(-2))
    try:
        return MatMul.apply(input, other)
    except ValueError:
        raise RuntimeError(
            f"The batch dimensions of {list(a.shape)} and {list(b.shape)} do not broadcast in matmul"
        ) from None


def product(a: Operand, b: Operand) -> Any:
    """a @ b for arrays or tensors of at least two dimensions."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.matmul(a, b)
    return MatMul.apply(a, b)


def _vector_error(a: tuple[int, ...], b: tuple[int, ...]) -> RuntimeError:
    return RuntimeError(
        f"inconsistent tensor size, expected tensor {list(a)} and src {list(b)} to have the same number of elements, but got "
        f"{math.prod(a)} and {math.prod(b)} elements respectively"
    )


def rmatmul(input: Operand, other: Operand) -> Tensor:
    """other @ input."""
    return matmul(other, input)


# -- products of given ranks


def _rank(name: str, x: Operand, ndim: int, argument: str) -> None:
    if not isinstance(x, Variable):
        raise TypeError(f"{name}(): argument '{argument}' must be Tensor, not {said(x)}")
    if x.array.ndim != ndim:
        kind = {1: "a vector", 2: "a matrix", 3: "a 3D tensor"}[ndim]
        raise RuntimeError(
            f"{name}: {argument} must be {kind}, got {x.array.ndim}D tensor of shape {list(x.array.shape)}"
        )


@public
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices. PyTorch: torch.mm."""
    _rank("mm", input, 2, "self")
    _rank("mm", mat2, 2, "mat2")
    return matmul(input, mat2)


@public
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices (b, n, m) @ (b, m, p). PyTorch: torch.bmm."""
    _rank("bmm", input, 3, "batch1")
    _rank("bmm", mat2, 3, "batch2")
    if input.array.shape[0] != mat2.array.shape[0]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{input.array.shape[0]}, {input.array.shape[2]}] but "
            f"got: [{mat2.array.shape[0]}, {mat2.array.shape[1]}]."
        )
    if input.array.shape[2] != mat2.array.shape[1] or input.array.dtype != mat2.array.dtype:
        return matmul(input, mat2)  # raises
    if input.array.size and mat2.array.size:
        refuse_type("bmm", TRUTHS, input)
    return Bmm.apply(input, mat2)


@public
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector. PyTorch: torch.mv."""
    _rank("mv", input, 2, "self")
    _rank("mv", vec, 1, "vec")
    return matmul(input, vec)


@public
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Σ aᵢ bᵢ of two vectors. PyTorch: torch.dot."""
    for x in (input, tensor):
        if not isinstance(x, Variable):
            raise TypeError(f"dot(): argument 'tensor' must be Tensor, not {said(x)}")
    if input.array.ndim != 1 or tensor.array.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.array.ndim}D and {tensor.array.ndim}D tensors")
    if input.array.dtype != tensor.array.dtype:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {input.dtype} and {tensor.dtype}"
        )
    return matmul(input, tensor)


@public
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """For real vectors the same as `dot`. PyTorch: torch.vdot."""
    return dot(input, other)


@public(also="ger")
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """aᵢ bⱼ of two vectors. PyTorch: torch.outer."""
    _rank("outer", input, 1, "self")
    _rank("outer", vec2, 1, "vec2")
    return mul(input.reshape(-1, 1), vec2)


@public(same="input mat1 mat2", fits="beta alpha")
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta · input + alpha · mat1 @ mat2. PyTorch: torch.addmm."""
    return _added(input, beta, mm(mat1, mat2), alpha)


@public(same="input mat vec", fits="beta alpha")
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta · input + alpha · mat @ vec. PyTorch: torch.addmv."""
    if input.array.ndim > 1:
        raise RuntimeError(
            f"vector + matrix @ vector expected, got {input.array.ndim}, {mat.array.ndim}, {vec.array.ndim}"
        )
    return _added(input, beta, mv(mat, vec), alpha)


@public(fits="beta alpha")
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta · input + alpha · outer(vec1, vec2). PyTorch: torch.addr."""
    for number, what in ((beta, "beta"), (alpha, "alpha")):
        if isinstance(number, bool) and any(x.array.dtype.kind != "b" for x in (input, vec1, vec2)):
            raise RuntimeError(f"Boolean {what} only supported for Boolean results.")
        if isinstance(number, float) and all(x.array.dtype.kind != "f" for x in (input, vec1, vec2)):
            raise RuntimeError(f"For integral input tensors, argument {what} must not be a floating point number.")
    return _added(input, beta, outer(vec1, vec2), alpha)


@public(same="input batch1 batch2", fits="beta alpha")
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta · input + alpha · batch1 @ batch2. PyTorch: torch.baddbmm."""
    _check_batches(batch1, batch2)
    return _added(input, beta, bmm(batch1, batch2), alpha)


@public(same="input batch1 batch2", fits="beta alpha")
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta · input + alpha · Σ over the batch of batch1 @ batch2. PyTorch: torch.addbmm."""
    _check_batches(batch1, batch2)
    product = bmm(batch1, batch2)
    return _added(input, beta, product.sum(0, dtype=product.dtype), alpha)


def _check_batches(batch1: Tensor, batch2: Tensor) -> None:
    """IndexError where PyTorch asks for sizes that are not there: the second of batch1, the third of batch2."""
    for x, asked in ((batch1, 2), (batch2, 3)):
        if x.array.ndim < asked:
            raise IndexError(f"Dimension out of range: a batch of matrices has 3 dimensions, got {list(x.array.shape)}")


def _added(input: Any, beta: float, product: Any, alpha: float) -> Any:
    """beta · input + alpha · product; input is expanded to the shape of the product, never the other way round."""
    shape, wanted = input.array.shape, product.array.shape
    if len(shape) > len(wanted) or any(n not in (1, m) for n, m in zip(shape[::-1], wanted[::-1], strict=False)):
        raise RuntimeError(
            f"The expanded size of the tensor must match: input of shape {list(shape)} does not expand to {list(wanted)}"
        )
    return add(_scaled(input, beta), _scaled(product, alpha))


def _scaled(x: Any, factor: float) -> Any:
    """x · factor in the type of x, in which PyTorch reads the factor: of whole numbers 1.5 times is once."""
    kind = x.array.dtype.kind
    if kind != "f":
        factor = bool(factor) if kind == "b" else int(factor)
    return x if factor == 1 else x * factor


@public
def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices. PyTorch: torch.chain_matmul."""
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for m in matrices:
        if m.array.ndim != 2:
            raise RuntimeError(f"chain_matmul(): Tensor dimension is {m.array.ndim}, expected 2 instead.")
    out = matrices[0]
    for m in matrices[1:]:
        out = mm(out, m)
    return out


@public
def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: each element of input times the whole of other. PyTorch: torch.kron."""
    n = max(input.array.ndim, other.array.ndim)
    a = (1,) * (n - input.array.ndim) + input.array.shape
    b = (1,) * (n - other.array.ndim) + other.array.shape
    left = input.reshape(tuple(m for pair in zip(a, (1,) * n, strict=True) for m in pair))
    right = other.reshape(tuple(m for pair in zip((1,) * n, b, strict=True) for m in pair))
    return forget_base((left * right).reshape(tuple(x * y for x, y in zip(a, b, strict=True))))


@public(same="input other")
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The cross product of vectors of three along dim. PyTorch: torch.cross."""
    if input.array.ndim != other.array.ndim:
        raise RuntimeError(
            f"linalg.cross: inputs must have the same number of dimensions, got {input.array.ndim} and {other.array.ndim}"
        )
    if dim is None:
        dim = next((i for i, n in enumerate(input.array.shape) if n == 3), -1)
    a, b = input.movedim(dim, -1), other.movedim(dim, -1)
    if a.array.shape[-1] != 3 or b.array.shape[-1] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {a.array.shape[-1]} and {b.array.shape[-1]}"
        )
    (a0, a1, a2), (b0, b1, b2) = a.unbind(-1), b.unbind(-1)
    return forget_base(stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], -1).movedim(-1, dim))


@public
def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal. PyTorch: torch.trace."""
    if input.array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.array.ndim}")
    if input.array.dtype.kind == "b":
        raise NotImplementedError("\"trace\" not implemented for 'Bool'; convert the tensor with .int() first")
    return input.diagonal().sum()


@public
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Powers of the elements of a vector, a row each: xᴺ⁻¹, ..., x, 1; from 1 upwards if increasing. PyTorch: torch.vander."""
    if x.array.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    n = len(x.array) if N is None else N
    if n < 0:
        raise RuntimeError(f"N must be non-negative, got {n}")
    base = x if x.array.dtype.kind == "f" else cast(x, np.dtype(np.int64))
    ones = wrap(np.ones((len(x.array), min(n, 1)), base.array.dtype))
    powers = cumprod(cat([ones, base.reshape(-1, 1).expand(-1, max(n - 1, 0))], 1), 1)
    return powers if increasing else flip(powers, (1,))
