"""Convolution and its transpose, by gathering windows into columns, so that BLAS does the sums.

    x (N, C, H, W)  --windows-->  columns (N, C·kh·kw, oh·ow)  --weight (O, C·kh·kw) @-->  out (N, O, oh·ow)

The columns hold every element kh·kw times, so they are made for a few images at a time and never for the whole batch.
The gradient by the input is the same road backwards (weightᵀ @ grad, then the windows added up), the gradient by the
weight is grad @ columnsᵀ. A transposed convolution is the gradient by the input, taken as the forward direction.

The compiled form (kernels/conv.py) makes no columns. It serves large convolutions with four filters or more in a group.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused, size
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable, wrap
from ..autograd.whole_backward import WholeBackward
from ..foreign import said
from ..public import public
from .arrange import flip
from .checks import refuse_type, type_name
from .contraction import einsum
from .pad import pad
from .windows import IntOrInts, Ints, Key, Pairs, add_windows, inside, out_size, out_sizes, pad_zeros, tuple_of, windows

if TYPE_CHECKING:
    from ..tensor import Tensor

_COLUMN_BYTES = 1 << 22  # columns made at a time: they should stay in the cache until the product has read them


def _chunks(n: int, bytes_each: int) -> Iterator[slice]:
    step = max(1, _COLUMN_BYTES // max(bytes_each, 1))
    return (slice(i, min(i + step, n)) for i in range(0, n, step))


def _columns(x: Array, kernel: Ints, stride: Ints, dilation: Ints, groups: int) -> Array:
    """Padded images (n, C, *spatial) as columns (n, groups, C/groups · kernel, out)."""
    rank = len(kernel)
    seen = windows(x, kernel, stride, dilation)  # (n, C, *out, *kernel)
    n, channels = x.shape[:2]
    order = (0, 1, *range(2 + rank, 2 + 2 * rank), *range(2, 2 + rank))
    return seen.transpose(order).reshape(n, groups, channels // groups * math.prod(kernel), -1)


def _compiled_work(x: Array, out: Ints, w: Array, groups: int) -> int:
    """What a compiled convolution to `out` places costs, in elements that are used once: 128 products each."""
    if 0 in (size(x), w.size) or len(out) > 2:  # the loops know lines and images
        return 0
    places = x.shape[0] * math.prod(out)
    if places < 64 or w.shape[0] < 4 * groups:
        return 1  # its tiles would stay nearly empty: it can, but it never pays
    return max(1, places * w.size // 128)


def _add_bias(out: Array, bias: Array) -> Array:
    out += bias.reshape(-1, *(1,) * (out.ndim - 2))
    return out


def conv_forward(
    x: Array, w: Array, bias: Array | None, stride: Ints, pads: Pairs, dilation: Ints, groups: int
) -> Array:
    """x (N, C, *spatial), w (O, C/groups, *kernel), bias (O) -> (N, O, *out)."""
    kernel = w.shape[2:]
    out = out_sizes(x.shape[2:], kernel, stride, pads, dilation)
    n, n_out = x.shape[0], w.shape[0]
    flat = w.reshape(groups, n_out // groups, -1)
    result = np.empty((n, groups, n_out // groups, math.prod(out)), x.dtype)
    padded = pad_zeros(x, pads)
    for part in _chunks(n, flat[0, 0].size * groups * math.prod(out) * x.itemsize):
        np.matmul(flat, _columns(padded[part], kernel, stride, dilation, groups), out=result[part])
    result = result.reshape(n, n_out, *out)
    return result if bias is None else _add_bias(result, bias)


def _near(spatial: Ints, kernel: Ints, stride: Ints, pads: Pairs, dilation: Ints, out: Ints) -> tuple[Key, Pairs]:
    """Which of the places of the result have windows that reach the image, and the padding of these alone.

    All of them, but where the padding is wider than a window: what lies wholly in it gives the image no gradient.
    """
    key: list[slice] = []
    left = []
    for size_, k, step, (lo, _), d, n in zip(spatial, kernel, stride, pads, dilation, out, strict=True):
        reach = (k - 1) * d
        first = max(0, (lo - reach) // step)
        last = max(first + 1, min(n, -(-(lo + size_) // step)))
        key.append(slice(first, last))
        left.append((lo - first * step, (last - 1) * step + reach + 1 - lo - size_))
    return (..., *key), tuple(left)


def conv_grad_input(
    grad: Array, w: Array, bias: Array | None, spatial: Ints, stride: Ints, pads: Pairs, dilation: Ints, groups: int
) -> Array:
    """The gradient by x (N, C, *spatial) of `conv_forward`, from the gradient (N, O, *out) of its result; + bias (C)."""
    kernel, n = w.shape[2:], grad.shape[0]
    near, pads = _near(spatial, kernel, stride, pads, dilation, grad.shape[2:])
    grad = grad[near]
    flat = w.reshape(groups, w.shape[0] // groups, -1).swapaxes(1, 2)  # (groups, C/groups · kernel, O/groups)
    channels, out = w.shape[1] * groups, grad.shape[2:]
    padded = tuple(s + lo + max(hi, 0) for s, (lo, hi) in zip(spatial, pads, strict=True))
    result = np.empty((n, channels, *spatial), grad.dtype)
    kept = inside(spatial, pads)
    for part in _chunks(n, flat.shape[1] * groups * math.prod(out) * grad.itemsize):
        g = grad[part].reshape(-1, groups, w.shape[0] // groups, math.prod(out))
        columns = np.matmul(flat, g).reshape(-1, channels, *kernel, *out)
        result[part] = add_windows(columns, padded, kernel, stride, dilation)[kept]
    return result if bias is None else _add_bias(result, bias)


def conv_grad_weight(
    grad: Array, x: Array, w_shape: Ints, stride: Ints, pads: Pairs, dilation: Ints, groups: int
) -> Array:
    """The gradient by w of `conv_forward`, from the gradient (N, O, *out) of its result."""
    kernel, n, out = w_shape[2:], x.shape[0], math.prod(grad.shape[2:])
    padded = pad_zeros(x, pads)
    total = np.zeros((groups, w_shape[0] // groups, w_shape[1] * math.prod(kernel)), grad.dtype)
    for part in _chunks(n, total[0, 0].size * groups * out * x.itemsize):
        columns = _columns(padded[part], kernel, stride, dilation, groups)
        g = grad[part].reshape(-1, groups, w_shape[0] // groups, out)
        for i in range(groups):
            total[i] += np.tensordot(g[:, i], columns[:, i], axes=((0, 2), (0, 2)))
    return total.reshape(w_shape)


def _check(name: str, rank: int, input: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, bool]:
    """The input as a batch, and whether it was a single image; errors in PyTorch's words."""
    for argument, given in (("input", input), ("weight", weight)):
        if not isinstance(given, Variable):
            raise TypeError(f"{name}(): argument '{argument}' must be Tensor, not {said(given)}")
    x, w = input.array, weight.array
    if w.ndim != rank + 2:
        raise RuntimeError(f"weight should have {rank + 2} dimensions for {name}, got shape {list(w.shape)}")
    if x.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to {name}, but got input of size: {list(x.shape)}"
        )
    if x.dtype != w.dtype or (bias is not None and bias.array.dtype != w.dtype):
        raise RuntimeError(
            f"Input type ({input.dtype}) and weight type ({weight.dtype}) and bias type should be the same; convert one with .to()"
        )
    refuse_type("slow_conv2d_cpu", np.bool_, input)
    single = x.ndim == rank + 1
    return (input.unsqueeze(0) if single else input), single


