"""Products of matrices, of every rank, on BLAS."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable
from ..public import public
from ..sums import total
from .arithmetic import add, mul
from .join import stack
from .shape import expand, forget_base, permute, transpose

if TYPE_CHECKING:
    from ..tensor import Tensor


def _same_dtype(a: Any, b: Any) -> None:
    if a.dtype != b.dtype:
        short = {
            "float32": "float",
            "float64": "double",
            "int64": "long int",
            "int32": "int",
            "float16": "Half",
        }
        names = [short.get(x.dtype.name, x.dtype.name) for x in (a, b)]
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {names[0]} != {names[1]}; convert one with .to()"
        )


class MatMul(Operation):
    """out = a @ b, the last two dimensions as matrices, the others broadcast.  da = grad @ bᵀ, db = aᵀ @ grad"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.matmul(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        da, db = ctx.needs_input_grad
        if b.ndim == 2 and a.ndim > 2 and db:
            # One large product for the whole batch, not a product for each entry and a sum.
            rows = math.prod(a.shape[:-1])
            flat_a, flat_grad = a.reshape((rows, a.shape[-1])), grad.reshape((rows, grad.shape[-1]))
            return product(grad, b.swapaxes(-1, -2)) if da else None, product(flat_a.swapaxes(0, 1), flat_grad)
        return (
            product(grad, b.swapaxes(-1, -2)) if da else None,
            product(a.swapaxes(-1, -2), grad) if db else None,
        )

    @classmethod
    def name(cls) -> str:
        return "MmBackward0"


def product(a: Any, b: Any) -> Any:
    """a @ b for arrays or tensors of at least two dimensions."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.matmul(a, b)
    return MatMul.apply(a, b)


def _vector_error(a: tuple[int, ...], b: tuple[int, ...]) -> RuntimeError:
    return RuntimeError(
        f"inconsistent tensor size, expected tensor {list(a)} and src {list(b)} to have the same number of elements, but got "
        f"{math.prod(a)} and {math.prod(b)} elements respectively"
    )


@public
def matmul(input: Any, other: Any) -> Tensor:
    """input @ other: (.., n, m) @ (.., m, p) -> (.., n, p), leading dimensions broadcast; vectors as rows and columns.

    PyTorch: torch.matmul.
    """
    if isinstance(input, np.ndarray) and isinstance(other, np.ndarray):
        return np.matmul(input, other)  # type: ignore[return-value]
    for x in (input, other):
        if not isinstance(x, Variable):
            raise TypeError(f"matmul(): argument 'other' must be Tensor, not {type(x).__name__}")
    a, b = input.array, other.array
    if a.ndim == 0 or b.ndim == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D")
    _same_dtype(a, b)
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
    if a.ndim == 1 and b.ndim == 1:
        return Dot.apply(input, other)
    if a.ndim == 1:
        return forget_base(matmul(input.reshape(1, -1), other).squeeze(-2))
    if b.ndim == 1:
        return forget_base(MatMul.apply(input, other.reshape(-1, 1)).squeeze(-1))
    try:
        return MatMul.apply(input, other)
    except ValueError:
        raise RuntimeError(
            f"The batch dimensions of {list(a.shape)} and {list(b.shape)} do not broadcast in matmul"
        ) from None


def rmatmul(input: Any, other: Any) -> Tensor:
    """other @ input."""
    return matmul(other, input)


class Dot(Operation):
    """out = Σ aᵢ bᵢ.  da = grad · b, db = grad · a"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.dot(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        da, db = ctx.needs_input_grad
        return grad * b if da else None, grad * a if db else None


