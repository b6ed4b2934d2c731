"""What a case of the table is: a name, a way to draw a call, and what is known of the function's mathematics.

    op("exp", lambda d: call(d.tensor(domain=MODERATE)))

says: draw one tensor, call `torch.exp` on it in both engines; and, where there are, `Tensor.exp` and `Tensor.exp_`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import minigrad

from .inputs import Draw


@dataclass(frozen=True)
class Tolerance:
    """How far two float64 results may lie apart, and why. `ulp`: what float32 may lose beyond twice PyTorch's own loss."""

    name: str
    relative: float
    ulp: float
    per_element: bool
    reason: str


ELEMENTWISE = Tolerance(
    "elementwise",
    1e-12,
    4,
    True,
    "a few roundings an element; the engines may call different libraries for exp, erf, ...",
)
REDUCED = Tolerance(
    "reduced", 1e-10, 8, False, "sums in another order: the error grows with their length and with cancellation"
)
EXACT = Tolerance("exact", 0.0, 0, True, "no rounding may differ: same bits")


@dataclass
class Call:
    """Arguments of one call; `Input`s among them (also in lists, tuples and dicts) become tensors."""

    args: tuple
    kwargs: dict[str, Any]


def call(*args: Any, **kwargs: Any) -> Call:
    return Call(args, kwargs)


@dataclass
class Result:
    """What a case's function may return where its outputs alone do not say it all: further leaves (parameters) whose
    gradients are compared."""

    outputs: Any
    leaves: Sequence[Any] = ()


@dataclass
class Same:
    """Around a part of a result that must be the same to the bit, whatever the case's tolerance."""

    value: Any


@dataclass
class Form:
    """One public name under which the function can be called."""

    label: str
    run: Callable[..., Any]


@dataclass
class Case:
    """One entry of the table."""

    name: str
    draw: Callable[[Draw], Call]
    forms: list[Form]
    family: str
    tolerance: Tolerance = ELEMENTWISE
    covers: tuple[str, ...] = ()
    second: bool = True  # double backward applies
    modes: tuple[str, ...] = ("normal", "normal", "ties", "tiny")  # how values are chosen, by weight
    kinks: tuple[
        float, ...
    ] = ()  # points where the derivative may jump: planted among the values, and compared exactly
    float32: bool = True
    layouts: bool = True
    strict: bool = False  # no cancellation: each element is measured against itself alone
    gradient: bool = True
    # Results are what cancellation leaves of large numbers: values are measured against the largest input, and for gradients
    # cancels(*args, **kwargs, cotangent) gives, of arrays, by input, how large the numbers are that were added up.
    cancels: Callable[..., list[np.ndarray]] | None = None
    note: str = ""
    seeds: bool = field(default=False)  # draws random numbers: both engines are seeded alike before the call
    reference: Callable[..., Any] | None = None  # what PyTorch runs, as it has no function of this name

    def __post_init__(self) -> None:
        if self.kinks and "kinks" not in self.modes:
            self.modes = (*self.modes, "kinks", "kinks")


CASES: dict[str, Case] = {}
_family = "?"


def family(name: str) -> None:
    """The family of the cases that follow."""
    global _family
    _family = name


def resolve(root: Any, path: str) -> Any:
    """`nn.functional.relu` from an engine's module."""
    return functools.reduce(getattr, path.split("."), root)


_IN_PLACE_OPERATORS = {
    f"__i{n}__" for n in ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod", "and", "or", "xor")
}


def form_of(path: str) -> Form:
    """How to call a public name. An in-place method is called on a copy, which is returned."""
    kind, _, name = path.rpartition(".")
    if not kind and name.endswith("_") and hasattr(minigrad.Tensor, name):
        return Form(path, functools.partial(_in_place_function, name))
    if kind != "Tensor":
        return Form(path, lambda torch, *args, **kwargs: resolve(torch, path)(*args, **kwargs))
    if name in _IN_PLACE_OPERATORS or (name.endswith("_") and not name.startswith("__")):
        return Form(path, functools.partial(_in_place, name))
    return Form(path, lambda torch, x, *args, **kwargs: getattr(x, name)(*args, **kwargs))


def _in_place(name: str, torch: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    y = x.clone()
    returned = getattr(y, name)(*args, **kwargs)
    assert returned is y, f"{name} did not return the tensor that it changed"
    return y


def _in_place_function(name: str, torch: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    y = x.clone()
    returned = getattr(torch, name)(y, *args, **kwargs)
    assert returned is y, f"{name} did not return the tensor that it changed"
    return y


def op(
    name: str,
    draw: Callable[[Draw], Call],
    fn: Callable[..., Any] | None = None,
    *,
    also: Iterable[str] = (),
    aliases: Iterable[str] = (),
    methods: bool = True,
    hidden: bool = False,
    covers: Iterable[str] = (),
    special: bool = False,
    large: bool = False,
    **options: Any,
) -> Case:
    """Enter a case. Without `fn` it is called by its public name, and as the method and the in-place method of that name
    where minigrad has them; likewise by its `aliases`. `also` names further ways, "Tensor.x" or paths from the engine's
    root. `fn` covers the public names in `covers`. hidden: the name stands for methods only.

    special: infinities and nan are tried; large: magnitudes up to the domain's `large`. reference(torch, ...), among the
    options: what PyTorch is to compute instead, with the same arguments, where it has no function of this name.
    """
    if fn is not None:
        forms = [Form(name, fn)]
        covered = {name, *covers}
    else:
        paths = [] if name.startswith("Tensor.") or hidden else [name]
        for base in (name, *aliases):
            short = base.rpartition(".")[2]
            if base.startswith("Tensor."):
                paths.append(base)
                continue
            if base != name and hasattr(minigrad, base):
                paths.append(base)
            if short == base and methods and hasattr(minigrad, base + "_") and hasattr(minigrad.Tensor, base + "_"):
                paths.append(base + "_")
            if methods:
                paths += [f"Tensor.{n}" for n in (short, short + "_") if hasattr(minigrad.Tensor, n)]
        forms = [form_of(path) for path in dict.fromkeys([*paths, *also])]
        covered = {form.label for form in forms} | set(covers)
    options.setdefault("modes", ("normal", "normal", "ties", "tiny") + ("special",) * special + ("large",) * large)
    case = Case(name, draw, forms, _family, covers=tuple(sorted(covered)), **options)
    if name in CASES:
        raise ValueError(f"two cases are called {name}")
    CASES[name] = case
    return case
