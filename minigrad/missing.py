"""What is said of a name or argument of PyTorch's that minigrad has not: the nearest names, or what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

_INSTEAD = {
    "amp": "there is no half precision to compute in; leave autocast and GradScaler out",
    "autocast": "there is no half precision to compute in; leave it out",
    "backends": "there are no backends to set; `minigrad.show_config()` says what it runs on",
    "complex64": "there are no complex numbers",
    "complex128": "there are no complex numbers",
    "cdouble": "there are no complex numbers",
    "cfloat": "there are no complex numbers",
    "conv3d": "nearest: conv2d",
    "ctc_loss": "nearest: cross_entropy",
    "distributed": "one process, on a CPU: leave it out",
    "embedding_bag": "use embedding(...).sum(1) or .mean(1)",
    "fft": "there are no complex numbers",
    "func": "use autograd.grad, autograd.functional.jacobian or hessian",
    "grid_sample": "nearest: interpolate",
    "hub": "load a state_dict with minigrad.load",
    "jit": "programs run as they are written; `minigrad.compile` gives back its argument",
    "multiprocessing": "use Python's own multiprocessing",
    "pack_padded_sequence": "use pad_sequence and a mask",
    "profiler": "use `python -m benchmarks profile`",
    "sparse_coo": "there are no sparse tensors; the one layout is strided",
    "sparse_csr": "there are no sparse tensors; the one layout is strided",
    "special": "the functions are in minigrad itself: erf, lgamma, digamma, ...",
    "stft": "there are no complex numbers",
    "svd": "nearest: linalg.inv, linalg.solve, linalg.det",
    "tensorboard": "use PyTorch's, torch.utils.tensorboard: it takes numbers and arrays",
    "vmap": "write the batch as a dimension",
}


def error(module: str, name: str, names: Iterable[str]) -> AttributeError:
    """The error for `module.name`, with what to do instead, or the nearest of the module's own names."""
    text = f"module '{module}' has no attribute '{name}'"
    if name in _INSTEAD:
        return AttributeError(f"{text}: {_INSTEAD[name]}")
    import difflib

    near = difflib.get_close_matches(name, [n for n in names if not n.startswith("_")], 3, 0.65)
    return AttributeError(f"{text}; nearest: {', '.join(near)}" if near else text)


def refuse(owner: str, **arguments: Any) -> None:
    """NotImplementedError for arguments that would change what is computed, and that minigrad does not support."""
    for name, value in arguments.items():
        if value:
            raise NotImplementedError(f"{owner}: {name}={value!r} is not supported by minigrad; leave it out")


def refusing(name: str, nearest: str) -> Callable[..., NoReturn]:
    """What stands for a class that minigrad has not: calling it says what is nearest."""

    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"minigrad has no {name}; the nearest {nearest}")

    return refuse
