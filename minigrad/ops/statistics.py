"""Statistics of several variables, and histograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..autograd.variable import Variable, wrap
from ..public import public
from ..quiet import quiet
from .arithmetic import mul
from .counting import bin_edges, extent
from .matrix import matmul
from .operands import undifferentiable
from .power import sqrt
from .reduce import sum

if TYPE_CHECKING:
    from ..tensor import Tensor


@public
def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariance matrix of variables, a row each: (x - mean) (x - mean)ᵀ / (n - correction).

    fweights: how often each observation counts (integers); aweights: how important it is. PyTorch: torch.cov.
    """
    if input.array.ndim > 2:
        raise RuntimeError(f"cov(): expected input to have two or fewer dimensions but got {input.array.ndim}")
    if input.array.dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input.reshape(1, -1) if input.array.ndim < 2 else input
    n: Any = x.array.shape[1]
    weights: Any = None
    for name, given, kinds in (("fweights", fweights, "iu"), ("aweights", aweights, "f")):
        if given is None:
            continue
        if given.array.ndim > 1 or given.array.size != n or given.array.dtype.kind not in kinds:
            wanted = "integral" if kinds == "iu" else "floating point"
            raise RuntimeError(
                f"cov(): expected {name} to have {wanted} dtype, one dimension and {n} elements, but got {given.dtype} "
                f"of shape {list(given.array.shape)}"
            )
        if not (given.array >= 0).all():  # a nan is refused too
            raise RuntimeError(f"cov(): {name} cannot be negative")
        weights = given if weights is None else mul(weights, given)
    if weights is None:
        mean, total = sum(x, 1, True) / n, n
        norm: Any = max(n - correction, 0)
    else:
        total = sum(weights)
        if total.array == 0:
            raise RuntimeError("cov(): weights sum to zero, can't be normalized")
        mean = sum(x * weights, 1, True) / total
        norm = total - correction * sum(weights * aweights) / total if aweights is not None else total - correction
    centred = x - mean
    out = matmul(centred if weights is None else centred * weights, centred.t())
    out = out / (norm if isinstance(norm, Variable) else wrap(np.asarray(float(norm), out.array.dtype)))
    return out.squeeze()


@public
def corrcoef(input: Tensor) -> Tensor:
    """Pearson's correlation of variables, a row each: cov[i, j] / √(cov[i, i] · cov[j, j]), held within ±1.

    PyTorch: torch.corrcoef.
    """
    c = cov(input)
    if c.array.ndim == 0:
        return c / c
    deviation = sqrt(c.diagonal())
    return (c / deviation.view(-1, 1) / deviation.view(1, -1)).clamp(-1, 1)


class Histogram(NamedTuple):
    """What lies in each bin, and where the bins end."""

    hist: Any
    bin_edges: Any


@public
@quiet
def histogram(
    input: Tensor, bins: int | Tensor = 100, *, range: Sequence[float] | None = None, weight: Tensor | None = None,
    density: bool = False,
) -> Histogram:  # fmt: skip
    """Counts (or sums of weights, or a density) in bins, and the edges of the bins. No gradient.

    bins: their number between the ends of `range` (of the values, if None), or their edges in order. What lies outside is
    left out; the last bin holds its upper edge. PyTorch: torch.histogram.
    """
    x = input.array
    if x.dtype not in (np.float32, np.float64):
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{x.dtype}'; it takes floating types")
    if isinstance(bins, Variable):
        if range is not None:
            raise TypeError("histogram() takes range only where bins is a number")
        if bins.array.ndim != 1 or bins.array.dtype != x.dtype:
            raise RuntimeError(
                f"torch.histogram(): bins tensor should have one dimension and the dtype of input, {input.dtype}, but got "
                f"{bins.array.ndim} and {bins.dtype}"
            )
        if bins.array.size < 2:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins.array.size} edges, two make a bin")
        edges = bins.array
    else:
        if range is not None and len(range) != 2:
            raise RuntimeError(f"torch.histogram(): range should have 2 elements, but got {len(range)}")
        low, high = extent(x) if range is None else range
        edges = bin_edges("torch.histogram()", x, bins, low, high, half=0.5)
    values = x.reshape(-1)
    inside = (values >= edges[0]) & (values <= edges[-1])
    place = np.minimum(np.searchsorted(edges, values[inside], "right") - 1, len(edges) - 2)
    if weight is not None and weight.array.shape != x.shape:
        raise RuntimeError(
            f"torch.histogram(): if weight tensor is provided it should have the shape of input, {list(x.shape)}, but got "
            f"{list(weight.array.shape)}"
        )
    if weight is not None and weight.array.dtype != x.dtype:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same dtype, but "
            f"got input({input.dtype}), and weight({weight.dtype})"
        )
    chosen = None if weight is None else weight.array.reshape(-1)[inside]
    counts = np.bincount(place, chosen, len(edges) - 1).astype(x.dtype)
    if density:
        counts = counts / counts.sum() / np.diff(edges)
    given = [y for y in (input, bins, weight) if isinstance(y, Variable)]
    return Histogram(*(undifferentiable("histogram", y, *given) for y in (counts.astype(x.dtype), np.array(edges))))
