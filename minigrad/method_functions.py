"""Methods that PyTorch has as functions too: `exp_(x)` is `x.exp_()`."""

from __future__ import annotations

from .public import MINIGRAD, public
from .tensor import Tensor

for _name in (
    "abs", "acos", "acosh", "addmv", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "asin", "asinh", "atan",
    "atanh", "ceil", "clamp", "clamp_max", "clamp_min", "clip", "cos", "cosh", "deg2rad", "detach", "erf", "erfc", "exp",
    "exp2", "expm1", "fill", "fix", "floor", "frac", "gcd", "i0", "index_put", "lcm", "ldexp", "log", "log10", "log1p", "log2",
    "logit", "nan_to_num", "neg", "negative", "rad2deg", "reciprocal", "round", "rsqrt", "sigmoid", "sin", "sinc", "sinh",
    "sqrt", "square", "tan", "tanh", "trunc", "xlogy", "zero",
):  # fmt: skip
    _method = getattr(
        Tensor, f"{_name}_"
    )  # without the reader of a method's arguments: a function's are read otherwise
    globals()[f"{_name}_"] = MINIGRAD[f"{_name}_"] = getattr(_method, "reads", _method)


@public
def fill(input: Tensor, value: float | Tensor) -> Tensor:
    """A tensor like input, all of whose elements are value. PyTorch: torch.fill."""
    return input.clone().fill_(value)


@public
def detach(input: Tensor) -> Tensor:
    """The same memory as a tensor without history. PyTorch: torch.detach."""
    return input.detach()


__all__ = [name for name in MINIGRAD if name in globals()]
