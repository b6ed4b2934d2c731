"""Which functions are public, and where: said once, above each function.

    @public                              minigrad.exp
    @public("functional")                minigrad.nn.functional.gelu
    @public("minigrad", "functional")    both
    @public(also="arcsin")               and under a second name (several: a tuple)
    @public(same="input end")            these tensors must be of one type, or RuntimeError
    @public(floats="input")              these must be of a floating type, or NotImplementedError
    @public(fits="alpha beta")           these numbers must fit the type of the tensors' elements, or RuntimeError
    @tensors(same=..., floats=...)       the same of functions in modules of their own: linalg, special, ...

`minigrad/__init__.py` and `nn/functional.py` take their names from here. Methods stand in the table of tensor.py.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

MINIGRAD: dict[str, Callable[..., Any]] = {}  # by name: the functions of minigrad
FUNCTIONAL: dict[str, Callable[..., Any]] = {}  # and of minigrad.nn.functional


def tensors(*, same: str = "", floats: str = "", fits: str = "") -> Any:
    """Say what the tensors of a function have in common: of a public function that stands in a module of its own."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        function.same, function.floats, function.fits = map(tuple, (same.split(), floats.split(), fits.split()))  # type: ignore[attr-defined]
        return function

    return mark


def public(*places: Any, also: str | tuple[str, ...] = (), same: str = "", floats: str = "", fits: str = "") -> Any:
    """Mark a function as public in `places`: "minigrad" (if none is named) and "functional"; `also`: its other names.

    same, floats, fits: what its tensors and numbers must have in common, held where a program calls it (signature.py). Names of minigrad go
    into the `__all__` of the function's module.
    """
    if places and callable(places[0]):
        return public()(places[0])
    unknown = set(places) - {"minigrad", "functional"}
    if unknown:
        raise ValueError(f"public() knows the places 'minigrad' and 'functional', not {sorted(unknown)}")
    names = (also,) if isinstance(also, str) else also

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        tensors(same=same, floats=floats, fits=fits)(function)
        module = vars(sys.modules[function.__module__])
        listed = module.setdefault("__all__", [])
        for name in (function.__name__, *names):
            module.setdefault(name, function)
            if not places or "minigrad" in places:
                MINIGRAD[name] = function
                listed.append(name)
            if "functional" in places:
                FUNCTIONAL[name] = function
        return function

    return mark
