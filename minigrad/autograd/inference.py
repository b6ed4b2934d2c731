"""Inference tensors: what `inference_mode` made. Autograd knows nothing of them, so it must not use their values.

A tensor is one if its memory was made inside the mode: a view made inside of an ordinary tensor is ordinary, and a view
made outside of an inference tensor is an inference tensor. So the memory is marked, by the array that owns it, when an
operation or a creation function inside gives an array of its own.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from .. import storage

exist = False  # whether there was ever one: until then nobody has to look
_marked: dict[int, weakref.ref[np.ndarray]] = {}  # by id of the array that owns the memory


def mark(array: np.ndarray) -> None:
    """The memory of the array was made in inference mode."""
    global exist
    exist = True
    root = storage.owner(array)
    key = id(root)
    if key not in _marked:  # the mark goes when the memory does, before its id can be used again
        _marked[key] = weakref.ref(root, storage.forgetting(_marked, key))


def is_inference(array: np.ndarray) -> bool:
    """Whether the memory of the array was made in inference mode."""
    return exist and id(storage.owner(array)) in _marked


def marking(run: Any) -> Any:
    """run(function, *args), which marks what an operation gives, unless it looks into the memory of an input."""

    def run_and_mark(function: Any, *args: Any) -> Any:
        out = run(function, *args)
        if isinstance(out, np.generic):
            out = np.asarray(out)
        if isinstance(out, np.ndarray):
            root = storage.owner(out)
            if not any(isinstance(x, np.ndarray) and storage.owner(x) is root for x in args):
                mark(out)
        return out

    run_and_mark.plain = run  # type: ignore[attr-defined]
    return run_and_mark


def check_saved(values: Any) -> None:
    """RuntimeError if a node saved the memory of an inference tensor."""
    for value in values or ():
        value = value[0] if isinstance(value, tuple) else value  # an output of a Function
        array = getattr(value, "array", value)
        if isinstance(array, np.ndarray) and is_inference(array):
            raise RuntimeError(
                "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
                "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use "
                "it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
            )


def check_changed(array: np.ndarray, inside: bool) -> None:
    """RuntimeError for an in-place change of an inference tensor outside the mode."""
    if exist and not inside and is_inference(array):
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a normal "
            "tensor before doing inplace update."
        )
