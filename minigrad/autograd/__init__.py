"""Automatic differentiation. Begin with graph.py; the other files hold what it needs.

    graph.py          Operation, apply, the walk, leaves: backpropagation
    node.py           what a node remembers: saved values, versions, names
    fit.py            a gradient in the shape and dtype of its input: unbroadcast
    variable.py       what the graph knows of a tensor
    modes.py          no_grad, enable_grad, inference_mode
    inference.py      tensors that inference_mode made, which autograd may not use
    differentiate.py  backward() and grad()
    targets.py        which nodes must run for the tensors that grad() asks for
    function.py       Function: an operation of the user's own
    fused.py          operations with a definition, a NumPy form and a compiled form; the switch among them
    whole_backward.py operations whose gradients are recorded as functions of all inputs, as that of relu is
    saved.py          functions of the user's between what is saved and what backward gets
    multi_hooks.py    and those that see the gradients of several tensors at once
    edges.py          the graph for programs that look at it: GradientEdge, get_gradient_edge
    hooks.py          functions of the user's that see gradients on their way
    views.py          what happens to the history of y when something is written into y[0]
    replaced.py       what a tensor holds after `x.data = ...`
    ownership.py      when a leaf may keep an array without copying it
    anomaly.py        which operation made the first NaN
    gradcheck.py      a gradient against central differences
    functional.py     whole Jacobians and Hessians

PyTorch: torch.autograd.
"""

from . import edges, graph, ownership
from .anomaly import detect_anomaly, set_detect_anomaly
from .differentiate import backward, grad
from .function import Function
from .fused import Fused
from .gradcheck import gradcheck, gradgradcheck
from .graph import Operation
from .modes import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = [
    "Function", "Fused", "Operation", "Variable", "backward", "detect_anomaly", "enable_grad", "functional", "grad",
    "gradcheck", "gradgradcheck", "graph", "inference_mode", "no_grad", "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__


vars(graph).update({name: vars(edges)[name] for name in edges.__all__})
ownership.calibrate(graph)
