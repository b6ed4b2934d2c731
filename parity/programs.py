"""Random programs: a graph of up to 40 operations, the same in both engines, compared in values, gradients and double backward.

    python -m parity programs --examples 2000

A program is a list of lines of PyTorch code. They are drawn one after the other, and each is tried in PyTorch as it is
drawn: what raises there, or leaves the numbers that double precision can carry (beyond 1e4), is drawn anew. There is reuse
(any earlier result may be taken again), views, broadcasting, reductions, matrix products, indexing, in-place steps, loops,
and branches that depend on a value. A program that fails prints as a script that needs neither this file nor Hypothesis.

Condition. Two engines that round differently in the first line differ in the last by that rounding times what the program
makes of it. How much that is, is measured: PyTorch runs the program again four times, each element of the inputs and each
result moved by a relative 2⁻³⁰ up or down at random. The change of a result over 2⁻³⁰ is its condition, and a difference is
divided by it where it is above 1. (The results too, as two of them may be equal but for rounding, and a branch hang on it.) So a program that amplifies a thousandfold may differ by 1e-7 and no more; one that does not, by 1e-10.

Refusals. An in-place step may overwrite what a gradient needs. An engine that saved it refuses to go backward; which
operations save their input and which their output differs here and there, so in about one program of fifty one engine
refuses where the other need not. That is counted, and no fault: a wrong number would be one.

Forms. Each program draws the form that fused operations take in it (`minigrad.use_kernels`): definition, NumPy, compiled at
any size, or "fastest", the choice that users have. PyTorch's operations have one form.

What is left out: in-place changes of a tensor of which a view is still in use. writes.py is about those.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np
import torch

import minigrad

from .agreement import Mismatch
from .engines import POSITIONS
from .inputs import Seeded, Source

LARGEST = 1e4  # of the values that a program may reach
LIMIT = 1e-10  # of a difference, relative, over the condition
NUDGE = 2.0**-30
MOST = 40  # operations

Lines = list[str]


@dataclass
class Program:
    """Inputs by name, lines of code, and the names of all results."""

    inputs: dict[str, np.ndarray]
    frozen: set[str]  # inputs that require no grad
    lines: Lines = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    steps: int = 0
    position: str = POSITIONS[0]  # the form that fused operations take in minigrad

    def script(self) -> str:
        """A script that runs the program in both engines and prints how far apart they are."""
        body = [f"    {name} = torch.tensor({_numbers(x)}, dtype=torch.float64, requires_grad={name not in self.frozen})" for name, x in self.inputs.items()]  # fmt: skip
        for line in self.lines:
            body += [f"    {part}" for part in line.split("\n")]
        leaves = ", ".join(name for name in self.inputs if name not in self.frozen)
        results = ", ".join(self.results)
        return "\n".join([
            "import minigrad",
            "import torch as pytorch",
            "",
            "",
            "def program(torch):",
            *body,
            f"    results = [{results}]",
            "    loss = sum((r * torch.cos(r.detach() + 1)).sum() for r in results)",
            f"    grads = torch.autograd.grad(loss, [{leaves}], create_graph=True, allow_unused=True)",
            "    second = sum((g * torch.sin(g.detach() + 2)).sum() for g in grads if g is not None)",
            f"    seconds = torch.autograd.grad(second, [{leaves}], allow_unused=True) if getattr(second, 'requires_grad', False) else []",
            "    return {'values': results, 'gradients': grads, 'second derivatives': seconds}",
            "",
            "",
            f"with minigrad.use_kernels({self.position!r}):  # the form of fused operations",
            "    ours = program(minigrad)",
            "theirs = program(pytorch)",
            "for kind in theirs:",
            "    for i, (a, b) in enumerate(zip(ours[kind], theirs[kind])):",
            "        if a is None or b is None:",
            "            print(kind, i, a, b)",
            "        else:",
            "            a, b = a.detach().numpy(force=True), b.detach().numpy(force=True)",
            "            print(kind, i, 'difference', abs(a - b).max() if a.size else 0.0)",
            "",
        ])  # fmt: skip

    def __str__(self) -> str:
        return self.script()


def _numbers(x: np.ndarray) -> str:
    return repr(x.tolist())


# -- drawing


class _Drawing:
    """A program in the making: its tensors in PyTorch, and which of them may be changed in place."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rng = np.random.default_rng(source.integer(0, 2**16))
        count = source.integer(1, 4)
        inputs, frozen = {}, set()
        for name in "abcd"[:count]:
            inputs[name] = self._values(self._shape())
            if name != "a" and source.integer(0, 5) == 0:
                frozen.add(name)
        self.program = Program(inputs, frozen)
        self.tensors: dict[str, Any] = {
            name: torch.tensor(x, requires_grad=name not in frozen) for name, x in inputs.items()
        }
        self.viewed: set[str] = set(inputs)  # inputs, views, and what has a view: not to be changed in place
        self.number = 0

    def _shape(self) -> tuple[int, ...]:
        return tuple(self.source.integer(1, 4) for _ in range(self.source.integer(0, 3)))

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.round(self.rng.standard_normal(shape) * 1.5, 3)

    def pick(self) -> str:
        """The name of a tensor."""
        return self._newest(list(self.tensors))

    def pick_fitting(self, fits: Callable[[Any], bool]) -> str | None:
        """The name of a tensor that fits, if there is one."""
        names = [name for name, t in self.tensors.items() if fits(t)]
        return self._newest(names) if names else None

    def _newest(self, names: list[str]) -> str:
        """One of the names; the newest are the likeliest."""
        back = min(self.source.integer(0, len(names) - 1), self.source.integer(0, len(names) - 1))
        return names[-1 - back]

    def choice(self, options: Any) -> Any:
        return options[self.source.integer(0, len(options) - 1)]

    def dim(self, t: Any) -> int:
        return self.source.integer(-t.ndim, t.ndim - 1)

    def try_line(self, line: str, target: str | None, view_of: str | None = None) -> bool:
        """Append the line if PyTorch runs it to moderate numbers."""
        space = {**self.tensors, "torch": torch}
        if target is not None and target in space:  # in place: on a copy first, so that a failure leaves no trace
            space[target] = space[target].clone()
        try:
            exec(line, space)
        except (RuntimeError, IndexError, ValueError):
            return False
        for name, value in space.items():
            if isinstance(value, torch.Tensor) and (name == target or name not in self.tensors):
                if value.dtype != torch.float64 or value.numel() > 300 or value.numel() == 0:
                    return False
                if not bool(torch.isfinite(value).all()) or float(value.detach().abs().max()) > LARGEST:
                    return False
        if target in self.tensors:
            exec(line, {**self.tensors, "torch": torch})
        else:
            assert target is not None
            self.tensors[target] = space[target]
            self.program.results.append(target)
            if view_of is not None:
                self.viewed |= {target, view_of}
        self.program.lines.append(line)
        return True


