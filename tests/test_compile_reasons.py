"""Why a step runs eagerly: each reason names the program's line and what it calls by its public name."""

import collections
import functools
import random
import re
import time
import warnings

import numpy as np
import pytest

import minigrad as torch
import minigrad.nn.functional as F
from minigrad import nn, optim
from minigrad.compiler.record import NotCompiled
from minigrad.public import FUNCTIONAL, MINIGRAD

W = torch.randn(4, 4, requires_grad=True)
NET = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
SGD = optim.SGD([W, *NET.parameters()], 0.01)
TABLE = collections.OrderedDict(a=2)
LIST = [1]
COUNT = 0


class Holder:
    n = 0


HOLDER = Holder()


@pytest.fixture(autouse=True)
def gradients_of_zero():
    """Each test finds the same, whichever came before it."""
    for p in (W, *NET.parameters()):
        p.grad = torch.zeros_like(p)


class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2


def decay(x):
    while x.norm() > 1:
        x = x / 2
    return x


def counted(x):
    global COUNT
    COUNT = COUNT + 1
    return x * 2


def counted_in_an_object(x):
    HOLDER.n = HOLDER.n + 1
    return x * 2


def one_entry(x):
    out = {}
    out["loss"] = x * 2
    return out


def with_a_hook(x):
    y = x * W
    y.register_hook(lambda g: g)
    y.sum().backward()
    return y.detach() * 1


def gradient_of_a_gradient(x):
    (g,) = torch.autograd.grad((W * x).pow(3).sum(), W, create_graph=True)
    g.sum().backward()
    return g.detach() * 1


def own_function(x):
    Own.apply(W * x).sum().backward()
    return x * 1


def backward_of(function):
    """A step: backward from the sum of what the function gives of W * x. The line is that of the function."""

    def step(x):
        W.grad = None
        function(W * x).sum().backward()
        return x * 1

    return step


def clipped_gradient(x):
    W.grad = None
    (W * x).sum().backward()
    W.grad.clamp_(-1, 1)
    return x * 1


def set_gradient(x):
    W.grad = None
    (W * x).sum().backward()
    W.grad = W.grad * 2
    return x * 1


def rate(x):
    return x * SGD.param_groups[0]["lr"]


def zeroed(x):
    SGD.zero_grad(set_to_none=False)
    return x * 1


def a_leaf_of_its_own(x):
    y = x.detach().requires_grad_()
    (y * 2).sum().backward()
    return y.grad


def imports(x):
    import logging

    logging.getLogger("nothing").debug("a")
    return x * 2


def formatted(x):
    print(f"{x.sum():.2f}", end="")
    return x * 2


def checked(x):
    if not (x == x).all():
        raise ValueError
    return x * 2


def to_numpy(x):
    return x * float(np.square(x.numpy()).sum())


def checkpointed(x):
    return torch.utils.checkpoint.checkpoint(torch.exp, x, use_reentrant=False)


def checkpointed_with_a_gradient(x):
    W.grad = None
    torch.utils.checkpoint.checkpoint(torch.exp, W * x, use_reentrant=False).sum().backward()
    return x * 1


def watched(x):
    with torch.autograd.detect_anomaly(check_nan=False):
        return x * 2


def drawn_from_its_own(x):
    return x + torch.randn(4, 4, generator=GENERATOR)


GENERATOR = torch.Generator()


def changed_argument(x):
    x.mul_(1.0)
    return x * 2


def vector(function):
    return functools.wraps(function)(lambda x: function(x[0]))