def _check_filled(shape: Sequence[int]) -> None:
    """PyTorch computes nothing of images without places; of none, or without channels, it does."""
    if 0 in shape[2:] and 0 not in shape[:2]:
        raise RuntimeError(f"Only zero batch or zero channel inputs are supported, but got input shape: {list(shape)}")


class Convolution(WholeBackward, Fused):
    """out[n, o, p] = b[o] + Σ_{c, k} x[n, c, stride·p + dilation·k - padding] · w[o, c, k]: every window times every filter.

    dx: each window gets back w · grad. dw[o, c, k] = Σ_{n, p} grad[n, o, p] · x at the same place. db = Σ_{n, p} grad.
    Compiled form: kernels/conv.py.
    """

    compiled = "conv.Convolution"
    convolve = staticmethod(conv_forward)  # what the compiled form has of its own
    grad_input = staticmethod(conv_grad_input)
    grad_weight = staticmethod(conv_grad_weight)

    @staticmethod
    def definition(
        x: Operand, w: Operand, b: Operand, stride: Ints, pads: Pairs, dilation: Ints, groups: int
    ) -> Operand:
        rank = len(stride)
        x = pad(x, [p for pair in reversed(pads) for p in pair])
        # index[d][i, k]: where element k of window i lies in dimension d
        key: list[Any] = [slice(None), slice(None)]
        for d, (k, s, dil) in enumerate(zip(w.shape[2:], stride, dilation, strict=True)):
            n = out_size(x.shape[2 + d], k, s, (0, 0), dil)
            places = np.arange(n)[:, None] * s + np.arange(k) * dil  # (out, k)
            shape = [1] * (2 * rank)
            shape[d], shape[rank + d] = places.shape
            key.append(wrap(places.reshape(shape)))
        seen = x[tuple(key)]  # (N, C, *out, *kernel)
        grouped = seen.reshape(seen.shape[0], groups, seen.shape[1] // groups, *seen.shape[2:])
        filters = w.reshape(groups, -1, *w.shape[1:])
        out, kernel = "xyz"[:rank], "ijk"[:rank]
        result = einsum(f"ngc{out}{kernel},goc{kernel}->ngo{out}", grouped, filters).flatten(1, 2)
        return result if b is None else result + b.reshape(-1, *(1,) * rank)

    @staticmethod
    def work(x: Array, w: Array, b: Any, stride: Ints, pads: Pairs, dilation: Ints, groups: int) -> int:
        return _compiled_work(x, out_sizes(x.shape[2:], w.shape[2:], stride, pads, dilation), w, groups)

    @staticmethod
    def forward(ctx: Any, x: Array, w: Array, b: Any, stride: Ints, pads: Pairs, dilation: Ints, groups: int) -> Array:
        ctx.save_for_backward(x, w)
        ctx.setting = stride, pads, dilation, groups
        return ctx.convolve(x, w, b, *ctx.setting)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        x, w = ctx.saved_tensors
        dx, dw, db = ctx.needs_input_grad[:3]
        grad = np.ascontiguousarray(grad)
        return (
            ctx.grad_input(grad, w, None, x.shape[2:], *ctx.setting) if dx else None,
            ctx.grad_weight(grad, x, w.shape, *ctx.setting) if dw else None,
            grad.sum((0, *range(2, grad.ndim))) if db else None,
            *(None,) * 4,
        )


class WithoutChannels(Operation):
    """x (N, 0, *spatial): out (N, 0, *out), as in PyTorch: where no channel goes in none comes out.  dx, dw, db = 0"""

    grad_fn_name = "ConvolutionBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, w: Array, b: Array | None, out: Ints) -> Array:
        ctx.shapes, ctx.dtype = [None if y is None else y.shape for y in (x, w, b)], x.dtype
        return np.zeros((x.shape[0], 0, *out), x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        made = wrap if isinstance(grad, Variable) else np.asarray
        return *(None if shape is None else made(np.zeros(shape, ctx.dtype)) for shape in ctx.shapes), None


@public("minigrad", "functional")
def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrInts = 1, padding: IntOrInts | str = 0, dilation: IntOrInts = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """input (N, C, L) or (C, L), weight (O, C/groups, k): (N, O, L'). padding: ints, "same" or "valid". PyTorch: torch.conv1d."""
    return _conv("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@public("minigrad", "functional")
def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrInts = 1, padding: IntOrInts | str = 0, dilation: IntOrInts = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """input (N, C, H, W) or (C, H, W), weight (O, C/groups, kh, kw): (N, O, H', W'). PyTorch: torch.conv2d."""
    return _conv("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@public("minigrad", "functional")
def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrInts = 1, padding: IntOrInts | str = 0, dilation: IntOrInts = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """input (N, C, D, H, W) or (C, D, H, W), weight (O, C/groups, kd, kh, kw): (N, O, D', H', W'). PyTorch: torch.conv3d."""
    return _conv("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _conv(
    name: str, rank: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: IntOrInts, padding: IntOrInts | str, dilation: IntOrInts,
    groups: int,
) -> Tensor:  # fmt: skip
    x, single = _check(name, rank, input, weight, bias)
    strides, dilations = tuple_of(stride, rank, "stride"), tuple_of(dilation, rank, "dilation")
    if min(strides) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilations) <= 0:
        raise RuntimeError("dilation should be greater than zero")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if max(dilations) > 1 and x.array.dtype.kind in "iu" and x.array.dtype != np.int64:
        raise NotImplementedError(
            f"\"slow_conv_dilated<>\" not implemented for '{type_name(x)}'; convert the tensors with .long() or .float() first"
        )
    n_out, per_group, *kernel = weight.array.shape
    if kernel and min(kernel) <= 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got kernel_size: {tuple(kernel)}")
    if padding == "same":
        if any(s != 1 for s in strides):
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        total = [d * (k - 1) for d, k in zip(dilations, kernel, strict=True)]
        pads = tuple((t // 2, t - t // 2) for t in total)
    elif padding == "valid":
        pads = ((0, 0),) * rank
    elif isinstance(padding, str):
        raise RuntimeError(f"Invalid padding string: '{padding}'; give 'same', 'valid' or numbers")
    else:
        pads = tuple((p, p) for p in tuple_of(padding, rank, "padding"))
        if any(p < 0 for p, _ in pads):
            raise RuntimeError("negative padding is not supported")
    shape = x.array.shape
    if shape[1] != per_group * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(weight.array.shape)}, expected input{list(shape)} to have "
            f"{per_group * groups} channels, but got {shape[1]} channels instead"
        )
    if n_out < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{list(weight.array.shape)} instead"
        )
    if n_out % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got {n_out}"
        )
    if bias is not None and bias.array.shape != (n_out,):
        raise RuntimeError(
            f"Given weight of size {list(weight.array.shape)}, expected bias to be 1-dimensional with {n_out} elements, but got "
            f"bias of size {list(bias.array.shape)} instead"
        )
    sizes = [s + sum(p) for s, p in zip(shape[2:], pads, strict=True)]
    needs = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    if any(s < k for s, k in zip(sizes, needs, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: {tuple(sizes)}. Kernel size: {tuple(needs)}. Kernel size can't be greater "
            "than actual input size"
        )
    _check_filled(shape)
    if shape[1]:
        out = Convolution.apply(x, weight, bias, strides, pads, dilations, groups)
    else:
        out = WithoutChannels.apply(x, weight, bias, out_sizes(shape[2:], tuple(kernel), strides, pads, dilations))
    return out.squeeze(0) if single else out


class TransposedConvolution(WholeBackward, Fused):
    """The map whose matrix is the transpose of a convolution's: from its outputs to its inputs, from small to large.

    out[n, o, stride·p + dilation·k - padding] += x[n, c, p] · w[c, o, k]. dx is a convolution of grad with w, dw as there.
    Compiled form: kernels/conv.py.
    """

    grad_fn_name = "ConvolutionBackward0"

    compiled = "conv.TransposedConvolution"
    convolve = staticmethod(conv_forward)
    grad_input = staticmethod(conv_grad_input)
    grad_weight = staticmethod(conv_grad_weight)

    @staticmethod
    def definition(
        x: Operand, w: Operand, b: Operand, stride: Ints, pads: Pairs, dilation: Ints, groups: int, spatial: Ints
    ) -> Operand:
        # Put stride - 1 zeros between the elements of x, pad it, and convolve with the flipped filters.
        rank = len(stride)
        for d, s in enumerate(stride):
            dim = 2 + d
            spread = pad(x.unsqueeze(dim + 1), [0, 0] * (rank - 1 - d) + [0, s - 1]).flatten(dim, dim + 1)
            x = spread.narrow(dim, 0, spread.shape[dim] - (s - 1))
        margins = []
        for d, (k, dil, (lo, _)) in enumerate(zip(w.shape[2:], dilation, pads, strict=True)):
            before = dil * (k - 1) - lo
            after = spatial[d] - x.shape[2 + d] - before + dil * (k - 1)
            margins.append((before, after))
        x = pad(x, [p for pair in reversed(margins) for p in pair])
        turned = flip(w, *range(2, 2 + rank))  # (C, O/groups, *kernel)
        n_in, n_out = turned.shape[:2]
        turned = turned.reshape(groups, n_in // groups, n_out, *turned.shape[2:]).transpose(1, 2).flatten(0, 1)
        none = ((0, 0),) * rank
        return Convolution.definition(x, turned, b, (1,) * rank, none, dilation, groups)

    @staticmethod
    def work(x: Array, w: Array, b: Any, stride: Ints, pads: Pairs, dilation: Ints, groups: int, spatial: Ints) -> int:
        return _compiled_work(x, x.shape[2:], w, groups)

    @staticmethod
    def forward(
        ctx: Any, x: Array, w: Array, b: Any, stride: Ints, pads: Pairs, dilation: Ints, groups: int, spatial: Ints
    ) -> Array:
        ctx.save_for_backward(x, w)
        ctx.setting = stride, pads, dilation, groups
        return ctx.grad_input(np.ascontiguousarray(x), w, b, spatial, *ctx.setting)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        x, w = ctx.saved_tensors
        dx, dw, db = ctx.needs_input_grad[:3]
        return (
            ctx.convolve(grad, w, None, *ctx.setting) if dx else None,
            ctx.grad_weight(np.ascontiguousarray(x), grad, w.shape, *ctx.setting) if dw else None,
            grad.sum((0, *range(2, grad.ndim))) if db else None,
            *(None,) * 5,
        )


@public("minigrad", "functional")
def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrInts = 1, padding: IntOrInts = 0,
    output_padding: IntOrInts = 0, groups: int = 1, dilation: IntOrInts = 1,
) -> Tensor:  # fmt: skip
    """input (N, C, L), weight (C, O/groups, k): (N, O, (L - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1).

    PyTorch: torch.conv_transpose1d.
    """
    return _conv_transpose(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@public("minigrad", "functional")
def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrInts = 1, padding: IntOrInts = 0,
    output_padding: IntOrInts = 0, groups: int = 1, dilation: IntOrInts = 1,
) -> Tensor:  # fmt: skip
    """input (N, C, H, W), weight (C, O/groups, kh, kw): as `conv_transpose1d`, in two dimensions. PyTorch: torch.conv_transpose2d."""
    return _conv_transpose(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@public("minigrad", "functional")
def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrInts = 1, padding: IntOrInts = 0,
    output_padding: IntOrInts = 0, groups: int = 1, dilation: IntOrInts = 1,
) -> Tensor:  # fmt: skip
    """input (N, C, D, H, W), weight (C, O/groups, kd, kh, kw): as `conv_transpose1d`, in three. PyTorch: torch.conv_transpose3d."""
    return _conv_transpose(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def _conv_transpose(
    name: str, rank: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: IntOrInts, padding: IntOrInts,
    output_padding: IntOrInts, groups: int, dilation: IntOrInts,
) -> Tensor:  # fmt: skip
    x, single = _check(name, rank, input, weight, bias)
    if x.array.dtype.kind != "f" and x.array.dtype != np.int64:
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{type_name(x)}'; convert the tensors with .float() first"
        )
    strides, dilations = tuple_of(stride, rank, "stride"), tuple_of(dilation, rank, "dilation")
    pads, extra = tuple_of(padding, rank, "padding"), tuple_of(output_padding, rank, "output_padding")
    n_in, per_group, *kernel = weight.array.shape
    shape = x.array.shape
    for what, values in (("stride", strides), ("dilation", dilations), ("kernel size", tuple(kernel))):
        if min(values) <= 0:
            raise RuntimeError(f"{what} should be greater than zero, but got {values}")
    for what, values in (("padding", pads), ("output padding", extra)):
        if min(values) < 0:
            raise RuntimeError(f"negative {what} is not supported, got {values}")
    if groups <= 0:
        raise RuntimeError(f"non-positive groups is not supported, got {groups}")
    if n_in < groups or n_in % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size {list(weight.array.shape)}"
        )
    if bias is not None and bias.array.shape != (per_group * groups,):
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(weight.array.shape)}, expected bias to be 1-dimensional with "
            f"{per_group * groups} elements, but got bias of size {list(bias.array.shape)} instead"
        )
    if shape[1] != n_in:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(weight.array.shape)}, expected input{list(shape)} to have {n_in} channels, "
            f"but got {shape[1]} channels instead"
        )
    if any(e >= max(s, d) for e, s, d in zip(extra, strides, dilations, strict=True)):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got output_padding {extra}, stride {strides} and "
            f"dilation {dilations}"
        )
    spatial = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(shape[2:], strides, pads, dilations, kernel, extra, strict=True)
    )
    if min(spatial) <= 0:
        raise RuntimeError(
            f"Given input size per channel: {tuple(shape[2:])}. Calculated output size per channel: {spatial}. Output size is too small"
        )
    _check_filled(shape)
    # What the convolution that this transposes would have padded after, beyond the places that its windows reach.
    pairs = tuple((p, p - e) for p, e in zip(pads, extra, strict=True))
    out = TransposedConvolution.apply(x, weight, bias, strides, pairs, dilations, groups, spatial)
    return out.squeeze(0) if single else out
