"""What is said of a name or argument of PyTorch's that minigrad has not: the nearest names, or what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

_FOURIER = "there are no complex numbers; numpy.fft of x.numpy() computes it, without a gradient"

_INSTEAD = {
    "checkpoint": "memory is not traded for time here; call the function itself",
    "complex64": "there are no complex numbers",
    "complex128": "there are no complex numbers",
    "cdouble": "there are no complex numbers",
    "cfloat": "there are no complex numbers",
    "conv3d": "nearest: conv2d",
    "ctc_loss": "nearest: cross_entropy",
    "distributed": "one process, on a CPU: leave it out",
    "embedding_bag": "use embedding(...).sum(1) or .mean(1)",
    "grid_sample": "nearest: interpolate",
    "hub": "load a state_dict with minigrad.load",
    "multiprocessing": "use Python's own multiprocessing",
    "pack_padded_sequence": "use pad_sequence and a mask",
    "profiler": "use `python -m benchmarks profile`",
    "sparse_coo": "there are no sparse tensors; the one layout is strided",
    "sparse_csr": "there are no sparse tensors; the one layout is strided",
    "stft": "there are no complex numbers",
    "eig": "there are no complex numbers; of a symmetric matrix: linalg.eigh",
    "eigvals": "there are no complex numbers; of a symmetric matrix: linalg.eigvalsh",
    "lu": "use linalg.solve, linalg.inv or linalg.det, which factorize for themselves",
    "lu_factor": "use linalg.solve, linalg.inv or linalg.det, which factorize for themselves",
    "lu_solve": "use linalg.solve",
    "tensorboard": "use PyTorch's, torch.utils.tensorboard: it takes numbers and arrays",
}
# fmt: off
_INSTEAD |= dict.fromkeys((
    "fft", "ifft", "rfft", "irfft", "fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn", "hfft", "ihfft",
), _FOURIER)
# fmt: on


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
