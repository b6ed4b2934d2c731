"""Random programs of views and in-place changes, line by line in both engines.

    python -m parity programs writes --examples 5000

A program is a list of lines of PyTorch code. They make tensors with and without history, views of them and views of views,
some under `no_grad`; write into them by in-place operations, element by element, through keys of every kind; and use what
is there in between. Each line may raise: then it must raise in both engines, errors of the same class, and the program goes
on. At the end the values of all tensors are compared, what is known of them (version, whether they are views and leaves,
the names of views' nodes), and the first and second derivatives of a sum of all of them by the leaves.

Where one engine goes backward and the other refuses, as a value that a gradient needs was overwritten, that is counted:
which operations save their input, and whether a value is copied when it is saved, differs here and there. Where PyTorch
refuses and minigrad does not (also to look at a view made under `no_grad` that a node saved), the first derivatives that PyTorch
gives with a copy of each saved value are those to agree with.

Explained, and not counted as wrong (`_accident`): where PyTorch raises by an accident that depends on whether somebody has
looked at a tensor before. Not drawn: writes that read what they have written (`x[:, 1:] = x[:, :-1]`), where PyTorch's answer
depends on the order in which it happens to write; minigrad reads first.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np
import torch

import minigrad

from .agreement import Mismatch, same_class
from .inputs import Seeded, Source
from .programs import _distance

LIMIT = 1e-9  # of a difference, relative to the largest element
LARGEST = 1e3
SAVED = "modified by an inplace operation"
SAVED_VIEW = (
    "view was created in no_grad mode"  # (going backward: a node of PyTorch's looks at such a view, which it saved)
)


@dataclass
class Writes:
    """Leaves by name, and lines of code."""

    leaves: dict[str, np.ndarray]
    lines: list[str] = field(default_factory=list)
    looks: bool = False  # whether somebody looks at every tensor's grad_fn after every line

    def script(self) -> str:
        """The program as code, for either engine."""
        made = [
            f"{name} = torch.tensor({x.tolist()}, dtype=torch.float64, requires_grad=True)"
            for name, x in self.leaves.items()
        ]
        return "\n".join([*made, *self.lines])


# -- drawing


class _Drawing:
    """A program in the making, and its tensors in PyTorch."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rng = np.random.default_rng(source.integer(0, 2**16))
        shapes = [(3,), (2, 3), (3, 3), (2, 3, 2)]
        leaves = {name: self.values(shapes[source.integer(0, 3)]) for name in "abc"[: source.integer(1, 3)]}
        self.program = Writes(leaves, looks=source.integer(0, 1) == 1)
        self.space = _space(torch, self.program)
        self.number = 0

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.round(self.rng.standard_normal(shape), 2)

    def choice(self, options: Any) -> Any:
        return options[self.source.integer(0, len(options) - 1)]

    def tensors(self) -> dict[str, Any]:
        return {name: t for name, t in self.space.items() if isinstance(t, torch.Tensor)}

    def pick(self, fits: Callable[[Any], bool] = lambda _: True) -> str | None:
        """The name of a tensor that fits; the newest are the likeliest."""
        names = [name for name, t in self.tensors().items() if fits(t)]
        if not names:
            return None
        return names[-1 - min(self.source.integer(0, len(names) - 1), self.source.integer(0, len(names) - 1))]

    def new(self) -> str:
        self.number += 1
        return f"v{self.number}"

    def number_text(self) -> str:
        return str(round(float(self.rng.uniform(-1.5, 1.5)), 2))


def _space(engine: ModuleType, program: Writes) -> dict[str, Any]:
    space: dict[str, Any] = {"torch": engine}
    for name, x in program.leaves.items():
        space[name] = engine.tensor(x.tolist(), dtype=engine.float64, requires_grad=True)
    return space


