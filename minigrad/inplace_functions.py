"""In-place operations that are functions: `relu_(x)`, `dropout_(x, 0.5, True)`. Methods such as x.add_ stand in tensor.py."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .inplace import of
from .ops.activation import celu, elu, selu
from .ops.dropout import alpha_dropout, dropout, feature_alpha_dropout, feature_dropout
from .ops.piecewise import hardtanh, leaky_relu, relu, rrelu, threshold
from .public import public


def twin(function: Callable, *places: str) -> Callable:
    """The in-place twin of a function, public in `places` (see public.py)."""
    in_place = of(function)
    in_place.__module__ = __name__
    held = {word: " ".join(getattr(function, word, ())) for word in ("same", "floats", "fits")}
    return public(*places, **held)(in_place)


def dropping(function: Callable) -> Callable:
    """The in-place twin of a dropout, which without training, chance or elements leaves its input alone, also a leaf."""
    in_place = of(function)

    @functools.wraps(in_place)
    def dropped(input: Any, p: float, train: bool) -> Any:
        return in_place(input, p, train) if train and p and input.array.size else function(input, p, False)

    dropped.__module__ = __name__
    return public("minigrad")(dropped)


relu_ = twin(relu, "minigrad", "functional")
rrelu_ = twin(rrelu, "minigrad", "functional")
celu_ = twin(celu, "minigrad", "functional")
selu_ = twin(selu, "minigrad", "functional")
threshold_ = twin(threshold, "minigrad", "functional")

hardtanh_ = twin(hardtanh, "functional")
leaky_relu_ = twin(leaky_relu, "functional")
elu_ = twin(elu, "functional")

dropout_ = dropping(dropout)
alpha_dropout_ = dropping(alpha_dropout)
feature_dropout_ = dropping(feature_dropout)
feature_alpha_dropout_ = dropping(feature_alpha_dropout)