class Linear(Operation):
    """out = x @ Wᵀ + b: x (*, in), W (out, in), b (out,).  dx = grad @ W, dW = gradᵀ @ x, db = Σ grad

    The leading dimensions of x are one long batch, so that each product is one call of BLAS.
    """

    @staticmethod
    def forward(ctx: Any, x: Array, weight: Array, bias: Array | None) -> Array:
        ctx.save_for_backward(x, weight)
        if x.ndim <= 2:
            out = np.dot(x, weight.T)
        else:
            out = np.dot(x.reshape(math.prod(x.shape[:-1]), x.shape[-1]), weight.T).reshape(
                *x.shape[:-1], weight.shape[0]
            )
        if bias is not None:
            _add_to_rows(out, bias)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, weight = ctx.saved_tensors
        dx, dw, db = ctx.needs_input_grad
        gx = gw = gb = None
        product = np.dot if isinstance(grad, Array) else matmul  # of small matrices, the quicker one
        shape = x.shape
        if len(shape) != 2:
            batch = math.prod(shape[:-1])
            x, grad = x.reshape((batch, shape[-1])), grad.reshape((batch, weight.shape[0]))
        if dx:
            gx = product(grad, weight)
            gx = gx if len(shape) == 2 else gx.reshape(shape)
        if dw:
            gw = product(grad.swapaxes(0, 1), x)
        if db:
            gb = _sum_rows(grad)
        return gx, gw, gb

    @classmethod
    def name(cls) -> str:
        return "AddmmBackward0"


def _add_to_rows(out: Array, row: Array) -> None:
    """out += row. Short rows are taken 16 at a time: starting NumPy's inner loop costs more than their few sums."""
    rows, n = out.size // row.size if row.size else 0, row.size
    if not 1 < n <= 16 or rows < 64 or rows % 16:
        out += row
        return
    repeated = np.empty((16, n), out.dtype)
    repeated[...] = row
    blocks = out.reshape(rows // 16, 16 * n)  # out is fresh and contiguous: a view
    blocks += repeated.reshape(16 * n)


def _sum_rows(x: Any) -> Any:
    """The sum over the first of two dimensions; up to 4,096 rows as a product with ones, which BLAS makes quicker."""
    if isinstance(x, np.ndarray):
        return np.dot(_ones(x.shape[0], x.dtype), x) if x.shape[0] <= 4096 else total(x, (0,))
    return x.sum(0)


@functools.lru_cache(maxsize=8)
def _ones(n: int, d: np.dtype) -> Array:
    return np.ones(n, d)


@public("functional")
def linear(input: Any, weight: Any, bias: Any = None) -> Tensor:
    """input (*, in) times weight (out, in) transposed, plus bias (out,): (*, out). PyTorch: torch.nn.functional.linear."""
    if not isinstance(input, Variable):
        raise TypeError(f"linear(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    x, w = input.array, weight.array
    if (
        w.ndim == 2
        and x.ndim
        and x.shape[-1] == w.shape[1]
        and x.dtype == w.dtype
        and (bias is None or bias.array.shape == (w.shape[0],))
    ):
        return Linear.apply(input, weight, bias)
    _same_dtype(x, w)
    if w.ndim == 1:
        out = matmul(input, weight)
        return out if bias is None else add(out, bias)
    if x.ndim == 0 or x.shape[-1] != w.shape[-1]:
        rows = math.prod(x.shape[:-1]) if x.ndim else 1
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{x.shape[-1] if x.ndim else 1} and {w.shape[1]}x{w.shape[0]}): input "
            f"{list(x.shape)} needs {w.shape[1]} features in its last dimension"
        )
    return add(matmul(input, transpose(weight, 0, 1)), bias)


@public("minigrad", "functional")
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Tensor:
    """out[k] = x1ᵀ W[k] x2 + b[k]: input1 (*, n), input2 (*, m), weight (out, n, m). PyTorch: torch.nn.functional.bilinear."""
    if input1.array.shape[-1] != weight.array.shape[1] or input2.array.shape[-1] != weight.array.shape[2]:
        raise RuntimeError(
            f"bilinear(): input1 {list(input1.array.shape)} and input2 {list(input2.array.shape)} do not fit weight "
            f"{list(weight.array.shape)}"
        )
    out = einsum("...n,knm,...m->...k", input1, weight, input2)
    return out if bias is None else out + bias


# -- products of given ranks


def _rank(name: str, x: Any, ndim: int, argument: str) -> None:
    if not isinstance(x, Variable):
        raise TypeError(f"{name}(): argument '{argument}' must be Tensor, not {type(x).__name__}")
    if x.array.ndim != ndim:
        kind = {1: "a vector", 2: "a matrix", 3: "a 3D tensor"}[ndim]
        raise RuntimeError(
            f"{name}: {argument} must be {kind}, got {x.array.ndim}D tensor of shape {list(x.array.shape)}"
        )