def _unary(d: _Drawing) -> bool:
    name = d.pick()
    t = d.tensors[name]
    forms = [
        "torch.tanh({0})", "{0}.sigmoid()", "{0}.sin()", "torch.relu({0})", "-{0}", "{0} * 0.5", "{0} + 1.25", "2.0 - {0}",
        "({0} * {0} + 1).sqrt()", "({0} * {0} + 0.5).log()", "{0}.square()", "torch.exp(torch.tanh({0}))", "{0}.abs()",
        "torch.nn.functional.gelu({0})", "torch.nn.functional.silu({0})", "torch.nn.functional.softplus({0})",
        "{0}.clamp(-1.1, 0.9)", "1 / ({0} * {0} + 1)", "{0} ** 3", "torch.nn.functional.elu({0})", "{0}.detach() * {0}",
        "torch.where({0} > 0.1, {0}, {0} * {0})", "{0}.clone()", "torch.nn.functional.leaky_relu({0}, 0.2)", "{0}.erf()",
    ]  # fmt: skip
    if t.ndim:
        k = d.dim(t)
        forms += [
            f"torch.softmax({{0}}, {k})", f"torch.log_softmax({{0}}, {k})", f"{{0}}.cumsum({k})", f"{{0}}.flip({k})",
            f"{{0}}.roll(1, {k})", f"{{0}}.cumprod({k})", f"{{0}}.sort({k}).values",
            "torch.nn.functional.layer_norm({0}, {0}.shape[-1:])",
        ]  # fmt: skip
    return _new(d, d.choice(forms).format(name))


