"""The case table: one entry for everything public, by family as in `minigrad/ops` and `minigrad/nn`."""

from ..case import CASES
from . import (
    activation,
    arithmetic,
    conv,
    creation,
    graph,
    index,
    kernels,
    layers,
    losses,
    matrix,
    modules,
    more,
    optim,
    pointwise,
    random,
    reduce,
    shape,
)

__all__ = ["CASES"]

FAMILIES = (
    arithmetic, pointwise, reduce, shape, index, matrix, creation, activation, conv, losses, modules, layers, more, optim, random,
    graph, kernels,
)  # fmt: skip
