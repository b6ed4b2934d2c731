"""`torch.nn.functional`: the operations of neural networks as functions. `import minigrad.nn.functional as F`

Nearly all of them stand in `ops/`, each marked `@public("functional")` under the class that computes it (see public.py).
Here are those whose arguments differ from those of `torch.`'s function of the same name:

    relu, elu, ...      take `inplace`
    softmax, ...        may be called without dim, with a warning
    dropout, ...        have defaults, take `inplace`, and look at the number of dimensions
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import dtypes, inplace_functions, missing, ops
from ..inplace import of
from ..ops.dropout import check_probability
from ..out import rule_of
from ..public import FUNCTIONAL, MINIGRAD
from ..signature import FUNCTIONAL_ONLY, reader, written_in_python
from ..warn import warn

if TYPE_CHECKING:
    from ..tensor import Tensor


def _own(function: Callable) -> Callable:
    """Mark a function of this file as public."""
    FUNCTIONAL[function.__name__] = function
    return function


# -- activations that may write into their input's memory


def _with_inplace(function: Callable) -> Callable:
    """An activation with one argument more, the last: `inplace=True` writes the result into the input's memory."""
    in_place = of(function)
    signature = inspect.signature(function)
    count = len(signature.parameters)

    def of_input(input: Tensor, inplace: bool = False) -> Tensor:
        return in_place(input) if inplace else function(input)

    def with_arguments(*args: Any, inplace: bool = False, **kwargs: Any) -> Tensor:
        if len(args) > count:
            *first, inplace = args
            return (in_place if inplace else function)(*first, **kwargs)
        return (in_place if inplace else function)(*args, **kwargs)

    activation = functools.wraps(function)(of_input if count == 1 else with_arguments)  # the first is the quicker
    last = inspect.Parameter("inplace", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=False, annotation="bool")
    activation.__signature__ = signature.replace(parameters=[*signature.parameters.values(), last])  # type: ignore[attr-defined]  # for help()
    activation.__module__ = __name__
    return activation


for _name in (
    "celu", "elu", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "mish", "relu", "relu6", "rrelu", "selu",
    "silu", "threshold",
):  # fmt: skip
    FUNCTIONAL[_name] = _with_inplace(FUNCTIONAL[_name])


# -- softmax without a dimension


def _implicit_dim(name: str, input: Tensor) -> int:
    """The dimension that PyTorch takes where none is given, with its warning."""
    warn(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.")
    return 0 if input.ndim in (0, 1, 3) else 1


@_own
def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None) -> Tensor:
    """eˣ / Σ eˣ along dim: positive, with sum 1. dtype: what to convert the input to first.

    PyTorch: torch.nn.functional.softmax.
    """
    return ops.softmax(input, _implicit_dim("softmax", input) if dim is None else dim, dtype)


@_own
def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None
) -> Tensor:
    """The logarithm of `softmax`, without its loss of digits. PyTorch: torch.nn.functional.log_softmax."""
    return ops.log_softmax(input, _implicit_dim("log_softmax", input) if dim is None else dim, dtype)


@_own
def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None) -> Tensor:
    """softmax(-input). PyTorch: torch.nn.functional.softmin."""
    return ops.softmax(-input, _implicit_dim("softmin", input) if dim is None else dim, dtype)


# -- dropout


def _drop(out_of_place: Callable, in_place: Callable, input: Tensor, p: float, training: bool, inplace: bool) -> Any:
    check_probability(p, ValueError)
    return (in_place if inplace and training and p else out_of_place)(input, p, training)


@_own
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """input with elements set to 0 with probability p, the others divided by 1 - p; input itself if not training.

    PyTorch: torch.nn.functional.dropout.
    """
    return _drop(ops.dropout, inplace_functions.dropout_, input, p, training, inplace)


@_own
def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout for networks with selu: mean 0 and variance 1 stay. PyTorch: torch.nn.functional.alpha_dropout."""
    return _drop(ops.alpha_dropout, inplace_functions.alpha_dropout_, input, p, training, inplace)


@_own
def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels. PyTorch: torch.nn.functional.feature_alpha_dropout."""
    return _drop(ops.feature_alpha_dropout, inplace_functions.feature_alpha_dropout_, input, p, training, inplace)


def _drop_channels(input: Tensor, p: float, training: bool, inplace: bool) -> Any:
    return _drop(ops.feature_dropout, inplace_functions.feature_dropout_, input, p, training, inplace)


@_own
def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of an input (N, C, L) or (C, L). PyTorch: torch.nn.functional.dropout1d."""
    check_probability(p, ValueError)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension "
            "(i.e. 2D or 3D inputs)."
        )
    return _drop_batch(input, 3, p, training, inplace)


@_own
def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of an input (N, C, H, W); (N, C, L) with a warning. PyTorch: torch.nn.functional.dropout2d."""
    check_probability(p, ValueError)
    if input.ndim not in (3, 4):
        _warn_dimensions("dropout2d", input.ndim, "2 spatial dimensions", "3D or 4D")
    if input.ndim == 3:
        warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - "
            "input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future "
            "release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D "
            "channel-wise dropout behavior, please switch to using dropout1d instead."
        )
    return _drop_channels(input, p, training, inplace)


@_own
def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of an input (N, C, D, H, W) or (C, D, H, W). PyTorch: torch.nn.functional.dropout3d."""
    check_probability(p, ValueError)
    if input.ndim not in (4, 5):
        _warn_dimensions("dropout3d", input.ndim, "3 spatial dimensions", "4D or 5D")
    return _drop_batch(input, 5, p, training, inplace)


def _warn_dimensions(name: str, ndim: int, dimensions: str, wanted: str) -> None:
    warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future "
        "release. To retain the behavior and silence this warning, please use dropout instead. Note that "
        f"{name} exists to provide channel-wise dropout on inputs with {dimensions}, a channel dimension, and an "
        f"optional batch dimension (i.e. {wanted} inputs)."
    )


def _drop_batch(input: Tensor, batched: int, p: float, training: bool, inplace: bool) -> Any:
    """Channels are dimension 1, or 0 where the batch dimension is missing."""
    if input.ndim == batched or not training or not p:
        return _drop_channels(input, p, training, inplace)
    dropped = _drop_channels(input.unsqueeze(0), p, training, False).squeeze(0)
    return input.copy_(dropped) if inplace else dropped


# -- pools that always give the places too


def _with_indices(pool: Callable) -> Callable:
    """A max pool under its other name, `..._with_indices`: it gives the largest elements and where they lay."""
    signature = inspect.signature(pool)

    @functools.wraps(pool)
    def both(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.arguments["return_indices"] = True
        return pool(*bound.args, **bound.kwargs)

    both.__name__, both.__module__ = f"{pool.__name__}_with_indices", __name__
    return both


for _name in ("max_pool1d", "max_pool2d", "max_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d",
              "fractional_max_pool2d", "fractional_max_pool3d"):  # fmt: skip
    _own(_with_indices(FUNCTIONAL[_name]))


# -- what the module shows: readers of arguments (signature.py)

for _name, _function in FUNCTIONAL.items():
    _same = MINIGRAD.get(_name) is _function and rule_of(_name, "minigrad") == rule_of(_name, __name__)
    _same = _same and _name not in FUNCTIONAL_ONLY
    _same = _same and written_in_python(_name, "function", "minigrad") == written_in_python(_name, "function", __name__)
    FUNCTIONAL[_name] = reader(_function, "function", "minigrad" if _same else __name__)
globals().update(FUNCTIONAL)
__all__ = sorted(FUNCTIONAL)


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    raise missing.error(__name__, name, __all__)