def _binary(d: _Drawing) -> bool:
    first = d.pick()
    shape = d.tensors[first].shape

    def fits(t: Any) -> bool:
        try:
            return torch.broadcast_shapes(shape, t.shape) is not None
        except RuntimeError:
            return False

    second = d.pick_fitting(fits)
    forms = (
        "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / ({1} * {1} + 1)", "torch.maximum({0}, {1})", "torch.minimum({0}, {1})",
        "torch.where({0} > {1}, {0}, {1} * 2)", "torch.hypot({0}, {1} + 3)", "torch.lerp({0}, {1}, 0.3)",
        "({0} * {0} + 1) ** torch.tanh({1})", "torch.atan2({0}, {1} * {1} + 1)", "torch.addcmul({0}, {1}, {0}, value=0.5)",
    )  # fmt: skip
    return _new(d, d.choice(forms).format(first, second))


def _product(d: _Drawing) -> bool:
    first = d.pick_fitting(lambda t: t.ndim in (1, 2, 3))
    if first is None:
        return False
    t = d.tensors[first]
    second = d.pick_fitting(lambda u: u.ndim >= 1 and (u.shape[-2] if u.ndim > 1 else u.shape[0]) == t.shape[-1])
    if second is not None and d.source.integer(0, 1):
        return _new(d, f"{first} @ {second}")
    third = d.pick_fitting(lambda u: u.ndim == 2 and u.shape[1] == t.shape[-1])
    if third is not None:
        return _new(d, d.choice((f"torch.nn.functional.linear({first}, {third})", f"torch.matmul({first}, {third}.T)")))
    return _new(d, f"torch.einsum('...i,...i->...', {first}, {first})")


def _view(d: _Drawing) -> bool:
    name = d.pick_fitting(lambda t: t.ndim > 0)
    if name is None:
        name = d.pick()
        return _new(d, f"{name}.reshape(1)", view_of=name)
    t = d.tensors[name]
    k = d.dim(t)
    i = d.source.integer(-t.shape[0], t.shape[0] - 1)
    forms = [
        f"{name}[{i}]", f"{name}[{d.source.integer(0, t.shape[0] - 1)}:]", f"{name}[..., ::2]", f"{name}[..., None]",
        f"{name}.transpose(0, {k})", f"{name}.reshape(-1)", f"{name}.unsqueeze({k})", f"{name}.flatten()", f"{name}[:, None]",
        f"{name}.unsqueeze(0).expand(3, {', '.join(['-1'] * t.ndim)})", f"{name}.chunk(2, {k})[0]", f"{name}.unbind({k})[0]",
        f"{name}.narrow({k}, 0, 1)", f"{name}.movedim(0, -1)", f"{name}.contiguous().view(-1)",
    ]  # fmt: skip
    return _new(d, d.choice(forms), view_of=name)


def _reduction(d: _Drawing) -> bool:
    name = d.pick()
    t = d.tensors[name]
    if t.ndim == 0 or d.source.integer(0, 3) == 0:
        return _new(
            d, d.choice(("{0}.sum()", "{0}.mean()", "{0}.norm()", "{0}.square().sum()", "{0}.max()")).format(name)
        )
    k, keep = d.dim(t), d.choice((True, False))
    form = d.choice(("sum", "mean", "amax", "logsumexp", "amin", "prod"))
    return _new(d, f"{name}.{form}({k}, keepdim={keep})")


