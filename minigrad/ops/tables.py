"""Tables: rows looked up by class index, or made from it.

Gradients of tables are dense: `sparse=True` is taken, and gives the same numbers in a dense tensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import storage
from ..autograd import fused
from ..autograd.fused import Fused
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable, wrap
from ..geometry import require_own_places
from ..public import public
from .along import index_select, outside_error
from .checks import require_room
from .choice import where
from .index import AddRows
from .keys import index_tensor

if TYPE_CHECKING:
    from ..tensor import Tensor


class Embedding(Fused):
    """out[i] = weight[index[i]].  dweight[k] = the sum of grad over the places that read row k (0 for padding_idx)

    Compiled form: kernels/scatter.py.
    """

    compiled = "scatter.Embedding"

    @staticmethod
    def definition(weight: Tensor, index: Array, padding_idx: int | None) -> Tensor:
        rows = index_select(weight, 0, wrap(index.reshape(-1)))
        if padding_idx is not None:
            rows = where(wrap(index.reshape(-1, 1) == padding_idx), rows.detach(), rows)
        return rows.reshape(*index.shape, weight.shape[1])

    @staticmethod
    def work(weight: Array, index: Array, padding_idx: int | None) -> int:
        return index.size * weight.shape[1] if fused.size(weight) else 0

    @staticmethod
    def forward(ctx: Any, weight: Array, index: Array, padding_idx: int | None) -> Array:
        ctx.index, ctx.padding_idx, ctx.shape = index, padding_idx, weight.shape
        return weight.take(index, 0)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        dweight = np.zeros(ctx.shape, grad.dtype)
        np.add.at(dweight, ctx.index.reshape(-1), grad.reshape(ctx.index.size, ctx.shape[1]))
        if ctx.padding_idx is not None:
            dweight[ctx.padding_idx] = 0
        return dweight, None, None

    def run_backward(self, gradient: Operand) -> Any:
        if isinstance(gradient, Array):
            return self.backward(self, gradient)
        # Linear in the weights: higher derivatives need no definition, so the table may have been changed in place since.
        ctx: Any = self
        rows, index = gradient.reshape(ctx.index.size, ctx.shape[1]), ctx.index.reshape(-1)
        if ctx.padding_idx is not None:
            rows = where(wrap((index == ctx.padding_idx)[:, None]), 0.0, rows)
        return AddRows.apply(rows, index, ctx.shape[0]), None, None


@public("functional")
def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None, norm_type: float = 2.0,
    scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """Rows of `weight` (V, D) by the indices in input (any shape): (*input.shape, D); row padding_idx gets no gradient.

    max_norm: rows that are read are first made no longer than that, in `weight` itself. scale_grad_by_freq: a row's gradient
    is divided by how often it is read here. sparse: has no effect, the gradient is dense. PyTorch: torch.nn.functional.embedding.
    """
    refuse_sparse_counts(scale_grad_by_freq, sparse)
    if padding_idx and not weight.array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    padding_idx = padding_row(padding_idx, weight.array.shape[0] if weight.array.ndim else 0)
    index = index_tensor("embedding", input)
    if weight.array.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, got shape {list(weight.array.shape)}")
    n = weight.array.shape[0]
    if index.size and (index.min() < 0 or index.max() >= n):
        raise outside_error("index_select", weight.array)(
            f"index out of range in self: the table has {n} rows, the indices go from {index.min()} to {index.max()}"
        )
    if max_norm is not None:
        shorten_rows(weight, index, max_norm, norm_type)
    out = Embedding.apply(weight, index, padding_idx)
    return shared_gradient(out, index, n) if scale_grad_by_freq and out.requires_grad else out


def padding_row(padding_idx: int | None, n: int) -> int | None:
    """The row that padding_idx names, counted from the back where it is negative; 0 may stand for none of a table of no rows.

    Errors: AssertionError where there is no such row among n.
    """
    if not padding_idx:
        return padding_idx
    if not -n <= padding_idx < n:
        raise AssertionError(f"Padding_idx must be within num_embeddings, got {padding_idx} for {n} rows")
    return padding_idx % n


def refuse_sparse_counts(scale_grad_by_freq: bool, sparse: bool) -> None:
    if scale_grad_by_freq and sparse:
        raise RuntimeError("embedding_backward: scale_grad_by_freq not supported with sparse gradients")


def shorten_rows(weight: Tensor, index: Array, max_norm: float, norm_type: float) -> None:
    """Scale the rows that `index` names down to max_norm, in place and unseen by autograd."""
    rows = np.unique(index)
    norms = np.linalg.norm(weight.array[rows], norm_type, 1)
    long = norms > max_norm
    scale = max_norm / (norms[long].astype(np.float64) + 1e-7)
    if rows.size:
        require_own_places(weight.array[0])  # rows may be one in memory: they are shortened alike
        weight.array[rows[long]] *= scale[:, None].astype(weight.array.dtype)
        storage.mark_written(weight.array)


class ScaledGradient(Operation):
    """out = x.  dx = grad · scale"""

    @staticmethod
    def forward(ctx: Any, x: Array, scale: Array) -> Array:
        ctx.scale = scale
        return x.copy()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * (wrap(ctx.scale) if isinstance(grad, Variable) else ctx.scale), None


def shared_gradient(rows: Any, index: Array, n: int) -> Any:
    """The rows read at `index` (*, D), each passing on its gradient divided by how often its place in the table is read."""
    count = np.bincount(index.reshape(-1), minlength=n)
    return ScaledGradient.apply(rows, (1 / count[index])[..., None].astype(rows.array.dtype))


@public("functional")
def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """For each class index, a vector of num_classes with a 1 there. PyTorch: torch.nn.functional.one_hot."""
    index = input.array
    if index.dtype != np.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor, got {input.dtype}")
    if index.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty input.")
    if index.size and index.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    n = int(index.max()) + 1 if num_classes == -1 else num_classes
    if index.size and index.max() >= n:
        raise RuntimeError(f"Class values must be smaller than num_classes: {int(index.max())} and {n}")
    require_room((*index.shape, n), 8)
    return wrap((index[..., None] == np.arange(n)).astype(np.int64))
