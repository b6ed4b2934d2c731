"""Hypothesis strategies for tensors and what belongs to them, for the parity tests and for anyone's own.

    from hypothesis import given
    from parity import strategies

    @given(x=strategies.tensors(torch, domain=strategies.POSITIVE))
    def test_log_of_exp(x):
        assert torch.allclose(x.log().exp(), x)

`torch` may be either engine. Shapes have 0 to 4 dimensions, with sides of 0 and 1 among them; layouts are C, transposed,
strided, offset, flipped, and broadcast with stride 0; values come ordinary, tied, tiny, large, or with infinities and nan.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from hypothesis import strategies as st

from .inputs import MODERATE, POSITIVE, REAL, Domain, Draw, Input, Shape

__all__ = [
    "MODERATE",
    "POSITIVE",
    "REAL",
    "Domain",
    "broadcastable",
    "cotangents",
    "draws",
    "indices",
    "inputs",
    "layouts",
    "masks",
    "programs",
    "shapes",
    "sources",
    "tensors",
]


@functools.cache
def _integers(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)  # building a strategy costs more than drawing from it


class _FromHypothesis:
    """Decisions taken by Hypothesis, which can replay and shrink them."""

    def __init__(self, draw: Callable[[st.SearchStrategy], Any]) -> None:
        self.draw = draw

    def integer(self, low: int, high: int) -> int:
        return self.draw(_integers(low, high))

    def __repr__(self) -> str:
        return "the drawn source"


@st.composite
def sources(draw: Any) -> _FromHypothesis:
    """A source of decisions, as `parity.inputs.Draw` takes."""
    return _FromHypothesis(draw)


def draws(mode: str = "normal", dtype: str = "float64", kinks: Sequence[float] = ()) -> st.SearchStrategy[Draw]:
    """A `Draw`, with all its methods, for tests that need several matching inputs.

    mode: how values are chosen: "normal", "ties", "kinks", "special" (infinities and nan), "large" or "tiny".
    """
    return sources().map(lambda source: Draw(source, mode, dtype, kinks))


def shapes(min_dims: int = 0, max_dims: int = 4, min_side: int = 0, max_side: int = 5) -> st.SearchStrategy[Shape]:
    """Shapes, as tuples."""
    return draws().map(lambda d: d.shape(min_dims, max_dims, min_side, max_side))


def broadcastable(
    count: int = 2, max_dims: int = 4, min_side: int = 0, max_side: int = 5
) -> st.SearchStrategy[list[Shape]]:
    """`count` shapes that broadcast together."""
    return draws().map(lambda d: d.broadcastable(count, max_dims, min_side, max_side))


def layouts() -> st.SearchStrategy[str]:
    """Names of memory layouts, for `inputs(layout=...)`."""
    from .inputs import LAYOUTS

    return st.sampled_from(LAYOUTS)


def inputs(
    shape: Shape | None = None,
    *,
    domain: Domain = REAL,
    dtype: str = "float64",
    mode: str = "normal",
    kinks: Sequence[float] = (),
    layout: str | None = None,
    requires_grad: bool = True,
    **limits: int,
) -> st.SearchStrategy[Input]:
    """Values with a memory layout, of neither engine; `limits` (min_dims, max_dims, min_side, max_side) bound the shape."""
    return draws(mode, dtype, kinks).map(lambda d: d.tensor(shape, domain, requires_grad, None, layout, **limits))


def tensors(torch: ModuleType, shape: Shape | None = None, **options: Any) -> st.SearchStrategy[Any]:
    """Floating tensors of the engine `torch` (either module). Options as of `inputs`."""
    from .engines import ENGINES

    engine = next(e for e in ENGINES if e.module is torch)
    return inputs(shape, **options).map(engine.tensor)


def cotangents(shape: Shape, dtype: str = "float64") -> st.SearchStrategy[Input]:
    """Random gradients of an output; some are broadcast views."""
    return draws().map(lambda d: d.cotangent(shape, dtype))


def indices(shape: Shape, high: int, low: int = 0) -> st.SearchStrategy[Input]:
    """int64 indices in [low, high)."""
    return draws().map(lambda d: d.integers(shape, low, high))


def masks(shape: Shape) -> st.SearchStrategy[Input]:
    """Boolean masks."""
    return draws().map(lambda d: d.mask(shape))


def programs() -> st.SearchStrategy[Any]:
    """Random programs of up to 40 operations (`parity.programs.Program`): `script()` is plain code, `compare` runs both engines."""
    from .programs import draw

    return sources().map(draw)