def _index(d: _Drawing) -> bool:
    name = d.pick_fitting(lambda t: t.ndim > 0)
    if name is None:
        return False
    t = d.tensors[name]
    n = t.shape[0]
    places = [d.source.integer(-n, n - 1) for _ in range(d.source.integer(1, 4))]
    positive = [p % n for p in places]
    forms = [
        f"{name}[torch.tensor({places})]", f"{name}.index_select(0, torch.tensor({positive}))",
        f"torch.cat([{name}, {name} * 2], {d.dim(t)})", f"torch.stack([{name}, {name}.sin()], 0)", f"{name}.repeat_interleave(2, 0)",
        f"torch.zeros_like({name}).index_add(0, torch.tensor({positive}), {name}[torch.tensor({positive})])",
        f"torch.nn.functional.pad({name}, (1, 2))", f"{name}.masked_fill({name} < 0, 0.25)",
        f"{name}.gather(0, torch.zeros_like({name}, dtype=torch.int64))",
    ]  # fmt: skip
    if t.ndim > 1:
        forms += [f"torch.tril({name})", f"{name}[torch.tensor({places}), 0]"]
    return _new(d, d.choice(forms))


def _in_place(d: _Drawing) -> bool:
    names = [name for name in d.tensors if name not in d.viewed and d.tensors[name].requires_grad]
    if not names:
        return _new(d, f"{d.pick()} * 1.5")
    name = names[-1 - d.source.integer(0, len(names) - 1)]
    t = d.tensors[name]
    other = d.pick_fitting(lambda u: u is not t and (u.shape == t.shape or u.ndim == 0))
    lines = [
        f"{name}.mul_(0.7)",
        f"{name}.add_(0.3)",
        f"{name}.tanh_()",
        f"{name}.relu_()",
        f"{name}.clamp_(-1.2, 1.2)",
        f"{name} *= 1.3",
    ]
    if other is not None:
        lines += [f"{name}.add_({other})", f"{name}.mul_({other})", f"{name} -= {other} * 0.5"]
    if t.ndim:
        i = d.source.integer(-t.shape[0], t.shape[0] - 1)
        lines += [f"{name}[{i}] = 0.5", f"{name}[{i}] *= 2.0", f"{name}[..., 0] += 1.0", f"{name}[{name} > 0.4] = 0.2"]
        scalar = d.pick_fitting(lambda u: u.ndim == 0 and u is not t)
        if scalar is not None:
            lines.append(f"{name}[{i}] = {scalar}")
    line = d.choice(lines)
    # Most in-place changes overwrite what a gradient needs: both engines then refuse. A few of those are enough.
    if d.source.integer(0, 15) and execute(torch, replace(d.program, lines=[*d.program.lines, line])).error:
        return False
    return d.try_line(line, name)


def _control(d: _Drawing) -> bool:
    name = d.pick()
    new = f"v{d.number}"
    if d.source.integer(0, 1):
        line = f"if {name}.sum().item() > 0.123:\n    {new} = {name} * 1.5 + 0.1\nelse:\n    {new} = torch.tanh({name}) - 0.2"
    else:
        times = d.source.integer(1, 3)
        line = f"{new} = {name}\nfor _ in range({times}):\n    {new} = torch.sin({new} + 0.4 * {name})"
    d.number += 1
    return d.try_line(line, new)


def _new(d: _Drawing, expression: str, view_of: str | None = None) -> bool:
    target = f"v{d.number}"
    d.number += 1
    return d.try_line(f"{target} = {expression}", target, view_of)


_KINDS = (
    _unary,
    _unary,
    _unary,
    _binary,
    _binary,
    _binary,
    _view,
    _view,
    _reduction,
    _product,
    _index,
    _in_place,
    _control,
)


def draw(source: Source) -> Program:
    """A program of 1 to 40 operations. At least one result depends on an input that requires grad: `a` always does."""
    d = _Drawing(source)
    wanted = source.integer(1, MOST)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(wanted):
            if d.choice(_KINDS)(d):
                d.program.steps += 1
    if not any(d.tensors[name].requires_grad for name in d.program.results):
        d.try_line("last = torch.tanh(a)", "last")
        d.program.steps += 1
    d.program.position = d.choice(POSITIONS)
    return d.program


# -- running


