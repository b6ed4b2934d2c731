"""The case table: one entry for everything public, by family as in `minigrad/ops` and `minigrad/nn`."""

from ..case import CASES
from . import (
    activation,
    arithmetic,
    conv,
    creation,
    distributions,
    func,
    graph,
    index,
    kernels,
    layers,
    linalg,
    losses,
    matrix,
    modules,
    more,
    names,
    optim,
    pointwise,
    random,
    reduce,
    shape,
    special,
)

__all__ = ["CASES"]

FAMILIES = (
    arithmetic, pointwise, reduce, shape, index, matrix, linalg, creation, activation, conv, losses, modules, layers, more, optim,
    random, distributions, func, special, names, graph, kernels,
)  # fmt: skip
