"""`detect_anomaly`: which operation made the first NaN of a backward pass, and which line of the program called it."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np

from ..warn import warn
from . import inference
from .modes import Asked, ModeContext, Setting, current
from .node import Node
from .variable import Variable


class detect_anomaly(ModeContext):
    """Find the operation that made the first NaN of a backward pass.

    Inside, every operation remembers the line of the program that called it. When a gradient turns NaN, the walk
    stops with the operation's name, and a warning shows that line. Slow, and a warning says so.
    PyTorch: torch.autograd.detect_anomaly.
    """

    def __init__(self, check_nan: bool = True) -> None:
        warn(
            "Anomaly Detection has been enabled. "
            "This mode will increase the runtime and should only be enabled for debugging."
        )
        Asked.operations = True
        self.settings = {"anomaly": True, "check_nan": check_nan}


class set_detect_anomaly(Setting):
    """`detect_anomaly` that can be switched by a value. PyTorch: torch.autograd.set_detect_anomaly."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        for place, (name, value) in enumerate((("mode", mode), ("check_nan", check_nan)), 1):
            if not isinstance(value, bool):
                raise TypeError(
                    f"set_detect_anomaly(): argument '{name}' (position {place}) must be bool, not {type(value).__name__}"
                )
        Asked.operations = True
        super().__init__({"anomaly": mode, "check_nan": check_nan})


def watch(node: Node) -> None:
    """Called of each recorded operation once somebody has asked for that: what must be known of it, in this thread."""
    if current.anomaly:  # keep the lines that led to the operation, without this one and `apply`
        node._forward_stack = traceback.format_stack()[:-2]
    if inference.exist:
        inference.check_saved(node._saved)
        inference.check_saved(getattr(node, "inputs", None))
    if current.saved_hooks:
        current.saved_hooks[-1].pack(node)


def check_nan(gradient: Any, node: Node, i: int) -> None:
    """RuntimeError if gradient `i` that `node` gave holds a NaN."""
    values = gradient.array if isinstance(gradient, Variable) else gradient
    if current.check_nan and np.isnan(values).any():
        if node._forward_stack is not None:
            warn(
                f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n"
                + "".join(node._forward_stack)
            )
        raise RuntimeError(f"Function '{node.name()}' returned nan values in its {i}th output.")
