"""Schedules: random programs of nested schedules, resumed in the middle, step by step as in PyTorch."""

import copy
import inspect
import io
import random
import warnings

import numpy as np
import pytest
import torch

import minigrad

ALL = sorted(
    name
    for name, value in vars(minigrad.optim.lr_scheduler).items()
    if inspect.isclass(value) and issubclass(value, minigrad.optim.lr_scheduler.LRScheduler) and name[0] != "_"
)
COMBINED = ("SequentialLR", "ChainedScheduler")


class Decay:
    """A function of the epoch with a state."""

    def __init__(self, rate):
        self.rate = rate
        self.calls = 0

    def __call__(self, epoch):
        self.calls += 1
        return self.rate**epoch


def drawn(rng, name, groups, depth=0):
    """A schedule as a tree: (name, arguments, keywords); functions are given as (Decay, rate) or plain."""
    f = lambda *values: rng.choice(values)  # noqa: E731
    if name == "LambdaLR":
        functions = [("object", 0.9), ("plain", 0.8)]
        return name, [[f(*functions) for _ in range(groups)] if rng.random() < 0.5 else f(*functions)], {}
    if name == "MultiplicativeLR":
        return name, [f(("object", 0.98), ("plain", 0.9))], {}
    if name == "StepLR":
        return name, [rng.randint(1, 4)], {"gamma": f(0.1, 0.5)}
    if name == "MultiStepLR":
        return name, [[rng.randint(0, 8) for _ in range(rng.randint(0, 4))]], {"gamma": 0.5}
    if name == "ConstantLR":
        return name, [], {"factor": f(0.1, 0.5, 1.0), "total_iters": rng.randint(0, 5)}
    if name == "LinearLR":
        return name, [], {"start_factor": f(0.1, 1.0), "end_factor": f(1.0, 0.3), "total_iters": rng.randint(1, 6)}
    if name == "ExponentialLR":
        return name, [f(0.9, 0.5)], {}
    if name == "PolynomialLR":
        return name, [], {"total_iters": rng.randint(1, 8), "power": f(1.0, 2.0, 0.5)}
    if name == "CosineAnnealingLR":
        return name, [rng.randint(1, 8)], {"eta_min": f(0.0, 0.01)}
    if name == "CosineAnnealingWarmRestarts":
        return name, [rng.randint(1, 4)], {"T_mult": f(1, 2), "eta_min": f(0.0, 0.01)}
    if name == "CyclicLR":
        lr = [0.01 * (i + 1) for i in range(groups)] if rng.random() < 0.3 else 0.01
        more = {"scale_fn": f(("object", 0.7), ("plain", 0.9)), "scale_mode": f("cycle", "iterations")}
        return name, [lr, 0.2], {
            "step_size_up": rng.randint(1, 4), "step_size_down": f(None, 2), "mode": f("triangular", "triangular2", "exp_range"),
            "gamma": 0.9, "cycle_momentum": f(True, False), **(more if rng.random() < 0.4 else {}),
        }  # fmt: skip
    if name == "OneCycleLR":
        return name, [f(0.5, [0.1 * (i + 1) for i in range(groups)])], {
            "total_steps": rng.randint(20, 40), "pct_start": f(0.3, 0.5), "anneal_strategy": f("cos", "linear"),
            "three_phase": f(True, False), "cycle_momentum": f(True, False), "div_factor": f(25.0, 10.0),
        }  # fmt: skip
    if name == "ReduceLROnPlateau":
        return name, [], {
            "mode": f("min", "max"), "factor": 0.5, "patience": rng.randint(0, 3), "threshold": f(1e-4, 0.1),
            "threshold_mode": f("rel", "abs"), "cooldown": rng.randint(0, 2), "min_lr": f(0, 0.02, [0.01] * groups), "eps": f(1e-8, 0.05),
        }  # fmt: skip
    inner = [n for n in ALL if n not in ("LRScheduler", "ReduceLROnPlateau", *(COMBINED if depth else ()))]
    parts = [drawn(rng, rng.choice(inner), groups, depth + 1) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.03:
        parts.append(drawn(rng, "ReduceLROnPlateau", groups))
    options = {}
    if name == "SequentialLR":
        options = {"milestones": sorted(rng.randint(0, 8) for _ in parts[1:])}
    return name, [parts], options


def function(spec):
    kind, rate = spec
    return Decay(rate) if kind == "object" else (lambda epoch: rate**epoch)


def made(engine, optimizer, tree, last_epoch=None):
    name, args, options = tree
    module = engine.optim.lr_scheduler
    if name in COMBINED:
        parts = [made(engine, optimizer, part) for part in args[0]]
        first = (optimizer, parts) if name == "SequentialLR" else (parts,)
        return getattr(module, name)(*first, **options)
    if name in ("LambdaLR", "MultiplicativeLR"):
        args = [[function(f) for f in args[0]] if isinstance(args[0], list) else function(args[0])]
    if "scale_fn" in options:
        options = {**options, "scale_fn": function(options["scale_fn"])}
    if last_epoch is not None:
        options = {**options, "last_epoch": last_epoch}
    return getattr(module, name)(optimizer, *args, **options)


def program(rng, name):
    groups = rng.randint(1, 3)
    steps = []
    for _ in range(rng.randint(4, 14)):
        steps += ["optimizer"] * (rng.random() < 0.9) + ["step"]
        steps += [
            rng.choice(["save", "file", "get_lr", "copy", ("epoch", rng.randint(0, 12)), ("measure", rng.random())])
        ] * (rng.random() < 0.25)
    return {
        "tree": drawn(rng, name, groups), "groups": groups, "steps": steps, "optimizer": rng.choice(["SGD", "Adam", "Own"]),
        "tensor": rng.random() < 0.15, "last_epoch": rng.choice([None, None, None, 3]) if name not in COMBINED else None,
        "measures": [rng.random() for _ in range(8)],
    }  # fmt: skip


def new_optimizer(engine, p):
    class Own(engine.optim.Optimizer):
        def __init__(self, params, lr=0.1, momentum=0.9):
            super().__init__(params, {"lr": lr, "momentum": momentum})

        def step(self, closure=None):
            pass

    params = [engine.nn.Parameter(engine.zeros(2)) for _ in range(p["groups"])]
    rates = [engine.tensor(0.1 * (i + 1)) if p["tensor"] else 0.1 * (i + 1) for i in range(p["groups"])]
    options = {"momentum": 0.9} if p["optimizer"] == "SGD" else {}
    kind = Own if p["optimizer"] == "Own" else getattr(engine.optim, p["optimizer"])
    return kind([{"params": [w], "lr": lr} for w, lr in zip(params, rates, strict=True)], lr=0.1, **options)


def plain(value):
    """The values of anything, of either engine."""
    if isinstance(value, torch.Tensor | minigrad.Tensor):
        return ("tensor", str(value.dtype).split(".")[1], value.tolist())
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def run(engine, p, given=None):
    """What is seen after each step. given: of the other engine, the states that were saved, to load instead of one's own."""
    seen, states = [], []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            optimizer = new_optimizer(engine, p)
            if p["last_epoch"] is not None:
                for group in optimizer.param_groups:
                    group["initial_lr"] = 0.3
                    group |= {"max_lr": 0.5, "min_lr": 0.01, "base_momentum": 0.8, "max_momentum": 0.9}
            last = p["last_epoch"] if p["tree"][0] != "ReduceLROnPlateau" else None
            schedule = made(engine, optimizer, p["tree"], last)
            for i, step in enumerate(p["steps"]):
                if step == "optimizer":
                    optimizer.step()
                elif step == "step":
                    measure = (p["measures"][i % 8],) if p["tree"][0] == "ReduceLROnPlateau" else ()
                    schedule.step(*measure)
                elif step == "get_lr":
                    seen.append(plain(schedule.get_lr()))
                elif step == "copy":
                    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
                elif step in ("save", "file"):
                    saved = copy.deepcopy((optimizer.state_dict(), schedule.state_dict()))
                    states.append(copy.deepcopy(saved))
                    if given is not None:
                        saved = copy.deepcopy(given[len(states) - 1])
                    elif step == "file":
                        file = io.BytesIO()
                        engine.save(saved, file)
                        saved = engine.load(io.BytesIO(file.getvalue()))
                    seen.append(sorted(saved[1]))
                    optimizer = new_optimizer(engine, p)
                    schedule = made(engine, optimizer, p["tree"])
                    optimizer.load_state_dict(saved[0])
                    schedule.load_state_dict(saved[1])
                elif isinstance(step, tuple) and step[0] == "epoch":
                    schedule.step(step[1])
                elif isinstance(step, tuple):
                    schedule.step(step[1]) if p["tree"][0] == "ReduceLROnPlateau" else None
                keys = ("lr", "momentum", "betas", "initial_lr")
                seen.append([plain(group.get(k)) for group in optimizer.param_groups for k in keys])
                seen.append(plain(schedule.get_last_lr()))
                seen.append(getattr(schedule, "last_epoch", None))
        except Exception as error:
            seen.append(type(error).__name__)
    return seen, [w.category.__name__ for w in told], states


def close(a, b):
    if isinstance(a, list | tuple):
        return isinstance(b, list | tuple) and len(a) == len(b) and all(close(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or abs(a - b) <= 1e-12 * max(abs(a), abs(b)) + 1e-15 or (a != a and b != b)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("name", [name for name in ALL if name != "LRScheduler"])
def test_random_programs(name):
    rng = random.Random(name)
    for number in range(40 if name in COMBINED else 20):
        p = program(rng, name)
        theirs, their_warnings, their_states = run(torch, p)
        ours, our_warnings, our_states = run(minigrad, p)
        assert close(theirs, ours), (
            number,
            p,
            *[pair for pair in zip(theirs, ours, strict=False) if not close(*pair)][:2],
        )
        assert their_warnings == our_warnings, (number, p)
        if their_states and len(ours) > 2 and not isinstance(theirs[-1], str):  # PyTorch's states, resumed here
            resumed, _, _ = run(minigrad, p, their_states)
            assert close(theirs, resumed), (number, p)
            if not p["tensor"]:  # and minigrad's there
                resumed, _, _ = run(torch, p, our_states)
                assert close(theirs, resumed), (number, p)


def test_states_go_to_pytorch():
    """What minigrad saved of a schedule is what PyTorch saves: the same names, the same values."""
    rng = random.Random(0)
    for name in ALL:
        if name == "LRScheduler":
            continue
        p = program(rng, name) | {"tensor": False, "last_epoch": None}
        found = []
        for engine in (torch, minigrad):
            optimizer = new_optimizer(engine, p)
            try:
                schedule = made(engine, optimizer, p["tree"])
            except ValueError:
                continue
            found.append(schedule.state_dict())
        if len(found) == 2:
            assert list(found[0]) == list(found[1]) or name in ("ReduceLROnPlateau", "CyclicLR", "OneCycleLR")
            assert close(*[[[k, plain(v)] for k, v in sorted(state.items())] for state in found]), name


@pytest.mark.parametrize("epochs", [1, 4])
@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_swalr(epochs, strategy):
    seen = []
    for engine in (torch, minigrad):
        optimizer = engine.optim.SGD([engine.nn.Parameter(engine.zeros(1))], lr=0.1)
        schedule = engine.optim.swa_utils.SWALR(optimizer, 0.02, epochs, strategy)
        rates = []
        for i in range(8):
            if i == 3:
                state = schedule.state_dict()
                schedule = engine.optim.swa_utils.SWALR(optimizer, 0.02, epochs, strategy)
                schedule.load_state_dict(state)
            optimizer.step()
            schedule.step()
            rates.append(optimizer.param_groups[0]["lr"])
        seen.append([rates, sorted(k for k in schedule.state_dict())])
    np.testing.assert_allclose(seen[0][0], seen[1][0], rtol=1e-12)
    assert seen[0][1] == seen[1][1]


def test_a_step_that_was_replaced_is_told():
    for engine in (torch, minigrad):
        optimizer = engine.optim.SGD([engine.nn.Parameter(engine.zeros(1))], lr=0.1)
        schedule = engine.optim.lr_scheduler.StepLR(optimizer, 1)
        optimizer.step = lambda: None
        with pytest.warns(UserWarning, match="has been overridden after learning rate scheduler"):
            schedule.step()
