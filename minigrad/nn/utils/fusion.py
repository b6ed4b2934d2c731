"""A batch norm in evaluation drawn into the layer before it. PyTorch: torch.nn.utils.fuse_conv_bn_eval and its like."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ... import creation
from ..module import Module
from ..parameter import Parameter

if TYPE_CHECKING:
    from ...tensor import Tensor


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool = False) -> Any:
    """A copy of the convolution that computes bn(conv(x)); transpose: it is a transposed one."""
    return _fused(conv, bn, fuse_conv_bn_weights, transpose)


def fuse_linear_bn_eval(linear: Module, bn: Module) -> Any:
    """A copy of the linear layer that computes bn(linear(x))."""
    if bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got linear.out_features="
            f"{linear.out_features} and bn.num_features={bn.num_features}"
        )
    return _fused(linear, bn, fuse_linear_bn_weights)


def _fused(layer: Any, bn: Any, fuse: Any, *more: Any) -> Any:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    made = copy.deepcopy(layer)
    made.weight, made.bias = fuse(
        made.weight, made.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, *more
    )
    return made


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """The weight and bias of `fuse_conv_bn_eval`."""
    shape = ((1, -1) if transpose else (-1, 1)) + (1,) * (conv_w.dim() - 2)
    return _scaled(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape)


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor, bn_b: Tensor
) -> tuple[Parameter, Parameter]:
    """The weight and bias of `fuse_linear_bn_eval`."""
    return _scaled(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, (-1, 1))


def _scaled(w: Any, b: Any, mean: Any, var: Any, eps: float, scale: Any, shift: Any, shape: tuple) -> Any:
    """((w x + b) - mean) / √(var + eps) · scale + shift, as another weight and bias."""
    bias = creation.zeros_like(mean) if b is None else b
    scale = creation.ones_like(mean) if scale is None else scale
    shift = creation.zeros_like(mean) if shift is None else shift
    factor = (var + eps).rsqrt() * scale
    weight = (w * factor.reshape(shape)).to(w.dtype)
    bias = ((bias - mean) * factor + shift).to(w.dtype if b is None else b.dtype)
    return Parameter(weight.detach(), w.requires_grad), Parameter(bias.detach(), b is not None and b.requires_grad)