def _fresh(d: _Drawing) -> str:
    """A new tensor: without history, or computed."""
    name = d.choice(list(d.program.leaves))
    shape = tuple(d.choice([(3,), (2, 3), (3, 3), (2, 3, 2), (4,), (3, 1)]))
    forms = [
        f"torch.zeros({shape}, dtype=torch.float64)", f"torch.ones({shape}, dtype=torch.float64)", f"{name} * 1.5", f"{name}.clone()",
        f"{name} + 0.25", f"torch.sin({name})", f"{name}.detach().clone()",
    ]  # fmt: skip
    return f"{d.new()} = {d.choice(forms)}"


def _key(d: _Drawing, t: Any, basic: bool = False) -> str:
    """What may stand between brackets."""
    if t.ndim == 0:
        return d.choice(["...", "()", "None"])
    n = t.shape[0]
    i, j = d.source.integer(-n, n - 1), d.source.integer(0, n - 1)
    keys = [f"{i}", f"{j}:", f":{j + 1}", "::2", "...", "None", f"..., {d.source.integer(0, t.shape[-1] - 1)}", ":"]
    if t.ndim > 1:
        m = t.shape[1]
        k = d.source.integer(-m, m - 1)
        keys += [f"{i}, {k}", f":, {k}", f"{i}, 1:", f":, None, {k}", f"{j}:, ::2", f"{i}, ...", f"..., None, {j}:, :" if t.ndim == 2 else ":"]  # fmt: skip
    if not basic:
        places = [d.source.integer(-n, n - 1) for _ in range(d.source.integer(1, 2))]
        places = list(dict.fromkeys(p % n for p in places))
        mask = [bool(d.source.integer(0, 1)) for _ in range(n)]
        keys += [f"torch.tensor({places})", f"{places}", f"torch.tensor({mask})", f"{mask}", f"torch.tensor({i})"]
        if t.ndim > 1:
            keys += [
                f"torch.tensor({places}), {d.source.integer(0, t.shape[1] - 1)}",
                "0, torch.tensor([0, 1])",
                ":, [0]",
            ]
    return d.choice(keys)


def _view(d: _Drawing) -> str | None:
    name = d.pick()
    if name is None:
        return None
    t = d.tensors()[name]
    k, m = (d.source.integer(-t.ndim, t.ndim - 1) for _ in range(2)) if t.ndim else (0, 0)
    n = t.shape[k] if t.ndim else 1
    forms = [
        f"{name}[{_key(d, t, basic=True)}]", f"{name}[{_key(d, t, basic=True)}]", f"{name}.view(-1)", f"{name}.reshape(-1)", f"{name}.unsqueeze(0)", f"{name}.unsqueeze(-1)",
        f"{name}.squeeze()", f"{name}.flatten()", f"{name}.T", f"{name}.detach()", f"{name}.view_as({name})", f"{name}.expand_as({name})",
        f"{name}.expand(2, {', '.join(['-1'] * t.ndim)})" if t.ndim else f"{name}.expand(2)", f"{name}.contiguous()", f"{name}.ravel()",
    ]  # fmt: skip
    if t.ndim:
        i = d.source.integer(0, n - 1)
        forms += [
            f"{name}.select({k}, {i})", f"{name}.narrow({k}, {i}, {n - i})", f"{name}.unbind({k})[{i}]", f"{name}.split(1, {k})[{i}]",
            f"{name}.chunk(2, {k})[0]", f"{name}.tensor_split(2, {k})[0]", f"{name}.unfold({k}, {min(2, n)}, {d.choice((1, 2))})", f"list({name})[0]",
            f"{name}.movedim({k}, 0)", f"{name}.squeeze({k})", f"{name}.transpose({k}, {m})", f"{name}.permute({', '.join(map(str, reversed(range(t.ndim))))})",
        ]  # fmt: skip
    if t.ndim > 1:
        forms += [
            f"{name}.diagonal()",
            f"{name}.diagonal(1)",
            f"{name}.mT",
            f"{name}.t()",
            f"{name}.unflatten(0, (1, -1))",
        ]
    if t.ndim and t.is_contiguous() and t.numel() >= 3:
        forms.append(f"{name}.as_strided((2,), (2,), {d.choice(('None', t.storage_offset() + 0))})")
    line = f"{d.new()} = {d.choice(forms)}"
    return f"with torch.no_grad(): {line}" if d.source.integer(0, 9) == 0 else line