@public
def mm(input: Any, mat2: Any) -> Tensor:
    """The product of two matrices. PyTorch: torch.mm."""
    _rank("mm", input, 2, "self")
    _rank("mm", mat2, 2, "mat2")
    return matmul(input, mat2)


@public
def bmm(input: Any, mat2: Any) -> Tensor:
    """The products of two batches of matrices (b, n, m) @ (b, m, p). PyTorch: torch.bmm."""
    _rank("bmm", input, 3, "batch1")
    _rank("bmm", mat2, 3, "batch2")
    if input.array.shape[0] != mat2.array.shape[0]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{input.array.shape[0]}, {input.array.shape[2]}] but "
            f"got: [{mat2.array.shape[0]}, {mat2.array.shape[1]}]."
        )
    return matmul(input, mat2)


@public
def mv(input: Any, vec: Any) -> Tensor:
    """The product of a matrix and a vector. PyTorch: torch.mv."""
    _rank("mv", input, 2, "self")
    _rank("mv", vec, 1, "vec")
    return matmul(input, vec)


@public
def dot(input: Any, tensor: Any) -> Tensor:
    """Σ aᵢ bᵢ of two vectors. PyTorch: torch.dot."""
    for x in (input, tensor):
        if not isinstance(x, Variable):
            raise TypeError(f"dot(): argument 'tensor' must be Tensor, not {type(x).__name__}")
    if input.array.ndim != 1 or tensor.array.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.array.ndim}D and {tensor.array.ndim}D tensors")
    if input.array.dtype != tensor.array.dtype:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {input.dtype} and {tensor.dtype}"
        )
    return matmul(input, tensor)


@public
def vdot(input: Any, other: Any) -> Tensor:
    """For real vectors the same as `dot`. PyTorch: torch.vdot."""
    return dot(input, other)


@public
def inner(input: Any, other: Any) -> Tensor:
    """Products summed over the last dimension of both. PyTorch: torch.inner."""
    if input.array.ndim == 0 or other.array.ndim == 0:
        return input * other
    return tensordot(input, other, ([-1], [-1]))


@public(also="ger")
def outer(input: Any, vec2: Any) -> Tensor:
    """aᵢ bⱼ of two vectors. PyTorch: torch.outer."""
    _rank("outer", input, 1, "self")
    _rank("outer", vec2, 1, "vec2")
    return mul(input.reshape(-1, 1), vec2)


@public
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · mat1 @ mat2. PyTorch: torch.addmm."""
    return add(_scaled(input, beta), mm(mat1, mat2), alpha=alpha)


@public
def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · mat @ vec. PyTorch: torch.addmv."""
    return add(_scaled(input, beta), mv(mat, vec), alpha=alpha)


@public
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · outer(vec1, vec2). PyTorch: torch.addr."""
    return add(_scaled(input, beta), outer(vec1, vec2), alpha=alpha)


@public
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · batch1 @ batch2. PyTorch: torch.baddbmm."""
    return add(_scaled(input, beta), bmm(batch1, batch2), alpha=alpha)