@dataclass
class Outcome:
    """By name: values, gradients and second derivatives; or the error with which it ended."""

    found: dict[str, np.ndarray] = field(default_factory=dict)
    error: Exception | None = None


def _array(engine: ModuleType, tensor: Any) -> np.ndarray:
    return np.array(tensor.detach().numpy(force=True), copy=True)


def execute(engine: ModuleType, program: Program, move: np.random.Generator | None = None) -> Outcome:
    """Run the program in one engine, with cotangents that are the same in all. With `move`, on nudged inputs."""
    outcome = Outcome()
    space: dict[str, Any] = {"torch": engine}
    for name, x in program.inputs.items():
        if move is not None:
            x = x * (1 + NUDGE * move.choice((-1.0, 1.0), x.shape))
        space[name] = engine.tensor(np.asarray(x), dtype=engine.float64, requires_grad=name not in program.frozen)
    leaves = {name: space[name] for name in program.inputs if name not in program.frozen}
    rng = np.random.default_rng(12345)
    try:
        for line in program.lines:
            known = set(space)
            exec(line, space)
            if move is not None:
                for name in set(space) - known - {"__builtins__"}:
                    space[name] = space[name] * (1 + NUDGE * move.choice((-1.0, 1.0)))
        results = [space[name] for name in program.results]
        for name, t in zip(program.results, results, strict=True):
            outcome.found[name] = _array(engine, t)
        loss: Any = 0.0
        for t in results:
            if t.requires_grad:
                loss = loss + (t * engine.tensor(rng.standard_normal(tuple(t.shape)), dtype=engine.float64)).sum()
        grads = engine.autograd.grad(loss, list(leaves.values()), create_graph=True, allow_unused=True)
        second: Any = 0.0
        for name, g in zip(leaves, grads, strict=True):
            if g is not None:
                outcome.found[f"gradient of {name}"] = _array(engine, g)
                second = second + (g * engine.tensor(rng.standard_normal(tuple(g.shape)), dtype=engine.float64)).sum()
        if getattr(second, "requires_grad", False):
            for name, g in zip(
                leaves, engine.autograd.grad(second, list(leaves.values()), allow_unused=True), strict=True
            ):
                if g is not None:
                    outcome.found[f"second derivative by {name}"] = _array(engine, g)
    except Exception as error:
        outcome.error = error
    return outcome


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference, relative to the largest element (at least 1)."""
    if a.size == 0:
        return 0.0
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.where(same, 0.0, np.abs(a - b))
    if not np.isfinite(difference).all():
        return float("inf")
    finite = np.abs(b[np.isfinite(b)])
    return float(difference.max() / max(1.0, finite.max() if finite.size else 1.0))


@dataclass
class Found:
    """What comparing a program came to."""

    worst: float = 0.0  # over the condition
    plain: float = 0.0  # as it is
    condition: float = 1.0
    raised: bool = False  # both engines refused it
    refused: bool = False  # one did


def compare(program: Program) -> Found:
    """Run the program in both engines. Errors: Mismatch, with the script, where they differ."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with minigrad.use_kernels(program.position):
            ours = execute(minigrad, program)
        theirs = execute(torch, program)
        found = Found()
        if ours.error is not None or theirs.error is not None:
            found.refused = ours.error is None or theirs.error is None
            if not all(e is None or "modified by an inplace operation" in str(e) for e in (ours.error, theirs.error)):
                raise Mismatch(f"minigrad: {_said(ours.error)}\nPyTorch: {_said(theirs.error)}\n\n{program.script()}")
            found.raised = not found.refused
            return found
        apart = [f"only in {who}: {names}" for who, names in (
            ("minigrad", sorted(set(ours.found) - set(theirs.found))), ("PyTorch", sorted(set(theirs.found) - set(ours.found))),
        ) if names and any(np.any(o.found[n] != 0) for o in (ours, theirs) for n in names if n in o.found)]  # fmt: skip
        if apart:
            raise Mismatch("; ".join(apart) + "\n\n" + program.script())
        nudged: list[Outcome] = []
        for name, expected in theirs.found.items():
            if name not in ours.found:
                continue
            got = ours.found[name]
            if got.shape != expected.shape or got.dtype != expected.dtype:
                raise Mismatch(
                    f"{name}: {got.dtype} {got.shape}, expected {expected.dtype} {expected.shape}\n\n{program.script()}"
                )
            plain = _distance(got, expected)
            found.plain = max(found.plain, plain)
            if plain <= 1e-14:
                found.worst = max(found.worst, plain)
                continue
            if not nudged:
                nudged += [execute(torch, program, np.random.default_rng(seed)) for seed in range(4)]
            moved = [_distance(n.found[name], expected) for n in nudged if name in n.found]
            condition = max([1.0, *(m / NUDGE for m in moved if np.isfinite(m))])
            found.condition = max(found.condition, condition)
            found.worst = max(found.worst, plain / condition)
            if not plain / condition <= LIMIT:
                raise Mismatch(
                    f"{name} differs by {plain:.1e} (relative to its largest element), {plain / condition:.1e} over the "
                    f"program's condition of {condition:.1e}\ngot      {got.tolist()}\nexpected {expected.tolist()}\n\n"
                    f"{program.script()}"
                )
    return found


