"""In-place operations that are functions: `relu_(x)`, `dropout_(x, 0.5, True)`. Methods such as x.add_ stand in tensor.py."""

from __future__ import annotations

from collections.abc import Callable

from .inplace import of
from .ops.activation import celu, elu, selu
from .ops.dropout import alpha_dropout, dropout, feature_alpha_dropout, feature_dropout
from .ops.piecewise import hardtanh, leaky_relu, relu, rrelu, threshold
from .public import public


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
