"""`torch.nn.functional`: the operations of neural networks as functions. `import minigrad.nn.functional as F`

What computes stands in `ops/`. Here are the names, and the few functions whose arguments differ from those of `torch.`'s
function of the same name (`F.softmax` may be called without dim, `F.dropout` has defaults).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..ops import dropout as _dropout
from ..ops import softmax as _softmax
from ..ops.activation import (
    celu,
    celu_,
    elu,
    elu_,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    hardtanh_,
    leaky_relu,
    leaky_relu_,
    logsigmoid,
    mish,
    prelu,
    relu,
    relu6,
    relu_,
    rrelu,
    rrelu_,
    selu,
    selu_,
    silu,
    softplus,
    softshrink,
    softsign,
    tanhshrink,
    threshold,
    threshold_,
)
from ..ops.attention import scaled_dot_product_attention
from ..ops.conv import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from ..ops.index import embedding, one_hot
from ..ops.loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cosine_embedding_loss,
    cosine_similarity,
    cross_entropy,
    gaussian_nll_loss,
    hinge_embedding_loss,
    huber_loss,
    kl_div,
    l1_loss,
    margin_ranking_loss,
    mse_loss,
    multi_margin_loss,
    multilabel_soft_margin_loss,
    nll_loss,
    normalize,
    pairwise_distance,
    poisson_nll_loss,
    smooth_l1_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from ..ops.matrix import bilinear, linear
from ..ops.norm import batch_norm, group_norm, instance_norm, layer_norm, local_response_norm, rms_norm
from ..ops.pointwise import sigmoid, tanh
from ..ops.pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
from ..ops.resample import fold, interpolate, pad, pixel_shuffle, pixel_unshuffle, unfold
from ..ops.softmax import gumbel_softmax

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "celu_",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "elu_",
    "embedding",
    "feature_alpha_dropout",
    "fold",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "group_norm",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "hinge_embedding_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "leaky_relu_",
    "linear",
    "local_response_norm",
    "log_softmax",
    "logsigmoid",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rms_norm",
    "rrelu",
    "rrelu_",
    "scaled_dot_product_attention",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "unfold",
]


def _implicit_dim(name: str, input: Any) -> int:
    """The dimension that PyTorch takes where none is given, with its warning."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=3,
    )
    return 0 if input.ndim in (0, 1, 3) else 1


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """eˣ / Σ eˣ along dim: positive, with sum 1. dtype: what to convert the input to first.

    PyTorch: torch.nn.functional.softmax.
    """
    return _softmax.softmax(input, _implicit_dim("softmax", input) if dim is None else dim, dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of `softmax`, without its loss of digits. PyTorch: torch.nn.functional.log_softmax."""
    return _softmax.log_softmax(input, _implicit_dim("log_softmax", input) if dim is None else dim, dtype)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-input). PyTorch: torch.nn.functional.softmin."""
    return _softmax.softmax(-input, _implicit_dim("softmin", input) if dim is None else dim, dtype)


def _drop(out_of_place: Callable, in_place: Callable, input: Any, p: float, training: bool, inplace: bool) -> Any:
    _dropout.check_probability(p, ValueError)
    return (in_place if inplace and training and p else out_of_place)(input, p, training)


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """input with elements set to 0 with probability p, the others divided by 1 - p; input itself if not training.

    PyTorch: torch.nn.functional.dropout.
    """
    return _drop(_dropout.dropout, _dropout.dropout_, input, p, training, inplace)


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout for networks with selu: mean 0 and variance 1 stay. PyTorch: torch.nn.functional.alpha_dropout."""
    return _drop(_dropout.alpha_dropout, _dropout.alpha_dropout_, input, p, training, inplace)


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels. PyTorch: torch.nn.functional.feature_alpha_dropout."""
    return _drop(_dropout.feature_alpha_dropout, _dropout.feature_alpha_dropout_, input, p, training, inplace)


def _drop_channels(input: Any, p: float, training: bool, inplace: bool) -> Any:
    return _drop(_dropout.feature_dropout, _dropout.feature_dropout_, input, p, training, inplace)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of an input (N, C, L) or (C, L). PyTorch: torch.nn.functional.dropout1d."""
    _dropout.check_probability(p, ValueError)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension "
            "(i.e. 2D or 3D inputs)."
        )
    return _drop_batch(input, 3, p, training, inplace)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of an input (N, C, H, W); (N, C, L) with a warning. PyTorch: torch.nn.functional.dropout2d."""
    _dropout.check_probability(p, ValueError)
    if input.ndim not in (3, 4):
        _warn_dimensions("dropout2d", input.ndim, "2 spatial dimensions", "3D or 4D")
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - "
            "input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future "
            "release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D "
            "channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _drop_channels(input, p, training, inplace)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of an input (N, C, D, H, W) or (C, D, H, W). PyTorch: torch.nn.functional.dropout3d."""
    _dropout.check_probability(p, ValueError)
    if input.ndim not in (4, 5):
        _warn_dimensions("dropout3d", input.ndim, "3 spatial dimensions", "4D or 5D")
    return _drop_batch(input, 5, p, training, inplace)


def _warn_dimensions(name: str, ndim: int, dimensions: str, wanted: str) -> None:
    warnings.warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future "
        "release. To retain the behavior and silence this warning, please use dropout instead. Note that "
        f"{name} exists to provide channel-wise dropout on inputs with {dimensions}, a channel dimension, and an "
        f"optional batch dimension (i.e. {wanted} inputs).",
        stacklevel=3,
    )


def _drop_batch(input: Any, batched: int, p: float, training: bool, inplace: bool) -> Any:
    """Channels are dimension 1, or 0 where the batch dimension is missing."""
    if input.ndim == batched or not training or not p:
        return _drop_channels(input, p, training, inplace)
    dropped = _drop_channels(input.unsqueeze(0), p, training, False).squeeze(0)
    return input.copy_(dropped) if inplace else dropped


def __getattr__(name: str) -> object:
    from ..missing import error

    raise error(__name__, name, globals())