def shorten(program: Program) -> Program:
    """A program that fails, without the lines and inputs that it fails without; as it is if it does not fail."""

    def fails(candidate: Program) -> bool:
        error = execute(torch, candidate).error
        if error is not None and "modified by an inplace operation" not in str(error):
            return False  # it is no program any more
        try:
            compare(candidate)
        except Mismatch:
            return True
        return False

    if not fails(program):
        return program
    shorter = True
    while shorter:
        shorter = False
        for lines in _without_a_line(program.lines):
            made = {name for line in lines for name in re.findall(r"^ *(\w+) = ", line, re.MULTILINE)}
            candidate = replace(program, lines=lines, results=[name for name in program.results if name in made])
            if candidate.results and fails(candidate):
                program, shorter = candidate, True
                break
    for name in list(program.inputs):
        if name != "a" and not any(re.search(rf"\b{name}\b", line) for line in program.lines):
            candidate = replace(program, inputs={k: x for k, x in program.inputs.items() if k != name})
            if fails(candidate):
                program = candidate
    return program


def _without_a_line(lines: Lines) -> Iterator[Lines]:
    """The lines without one of them: what it made is not used, or what it was made of is used in its place."""
    for i in reversed(range(len(lines))):
        before, line, after = lines[:i], lines[i], lines[i + 1 :]
        yield [*before, *after]
        target, _, expression = line.partition(" = ")
        if target.isidentifier():
            for operand in dict.fromkeys(re.findall(r"\b(?:[abcd]|v\d+)\b", expression)):
                if operand != target:
                    yield [*before, *(re.sub(rf"\b{target}\b", operand, later) for later in after)]


def _said(error: Exception | None) -> str:
    return "no error" if error is None else f"{type(error).__name__}: {error}"


def run(examples: int, seed: int = 0, tick: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Compare so many seeded programs: how many operations, forms and errors there were, the worst difference, the failures."""
    worst, plain, condition, steps, raised, refused = 0.0, 0.0, 1.0, 0, 0, 0
    failures: list[str] = []
    positions = dict.fromkeys(POSITIONS, 0)
    for i in range(examples):
        program = draw(Seeded(seed * 1_000_003 + i))
        steps += program.steps
        positions[program.position] += 1
        try:
            found = compare(program)
        except Mismatch:
            try:
                compare(shorten(program) if len(failures) < 3 else program)
            except Mismatch as mismatch:
                failures.append(str(mismatch))
        else:
            worst, plain = max(worst, found.worst), max(plain, found.plain)
            condition = max(condition, found.condition)
            raised += found.raised
            refused += found.refused
        tick()
    return {
        "examples": examples, "operations": steps, "both_refuse": raised, "one_refuses": refused, "worst": worst, "worst_plain": plain,
        "worst_condition": condition, "positions": positions, "failures": failures,
    }  # fmt: skip
