"""Optimizers and schedulers: many steps on given gradients, with parameter groups, missing gradients and a restart from state."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ..case import EXACT, REDUCED, Call, call, family, op, resolve
from ..inputs import Draw

family("optimizer")


def run_optimizer(
    torch: Any, name: str, options: dict, starts: list, gradients: list, groups: bool, restart: bool, missing: int
) -> Any:
    """The parameters after every step, and the state at the end."""
    params = [torch.nn.Parameter(s.detach().clone()) for s in starts]
    made = resolve(torch, name)

    def build(ps: list) -> Any:
        if groups:
            return made([{"params": ps[:1], "lr": 0.05}, {"params": ps[1:], "weight_decay": 0.02}], **options)
        return made(ps, **options)

    optimizer = build(params)
    path = []
    for step, grads in enumerate(gradients):
        optimizer.zero_grad()
        for i, (p, g) in enumerate(zip(params, grads)):
            # Gradients depend on the values, as in training.
            p.grad = None if (i, step) == (1, missing) else (g + 0.1 * p.detach())
        if restart and step == len(gradients) // 2:
            state = optimizer.state_dict()
            optimizer = build(params)
            optimizer.load_state_dict(state)
        optimizer.step()
        path.append([p.detach().clone() for p in params])
    state = optimizer.state_dict()
    kept = {k: {n: (v if isinstance(v, torch.Tensor) else v) for n, v in s.items()} for k, s in state["state"].items()}
    settings = [{k: g[k] for k in sorted(g) if k in SETTINGS} for g in state["param_groups"]]
    return path, kept, settings


SETTINGS = ("lr", "betas", "eps", "weight_decay", "momentum", "dampening", "nesterov", "maximize", "amsgrad", "alpha", "centered",
            "lr_decay", "momentum_decay", "params")  # fmt: skip


def optimizer(name: str, **choices: tuple[Any, ...]) -> None:
    """choices: for each argument the values that are tried."""

    def drawn(d: Draw) -> Call:
        options = {k: d.choice(v) for k, v in choices.items() if k == "lr" or d.flag()}
        if options.get("nesterov"):
            options |= {"momentum": 0.8, "dampening": 0}
        starts = [d.tensor(s, grad=False, layout="C") for s in ((3, 2), (2,), ())]
        n = d.choice((10, 40))
        gradients = [[d.tensor(s.shape, grad=False, layout="C") for s in starts] for _ in range(n)]
        return call(f"optim.{name}", options, starts, gradients, d.flag(0.4), d.flag(0.4), d.choice((-1, 0, 3)))

    op(
        f"optim.{name}",
        drawn,
        run_optimizer,
        tolerance=REDUCED,
        gradient=False,
        float32=False,
        modes=("normal", "normal", "ties"),
    )


DECAY = (0, 0.1)
optimizer(
    "SGD",
    lr=(0.1, 0.01),
    momentum=(0.9, 0),
    dampening=(0, 0.3),
    nesterov=(True, False),
    weight_decay=DECAY,
    maximize=(True,),
)
ADAM = {
    "lr": (0.1, 0.01),
    "betas": ((0.8, 0.95), (0.9, 0.999)),
    "eps": (1e-8, 1e-3),
    "weight_decay": DECAY,
    "amsgrad": (True,),
    "maximize": (True,),
}
optimizer("Adam", **ADAM)
optimizer("AdamW", **ADAM)
# 0.07: with 0.1, tied values make gradient and decay cancel but for rounding, and Adamax divides that by its own size.
optimizer("Adamax", lr=(0.1,), betas=((0.8, 0.95),), weight_decay=(0, 0.07))
optimizer(
    "NAdam",
    lr=(0.1,),
    betas=((0.8, 0.95),),
    weight_decay=DECAY,
    momentum_decay=(4e-3, 0.1),
    decoupled_weight_decay=(True,),
)
optimizer("RAdam", lr=(0.1,), betas=((0.8, 0.95),), weight_decay=DECAY, decoupled_weight_decay=(True,))
optimizer(
    "RMSprop",
    lr=(0.1,),
    alpha=(0.9,),
    momentum=(0.9,),
    centered=(True,),
    weight_decay=DECAY,
    eps=(1e-3,),
    maximize=(True,),
)
optimizer("Adagrad", lr=(0.1,), lr_decay=(0.1,), weight_decay=DECAY, initial_accumulator_value=(0.1,), maximize=(True,))
optimizer("Adadelta", lr=(1.0, 0.1), rho=(0.8,), weight_decay=DECAY)
optimizer(
    "Adafactor",
    lr=(0.1, 0.01),
    beta2_decay=(-0.5,),
    eps=((1e-3, 1e-2),),
    d=(2.0,),
    weight_decay=DECAY,
    maximize=(True,),
)
optimizer("Rprop", lr=(0.01,))
optimizer("ASGD", lr=(0.1, 0.01), lambd=(1e-2,), alpha=(0.5,), t0=(3.0, 1e6), weight_decay=DECAY)


def _closure(torch: Any, x: Any) -> Any:
    """step(closure) evaluates the closure with gradients and returns its loss; zero_grad(set_to_none=...)."""
    p = torch.nn.Parameter(x.detach().clone())
    optimizer = torch.optim.SGD([p], lr=0.1)
    losses = []

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        for _ in range(3):
            losses.append(optimizer.step(closure).detach())
    optimizer.zero_grad(set_to_none=False)
    zeros = p.grad.clone()
    optimizer.zero_grad()
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(2))], "lr": 0.5})
    return losses, p.detach(), zeros, p.grad is None, len(optimizer.param_groups), optimizer.param_groups[1]["lr"]


op(
    "optim.SGD.closure",
    lambda d: call(d.tensor((3,), dtype="float64")),
    _closure,
    tolerance=REDUCED,
    gradient=False,
    float32=False,
)


def _step_hooks(torch: Any, x: Any) -> Any:
    """Hooks before and after each step, until they are removed."""
    p = torch.nn.Parameter(x.detach().clone())
    optimizer = torch.optim.SGD([p], lr=0.1)
    seen: list[Any] = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append((o is optimizer, p.detach().clone())))
    after = optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append((len(args), p.detach().clone())))
    for step in range(3):
        optimizer.zero_grad()
        (p**2).sum().backward()
        optimizer.step()
        (before if step == 0 else after).remove()
    return seen, p.detach()


op(
    "optim.SGD.hooks",
    lambda d: call(d.tensor((3,), dtype="float64")),
    _step_hooks,
    tolerance=REDUCED,
    gradient=False,
    float32=False,
)


def _hooks_of_all(torch: Any, x: Any) -> Any:
    """Hooks of every optimizer, before and after those of one."""
    p = torch.nn.Parameter(x.detach().clone())
    optimizer = torch.optim.SGD([p], lr=0.1)
    seen: list[str] = []
    kinds = torch.optim.optimizer if hasattr(torch.optim, "optimizer") else importlib.import_module(
        f"{torch.__name__}.optim.optimizer")  # fmt: skip
    handles = [
        kinds.register_optimizer_step_pre_hook(lambda *_: seen.append("before any")),
        kinds.register_optimizer_step_post_hook(lambda *_: seen.append("after any")),
        optimizer.register_step_pre_hook(lambda *_: seen.append("before")),
        optimizer.register_step_post_hook(lambda *_: seen.append("after")),
    ]
    try:
        optimizer.step()
    finally:
        for handle in handles:
            handle.remove()
    optimizer.step()
    return seen


op(
    "optim.SGD.hooks_of_all",
    lambda d: call(d.tensor((3,), dtype="float64")),
    _hooks_of_all,
    gradient=False,
    float32=False,
)


def _lbfgs(torch: Any, x: Any, options: dict, steps: int, restart: bool) -> Any:
    """A bowl with waves in it: the losses, where the steps led, and how often the loss was computed."""
    p, q = torch.nn.Parameter(x.detach().clone()), torch.nn.Parameter(x.detach()[0].clone())

    def made() -> Any:
        return torch.optim.LBFGS([p, q], **options)

    optimizer, path, evaluations = made(), [], 0

    def closure() -> Any:
        nonlocal evaluations
        evaluations += 1
        optimizer.zero_grad()
        loss = ((p - 0.5) ** 2).sum() + 0.3 * (2 * p).sin().sum() + (q * q + 0.1 * q * p.sum()).sum()
        loss.backward()
        return loss

    for step in range(steps):
        if restart and step == 1:
            saved, optimizer = optimizer.state_dict(), made()
            optimizer.load_state_dict(saved)
        path.append((optimizer.step(closure).detach(), p.detach().clone(), q.detach().clone(), evaluations))
    return path, sorted(optimizer.state_dict()["state"][0])


op(
    "optim.LBFGS",
    lambda d: call(
        d.tensor((3,), dtype="float64"),
        {"lr": d.choice((1, 0.3)), "max_iter": d.choice((1, 4)), "history_size": d.choice((2, 100)),
         "line_search_fn": d.choice((None, "strong_wolfe"))},
        d.integer(1, 4), d.flag(),
    ),
    _lbfgs, tolerance=REDUCED, gradient=False, float32=False, modes=("normal",),
)  # fmt: skip


def _own_optimizer(torch: Any, x: Any, steps: int, restart: bool) -> Any:
    """An optimizer of the user's own: heavy-ball momentum, its state, and a group with its own rate."""

    class HeavyBall(torch.optim.Optimizer):
        def __init__(self, params: Any, lr: float = 0.1, friction: float = 0.5) -> None:
            super().__init__(params, {"lr": lr, "friction": friction})

        def step(self, closure: Any = None) -> None:
            with torch.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        state = self.state[p]
                        velocity = state.get("velocity", torch.zeros_like(p))
                        state["velocity"] = group["friction"] * velocity - group["lr"] * p.grad
                        p.add_(state["velocity"])

    first, second = (torch.nn.Parameter(x.detach() * scale) for scale in (1.0, -0.5))

    def made() -> Any:
        return HeavyBall([{"params": [first]}, {"params": [second], "lr": 0.03}])

    optimizer = made()
    for step in range(steps):
        if restart and step == steps // 2:
            saved, optimizer = optimizer.state_dict(), made()
            optimizer.load_state_dict(saved)
        optimizer.zero_grad()
        ((first * second) ** 2 + first.sin()).sum().backward()
        optimizer.step()
    return first.detach(), second.detach(), [g["lr"] for g in optimizer.param_groups], optimizer.defaults["friction"]


