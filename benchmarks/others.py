"""Some of the workloads in other engines, as their own documentation would write them.

The weights and the data are minigrad's (the same seed), so all engines must report the same first losses.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

Made = tuple[Callable[[], Any], Callable[[Any], float]]


def _start(name: str) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Weights, inputs and targets of the workload `name`, drawn as in workloads.py."""
    import minigrad as torch

    torch.manual_seed(0)
    nn = torch.nn
    if name == "network_2_4_1":
        model = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1))
        x, y = torch.randn(800, 2), torch.randint(0, 2, (800, 1)).float()
    elif name == "sine":
        model = nn.Sequential(nn.Linear(1, 64), nn.Linear(64, 64), nn.Linear(64, 1))
        x = torch.linspace(-3, 3, 256).reshape(256, 1)
        y = torch.sin(x)
    elif name == "mlp":
        model = nn.Sequential(nn.Linear(784, 256), nn.Linear(256, 128), nn.Linear(128, 10))
        x, y = torch.randn(64, 784), torch.randint(0, 10, (64,))
    else:
        model = nn.Sequential(nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3), nn.Linear(9216, 128), nn.Linear(128, 10))
        x, y = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
    return [p.detach().numpy().copy() for p in model.parameters()], x.numpy(), y.numpy()


def _network(np_like: Any, name: str, w: list[Any], x: Any, activate: Any) -> Any:
    for i in range(0, len(w), 2):
        x = np_like.dot(x, w[i].T) + w[i + 1]
        if i + 2 < len(w):
            x = activate(x)
    return x


def _loss(np_like: Any, name: str, w: list[Any], x: Any, y: Any) -> Any:
    """The loss of a fully connected workload in a NumPy-like library."""
    if name == "sine":
        out = _network(np_like, name, w, x, np_like.tanh)
        return np_like.mean((out - y) ** 2)
    out = _network(np_like, name, w, x, lambda z: np_like.maximum(z, 0))
    if name == "network_2_4_1":
        p = 1 / (1 + np_like.exp(-out))
        return -np_like.mean(y * np_like.log(p) + (1 - y) * np_like.log(1 - p))
    out = out - np_like.max(out, axis=1, keepdims=True)
    return np_like.mean(np_like.log(np_like.sum(np_like.exp(out), axis=1)) - out[np.arange(len(y)), y])


def _adam(np_like: Any, w: Any, g: Any, m: Any, v: Any, t: Any) -> tuple[Any, Any, Any]:
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g * g
    step = 1e-3 * (m / (1 - 0.9**t)) / (np_like.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w - step, m, v


def _jax(name: str) -> Made:
    jax: Any = importlib.import_module("jax")
    jnp: Any = importlib.import_module("jax.numpy")

    if name == "chain":
        return _jax_chain(jax, jnp)
    w, x, y = _start(name)

    def convolution_loss(w: Any, x: Any, y: Any) -> Any:
        for k in (0, 2):
            x = jax.lax.conv_general_dilated(x, w[k], (1, 1), "VALID") + w[k + 1][:, None, None]
            x = jax.nn.relu(x)
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        out = _network(jnp, name, w[4:], x.reshape(len(x), -1), jax.nn.relu)
        return -jnp.mean(jax.nn.log_softmax(out)[jnp.arange(len(y)), y])

    loss = convolution_loss if name == "cnn" else lambda w, x, y: _loss(jnp, name, w, x, y)

    @jax.jit
    def update(w: Any, m: Any, v: Any, t: Any, x: Any, y: Any) -> Any:
        value, g = jax.value_and_grad(loss)(w, x, y)
        new = [_adam(jnp, *parts, t) for parts in zip(w, g, m, v, strict=True)]
        return value, [n[0] for n in new], [n[1] for n in new], [n[2] for n in new]

    state: list[Any] = [[jnp.asarray(a) for a in w], [jnp.zeros_like(a) for a in w], [jnp.zeros_like(a) for a in w]]
    x, y, count = jnp.asarray(x), jnp.asarray(y), [0]

    def step() -> Any:
        count[0] += 1
        value, *state[:] = update(*state, float(count[0]), x, y)
        jax.block_until_ready(state)
        return value

    return step, float


def _jax_chain(jax: Any, jnp: Any) -> Made:
    def chain(x: Any, w: Any) -> Any:
        for _ in range(1000):
            x = x * w
        return x[0]

    gradients = jax.jit(jax.grad(chain, argnums=(0, 1)))
    one = jnp.ones(1)
    return lambda: jax.block_until_ready(gradients(one, one))[1], lambda out: float(out[0])


def _autograd(name: str) -> Made:
    autograd: Any = importlib.import_module("autograd")
    anp: Any = importlib.import_module("autograd.numpy")

    w, x, y = _start(name)
    gradient = autograd.value_and_grad(lambda w: _loss(anp, name, w, x, y))
    m, v, count = [np.zeros_like(a) for a in w], [np.zeros_like(a) for a in w], [0]

    def step() -> Any:
        count[0] += 1
        value, g = gradient(w)
        for i in range(len(w)):
            w[i], m[i], v[i] = _adam(np, w[i], g[i], m[i], v[i], count[0])
        return value

    return step, float


def _tinygrad(name: str) -> Made:
    tinygrad: Any = importlib.import_module("tinygrad")
    Tensor = tinygrad.Tensor
    arrays, x, y = _start(name)
    w = [Tensor(a).realize() for a in arrays]
    m, v = ([Tensor(np.zeros_like(a)).realize() for a in arrays] for _ in range(2))
    tx, ty, count = Tensor(x).realize(), Tensor(y).realize(), [0]

    @tinygrad.TinyJit
    def update(corrections: Any) -> Any:
        out = tx
        for i in range(0, len(w), 2):
            out = out.dot(w[i].T) + w[i + 1]
            if i + 2 < len(w):
                out = out.tanh() if name == "sine" else out.relu()
        if name == "sine":
            loss = ((out - ty) ** 2).mean()
        elif name == "mlp":
            loss = out.sparse_categorical_crossentropy(ty)
        else:
            loss = out.sigmoid().binary_crossentropy(ty)
        for i, g in enumerate(loss.gradient(*w)):
            m[i].assign(0.9 * m[i] + 0.1 * g)
            v[i].assign(0.999 * v[i] + 0.001 * g * g)
            w[i].assign(w[i] - 1e-3 * (m[i] / corrections[0]) / ((v[i] / corrections[1]).sqrt() + 1e-8))
        return loss.realize(*w, *m, *v)

    def step() -> Any:
        count[0] += 1
        return update(Tensor(np.array([1 - 0.9 ** count[0], 1 - 0.999 ** count[0]], np.float32)).realize())

    return step, lambda out: float(out.item())


_DENSE = ("network_2_4_1", "sine", "mlp")
WORKLOADS = {"jax": (*_DENSE, "cnn", "chain"), "autograd": _DENSE, "tinygrad": _DENSE}
_ENGINES: dict[str, Callable[[str], Made]] = {"jax": _jax, "autograd": _autograd, "tinygrad": _tinygrad}


def load(engine: str) -> Callable[[str], Made]:
    return _ENGINES[engine]