# By what the reason names: programs. The line is looked for in this file.
EAGER = {
    "bool(tensor)": [decay, checked, lambda x: x * 2 if x.sum() > 0 else x, lambda x: x if x.sum() and x.max() else -x],
    "tensor.item()": [lambda x: x * x.sum().item(), lambda x: x * x.max().item()],
    "tensor.tolist()": [lambda x: x * x.tolist()[0][0]],
    "tensor.numpy()": [to_numpy],
    "float(tensor)": [lambda x: x * float(x.sum())],
    "int(tensor)": [lambda x: x[int(x.argmax()) % 4] * 1],
    "a tensor as an index": [lambda x: [x * 1 for _ in range(x.argmax() % 3)]],
    "in tensor": [lambda x: x * 2 if 1 in x else x * 3],
    "x[...]": [lambda x: x[x > 0] * 2, lambda x: x.reshape(-1)[x.argmax()] * 2, backward_of(lambda y: y[y > 0])],
    "torch.nonzero": [lambda x: torch.nonzero(x > 0) * 1],
    "torch.unique": [lambda x: torch.unique(x > 0) * 1],
    "torch.masked_select": [lambda x: torch.masked_select(x, x > 0) * 1],
    "tensor.masked_select()": [lambda x: x.masked_select(x > 0) * 1],
    "torch.bincount": [lambda x: torch.bincount(x.argmax(1)) * 1],
    "torch.where": [lambda x: torch.where(x > 0)[0] * 1],
    "torch.equal": [lambda x: x * 2 if torch.equal(x, x) else x],
    "torch.allclose": [lambda x: x * 2 if torch.allclose(x, x) else x],
    "torch.linalg.det": [backward_of(lambda y: torch.linalg.det(y))],
    "torch.linalg.inv": [backward_of(lambda y: torch.linalg.inv(y))],
    "torch.linalg.solve": [backward_of(lambda y: torch.linalg.solve(y, y))],
    "torch.linalg.eigh": [backward_of(lambda y: torch.linalg.eigh(y @ y.T).eigenvalues)],
    "torch.linalg.svd": [backward_of(lambda y: torch.linalg.svd(y).S)],
    "torch.linalg.cholesky": [backward_of(lambda y: torch.linalg.cholesky(y @ y.T + torch.eye(4)))],
    "torch.logdet": [backward_of(lambda y: torch.logdet(y @ y.T + torch.eye(4)))],
    "Own.apply": [own_function],
    "create_graph=True": [gradient_of_a_gradient],
    "tensor.register_hook()": [with_a_hook],
    "a change in place of a gradient": [clipped_gradient],
    "a gradient set by the program": [set_gradient],
    "param_groups": [rate],
    "set_to_none=False": [zeroed],
    "tensor.requires_grad_()": [a_leaf_of_its_own],
    "print": [formatted, lambda x: [print(end=""), x * 2][1]],
    "logging": [imports],
    "TABLE": [lambda x: x * TABLE["a"]],
    "list.append": [lambda x: [LIST.append(1), x * 2][1]],
    "COUNT": [counted],
    "attribute n": [counted_in_an_object],
    "an entry": [one_entry],
    "random": [lambda x: x * random.random()],
    "time.time": [lambda x: x * time.time()],
    "numpy": [lambda x: x * float(np.asarray(2.0))],
    "map()": [lambda x: sum(map(torch.exp, [x]))],
    "checkpoint": [checkpointed, checkpointed_with_a_gradient],
    "detect_anomaly": [watched],
    "GENERATOR, a torch.Generator": [drawn_from_its_own],
    "an argument": [changed_argument],
    "torch.empty": [lambda x: torch.empty(4, 4).fill_(1.0) * x],
    "a view": [lambda x: x[0], lambda x: x.T],
    "requires grad": [lambda x: x * W, lambda x: NET(x)],
    "func.grad": [lambda x: torch.func.grad(lambda v: (v * v).sum())(x)],
    "func.vmap": [lambda x: torch.func.vmap(lambda r: r * 2)(x)],
    "torch.distributions": [lambda x: torch.distributions.Normal(0.0, 1.0).log_prob(x)],
    "format(tensor)": [lambda x: [f"{x.sum()}", x * 2][1]],
    "repr(tensor)": [lambda x: [repr(x), x * 2][1], lambda x: [str(x), x * 2][1]],
}
PROGRAMS = [(name, function) for name, functions in EAGER.items() for function in functions]

# Modules that stand behind the public names, and what only the engine says.
INTERNAL = re.compile(
    r"minigrad[./](ops|kernels|compiler|autograd/|tensor\.py)|\bops[./]|\.py \(|__\w+__|<locals>|<lambda>|<module>"
)
UNDERSCORE = re.compile(r"(?<![\w\]])_\w+")