op(
    "optim.Optimizer",
    lambda d: call(d.tensor((3,), dtype="float64"), d.integer(1, 6), d.flag()),
    _own_optimizer,
    tolerance=REDUCED,
    gradient=False,
    float32=False,
)

family("scheduler")


def run_scheduler(
    torch: Any, name: str, args: tuple, options: dict, steps: int, inner: list | None, restart: bool
) -> Any:
    """The learning rates of two groups over the steps."""

    def build() -> tuple[Any, Any]:
        ps = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
        optimizer = torch.optim.SGD([{"params": [ps[0]]}, {"params": [ps[1]], "lr": 0.4}], lr=0.1, momentum=0.9)
        module = torch.optim.lr_scheduler
        if inner is not None:
            parts = [getattr(module, n)(optimizer, *a) for n, a in inner]
            return optimizer, getattr(module, name)(
                optimizer, parts, **options
            ) if name == "SequentialLR" else module.ChainedScheduler(parts)
        return optimizer, getattr(module, name)(optimizer, *args, **options)

    optimizer, scheduler = build()
    rates = [[g["lr"] for g in optimizer.param_groups]]
    for step in range(steps):
        if restart and step == steps // 2:
            saved, optimizer_state = scheduler.state_dict(), optimizer.state_dict()
            optimizer, scheduler = build()
            optimizer.load_state_dict(optimizer_state)
            scheduler.load_state_dict(saved)
        optimizer.step()
        if name == "ReduceLROnPlateau":
            scheduler.step([1.0, 0.9, 0.9, 0.9, 0.95, 0.9, 0.9, 0.3][step % 8] * (1 - 0.001 * (step // 8)))
        else:
            scheduler.step()
        rates.append([g["lr"] for g in optimizer.param_groups] + [g.get("momentum") for g in optimizer.param_groups])
    return rates, list(scheduler.get_last_lr())


def _own_scheduler(torch: Any) -> Any:
    """A schedule of the user's own."""

    class Halving(torch.optim.lr_scheduler.LRScheduler):
        def get_lr(self) -> list[float]:
            return [base * 0.5**self.last_epoch for base in self.base_lrs]

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = Halving(optimizer)
    rates = []
    for _ in range(4):
        optimizer.step()
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    return rates, scheduler.last_epoch


op("optim.lr_scheduler.LRScheduler", lambda d: call(), _own_scheduler, gradient=False, float32=False)


def scheduler(
    name: str, *choices: tuple[tuple, dict[str, Any]], steps: int = 30, inner: list | None = None, restart: bool = True
) -> None:
    """choices: positional and keyword arguments that are tried."""

    def drawn(d: Draw) -> Call:
        args, options = d.choice(choices)
        return call(name, args, options, d.choice((3, steps)), inner, restart and d.flag())

    op(f"optim.lr_scheduler.{name}", drawn, run_scheduler, gradient=False, float32=False, modes=("normal",))


scheduler("LambdaLR", ((lambda e: 0.9**e,), {}), (([lambda e: 1 / (1 + e), lambda e: e % 3],), {}))
scheduler("MultiplicativeLR", ((lambda e: 0.95,), {}))
scheduler("StepLR", ((3,), {}), ((2,), {"gamma": 0.5}))
scheduler("MultiStepLR", (([2, 5],), {}), (([1, 3, 3, 9],), {"gamma": 0.5}))
scheduler("ConstantLR", ((), {}), ((0.5, 3), {}))
scheduler("ExponentialLR", ((0.9,), {}))
scheduler("LinearLR", ((), {}), ((0.1, 1.0, 7), {}), ((), {"start_factor": 1.0, "end_factor": 0.01, "total_iters": 20}))
scheduler("PolynomialLR", ((), {}), ((10, 2.0), {}))
scheduler("CosineAnnealingLR", ((10,), {}), ((25,), {"eta_min": 0.01}))
scheduler("CosineAnnealingWarmRestarts", ((5,), {}), ((4, 2, 0.01), {}), restart=False)
scheduler(
    "CyclicLR",
    ((0.01, 0.1), {"step_size_up": 4}),
    ((0.01, 0.1), {"step_size_up": 4, "mode": "triangular2"}),
    restart=False,
)
scheduler(
    "OneCycleLR", ((1.0,), {"total_steps": 31}), ((1.0,), {"epochs": 4, "steps_per_epoch": 8, "pct_start": 0.5}),
    ((1.0,), {"total_steps": 40, "anneal_strategy": "linear", "three_phase": True}), ((1.0,), {"total_steps": 31, "cycle_momentum": False}),
)  # fmt: skip
scheduler(
    "ReduceLROnPlateau",
    ((), {"patience": 2}),
    (("max", 0.5, 1), {}),
    (("min",), {"patience": 1, "cooldown": 2, "min_lr": 0.01, "threshold_mode": "abs"}),
)
scheduler(
    "SequentialLR",
    ((), {"milestones": [4]}),
    ((), {"milestones": [10]}),
    inner=[("LinearLR", (0.1, 1.0, 4)), ("ExponentialLR", (0.9,))],
)
scheduler("ChainedScheduler", ((), {}), inner=[("LinearLR", (0.1, 1.0, 4)), ("ExponentialLR", (0.9,))])

family("averages")


def _averaged(torch: Any, x: Any, kind: str, buffers: bool, steps: int) -> Any:
    """Averages of a network with batch norm over some steps, and its statistics measured anew."""
    torch.manual_seed(0)
    swa = torch.optim.swa_utils
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).double()
    ways = {
        "": {},
        "ema": {"avg_fn": swa.get_ema_avg_fn(0.9)},
        "swa": {"avg_fn": swa.get_swa_avg_fn()},
        "ema of all": {"multi_avg_fn": swa.get_ema_multi_avg_fn(0.9)},
        "swa of all": {"multi_avg_fn": swa.get_swa_multi_avg_fn()},
    }
    averaged = swa.AveragedModel(model, use_buffers=buffers, **ways[kind])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    schedule = swa.SWALR(optimizer, swa_lr=0.03, anneal_epochs=3, anneal_strategy="linear" if buffers else "cos")
    for _ in range(steps):
        optimizer.zero_grad()
        ((model(x.detach()) - x.detach()[:, :2]) ** 2).mean().backward()
        optimizer.step()
        averaged.update_parameters(model)
        schedule.step()
    before = {name: value.clone() for name, value in averaged.state_dict().items()}
    swa.update_bn([(x.detach(), 0), x.detach() + 1], averaged)
    mean = swa.get_swa_avg_fn()(x.detach(), x.detach() ** 2, torch.tensor(steps))
    return before, averaged.state_dict(), averaged.eval()(x.detach()), schedule.get_last_lr(), averaged.training, mean


op(
    "optim.swa_utils.AveragedModel",
    lambda d: call(
        d.tensor((4, 3), dtype="float64"), d.choice(("", "ema", "swa", "ema of all", "swa of all")), d.flag(), d.integer(1, 6)
    ),
    _averaged,
    covers=[f"optim.swa_utils.{n}" for n in ("get_ema_avg_fn", "get_swa_avg_fn", "get_ema_multi_avg_fn",
                                             "get_swa_multi_avg_fn", "update_bn", "SWALR")],
    tolerance=REDUCED, gradient=False, float32=False, modes=("normal",),
)  # fmt: skip

family("utilities")


def _with_gradients(torch: Any, xs: list, gs: list) -> list:
    params = [torch.nn.Parameter(x.detach().clone()) for x in xs]
    for p, g in zip(params, gs):
        p.grad = g.detach().clone()
    return params


def _clip_norm(torch: Any, xs: list, gs: list, *args: Any, **kwargs: Any) -> Any:
    params = _with_gradients(torch, xs, gs)
    total = torch.nn.utils.clip_grad_norm_(params, *args, **kwargs)
    return total, [p.grad for p in params]


def _clip_with_norm(torch: Any, xs: list, gs: list, limit: float) -> Any:
    params = _with_gradients(torch, xs, gs)
    total = torch.nn.utils.get_total_norm([p.grad for p in params])
    torch.nn.utils.clip_grads_with_norm_(params, limit, total)
    return [p.grad for p in params]


def _clip_value(torch: Any, xs: list, gs: list, limit: float) -> Any:
    params = _with_gradients(torch, xs, gs)
    return torch.nn.utils.clip_grad_value_(params, limit), [p.grad for p in params]


def parameters(d: Draw) -> tuple[list, list]:
    xs = [d.tensor(s, grad=False) for s in ((3, 2), (2,), ())]
    return xs, [d.like(x, grad=False) for x in xs]


op(
    "nn.utils.clip_grad_norm_",
    lambda d: call(*parameters(d), d.choice((1.0, 0.1, 100.0)), *d.choice(((), (2.0,), (1.0,), (float("inf"),)))),
    _clip_norm,
    tolerance=REDUCED,
    gradient=False,
)
op(
    "nn.utils.clip_grads_with_norm_",
    lambda d: call(*parameters(d), 1.0),
    _clip_with_norm,
    tolerance=REDUCED,
    gradient=False,
)
op("nn.utils.get_total_norm", lambda d: call(parameters(d)[0]), tolerance=REDUCED, gradient=False)
op("nn.utils.clip_grad_value_", lambda d: call(*parameters(d), 0.5), _clip_value, tolerance=EXACT, gradient=False)
op("nn.utils.parameters_to_vector", lambda d: call([d.tensor((3, 2)), d.tensor((2,))]), tolerance=EXACT, layouts=False)
op(
    "nn.utils.rnn.pad_sequence",
    lambda d: call(
        [d.tensor((d.integer(1, 4), 2)) for _ in range(d.integer(1, 4))],
        **d.choice(({}, {"batch_first": True}, {"padding_value": -1.5}, {"batch_first": True, "padding_side": "left"})),
    ),
    tolerance=EXACT,
    methods=False,
)


def _sequences(d: Draw) -> list:
    return [d.tensor((d.integer(1, 4), 2)) for _ in range(d.integer(1, 4))]


def _lengths(d: Draw, n: int, longest: int) -> list[int]:
    return sorted((d.integer(1, longest) for _ in range(n)), reverse=d.flag(0.7))


def _padded(d: Draw, first: bool) -> Any:
    return d.tensor((3, 4, 2) if first else (4, 3, 2))


op(
    "nn.utils.rnn.pack_padded_sequence",
    lambda d: (lambda first: call(_padded(d, first), _lengths(d, 3, 4), first, enforce_sorted=False))(d.flag()),
    tolerance=EXACT, methods=False,
)  # fmt: skip
op(
    "nn.utils.rnn.pack_sequence", lambda d: call(_sequences(d), enforce_sorted=False), tolerance=EXACT, methods=False,
)  # fmt: skip


def _pad_packed(torch: Any, xs: list, options: dict) -> Any:
    return torch.nn.utils.rnn.pad_packed_sequence(torch.nn.utils.rnn.pack_sequence(xs, False), **options)


op(
    "nn.utils.rnn.pad_packed_sequence",
    lambda d: call(_sequences(d), d.choice(({}, {"batch_first": True}, {"padding_value": -1.5, "total_length": 6}))),
    _pad_packed, tolerance=EXACT,
)  # fmt: skip


def _unpack(torch: Any, xs: list) -> Any:
    return torch.nn.utils.rnn.unpack_sequence(torch.nn.utils.rnn.pack_sequence(xs, False))


op("nn.utils.rnn.unpack_sequence", lambda d: call(_sequences(d)), _unpack, tolerance=EXACT)
op(
    "nn.utils.rnn.unpad_sequence",
    lambda d: (lambda first: call(_padded(d, first), d.lay(np.array(_lengths(d, 3, 4)), False), first))(d.flag()),
    # PyTorch turns the padded tensor itself over where batch_first is False; the case hands it one of its own.
    lambda torch, x, lengths, first: torch.nn.utils.rnn.unpad_sequence(x + 0, lengths, first),
    tolerance=EXACT,
)  # fmt: skip
op(
    "nn.utils.rnn.invert_permutation",
    lambda d: call(d.permutation(d.integer(1, 5))), tolerance=EXACT, gradient=False, methods=False,
)  # fmt: skip


def _from_vector(torch: Any, v: Any) -> Any:
    params = [torch.nn.Parameter(torch.zeros(s, dtype=v.dtype)) for s in ((3, 2), (2,))]
    torch.nn.utils.vector_to_parameters(v, params)
    return [p.detach() for p in params]


op(
    "nn.utils.vector_to_parameters",
    lambda d: call(d.tensor((8,), grad=False)),
    _from_vector,
    tolerance=EXACT,
    gradient=False,
)