def _value(d: _Drawing, like: Any) -> str:
    """Something to write: a number, or a tensor that may fit."""

    def fits(t: Any) -> bool:
        try:
            return torch.broadcast_shapes(t.shape, like.shape) == like.shape
        except RuntimeError:
            return False

    name = d.pick(fits) if d.source.integer(0, 2) else None
    if name is None:
        return d.number_text()
    return name if d.source.integer(0, 3) else d.choice(("{0} * 0.5", "torch.sin({0})", "{0}.clone()")).format(name)


def _in_place(d: _Drawing) -> str | None:
    name = d.pick()
    if name is None:
        return None
    t = d.tensors()[name]
    target = name
    if t.ndim and d.source.integer(0, 3) == 0:  # a view that has no name
        target = f"{name}[{_key(d, t, basic=True)}]"
        try:
            t = eval(target, dict(d.space))
        except (RuntimeError, IndexError):
            return None
    value = _value(d, t)
    forms = [
        f"{target}.mul_({value})", f"{target}.add_({value})", f"{target}.sub_({value})", f"{target}.tanh_()", f"{target}.relu_()", f"{target}.clamp_(-1, 1)",
        f"{target}.fill_({d.number_text()})", f"{target}.zero_()", f"{target} *= {value}", f"{target} += {value}", f"{target}.neg_()", f"{target}.sin_()",
        f"{target}.masked_fill_({target} > 0.2, {d.number_text()})", f"{target}.add_({value}, alpha=0.5)", f"{target}.mul_({value})", f"{target}.add_({value})",
        f"{target}.lerp_({target}.detach() * 0.5, 0.25)", f"{target}.square_()", f"{target}.sigmoid_()",
    ]  # fmt: skip
    other = d.pick(lambda u: u.shape == t.shape and (0 not in u.stride() or u is not t))
    if other is not None:
        forms += [
            f"{target}.copy_({other})",
            f"{target}.addcmul_({other}, {other}, value=0.3)",
            f"{target}.copy_({other} * 2)",
        ]
    number = d.pick(lambda u: u.ndim == 0)
    if number is not None:
        forms += [f"{target}.fill_({number})", f"{target}.mul_({number})"]
    if t.ndim:
        n = t.shape[0]
        i = d.source.integer(0, max(n - 1, 0))
        forms += [
            f"{target}.index_fill_(0, torch.tensor([{i}]), {d.number_text()})", f"{target}.index_add_(0, torch.tensor([{i}]), {target}[:1].clone())",
            f"{target}.index_copy_(0, torch.tensor([{i}]), {target}[:1] * 2)", f"{target}.scatter_(0, torch.zeros_like({target}[:1], dtype=torch.int64), 0.3)",
            f"{target}.index_put_((torch.tensor([{i}]),), {target}[0] * 0.5)", f"{target}.masked_scatter_({target} > 0, {target} * 2)",
            f"{target}.scatter_add_(0, torch.zeros_like({target}[:1], dtype=torch.int64), {target}[:1].cos())",
        ]  # fmt: skip
        if target == name:
            forms += [f"for e in {name}: e.add_(0.5)", f"for e in {name}: e.mul_({d.number_text()})", f"{name}[0], {name}[-1] = {name}[-1].clone(), {name}[0].clone()"]  # fmt: skip
    if target == name and d.source.integer(0, 4) == 0:
        forms += [
            f"{name}.unsqueeze_(0)",
            f"{name}.squeeze_()",
            f"{name}.transpose_(0, -1)",
        ] * 3
    line = d.choice(forms)
    return f"with torch.no_grad():\n    {line}" if d.source.integer(0, 6) == 0 else line


