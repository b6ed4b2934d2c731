"""In-place operations that are functions: `relu_(x)`, `dropout_(x, 0.5, True)`. Methods such as x.add_ stand in tensor.py."""

from __future__ import annotations

from collections.abc import Callable

from .inplace import of
from .ops.activation import celu, elu, selu
from .ops.dropout import alpha_dropout, dropout, feature_alpha_dropout, feature_dropout
from .ops.piecewise import hardtanh, leaky_relu, relu, rrelu, threshold
from .public import MINIGRAD, public
from .tensor import Tensor


def twin(function: Callable, *places: str) -> Callable:
    """The in-place twin of a function, public in `places` (see public.py)."""
    in_place = of(function)
    in_place.__module__ = __name__
    return public(*places)(in_place)


relu_ = twin(relu, "minigrad", "functional")
rrelu_ = twin(rrelu, "minigrad", "functional")
celu_ = twin(celu, "minigrad", "functional")
selu_ = twin(selu, "minigrad", "functional")
threshold_ = twin(threshold, "minigrad", "functional")

hardtanh_ = twin(hardtanh, "functional")
leaky_relu_ = twin(leaky_relu, "functional")
elu_ = twin(elu, "functional")

dropout_ = twin(dropout, "minigrad")
alpha_dropout_ = twin(alpha_dropout, "minigrad")
feature_dropout_ = twin(feature_dropout, "minigrad")
feature_alpha_dropout_ = twin(feature_alpha_dropout, "minigrad")


# PyTorch has these methods as functions too: exp_(x) is x.exp_().
for _name in (
    "abs", "acos", "acosh", "addmv", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "asin", "asinh", "atan",
    "atanh", "ceil", "clamp", "clamp_max", "clamp_min", "clip", "cos", "cosh", "deg2rad", "detach", "erf", "erfc", "exp",
    "exp2", "expm1", "fill", "fix", "floor", "frac", "gcd", "index_put", "lcm", "ldexp", "log", "log10", "log1p", "log2",
    "logit", "nan_to_num", "neg", "negative", "rad2deg", "reciprocal", "round", "rsqrt", "sigmoid", "sin", "sinc", "sinh",
    "sqrt", "square", "tan", "tanh", "trunc", "xlogy", "zero",
):  # fmt: skip
    globals()[f"{_name}_"] = MINIGRAD[f"{_name}_"] = getattr(Tensor, f"{_name}_")


@public
def fill(input: Tensor, value: float | Tensor) -> Tensor:
    """A tensor like input, all of whose elements are value. PyTorch: torch.fill."""
    return input.clone().fill_(value)


@public
def detach(input: Tensor) -> Tensor:
    """The same memory as a tensor without history. PyTorch: torch.detach."""
    return input.detach()


__all__ = [name for name in MINIGRAD if globals().get(name) is MINIGRAD[name]]
