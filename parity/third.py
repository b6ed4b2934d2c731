"""A third opinion: the same gradients in JAX, so that what minigrad and PyTorch agree on can be told from what is true.

    pip install jax
    python -m parity third

Where the three agree, a gradient is what everybody computes. Where JAX differs, minigrad and PyTorch share a *convention*: a
choice at a kink or a tie, or another default. `CONVENTIONS` lists those, with the reason, and a test asks JAX whether it
still differs just so. JAX runs in float64 and in a process of its own when called from the tests.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .engines import ENGINES, MINIGRAD, TORCH

inf, nan = math.inf, math.nan


def installed() -> bool:
    return importlib.util.find_spec("jax") is not None


@dataclass(frozen=True)
class Opinion:
    """One function in PyTorch's names and in JAX, and points to ask at: f(torch, *tensors), g(jax, jnp, *arrays)."""

    name: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    at: tuple[Any, ...]


def _spread(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> Any:
    return np.random.default_rng(seed).uniform(low, high, shape)


X, Y = _spread(3, 4), _spread(3, 4, seed=1)
POSITIVE, UNIT = _spread(3, 4, low=0.2, high=3.0), _spread(3, 4, low=-0.9, high=0.9)
IMAGE, FILTERS = _spread(2, 3, 6, 6), _spread(4, 3, 3, 3, seed=2)
LABELS = np.array([1, 0, 3])


def _same(name: str, *at: Any, jax_name: str | None = None) -> Opinion:
    """A function of the same name in torch and jax.numpy."""
    return Opinion(
        name, lambda torch, *x: getattr(torch, name)(*x), lambda jax, jnp, *x: getattr(jnp, jax_name or name)(*x), at
    )


def _activation(name: str, jax_name: str | None = None, **options: Any) -> Opinion:
    return Opinion(
        name, lambda torch, x: getattr(torch.nn.functional, name)(x),
        lambda jax, jnp, x: getattr(jax.nn, jax_name or name)(x, **options), (X,),
    )  # fmt: skip


AGREED: list[Opinion] = [
    *(_same(name, X) for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "expm1", "square", "sinc", "abs", "exp2")),
    *(_same(name, POSITIVE) for name in ("log", "sqrt", "log1p", "log2", "log10", "reciprocal")),
    *(_same(name, UNIT) for name in ("arcsin", "arccos", "arctanh")),
    *(_same(name, X, Y) for name in ("add", "subtract", "multiply", "maximum", "minimum", "hypot", "logaddexp", "arctan2")),
    _same("divide", X, POSITIVE),
    _same("arcsinh", X),
    Opinion("pow", lambda torch, x, y: x**y, lambda jax, jnp, x, y: x**y, (POSITIVE, Y)),
    Opinion("erf", lambda torch, x: torch.erf(x), lambda jax, jnp, x: jax.scipy.special.erf(x), (X,)),
    Opinion("erfinv", lambda torch, x: torch.erfinv(x), lambda jax, jnp, x: jax.scipy.special.erfinv(x), (UNIT,)),
    Opinion("lgamma", lambda torch, x: torch.lgamma(x), lambda jax, jnp, x: jax.scipy.special.gammaln(x), (POSITIVE,)),
    *(_activation(n) for n in ("relu", "sigmoid", "silu", "softplus", "elu", "selu", "celu", "relu6", "leaky_relu", "mish", "glu", "logsigmoid") if n not in ("logsigmoid", "glu", "sigmoid")),
    Opinion("sigmoid", lambda torch, x: torch.sigmoid(x), lambda jax, jnp, x: jax.nn.sigmoid(x), (X,)),
    Opinion("log_sigmoid", lambda torch, x: torch.nn.functional.logsigmoid(x), lambda jax, jnp, x: jax.nn.log_sigmoid(x), (X,)),
    _activation("gelu", approximate=False),
    Opinion("gelu, tanh form", lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh"), lambda jax, jnp, x: jax.nn.gelu(x, approximate=True), (X,)),
    Opinion("glu", lambda torch, x: torch.nn.functional.glu(x), lambda jax, jnp, x: jax.nn.glu(x), (X,)),
    *(Opinion(n, lambda torch, x, n=n: getattr(torch, n)(x, -1), lambda jax, jnp, x, n=n: getattr(jax.nn, n)(x), (X,)) for n in ("softmax", "log_softmax")),
    Opinion("logsumexp", lambda torch, x: torch.logsumexp(x, 1), lambda jax, jnp, x: jax.nn.logsumexp(x, 1), (X,)),
    *(Opinion(n, lambda torch, x, n=n: getattr(torch, n)(x, 1), lambda jax, jnp, x, n=n: getattr(jnp, n)(x, 1), (X,)) for n in ("sum", "mean", "prod", "cumsum", "cumprod", "amax", "amin")),
    Opinion("var", lambda torch, x: x.var(1), lambda jax, jnp, x: x.var(1, ddof=1), (X,)),
    Opinion("std", lambda torch, x: x.std(1), lambda jax, jnp, x: x.std(1, ddof=1), (X,)),
    Opinion("norm", lambda torch, x: x.norm(), lambda jax, jnp, x: jnp.linalg.norm(x.reshape(-1)), (X,)),
    Opinion("matmul", lambda torch, x, y: x @ y.T, lambda jax, jnp, x, y: x @ y.T, (X, Y)),
    Opinion("einsum", lambda torch, x, y: torch.einsum("ij,kj->ik", x, y), lambda jax, jnp, x, y: jnp.einsum("ij,kj->ik", x, y), (X, Y)),
    Opinion("inverse", lambda torch, x: torch.inverse(x), lambda jax, jnp, x: jnp.linalg.inv(x), (_spread(4, 4) + 4 * np.eye(4),)),
    Opinion("gather by rows", lambda torch, x: x[torch.tensor([0, 2, 0])], lambda jax, jnp, x: x[np.array([0, 2, 0])], (X,)),
    Opinion("where", lambda torch, x, y: torch.where(x > y, x, y * 2), lambda jax, jnp, x, y: jnp.where(x > y, x, y * 2), (X, Y)),
    Opinion("sort", lambda torch, x: x.sort(1).values, lambda jax, jnp, x: jnp.sort(x, 1), (X,)),
    Opinion("conv2d", lambda torch, x, w: torch.nn.functional.conv2d(x, w, stride=2, padding=1), lambda jax, jnp, x, w: jax.lax.conv_general_dilated(x, w, (2, 2), ((1, 1), (1, 1))), (IMAGE, FILTERS)),
    Opinion("max_pool2d", lambda torch, x: torch.nn.functional.max_pool2d(x, 2), lambda jax, jnp, x: jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID"), (IMAGE,)),
    Opinion("avg_pool2d", lambda torch, x: torch.nn.functional.avg_pool2d(x, 2), lambda jax, jnp, x: jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, 1, 2, 2), (1, 1, 2, 2), "VALID") / 4, (IMAGE,)),
    Opinion("cross_entropy", lambda torch, x: torch.nn.functional.cross_entropy(x, torch.tensor(LABELS)), lambda jax, jnp, x: -jax.nn.log_softmax(x)[np.arange(3), LABELS].mean(), (X,)),
    Opinion("layer_norm", lambda torch, x: torch.nn.functional.layer_norm(x, (4,)), lambda jax, jnp, x: jax.nn.standardize(x, epsilon=1e-5), (X,)),
    Opinion("mse_loss", lambda torch, x, y: torch.nn.functional.mse_loss(x, y), lambda jax, jnp, x, y: ((x - y) ** 2).mean(), (X, Y)),
    Opinion("attention", lambda torch, q, k: torch.nn.functional.scaled_dot_product_attention(q, k, q), lambda jax, jnp, q, k: jax.nn.softmax(q @ k.swapaxes(-1, -2) / 2.0) @ q, (X, Y)),
]  # fmt: skip


