"""What is said of a name or argument of PyTorch's that minigrad has not: the nearest names, or what to do instead."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

_FOURIER = "there are no complex numbers; numpy.fft of x.numpy() computes it, without a gradient"

_INSTEAD = {
    "complex64": "there are no complex numbers",
    "complex128": "there are no complex numbers",
    "cdouble": "there are no complex numbers",
    "cfloat": "there are no complex numbers",
    "conv_tbc": "nearest: conv1d",
    "forward_ad": "there are no dual numbers; func.jvp gives the product of a Jacobian with a vector",
    "distributed": "one process, on a CPU: leave it out",
    "register_backward_hook": "what it is given depends on a module's last operation; use register_full_backward_hook",
    "register_module_backward_hook": "what it is given depends on a module's last operation; use register_module_full_backward_hook",
    "hub": "load a state_dict with minigrad.load",
    "linear_cross_entropy": "use nn.functional.cross_entropy(nn.functional.linear(input, weight, bias), target)",
    "multi_head_attention_forward": "use nn.MultiheadAttention or nn.functional.scaled_dot_product_attention",
    "multiprocessing": "use Python's own multiprocessing",
    "profiler": "use `python -m benchmarks profile`",
    "sparse_coo": "there are no sparse tensors; the one layout is strided",
    "sparse_csr": "there are no sparse tensors; the one layout is strided",
    "stft": "there are no complex numbers",
    "eig": "there are no complex numbers; of a symmetric matrix: linalg.eigh",
    "eigvals": "there are no complex numbers; of a symmetric matrix: linalg.eigvalsh",
    "tensorboard": "use PyTorch's, torch.utils.tensorboard: it takes numbers and arrays",
}
# fmt: off
_INSTEAD |= dict.fromkeys((
    "fft", "ifft", "rfft", "irfft", "fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn", "hfft", "ihfft",
), _FOURIER)
# fmt: on


# Whole families: what is said of names that begin or end so.
_FAMILIES = (
    (r"q_|(?:fake_)?quanti[sz]e|quantized_|q?u?int\d+$|qu?int\d|qscheme|fbgemm|per_(?:tensor|channel)_|dequantize|choose_qparams|int_repr",
     "there is no quantization"),
    (r".*sparse|hspmm|[cr]?(?:col|row)_indices|crow_|ccol_|smm|dsmm|hsmm|saddmm|sspaddmm|spmm|coalesce|is_coalesced",
     "there are no sparse tensors; the one layout is strided"),
    (r"(?:mkldnn|miopen|cudnn)_|to_mkldnn", "it is a library's own interface; nn.functional has the operation"),
    (r"(?:view_as_)?(?:complex|real)$|cdouble|cfloat|chalf|complex\d+|imag|istft|stft|polar", "there are no complex numbers"),
    (r".*Type$|Script|.*Graph|.*Dispatch|.*Script|sym_|Sym|parse_|import_ir|JIT|fx$|export$", "programs run as they stand: there is no compiler"),
    (r"(?:to_|TypedS|UntypedS)?padded|nested", "there are no nested tensors; nn.utils.rnn has packed sequences"),
)  # fmt: skip
_PLACES = ("nn.functional", "nn", "linalg", "special", "fft", "utils.data", "nn.utils", "func", "autograd")


def instead(name: str) -> str:
    """What to do in place of a name of PyTorch's; empty where nothing is known of it."""
    return f": {_INSTEAD[name]}" if name in _INSTEAD else ""


def _said(name: str, names: Iterable[str], here: str) -> str:
    """What to do in place of a name, or the nearest names, or that it is not there."""
    if name in _INSTEAD:
        return instead(name)
    if name.startswith("_"):
        return ""
    for place in _PLACES:
        module = sys.modules.get(f"minigrad.{place}")
        if place != here and module is not None and callable(vars(module).get(name)):
            return f": it is {place}.{name}"
    import difflib
    import re

    for pattern, advice in _FAMILIES:
        if re.match(pattern, name):
            return f": {advice}"
    if name.endswith("_copy"):
        return ": clone() what the function without _copy gives"
    near = difflib.get_close_matches(name, [n for n in names if not n.startswith("_")], 3, 0.65)
    if near:
        return f"; nearest: {', '.join(near)}"
    return "; it is not in minigrad: README says what is not there"


def error(module: str, name: str, names: Iterable[str]) -> AttributeError:
    """The error for `module.name`, with what to do instead, or the nearest of the module's own names."""
    here = module.removeprefix("minigrad").removeprefix(".")
    return AttributeError(f"module '{module}' has no attribute '{name}'{_said(name, names, here)}")


class Absent:
    """Stands in a class for an attribute that PyTorch's has and minigrad's has not: AttributeError, with what to do instead.

    A `__getattr__` would do that too, and make each access to any other attribute slower.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, held: object, owner: type) -> NoReturn:
        what, names = f"type object '{owner.__name__}'", []
        if held is not None:
            what, names = f"'{owner.__name__}' object", [name for name in dir(owner) if hasattr(owner, name)]
        said = f"{what} has no attribute '{self.name}'{_said(self.name, names, 'Tensor')}"
        raise AttributeError(said, name=self.name, obj=held)


def advise(package: str) -> None:
    """Let every module of a package that is loaded, and has no way of its own, answer so for a name that it lacks."""
    for path, module in tuple(sys.modules.items()):
        if path.startswith(f"{package}.") and "__getattr__" not in vars(module):
            module.__getattr__ = _asked(module)  # type: ignore[method-assign]


def _asked(module: types.ModuleType) -> Callable[[str], NoReturn]:
    def lacking(name: str) -> NoReturn:
        raise error(module.__name__, name, () if name.startswith("__") else vars(module))

    return lacking


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