def _set(d: _Drawing) -> str | None:
    name = d.pick()
    if name is None:
        return None
    t = d.tensors()[name]
    key = _key(d, t)
    try:
        part = eval(f"{name}[{key}]", dict(d.space))
    except (RuntimeError, IndexError):
        return None
    value = _value(d, part)
    value = d.choice(
        (
            value,
            value,
            value,
            "torch.ones(1, dtype=torch.float64)",
            f"({value} * torch.ones(1, *{tuple(part.shape)}, dtype=torch.float64))",
        )
    )
    line = f"{name}[{key}] {d.choice(('=', '=', '=', '+=', '*='))} {value}"
    return f"with torch.no_grad():\n    {line}" if d.source.integer(0, 8) == 0 else line


def _use(d: _Drawing) -> str | None:
    name = d.pick()
    if name is None:
        return None
    t = d.tensors()[name]
    # Of operands that lie in memory in different orders, the first decides in PyTorch how the result lies; not so here.
    other = d.pick(lambda u: u.shape == t.shape and (u.stride() == t.stride())) or name
    forms = ["{0} * {1}", "{0} + {1}", "torch.sin({0})", "{0} * 2", "torch.tanh({0})", "{0}.sum()", "{0} - {1} * 0.5", "torch.exp({0} * 0.1)", "{0}.mean()", "{0} * {0}"]  # fmt: skip
    if t.ndim:
        forms += [
            "{0}.sum(0)",
            "{0}.cumsum(0)",
            "torch.cat([{0}, {1}])",
            "{0}.contiguous().softmax(-1)",
            "{0}.max(0).values",
            "torch.stack([{0}, {1}])",
        ]
    return f"{d.new()} = {d.choice(forms).format(name, other)}"


def _watch(d: _Drawing) -> str | None:
    """Hooks, and gradients that are kept."""

    def fits(t: Any) -> bool:
        try:
            return t.grad_fn is not None or (t.requires_grad and not t._is_view())
        except RuntimeError:
            return False

    name = d.pick(fits)
    if name is None:
        return None
    # Looked at first: a hook on a view whose base was changed, when nobody has looked at it since, ends PyTorch's process.
    kept = f"{name}.grad_fn; {name}.retain_grad()"
    return d.choice((kept, kept, f"{name}.grad_fn; {name}.register_hook(lambda g: g * 1.5)"))


_KINDS = (_fresh, _view, _view, _view, _in_place, _in_place, _in_place, _set, _set, _use, _use, _watch)


