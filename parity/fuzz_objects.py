"""What the fuzzer does with the objects that a call makes or changes, and the calls with functions among their arguments.

A distribution is only told from another one by its samples and densities, an optimizer by its steps: `used` says of each kind
of object what is asked of it. The cases of `torch.func` pass functions that belong to one engine, so those calls are not
learnt but stand here, in CALLS, with functions of either engine by their names in FUNCTIONS.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .engines import Engine
from .fuzz_kinds import Call, Fn, New, T

# Each is given the engine's module, and then the tensors.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "energy": lambda torch, x, y: (x.sin() * y**2).sum() + (x * y).prod(),
    "field": lambda torch, x, y: x.sin() * y**2 + x.sum(),
    "square": lambda torch, x: x * x,
    "total": lambda torch, x: (x**3).sum(),
    "aux": lambda torch, x: ((x**3).sum(), x * 2),
    "pair": lambda torch, x: (x.exp(), x.sum()),
    "noise": lambda torch, x: x + torch.rand(2).to(x.dtype),
    "integer": lambda torch, x: 3,
    "schedule": lambda torch, step: 0.5**step,
}
X, Y = T(np.array([0.5, -1.0, 2.0]), grad=True), T(np.array([1.5, 0.25, -3.0]), grad=True)
MATRIX = T(np.arange(6.0).reshape(2, 3) / 4, grad=True)
_LINEAR = New(Call("nn.Linear", [3, 2], {}))
_SGD = New(Call("optim.SGD", [[X, Y]], {"lr": 0.1, "momentum": 0.9}))
INPUT = T(np.ones((2, 3), np.float32))


def _calls() -> Iterator[Call]:
    for name in ("grad", "grad_and_value", "jacrev", "jacfwd", "hessian"):
        yield Call(f"func.{name}", [Fn("energy")], {}, then=(X, Y))
        yield Call(f"func.{name}", [Fn("energy"), 1], {}, then=(X, Y))
        yield Call(f"func.{name}", [Fn("energy")], {"argnums": (0, 1)}, then=(X, Y))
    for name in ("grad", "grad_and_value"):
        yield Call(f"func.{name}", [Fn("aux")], {"has_aux": True}, then=(X,))
        yield Call(f"func.{name}", [Fn("field")], {}, then=(X, Y))
    yield Call("func.jacrev", [Fn("field"), (0, 1)], {"chunk_size": 2}, then=(X, Y))
    yield Call("func.vjp", [Fn("square"), X], {})
    yield Call("func.vjp", [Fn("aux"), X], {"has_aux": True})
    yield Call("func.jvp", [Fn("field"), (X, Y), (Y, X)], {})
    yield Call("func.jvp", [Fn("aux"), (X,), (Y,)], {"has_aux": True})
    yield Call("func.linearize", [Fn("square"), X], {}, then=(Y,))
    for name in ("vmap", "func.vmap"):
        yield Call(name, [Fn("square")], {}, then=(MATRIX,))
        yield Call(name, [Fn("field"), (0, None), 1], {"chunk_size": 2}, then=(MATRIX, X))
        yield Call(name, [Fn("pair"), 1], {"out_dims": (0, 0)}, then=(MATRIX,))
        yield Call(name, [Fn("noise")], {"randomness": "different"}, then=(X,))
        yield Call(name, [Fn("noise")], {"randomness": "same"}, then=(X,))
    yield Call("func.functional_call", [_LINEAR, {"weight": T(np.ones((2, 3), np.float32), grad=True)}, (INPUT,)], {})
    yield Call("func.functional_call", [_LINEAR, {}, INPUT], {"tie_weights": True, "strict": False})
    yield Call("func.stack_module_state", [[_LINEAR, _LINEAR]], {})
    yield Call("func.replace_all_batch_norm_modules_", [New(Call("nn.BatchNorm1d", [3], {}))], {})
    for name in ("jacobian", "hessian"):
        yield Call(f"autograd.functional.{name}", [Fn("total"), X], {})
        yield Call(f"autograd.functional.{name}", [Fn("energy"), (X, Y)], {"create_graph": True})
    yield Call("autograd.functional.jacobian", [Fn("field"), (X, Y)], {"vectorize": True, "strategy": "reverse-mode"})
    yield Call("autograd.functional.jacobian", [Fn("field"), (X, Y)], {"strict": True})
    for name in ("vjp", "jvp"):
        yield Call(f"autograd.functional.{name}", [Fn("square"), X], {"v": Y})
        yield Call(
            f"autograd.functional.{name}", [Fn("field"), (X, Y), Y if name == "vjp" else (Y, X)], {"create_graph": True}
        )
    for name in ("vhp", "hvp"):
        yield Call(f"autograd.functional.{name}", [Fn("total"), X], {"v": Y})
        yield Call(f"autograd.functional.{name}", [Fn("energy"), (X, Y)], {"v": (Y, X), "strict": True})
    yield Call("utils.checkpoint.checkpoint", [Fn("field"), X, Y], {"use_reentrant": False})
    yield Call("utils.checkpoint.checkpoint", [Fn("field"), X, Y], {"use_reentrant": True, "preserve_rng_state": False})
    yield Call(
        "utils.checkpoint.checkpoint",
        [Fn("noise"), X],
        {"use_reentrant": False, "determinism_check": "none", "debug": False},
    )
    yield Call(
        "utils.checkpoint.checkpoint_sequential",
        [[_LINEAR, New(Call("nn.Tanh", [], {}))], 2, INPUT],
        {"use_reentrant": False},
    )
    yield Call("optim.lr_scheduler.LambdaLR", [_SGD, Fn("schedule")], {})
    yield Call("optim.lr_scheduler.LambdaLR", [_SGD, [Fn("schedule")], -1], {})
    yield Call("optim.lr_scheduler.MultiplicativeLR", [_SGD, Fn("schedule")], {})
    yield Call("nn.utils.parametrizations.weight_norm", [_LINEAR], {"name": "weight", "dim": 0}, then=(INPUT,))
    yield Call("nn.utils.parametrizations.spectral_norm", [_LINEAR, "weight", 2], {"eps": 1e-8}, then=(INPUT,))
    yield Call("nn.utils.parametrizations.orthogonal", [_LINEAR], {"orthogonal_map": "cayley"}, then=(INPUT,))
    yield Call("nn.utils.weight_norm", [_LINEAR, "weight", 0], {}, then=(INPUT,))
    yield Call("nn.utils.spectral_norm", [_LINEAR], {"n_power_iterations": 2}, then=(INPUT,))
    data = New(Call("utils.data.TensorDataset", [INPUT, T(np.array([1, 0]))], {}))
    yield Call("utils.data.TensorDataset", [INPUT, T(np.array([1, 0]))], {})
    yield Call("utils.data.DataLoader", [data], {"batch_size": 2, "shuffle": True, "drop_last": False})
    yield Call("utils.data.DataLoader", [data, 1, False], {"num_workers": 0, "pin_memory": False})
    yield Call("utils.data.random_split", [data, [1, 1]], {})
    yield Call("utils.data.random_split", [data, [0.5, 0.5]], {})
    yield Call("utils.data.Subset", [data, [1]], {})
    yield Call("utils.data.RandomSampler", [data], {"replacement": True, "num_samples": 5})
    yield Call("utils.data.WeightedRandomSampler", [[0.1, 0.5, 0.4], 4], {"replacement": True})
    yield Call("utils.data.SubsetRandomSampler", [[3, 1, 2]], {})
    yield Call("utils.data.BatchSampler", [New(Call("utils.data.SequentialSampler", [data], {})), 2, True], {})
    yield Call("utils.data.ConcatDataset", [[data, data]], {})
    yield Call("utils.data.default_collate", [[INPUT, INPUT]], {})
    yield Call("utils.data.default_collate", [[{"a": 1, "b": 2.5}, {"a": 3, "b": 0.5}]], {})
    yield Call("nn.utils.clip_grad_norm_", [[T(X.values, grad=True, given=Y.values)], 1.0], {"norm_type": 2.0})
    yield Call("nn.utils.clip_grad_norm_", [T(X.values, grad=True, given=Y.values), 0.5], {"error_if_nonfinite": True})
    yield Call("nn.utils.clip_grad_value_", [[T(X.values, grad=True, given=Y.values)], 1.0], {})
    yield Call("nn.utils.clip_grads_with_norm_", [[T(X.values, grad=True, given=Y.values)], 1.0, T(np.array(2.0))], {})
    yield Call("nn.utils.get_total_norm", [[X, MATRIX], 2.0], {})
    yield Call(
        "nn.utils.vector_to_parameters", [T(np.arange(6.0)), [T(X.values, grad=True), T(Y.values, grad=True)]], {}
    )


CALLS = list(_calls())

# What the engines keep of their own in an optimizer's groups.
_OWN = ("params", "foreach", "fused", "capturable", "differentiable", "initial_lr")


def used(x: Any, engine: Engine, then: tuple[Any, ...], seed: int) -> Any:
    """What comes of using x, whatever it is: of a distribution samples and densities, of an optimizer steps, of a function its result for
    `then`; None where there is nothing to use."""
    torch = engine.module
    if isinstance(x, list | tuple):
        return [used(y, engine, then, seed) for y in x]
    if isinstance(x, torch.optim.Optimizer):
        return _stepped(x, engine, seed)
    if isinstance(x, torch.optim.lr_scheduler.LRScheduler):
        return _scheduled(x, torch)
    if isinstance(x, torch.distributions.Distribution):
        return _described(x)
    if isinstance(x, torch.utils.data.Dataset | torch.utils.data.Sampler | torch.utils.data.DataLoader):
        return _listed(x)
    if callable(x) and not isinstance(x, type) and then:
        return x(*then)
    return None


def _stepped(optimizer: Any, engine: Engine, seed: int) -> Any:
    """The parameters after two steps on gradients that are the same in both engines, and what the optimizer says of itself."""
    rng = np.random.default_rng(seed)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def loss() -> Any:
        optimizer.zero_grad()
        total = sum((p**2).sum() for p in parameters)
        total.backward()
        return total

    for _ in range(2):
        for p in parameters:
            p.grad = engine.module.from_numpy(
                np.asarray(rng.normal(size=tuple(p.shape)), engine.dtype(p)).reshape(tuple(p.shape))
            )
        optimizer.step(*([loss] if type(optimizer).__name__ == "LBFGS" else []))
    said = [[(k, group[k]) for k in sorted(group) if k not in _OWN] for group in optimizer.param_groups]
    return [p.detach() for p in parameters], said


def _scheduled(schedule: Any, torch: Any) -> list[Any]:
    """The learning rates of five steps, and momenta."""
    rates = []
    for step in range(5):
        rates.append([(group["lr"], group.get("momentum")) for group in schedule.optimizer.param_groups])
        schedule.optimizer.step()
        schedule.step(*([1.0 + step] if isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau) else []))
    return rates


def _described(p: Any) -> list[Any]:
    found: list[Any] = [tuple(p.batch_shape), tuple(p.event_shape), bool(p.has_rsample)]
    sample = p.sample((2,))
    found += [sample, p.log_prob(sample)]
    for name in ("mean", "variance"):
        try:
            found.append(getattr(p, name))
        except NotImplementedError:
            found.append("no answer")
    return found


def _listed(x: Any) -> list[Any]:
    """The first elements of a dataset, a loader or a sampler."""
    if hasattr(x, "__getitem__"):
        return [x[i] for i in range(min(len(x), 20))]
    return list(itertools.islice(iter(x), 20))