def reasons_of(function, calls=3):
    step = torch.compile(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(calls):
            step(torch.randn(4, 4))
    assert not any(ready.program is not None for ready in step._ready), step.explain()
    return step._reasons


@pytest.mark.parametrize(("name", "function"), PROGRAMS, ids=[f"{i}-{name}" for i, (name, _) in enumerate(PROGRAMS)])
def test_a_reason_names_the_line_and_the_public_name(name, function):
    torch.func.vmap, torch.func.grad, torch.distributions.Normal, torch.utils.checkpoint.checkpoint  # noqa: B018  (imported)
    reasons = reasons_of(function)
    assert len(reasons) == 1, reasons
    said, _, where = reasons[0].partition(" (test_compile_reasons.py:")
    assert where, reasons
    number, _, text = where.partition(": ")
    with open(__file__, encoding="utf-8") as file:
        line = file.read().splitlines()[int(number) - 1].strip()
    assert text.rstrip(")") == line.rstrip(")") != "", (reasons, line)
    assert "step(torch.randn(4, 4))" not in line, f"the line of the call, not of the step: {reasons}"
    assert name in said, reasons
    assert not INTERNAL.search(said), reasons
    assert not UNDERSCORE.search(said.replace("set_to_none=False", "")), reasons


@pytest.mark.parametrize(("name", "function"), PROGRAMS, ids=[f"{i}-{name}" for i, (name, _) in enumerate(PROGRAMS)])
def test_fullgraph_raises_it_and_nothing_has_changed(name, function):
    numbers = [t.detach().clone() for t in (W, *NET.parameters())]
    gradient, before = W.grad, (list(LIST), HOLDER.n, COUNT)
    step = torch.compile(function, fullgraph=True)
    x = torch.randn(4, 4)
    given = x.clone()
    for _ in range(2):  # and again: it does not run eagerly afterwards
        with pytest.raises(NotCompiled, match=r"test_compile_reasons.py:\d+"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            step(x)
            step(x)
    assert torch.equal(x, given)
    assert all(torch.equal(a, b) for a, b in zip(numbers, (W, *NET.parameters()), strict=True))
    assert W.grad is gradient
    assert (list(LIST), HOLDER.n, COUNT) == before


def functions_of_one_tensor():
    """Every public function, by name; those that change how the engine runs apart."""
    found = {f"torch.{n}": f for n, f in MINIGRAD.items()}
    found |= {f"torch.nn.functional.{n}": getattr(F, n, f) for n, f in FUNCTIONAL.items()}
    found |= {f"torch.linalg.{n}": getattr(torch.linalg, n) for n in torch.linalg.__all__ if n[0].islower()}
    apart = {
        "manual_seed",
        "seed",
        "set_default_dtype",
        "set_num_threads",
        "set_printoptions",
        "save",
        "load",
        "set_rng_state",
    }
    return {n: f for n, f in found.items() if n.rpartition(".")[2] not in apart and not n.endswith("_")}


def arrays_of(x):
    if isinstance(x, torch.Tensor):
        return [np.array(x.detach().numpy())]
    return [a for part in x for a in arrays_of(part)] if isinstance(x, list | tuple) else [np.asarray(x)]


def calls_of(step, w, arguments):
    found = []
    for x in arguments:
        found.append([*arrays_of(step(x)), *([] if w.grad is None else [np.array(w.grad.numpy())])])
        w.grad = None
    return found


def are_near(a, b):
    return len(a) == len(b) and all(
        (x.shape, x.dtype) == (y.shape, y.dtype)
        and (np.allclose(x, y, rtol=1e-4, atol=1e-5, equal_nan=True) if x.dtype.kind in "fiub" else (x == y).all())
        for x, y in zip(a, b, strict=True)
    )


KINDS = {
    "numbers": (lambda: torch.randn(4, 4), False),
    "numbers with a gradient": (lambda: torch.randn(4, 4), True),
    "truths": (lambda: torch.randn(4, 4) > 0, False),
    "whole numbers": (lambda: torch.randint(0, 4, (4, 4)), False),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_function_of_one_tensor_gives_eager_s_numbers_or_says_why(kind):
    """Compiled by itself, at calls with other values each time: most have a program, and of the others the reason is one."""
    make, gradient = KINDS[kind]
    compiled = eager = 0
    for name, function in functions_of_one_tensor().items():
        w = torch.ones(1, requires_grad=gradient)

        def step(x, function=function, w=w):
            out = function(x * w) if gradient else function(x)
            if not gradient:
                return out
            parts = out if isinstance(out, list | tuple) else [out]
            parts[0].sum().backward()
            return [part.detach() * 1 for part in parts]

        torch.manual_seed(5)
        arguments = [make() for _ in range(4)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(7)
            try:
                expected = calls_of(step, w, arguments)
            except Exception:  # (it does not take this kind of tensor)
                continue
            run = torch.compile(step)
            torch.manual_seed(7)
            found = calls_of(run, w, arguments)
        assert all(map(are_near, expected, found)), (name, run.explain())
        if run._ready:
            compiled += 1
        else:
            eager += 1
            (reason,) = run._reasons
            said, _, where = reason.partition(" (test_compile_reasons.py:")
            assert where, (name, reason)
            assert not INTERNAL.search(said), (name, reason)
            assert not UNDERSCORE.search(said), (name, reason)
    assert compiled > 4 * eager > 0, (compiled, eager)
