"""Somebody's function in double precision, though it says float32: only there can a fault be told from rounding.

While `lifted(engine)` lasts, float32 means float64 in that engine: the default type, `dtype=torch.float32`, `.float()`,
`.to(torch.float32)`, `torch.FloatTensor`, and tensors made of NumPy's float32 arrays. `as_type` converts, for a while, tensors
that somebody's function holds on to. Both leave everything as it was.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.overrides import TorchFunctionMode

from .engines import MINIGRAD, TORCH, Engine, default_dtype

MAKERS = ("tensor", "as_tensor", "asarray", "from_numpy")  # they take the type of the array that they are given
_FLOAT_TYPES = {"torch.FloatTensor": "torch.DoubleTensor", "minigrad.FloatTensor": "minigrad.DoubleTensor"}


@dataclass
class Seen:
    """What a run in PyTorch met of float32."""

    named: bool = False  # float32 was asked for (and float64 given)
    left: bool = False  # a result is float32 all the same


class _Lift(TorchFunctionMode):
    """Every call of PyTorch's passes here: float32 among its arguments becomes float64."""

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self.seen = seen

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        torch = TORCH.module
        if func is torch.Tensor.float:
            func, self.seen.named = torch.Tensor.double, True
        args = tuple(self._argument(x) for x in args)
        kwargs = {name: self._argument(x) for name, x in (kwargs or {}).items()}
        result = func(*args, **kwargs)
        if isinstance(result, torch.Tensor) and result.dtype == torch.float32:
            if getattr(func, "__name__", "") in MAKERS:
                self.seen.named = True
                return _double(result)
            self.seen.left = True
        return result

    def _argument(self, x: Any) -> Any:
        if x is TORCH.module.float32 or (type(x) is str and x in _FLOAT_TYPES):
            self.seen.named = True
            return TORCH.module.float64 if type(x) is not str else _FLOAT_TYPES[x]
        return x


def _double(x: Any) -> Any:
    """The tensor in float64; a new leaf stays one."""
    return x.detach().double().requires_grad_() if x.is_leaf and x.requires_grad else x.double()


def _making(make: Any, tensor: type) -> Any:
    def made(*args: Any, **kwargs: Any) -> Any:
        result = make(*args, **kwargs)
        single = isinstance(result, tensor) and str(result.dtype).endswith(".float32")  # type: ignore[attr-defined]
        return _double(result) if single or _is_single(result) else result

    return made


def _is_single(x: Any) -> bool:
    return getattr(getattr(x, "array", None), "dtype", None) == np.float32


@contextlib.contextmanager
def lifted(engine: Engine, seen: Seen | None = None, watch: bool = True) -> Iterator[None]:
    """float32 means float64 in this engine. seen: notes whether it was named; watch=False: PyTorch's calls are not looked
    at, which is faster and enough for a function that names no float32."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(default_dtype("float64"))
        module = engine.module
        places = [module] if engine is TORCH else [module, module.creation]
        names = ("from_numpy",) if engine is TORCH else MAKERS  # the other makers of PyTorch's pass through _Lift
        for place in places:
            for name in names:
                if hasattr(place, name):
                    _set(stack, place, name, _making(getattr(place, name), engine.Tensor))
        if hasattr(module, "FloatTensor") and hasattr(module, "DoubleTensor"):
            _set(stack, module, "FloatTensor", module.DoubleTensor)
        if engine is MINIGRAD:
            _set(stack, module.float32, "numpy", np.dtype(np.float64))
        elif watch:
            stack.enter_context(_Lift(seen if seen is not None else Seen()))
        yield


def _set(stack: contextlib.ExitStack, thing: Any, name: str, value: Any) -> None:
    stack.callback(setattr, thing, name, getattr(thing, name))
    setattr(thing, name, value)


@contextlib.contextmanager
def as_type(tensors: Iterable[Any], name: str) -> Iterator[None]:
    """Each tensor holds a copy of its values, the floating ones in this type; afterwards it is what it was."""
    with contextlib.ExitStack() as stack:
        for t in tensors:
            held, gradient = t.data, t.grad if t.is_leaf else None
            stack.callback(_give_back, t, held, gradient)
            if gradient is not None:
                t.grad = None
            engine = TORCH.module if isinstance(t, TORCH.Tensor) else MINIGRAD.module
            t.data = held.to(getattr(engine, name), copy=True) if held.is_floating_point() else held.clone()
        yield


def _give_back(t: Any, held: Any, gradient: Any) -> None:
    if t.is_leaf and t.grad is not None:
        t.grad = None
    t.data = held
    if gradient is not None:
        t.grad = gradient