def draw(source: Source) -> Writes:
    """A program of up to 16 lines."""
    d = _Drawing(source)
    wanted = source.integer(2, 16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in (_fresh, _view, *(d.choice(_KINDS) for _ in range(wanted))):
            line = kind(d)
            if line is None or _reads_what_it_writes(d, line):
                continue
            trial = replace(d.program, lines=[*d.program.lines, line])
            space, errors = _run_lines(torch, trial)
            if errors[-1] is not None and source.integer(0, 2):  # a third of the lines that raise are kept
                continue
            if not all(_moderate(t) for t in space.values() if isinstance(t, torch.Tensor)):
                continue
            d.program, d.space = trial, space
    return d.program


def _moderate(t: Any) -> bool:
    return 0 < t.numel() <= 64 and bool(t.detach().abs().max() < LARGEST) and t.dtype == torch.float64


def _reads_what_it_writes(d: _Drawing, line: str) -> bool:
    """Whether what PyTorch gives may depend on the order of its writes: what is written meets itself, or what is read, in part."""
    words = re.findall(r"[A-Za-z_]\w*", line.replace("with torch.no_grad():", ""))
    tensors = d.tensors()
    if not words or words[0] not in tensors:  # it makes something new
        return False
    written = tensors[words[0]].detach().numpy()
    if 0 not in written.strides and np.unique(_addresses(written)).size < written.size:
        return True
    for name in words[1:]:
        if name in tensors and np.shares_memory(read := tensors[name].detach().numpy(), written):
            same = (read.shape, read.strides, read.ctypes.data) == (written.shape, written.strides, written.ctypes.data)
            if not same or "] = " in line or "[" in line.partition(name)[2][:1]:
                return True
    return False


def _addresses(x: np.ndarray) -> np.ndarray:
    """Where in memory each element lies, from the first."""
    steps = [np.arange(n) * s for n, s in zip(x.shape, x.strides, strict=True)]
    return sum(np.meshgrid(*steps, indexing="ij", sparse=True), np.zeros(x.shape, np.int64))


# -- running


def _run_lines(engine: ModuleType, program: Writes) -> tuple[dict[str, Any], list[Exception | None]]:
    """The tensors after all lines, and the error of each line."""
    space = _space(engine, program)
    errors: list[Exception | None] = []
    for line in program.lines:
        try:
            exec(line, space)
            errors.append(None)
        except Exception as error:
            errors.append(error)
        if program.looks:
            for t in list(space.values()):
                with contextlib.suppress(RuntimeError):
                    getattr(t, "grad_fn", None)
    return space, errors


@dataclass
class Outcome:
    """What one engine made of a program."""

    errors: list[Exception | None]
    facts: dict[str, Any] = field(default_factory=dict)  # by tensor: what is known of it
    values: dict[str, np.ndarray] = field(default_factory=dict)
    gradients: dict[str, np.ndarray] = field(default_factory=dict)
    end: Exception | None = None  # with which going backward ended


_VIEWS = ("AsStridedBackward0", "CopySlices", "SelectBackward0", "SliceBackward0", "UnsqueezeBackward0", "TransposeBackward0", "PermuteBackward0", "DiagonalBackward0", "ExpandBackward0", "UnbindBackward0", "SplitBackward0", "UnfoldBackward0", "TBackward0")  # fmt: skip


def execute(engine: ModuleType, program: Writes, second: bool = True) -> Outcome:
    """Run the program in one engine, with cotangents that are the same in all."""
    space, errors = _run_lines(engine, program)
    outcome = Outcome(errors)
    tensors = {name: t for name, t in space.items() if isinstance(t, engine.Tensor)}
    rng = np.random.default_rng(7)
    loss: Any = 0.0
    for name, t in tensors.items():
        outcome.values[name] = np.array(t.detach().numpy(), copy=True)
        outcome.facts[name] = [t._version, t._is_view(), t.requires_grad]
        cotangent = engine.tensor(rng.standard_normal(tuple(t.shape)), dtype=engine.float64)
        try:
            node = t.grad_fn
            outcome.facts[name] += [t.is_leaf, type(node).__name__]
            if t.requires_grad:
                loss = loss + (t * cotangent * engine.sin(t.detach() + 1)).sum()
        except RuntimeError as error:
            outcome.facts[name].append("broken" if "INTERNAL ASSERT" in str(error) else type(error).__name__)
    leaves = [space[name] for name in program.leaves]
    try:
        grads = engine.autograd.grad(loss, leaves, create_graph=second, allow_unused=True)
        rest: Any = 0.0
        for name, g in zip(program.leaves, grads, strict=True):
            if g is not None:
                outcome.gradients[f"gradient of {name}"] = np.array(g.detach().numpy(), copy=True)
                rest = rest + (g * engine.tensor(rng.standard_normal(tuple(g.shape)), dtype=engine.float64)).sum()
        for name, t in tensors.items():
            if name not in program.leaves and t.retains_grad and t.grad is not None:
                outcome.gradients[f"{name}.grad"] = np.array(t.grad.detach().numpy(), copy=True)
        if second and getattr(rest, "requires_grad", False):
            for name, g in zip(program.leaves, engine.autograd.grad(rest, leaves, allow_unused=True), strict=True):
                if g is not None:
                    outcome.gradients[f"second derivative by {name}"] = np.array(g.detach().numpy(), copy=True)
    except Exception as error:
        outcome.end = error
    return outcome


@dataclass
class Found:
    """What comparing a program came to."""

    answered: bool = True  # by minigrad, where PyTorch does
    theirs: bool = True  # PyTorch answers
    extra: bool = False  # minigrad answers, and rightly, where PyTorch refuses
    explained: str = ""
    raised: int = 0  # lines that raise in both
    worst: float = 0.0


def _accident(line: str, ours: Exception | None, theirs: Exception | None) -> str:
    """Why PyTorch's error is none of minigrad's; empty if there is no reason."""
    if ours is None and "a leaf Variable that requires grad" in str(theirs) and "view of a leaf" not in str(theirs):
        return "a view that got its history through its base counts as a leaf in PyTorch until somebody looks at its grad_fn"
    if "INTERNAL ASSERT" in str(theirs):
        return "an assertion of PyTorch's own fails"
    return ""


_SEVERAL_TIMES = "single memory location"
_NO_GRADIENT = "PyTorch has no gradient of a change of memory that is seen several times"


def _a_hook_is_passed_by(lines: list[str]) -> bool:
    """Whether a hook may not see what a second derivative sends to it: see the README.

    So with one on the result of a fused operation, and one on a view that is then written in place itself.
    """
    for i, line in enumerate(lines):
        for name in re.findall(r"(\w+)\.register_hook", line):
            written = re.compile(rf"{name}(\.\w+_\(|\[.*\]\s*[-+*/]?=[^=]|\s*[-+*/]=)")
            if any(written.match(later) for later in lines[i + 1 :]) or any("softmax" in each for each in lines):
                return True
    return False


def compare(program: Writes) -> Found:
    """Run the program in both engines. Errors: Mismatch, with the program, where they differ."""
    found = Found()

    def wrong(what: str) -> Mismatch:
        return Mismatch(f"{what}\n\n{program.script()}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        second = not _a_hook_is_passed_by(program.lines)
        theirs, ours = execute(torch, program, second), execute(minigrad, program, second)
        for line, a, b in zip(program.lines, ours.errors, theirs.errors, strict=True):
            if a is None and b is None:
                continue
            if a is not None and b is not None:
                found.raised += 1
                if not same_class(a, b):
                    raise wrong(f"{line}\nminigrad: {_said(a)}\nPyTorch: {_said(b)}")
                continue
            if b is None:
                found.answered, found.theirs = False, theirs.end is None
                found.explained = f"{line}: minigrad refuses: {_said(a)}"
                return found
            found.explained = _accident(line, a, b)
            if not found.explained:
                raise wrong(f"{line}\nminigrad: no error\nPyTorch: {_said(b)}")
            found.theirs = False
            return found
        for name, expected in theirs.values.items():
            _agree(name, ours.values[name], expected, found, wrong)
        for name, expected in theirs.facts.items():
            got = ours.facts[name]
            known = expected[-1] in _VIEWS
            if expected[-1] == "broken":
                found.theirs, found.explained = False, _accident("", None, RuntimeError("INTERNAL ASSERT"))
                return found
            if got[:4] != expected[:4] or (known and got[-1] != expected[-1]):
                raise wrong(f"{name}: version, view, requires_grad, leaf, node: {got}, expected {expected}")
        if theirs.end is not None:
            found.theirs = False
            if ours.end is not None:
                if not same_class(ours.end, theirs.end):
                    raise wrong(f"minigrad: {_said(ours.end)}\nPyTorch: {_said(theirs.end)}")
                return found
            if _SEVERAL_TIMES in str(theirs.end):
                found.explained = _NO_GRADIENT
                return found
            if SAVED not in str(theirs.end) and SAVED_VIEW not in str(theirs.end):
                raise wrong(f"going backward\nminigrad: no error\nPyTorch: {_said(theirs.end)}")
            # What it would say if each value were copied when it is saved. (Only once: the copies have no history.)
            with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
                theirs = execute(torch, program, second=False)
            if _SEVERAL_TIMES in str(theirs.end):
                found.explained = _NO_GRADIENT
                return found
            if theirs.end is not None:
                raise wrong(f"with copies of what is saved, PyTorch: {_said(theirs.end)}")
            found.extra = True
            ours.gradients = {name: g for name, g in ours.gradients.items() if not name.startswith("second")}
        elif ours.end is not None:
            found.answered = False
            found.explained = f"backward: minigrad refuses: {_said(ours.end)}"
            return found
        names = set(ours.gradients) | set(theirs.gradients)
        for name in sorted(names):
            if name in ours.gradients and name in theirs.gradients:
                _agree(name, ours.gradients[name], theirs.gradients[name], found, wrong)
            elif np.any(ours.gradients.get(name, theirs.gradients.get(name)) != 0) or not name.startswith("second"):
                raise wrong(f"{name}: minigrad {ours.gradients.get(name)}, PyTorch {theirs.gradients.get(name)}")
    return found


def _agree(name: str, got: np.ndarray, expected: np.ndarray, found: Found, wrong: Callable[[str], Mismatch]) -> None:
    if got.shape != expected.shape or got.dtype != expected.dtype:
        raise wrong(f"{name}: {got.dtype} {got.shape}, expected {expected.dtype} {expected.shape}")
    found.worst = max(found.worst, _distance(got, expected))
    if not _distance(got, expected) <= LIMIT:
        raise wrong(f"{name}: got {got.tolist()}\nexpected {expected.tolist()}")


def _said(error: Exception | None) -> str:
    return "no error" if error is None else f"{type(error).__name__}: {error}"


def shorten(program: Writes) -> Writes:
    """A program that fails, without the lines that it fails without."""

    def fails(candidate: Writes) -> bool:
        try:
            compare(candidate)
        except Mismatch:
            return True
        except Exception:
            return False
        return False

    def shorter(lines: list[str]) -> Iterator[list[str]]:
        for i in reversed(range(len(lines))):
            yield lines[:i] + lines[i + 1 :]

    again = True
    while again:
        again = False
        for lines in shorter(program.lines):
            candidate = replace(program, lines=lines)
            if fails(candidate):
                program, again = candidate, True
                break
    return program


def run(examples: int, seed: int = 0, tick: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Compare so many seeded programs: what was answered, refused and explained, and the failures."""
    counts = {
        "examples": examples,
        "lines": 0,
        "raising_lines": 0,
        "pytorch_answers": 0,
        "answered": 0,
        "extra": 0,
        "explained": 0,
    }
    reasons: dict[str, list[int]] = {}  # by what was said: the programs' seeds
    failures: list[str] = []
    worst = 0.0
    for i in range(examples):
        program = draw(Seeded(seed * 1_000_003 + i))
        counts["lines"] += len(program.lines)
        try:
            found = compare(program)
        except Mismatch as first:
            mismatch = first
            if len(failures) < 5:
                try:
                    compare(shorten(program))
                except Mismatch as shortened:
                    mismatch = shortened
            failures.append(f"seed {seed * 1_000_003 + i}: {mismatch}")
        else:
            counts["raising_lines"] += found.raised
            counts["pytorch_answers"] += found.theirs
            counts["answered"] += found.theirs and found.answered
            counts["extra"] += found.extra
            counts["explained"] += bool(found.explained) and found.answered
            if found.explained:
                reasons.setdefault(found.explained, []).append(seed * 1_000_003 + i)
            worst = max(worst, found.worst)
        tick()
    return {**counts, "worst": worst, "reasons": reasons, "failures": failures}