# -- the three small networks of the course: 17, 26 and 43 parameters


def _network(features: int, hidden: int, loss: str, decay: float, seed: int) -> Opinion:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, features))
    y = (rng.normal(size=(40, 1)) > 0).astype(float)
    weights = (
        rng.normal(size=(hidden, features)), 0.1 + rng.uniform(size=hidden), rng.normal(size=(1, hidden)), rng.normal(size=1)
    )  # fmt: skip

    def ours(torch: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        F = torch.nn.functional
        p = torch.sigmoid(F.linear(torch.relu(F.linear(torch.tensor(x), w1, b1)), w2, b2))
        value = (F.binary_cross_entropy if loss == "bce" else F.mse_loss)(p, torch.tensor(y))
        return value + decay / 2 * sum((w**2).sum() for w in (w1, b1, w2, b2))

    def theirs(jax: Any, jnp: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        p = jax.nn.sigmoid(jax.nn.relu(x @ w1.T + b1) @ w2.T + b2)
        value = -(y * jnp.log(p) + (1 - y) * jnp.log(1 - p)).mean() if loss == "bce" else ((p - y) ** 2).mean()
        return value + decay / 2 * sum((w**2).sum() for w in (w1, b1, w2, b2))

    return Opinion(f"network {features}-{hidden}-1, {loss}", ours, theirs, weights)


NETWORKS = [_network(2, 4, "bce", 0.0, 0), _network(3, 5, "mse", 0.0, 1), _network(4, 7, "mse", 0.01, 2)]


# -- conventions


@dataclass(frozen=True)
class Convention:
    """Where minigrad and PyTorch agree and JAX does not: the gradients of the two camps, and why."""

    opinion: Opinion
    ours: tuple[Any, ...]  # by input
    theirs: tuple[Any, ...]
    why: str


def _convention(name: str, ours: Any, theirs: Any, at: Any, expected: Any, jax_gives: Any, why: str) -> Convention:
    points = at if isinstance(at, tuple) else (at,)
    arrays = tuple(np.array(p, float) for p in points)

    def each(x: Any) -> tuple[Any, ...]:
        return x if isinstance(x, tuple) else (x,)

    return Convention(Opinion(name, ours, theirs, arrays), each(expected), each(jax_gives), why)


CONVENTIONS = [
    _convention(
        "clamp at its bounds", lambda torch, x: torch.clamp(x, -1, 1), lambda jax, jnp, x: jnp.clip(x, -1, 1),
        [-1.0, 1.0], [1.0, 1.0], [0.5, 0.5],
        "PyTorch lets the gradient through on the bounds; jnp.clip is minimum(maximum(x, low), high), whose ties share it",
    ),
    _convention(
        "abs at 0", lambda torch, x: torch.abs(x), lambda jax, jnp, x: jnp.abs(x), [0.0], [0.0], [1.0],
        "sign(0) = 0 in PyTorch; JAX takes the slope on the right",
    ),
    _convention(
        "max() of equals", lambda torch, x: x.max(0).values, lambda jax, jnp, x: jnp.max(x, 0), [1.0, 3.0, 3.0],
        [0.0, 1.0, 0.0], [0.0, 0.5, 0.5], "max(dim) gives the gradient to the element whose index it returns; JAX shares it (as amax does)",
    ),
    _convention(
        "norm of zeros", lambda torch, x: x.norm(), lambda jax, jnp, x: jnp.linalg.norm(x), [0.0, 0.0], [0.0, 0.0], [nan, nan],
        "PyTorch takes the subgradient 0; JAX divides 0 by 0",
    ),
    _convention(
        "std of equal elements", lambda torch, x: x.std(), lambda jax, jnp, x: jnp.std(x, ddof=1), [2.0, 2.0], [0.0, 0.0],
        [nan, nan], "PyTorch takes 0 where the variance is 0; JAX multiplies infinity by 0",
    ),
    _convention(
        "std by default", lambda torch, x: x.std(), lambda jax, jnp, x: jnp.std(x), [0.0, 2.0],
        [-math.sqrt(0.5), math.sqrt(0.5)], [-0.5, 0.5], "PyTorch divides by n - 1, NumPy and JAX by n",
    ),
    _convention(
        "gelu by default", lambda torch, x: torch.nn.functional.gelu(x), lambda jax, jnp, x: jax.nn.gelu(x), [1.0],
        [1.083315470587686], [1.0829640838457826], "exact in PyTorch, the tanh form in JAX",
    ),
    _convention(
        "relu6 at 6", lambda torch, x: torch.nn.functional.relu6(x), lambda jax, jnp, x: jnp.minimum(jnp.maximum(x, 0), 6.0),
        [6.0], [0.0], [0.5], "PyTorch gives 0 at both ends of hardtanh; a composition of minimum and maximum shares the tie",
    ),
    _convention(
        "x ** y at 0 ** 0", lambda torch, x, y: x**y, lambda jax, jnp, x, y: x**y, ([0.0], [0.0]), ([0.0], [0.0]),
        ([nan], [0.0]), "PyTorch takes 0 for the slope of the base where the exponent is 0; JAX computes 0 · 0⁻¹",
    ),
]  # fmt: skip


# -- asking


def gradients(engine: Any, opinion: Opinion) -> list[np.ndarray]:
    """The value and the gradients, from a fixed random cotangent, in minigrad or PyTorch."""
    torch = engine.module
    tensors = [torch.tensor(np.asarray(x), dtype=torch.float64, requires_grad=True) for x in opinion.at]
    out = opinion.ours(torch, *tensors)
    given = torch.tensor(_cotangent(tuple(out.shape)), dtype=torch.float64)
    return [engine.array(out.detach()), *(engine.array(g) for g in torch.autograd.grad(out, tensors, given))]


def gradients_in_jax(opinion: Opinion) -> list[np.ndarray]:
    jax: Any = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    out, pull = jax.vjp(lambda *x: opinion.theirs(jax, jnp, *x), *(jnp.asarray(x) for x in opinion.at))
    return [np.asarray(out), *(np.asarray(g) for g in pull(jnp.asarray(_cotangent(out.shape))))]


def _cotangent(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(4).standard_normal(shape) if shape else np.ones(())


def difference(a: list[np.ndarray], b: list[np.ndarray]) -> float:
    worst = 0.0
    for x, y in zip(a, b, strict=True):
        if x.shape != y.shape:
            return inf
        worst = max(worst, float(np.max(np.abs(x - y) / np.maximum(1.0, np.abs(y)), initial=0.0)))
    return worst


def ask() -> dict[str, Any]:
    """All opinions: the worst differences of three engines where they agree, and what each gives at a convention."""
    found: dict[str, Any] = {"agreed": {}, "conventions": {}}
    for opinion in [*AGREED, *NETWORKS]:
        ours, torchs, jaxs = gradients(MINIGRAD, opinion), gradients(TORCH, opinion), gradients_in_jax(opinion)
        found["agreed"][opinion.name] = {"torch": difference(ours, torchs), "jax": difference(ours, jaxs)}
    for convention in CONVENTIONS:
        opinion = convention.opinion
        given = {engine.name: [_ones(engine, opinion, i) for i in range(len(opinion.at))] for engine in ENGINES}
        found["conventions"][opinion.name] = given | {"JAX": _ones_in_jax(opinion)}
    return found


def _ones_in_jax(opinion: Opinion) -> list[Any]:
    jax: Any = importlib.import_module("jax")
    jnp = jax.numpy
    out, pull = jax.vjp(lambda *x: opinion.theirs(jax, jnp, *x), *(jnp.asarray(x) for x in opinion.at))
    return [np.asarray(g).tolist() for g in pull(jnp.ones(out.shape))]


def _ones(engine: Any, opinion: Opinion, i: int) -> Any:
    torch = engine.module
    tensors = [torch.tensor(np.asarray(x), dtype=torch.float64, requires_grad=True) for x in opinion.at]
    return engine.array(torch.autograd.grad(opinion.ours(torch, *tensors).sum(), tensors)[i]).tolist()


if __name__ == "__main__":
    import json

    print(json.dumps(ask()))