@public
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · Σ over the batch of batch1 @ batch2. PyTorch: torch.addbmm."""
    return add(_scaled(input, beta), bmm(batch1, batch2).sum(0), alpha=alpha)


def _scaled(x: Any, factor: Any) -> Any:
    return x if factor == 1 else x * factor


@public
def chain_matmul(*matrices: Any) -> Tensor:
    """The product of several matrices. PyTorch: torch.chain_matmul."""
    out = matrices[0]
    for m in matrices[1:]:
        out = mm(out, m)
    return out


# -- products by named dimensions


@public
def tensordot(a: Any, b: Any, dims: Any = 2) -> Tensor:
    """Products summed over `dims`: the last n of a with the first n of b, or two lists of dimensions. PyTorch: torch.tensordot."""
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.array.ndim, b.array.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        over_a, over_b = list(range(a.array.ndim - dims, a.array.ndim)), list(range(dims))
    else:
        over_a, over_b = ([d] if isinstance(d, int) else list(d) for d in dims)
    over_a = [d % a.array.ndim for d in over_a]
    over_b = [d % b.array.ndim for d in over_b]
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
    return (
        matmul(rows, columns).reshape(*shape_a, *shape_b) if shape_a or shape_b else matmul(rows, columns).reshape(())
    )


class Einsum(Operation):
    """out = Einstein's sum over the subscripts that the output does not name.

    The gradient of one operand is again such a sum: of grad and the other operands, with the output and that operand's
    subscripts exchanged; a subscript that only that operand has was summed over, so its gradient is the same all along it.
    """

    @staticmethod
    def forward(ctx: Any, terms: tuple[str, ...], target: str, *operands: Array) -> Array:
        ctx.save_for_backward(*operands)
        ctx.terms, ctx.target = terms, target
        return np.einsum(f"{','.join(terms)}->{target}", *operands, optimize=len(operands) > 1)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        operands = ctx.saved_tensors
        gradients: list[Any] = []
        for i, (term, edge) in enumerate(zip(ctx.terms, ctx.needs_input_grad[2:], strict=True)):
            if edge is None:
                gradients.append(None)
                continue
            others = [x for j, x in enumerate(operands) if j != i]
            other_terms = [t for j, t in enumerate(ctx.terms) if j != i]
            known = set(ctx.target).union(*other_terms)
            present = "".join(c for c in term if c in known)
            g = Einsum.apply((ctx.target, *other_terms), present, grad, *others)
            shape = tuple(operands[i].shape)
            if present != term:  # alone in its operand: the gradient is spread along it
                g = expand(g.reshape(tuple(n if c in known else 1 for c, n in zip(term, shape, strict=True))), shape)
            gradients.append(g)
        return None, None, *gradients


@public
def einsum(equation: str, *operands: Any) -> Tensor:
    """Einstein's summation: `einsum("bij,bjk->bik", a, b)`; `...` for broadcast dimensions. PyTorch: torch.einsum."""
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    if not operands:
        raise ValueError("einsum(): must provide at least one operand")
    terms, target = _parse_einsum(equation, operands)
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


@public
def kron(input: Any, other: Any) -> Tensor:
    """The Kronecker product: each element of input times the whole of other. PyTorch: torch.kron."""
    n = max(input.array.ndim, other.array.ndim)
    a = (1,) * (n - input.array.ndim) + input.array.shape
    b = (1,) * (n - other.array.ndim) + other.array.shape
    left = input.reshape(tuple(m for pair in zip(a, (1,) * n, strict=True) for m in pair))
    right = other.reshape(tuple(m for pair in zip((1,) * n, b, strict=True) for m in pair))
    return forget_base((left * right).reshape(tuple(x * y for x, y in zip(a, b, strict=True))))


@public
def cross(input: Any, other: Any, dim: int | None = None) -> Tensor:
    """The cross product of vectors of three along dim. PyTorch: torch.cross."""
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
def trace(input: Any) -> Tensor:
    """The sum of a matrix's diagonal. PyTorch: torch.trace."""
    if input.array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.array.ndim}")
    return input.diagonal().sum()


class Inverse(Operation):
    """out = A⁻¹.  dA = -A⁻ᵀ @ grad @ A⁻ᵀ"""

    @staticmethod
    def forward(ctx: Any, a: Array) -> Array:
        out = np.linalg.inv(a)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        transposed = out.swapaxes(-1, -2)
        return -product(product(transposed, grad), transposed)

    @classmethod
    def name(cls) -> str:
        return "LinalgInvExBackward0"


@public
def inverse(input: Any) -> Tensor:
    """The inverse of a square matrix (or of each of a batch). PyTorch: torch.linalg.inv."""
    shape = input.array.shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise RuntimeError(f"linalg.inv: A must be batches of square matrices, but they are {list(shape)}")
    try:
        return Inverse.apply(input)
    except np.linalg.LinAlgError:
        raise RuntimeError(
            "linalg.inv: The diagonal element is zero, the inversion could not be completed because the input matrix is singular."
        ) from None


@public
def cdist(x1: Any, x2: Any, p: float = 2.0) -> Tensor:
    """The p-norm distance of each row of x1 (.., n, d) to each of x2 (.., m, d): (.., n, m). PyTorch: torch.cdist."""
    from .reduce import norm

    return norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)
