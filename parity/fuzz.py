"""`python -m parity fuzz --calls N --seed S [--names PREFIX ...]`: calls of every public name, good and bad, in both engines.

The case table calls each name as it should be called. Here its calls are learnt by running it, and spoilt: an argument of
another kind, type or size, a number out of range, one argument too many, a keyword that is not there or spelt as NumPy
spells it. What PyTorch refuses minigrad must refuse too, with an error of the same class that it raised on purpose; what
PyTorch answers it must answer alike. The calls are drawn by number: the same seed gives the same calls.

They run in a process of their own with limits of time and memory, so that one that hangs or kills it is a finding too.
`VERDICTS` says what may come of a call, `REASONS` where minigrad differs on purpose.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import json
import linecache
import math
import os
import re
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import minigrad
from minigrad.autograd.variable import Variable

from .agreement import Example, Tally, run_form, same_class
from .case import resolve
from .cases import CASES
from .engines import MINIGRAD, TORCH, Engine
from .inputs import Seeded

SECONDS = 5  # a call
MEMORY = 6 << 30  # bytes, of the process that runs the calls
LARGE = 3000  # elements: calls with more are not learnt

# What may come of a call, by what the engines did. Only "agree" and what REASONS says is as it should be.
VERDICTS = {
    "agree": "both answer alike, or both refuse with errors of one class",
    "taken": "PyTorch raises, minigrad returns",
    "different": "both return, but other values, shapes or types",
    "crash": "minigrad ends the process, or runs out of time",
    "refused": "PyTorch returns, minigrad raises",
    "class": "both raise, minigrad's error is of another class",
    "stray": "both raise, minigrad's error came out of Python or NumPy by chance",
}

# (verdict, pattern, why): where minigrad differs on purpose. The pattern is sought in "name | call | PyTorch | minigrad".
REASONS = [
    (
        "refused|class",
        r"must be (bool|str|int|float|IntOrInts|tuple)",
        "an argument is what it is called, also where PyTorch's "
        "own Python takes anything for a truth, or looks at it only when the layer is called",
    ),
    ("refused|class", r"complex", "there are no complex numbers"),
    (
        "class",
        r"AttributeError: .* has no attribute .*TypeError",
        "what is no tensor is a TypeError that names the argument, where PyTorch's Python code falls over it",
    ),
    (
        "class",
        r"TypeError.*RuntimeError: (a leaf|a view of a leaf)|RuntimeError: (a leaf|a view of a leaf).*TypeError",
        "of two mistakes in one call the engines name the other one first",
    ),
    (
        "class",
        r"don't support automatic differentiation.*TypeError|TypeError: .*'out'.*don't support automatic differentiation",
        "of two mistakes in one call the engines name the other one first",
    ),
    (
        "class",
        r"Overflow when unpacking|INTERNAL ASSERT|isIntegral",
        "PyTorch stumbles over its own reading of the number",
    ),
    (
        "class",
        r"dtype.*not implemented for|not implemented for.*(same|dtype)",
        "of two mistakes in the types the engines name the other one first",
    ),
    ("stray|class", r"MemoryError", "there is not so much memory: Python's own error says it"),
    (
        "refused|class",
        r"(add|sub|subtract)_?\(.* positional arguments but",
        "PyTorch's deprecated order (input, alpha, other)",
    ),
    ("different", r"(topk|kthvalue|sort|argsort|median|mode) ", "which of several equal values is unspecified"),
    (
        "taken",
        r"scatter_?\(.*src=[-\d.e]+|keepdim=False|\b(x|a)=|axis=|dim0=|indices_or_sections=|\b[Aab]=",
        "a spelling more than PyTorch takes, which means what it says",
    ),
    (
        "different",
        r"float64\[.*(float(16|32)|int\d+|bool)\[|(float(16|32)|int\d+|bool)\[.*float(64|16)\[|float16\[.*float32",
        "of mixed types: an intermediate result in the wider one",
    ),
    (
        "different",
        r"pixel_unshuffle\(\w+\[.*=\[\]|pixel_unshuffle.*\[\]",
        "PyTorch leaves empty tensors in their shape",
    ),
    ("refused", r"probability has to be between 0 and 1, but got nan", "nan is no probability"),
]


# -- calls, as neither engine's


@dataclass
class T:
    """A tensor."""

    values: np.ndarray
    grad: bool = False


@dataclass
class Named:
    """A dtype or another constant, by its name in both engines."""

    name: str


@dataclass
class Made:
    """A generator with this seed."""

    seed: int


@dataclass
class Call:
    """name: a path from the engine's module. how: what was done to a call that is as it should be."""

    name: str
    args: list[Any]
    kwargs: dict[str, Any]
    how: str = "as it is"
    seed: int = 0

    def __str__(self) -> str:
        shown = [_shown(a) for a in self.args] + [f"{k}={_shown(v)}" for k, v in self.kwargs.items()]
        return f"{self.name}({', '.join(shown)})"


def _shown(x: Any) -> str:
    if isinstance(x, T):
        text = f"{x.values.dtype}{list(x.values.shape)}"
        if x.values.size < 7:
            text += f"={np.array2string(x.values, separator=',', precision=4)}".replace("\n", "").replace(" ", "")
        return text + ("!" if x.grad else "")
    if isinstance(x, Named):
        return x.name
    if isinstance(x, list):
        return "[" + ", ".join(map(_shown, x)) + "]"
    if isinstance(x, tuple):
        return "(" + ", ".join(map(_shown, x)) + ",)"
    text = repr(x)
    return text if len(text) < 60 else text[:60] + "..."


def _neutral(x: Any) -> Any:
    """An argument of minigrad's as neither engine's; LookupError if it is something that cannot be carried over."""
    if isinstance(x, Variable):
        if x.array.size > LARGE or type(x) not in (minigrad.Tensor, minigrad.nn.Parameter):
            raise LookupError
        return T(x.array.copy(), bool(x._edge is not None or x._requires_grad))
    if x is None or isinstance(x, int | float | str | np.generic | np.ndarray):
        return x
    if isinstance(x, minigrad.Generator):
        return Made(x.initial_seed())
    if type(x).__name__ in ("dtype", "layout", "memory_format"):
        return Named(x.name)
    if isinstance(x, list | tuple):
        return type(x)(map(_neutral, x)) if type(x) in (list, tuple) else tuple(map(_neutral, x))
    if isinstance(x, minigrad.device):
        return "cpu"
    raise LookupError


def _in(engine: Engine, x: Any) -> Any:
    """The argument in an engine."""
    if isinstance(x, T):
        values = x.values.copy()
        made = engine.module.from_numpy(values if values.ndim else values.reshape(1)).clone()
        made = made if values.ndim else made.reshape(()).clone()
        return made.requires_grad_() if x.grad else made
    if isinstance(x, Named):
        return getattr(engine.module, x.name)
    if isinstance(x, Made):
        return engine.module.Generator().manual_seed(x.seed)
    if isinstance(x, list | tuple):
        return type(x)(_in(engine, y) for y in x)
    return x


# -- learning the calls


SKIPPED = re.compile(
    r"(save|load|set_default_dtype|set_printoptions|set_num_threads|use_deterministic_algorithms|compile|seed|show_config|"
    r"use_kernels|manual_seed|set_rng_state|get_rng_state|initial_seed|from_dlpack|get_num_threads|Tensor\.backward|"
    r"Tensor\.register_.*|Tensor\.numpy|Tensor\.data_ptr|Tensor\.cuda|nn\.utils\..*|Tensor\.type|Tensor\.to|empty.*|Tensor.new_empty)$"
)


def places() -> Iterator[tuple[Any, str, str]]:
    """Where public functions and classes are found: the holder, its path, the name."""
    modules = [(minigrad, ""), (minigrad.nn.functional, "nn.functional."), (minigrad.Tensor, "Tensor.")]
    modules += [(getattr(minigrad, n), f"{n}.") for n in ("linalg", "fft", "special") if hasattr(minigrad, n)]
    for holder, path in modules:
        for name, value in list(vars(holder).items()):
            if isinstance(value, types.FunctionType) and not name.startswith("_") and not SKIPPED.match(path + name):
                try:
                    resolve(TORCH.module, path + name)
                except AttributeError:
                    continue
                yield holder, path, name
    for name, value in list(vars(minigrad.nn).items()):
        if isinstance(value, type) and issubclass(value, minigrad.nn.Module) and hasattr(TORCH.module.nn, name):
            yield minigrad.nn, "nn.", name


def learn(per_name: int = 6) -> list[Call]:
    """Calls of every public name, as the case table makes them."""
    found: dict[str, list[Call]] = collections.defaultdict(list)
    inside = False

    def note(path: str, args: Any, kwargs: Any) -> None:
        if len(found[path]) < per_name:
            with contextlib.suppress(LookupError):
                call = Call(path, [_neutral(a) for a in args], {k: _neutral(v) for k, v in kwargs.items()})
                if str(call) not in map(str, found[path]):
                    found[path].append(call)

    def noting(path: str, cls: type, init: Any) -> Any:
        def noted(self: Any, *args: Any, **kwargs: Any) -> None:
            if type(self) is cls and not inside:
                note(path, args, kwargs)
            init(self, *args, **kwargs)

        return noted

    def recorder(path: str, function: Any) -> Any:
        def recorded(*args: Any, **kwargs: Any) -> Any:
            nonlocal inside
            if inside:
                return function(*args, **kwargs)
            note(path, args, kwargs)
            inside = True
            try:
                return function(*args, **kwargs)
            finally:
                inside = False

        return recorded

    with contextlib.ExitStack() as undo:
        for holder, path, name in places():
            value = vars(holder)[name]
            if isinstance(value, type):
                undo.callback(setattr, value, "__init__", vars(value).get("__init__", value.__init__))  # type: ignore[misc]
                setattr(value, "__init__", noting(path + name, value, value.__init__))  # type: ignore[misc]  # noqa: B010
            else:
                undo.callback(setattr, holder, name, value)
                setattr(holder, name, recorder(path + name, value))
        for case, seed in itertools.product(CASES.values(), range(3)):
            with warnings.catch_warnings(), contextlib.suppress(Exception):
                warnings.simplefilter("ignore")
                example = Example(case, Seeded(seed), Tally())
                for form in case.forms if not seed else [example.form]:
                    run_form(MINIGRAD, case, form, example.call, seed=seed)
    return [call for _, calls in sorted(found.items()) for call in calls]


# -- spoiling them

X = np.array([[0.5, 2.0, 1.0], [1.5, 0.25, 3.0]], np.float32)
POOL: list[Any] = [
    None, True, False, "False", "mean", 1, 0, -1, 3, 2.5, -0.5, math.nan, math.inf, [1.0, 2.0], [], (), (1,), (1, 2), [None], {},
    (2, 0.5), ("a",), T(X), T(X[0]), T(X.astype(np.int64)), T(X > 1), T(np.array(2.0, np.float32)), T(np.array(2)), T(np.array(True)),
    T(np.array(2.0, np.float32), grad=True), [T(X[0]), T(X[0])], np.int64(1), np.float64(1.5), np.float32(0.5), np.bool_(True), X,
    2**63, -(2**63) - 1, 1e300, Named("float32"), Named("int64"), object, b"a", 1j,
]  # fmt: skip
INTS = [-1, 0, 1, 2, 3, 7, 100, -2, -100, 2**31, -(2**31)]
FLOATS = [0.0, -1.0, 1.0, 1.5, 1e-30, 1e40, math.nan, math.inf, -math.inf]
DTYPES = [np.float64, np.float32, np.float16, np.int64, np.int32, np.int16, np.int8, np.uint8, np.bool_]
KEYWORDS: dict[str, list[Any]] = {
    "out": [T(np.zeros(0, np.float32)), T(np.zeros((2, 3), np.float32)), T(np.zeros(0)), T(np.zeros(0, np.int64)), 3,
            T(np.zeros((7,), np.float32)), (T(np.zeros(0, np.float32)), T(np.zeros(0, np.int64)))],
    "dtype": [Named("float32"), Named("float64"), Named("int32"), Named("bool"), "float32", 3],
    "dim": [0, -1, 5], "axis": [0, -1, 5], "keepdim": [True, False, 1], "keepdims": [True], "inplace": [True, 1],
    "device": ["cpu", "nonsense"], "layout": [Named("strided"), 3], "memory_format": [Named("contiguous_format"), 3],
    "requires_grad": [False, True, 1], "pin_memory": [False, 1], "generator": [Made(3), 3], "nonsense": [1],
    "reduction": ["none", "sum", "nonsense", 3], "alpha": [2, 0.5, "2"], "size": [(2, 3), 3], "input": [T(X)], "other": [T(X), 2],
    "self": [T(X)], "correction": [0, 2.5], "unbiased": [False], "eps": [1e-3, -1.0], "dilation": [0, 2], "strict": [True],
}  # fmt: skip
NUMPY_NAMES = {"dim": "axis", "keepdim": "keepdims", "input": "x", "other": "x2"}


def spoil(call: Call, rng: np.random.Generator) -> Call:
    """The call, or the call with something wrong or unusual about it."""
    args, kwargs = list(call.args), dict(call.kwargs)
    first = 1 if call.name.startswith("Tensor.") else 0
    keys: list[Any] = [*range(first, len(args)), *kwargs]
    held: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}

    def put(key: Any, value: Any) -> None:
        if isinstance(key, int):
            args[key] = value
        else:
            kwargs[key] = value

    def pick(options: Any) -> Any:
        return options[int(rng.integers(len(options)))]

    tensors = [k for k, v in held.items() if isinstance(v, T)]
    numbers = [k for k in keys if isinstance(held[k], int | float) and not isinstance(held[k], bool)]
    how = pick(["as it is", "kind", "kind", "kind", "dtype", "dtype", "size", "range", "surplus", "keyword", "keyword", "spelling", "fewer"])  # fmt: skip
    if how == "kind" and keys:
        put(pick(keys), pick(POOL))
    elif how == "dtype" and tensors:
        for key in tensors if rng.random() < 0.3 else [pick(tensors)]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                put(key, T(held[key].values.astype(pick(DTYPES))))
    elif how == "size" and tensors:
        key = pick(tensors)
        x = held[key].values
        put(key, T(pick([
            lambda: x.reshape(1, *x.shape), lambda: x[:0] if x.ndim else x.reshape(1), lambda: x.reshape(-1)[:1].copy(),
            lambda: np.array(x.reshape(-1)[0] if x.size else 1, x.dtype), lambda: x[:-1] if x.ndim else x, lambda: x.T.copy(),
            lambda: np.concatenate([x, x]) if x.ndim else x, lambda: x.reshape(-1), lambda: x[..., :0] if x.ndim else x,
        ])(), held[key].grad))  # fmt: skip
    elif how == "range" and numbers:
        key = pick(numbers)
        put(key, pick(INTS if isinstance(held[key], int) else FLOATS))
    elif how == "surplus":
        args.append(pick(POOL))
    elif how == "keyword":
        name = pick(list(KEYWORDS))
        kwargs[name] = pick(KEYWORDS[name])
    elif how == "spelling":
        names = parameters(call.name)
        some = [i for i in range(first, len(args)) if i < len(names)]
        if some:
            i = pick(some)
            for j in range(i, len(args)):  # what stands behind must be named too
                if j < len(names):
                    kwargs[names[j]] = args[j]
            del args[i:]
            if names[i] in NUMPY_NAMES and rng.random() < 0.5:
                kwargs[NUMPY_NAMES[names[i]]] = kwargs.pop(names[i])
    elif how == "fewer" and len(args) > first:
        args.pop()
    else:
        how = "as it is"
    return Call(call.name, args, kwargs, how, call.seed)


def parameters(name: str) -> list[str]:
    """The names of a public function's parameters by position, as minigrad has them."""
    function = resolve(minigrad, name)
    if isinstance(function, type):
        function = vars(function).get("__init__", function.__init__)  # type: ignore[misc]
        code = getattr(function, "__wrapped__", function).__code__
        return list(code.co_varnames[1 : code.co_argcount])
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return list(function.__code__.co_varnames[: function.__code__.co_argcount])


# -- running them


@dataclass
class Outcome:
    """What came of a call in one engine."""

    error: BaseException | None = None
    results: list[Any] = field(default_factory=list)
    after: list[np.ndarray] = field(default_factory=list)  # the inputs' values


def _flat(x: Any, engine: Engine) -> list[Any]:
    if isinstance(x, list | tuple):
        return [type(x).__name__ in ("list", "tuple"), len(x), *(z for y in x for z in _flat(y, engine))]
    if isinstance(x, engine.Tensor):
        return [(engine.dtype(x), bool(x.requires_grad), engine.array(x.detach()).copy())]
    if isinstance(x, engine.module.nn.Module):
        return [len(list(x.parameters())), *_flat(list(x.state_dict().values()), engine)]
    return [x if isinstance(x, bool | int | float | str | type(None)) else re.sub(r"\b(minigrad|torch)\.", "", str(x))]


def attempt(engine: Engine, call: Call) -> Outcome:
    """Make the call."""
    engine.module.manual_seed(call.seed)
    outcome = Outcome()
    args, kwargs = _in(engine, call.args), {k: _in(engine, v) for k, v in call.kwargs.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            outcome.results = _flat(resolve(engine.module, call.name)(*args, **kwargs), engine)
        except Exception as error:
            outcome.error = error
    tensors = [x for x in [*args, *kwargs.values()] if isinstance(x, engine.Tensor)]
    outcome.after = [engine.array(x.detach()).copy() for x in tensors]
    return outcome


TOLERANCES = {"float64": 1e-9, "float32": 2e-4, "float16": 2e-2}


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return a[0] == b[0] and a[1] == b[1] and _close(a[2], b[2])
    if isinstance(a, float) and isinstance(b, float):
        return a == b or math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-6) or (a != a and b != b)
    return type(a) is type(b) and a == b


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape:
        return False
    if a.dtype.kind != "f":
        return bool((a == b).all())
    with np.errstate(all="ignore"):
        a64, b64 = a.astype(np.float64), b.astype(np.float64)
        finite = np.isfinite(b64)
        scale = float(np.abs(b64[finite]).max()) if finite.any() else 0.0
        same = (a64 == b64) | (np.isnan(a64) & np.isnan(b64)) | (np.abs(a64 - b64) <= TOLERANCES.get(str(b.dtype), 0) * (scale + 1e-3))  # fmt: skip
    return bool(same.all())


def on_purpose(error: BaseException) -> bool:
    """Whether the innermost line of minigrad's that the error passed is a `raise` (or Python itself refused the call)."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "parity" not in f.filename]
    if not frames:
        return True
    last = frames[-1]
    line = linecache.getline(last.filename, last.lineno or 0).strip()
    return "minigrad" in last.filename and line.startswith(("raise", "self._refuse"))


def judge(call: Call) -> dict[str, Any]:
    """The verdict on one call, and what each engine said."""
    outcomes = []
    for engine in (TORCH, MINIGRAD):
        print(json.dumps({"running": engine.name}), flush=True)  # if one takes the process down, it is known which
        outcomes.append(attempt(engine, call))
    theirs, ours = outcomes
    said = [f"{type(o.error).__name__}: {str(o.error).splitlines()[0][:160] if str(o.error) else ''}" if o.error else "returns" for o in (theirs, ours)]  # fmt: skip
    if theirs.error is not None and ours.error is not None:
        if not on_purpose(ours.error):
            verdict = "stray"
        else:
            kin = same_class(ours.error, theirs.error) or isinstance(ours.error, type(theirs.error))
            verdict = "agree" if kin else "class"
    elif theirs.error is not None:
        verdict = "taken"
    elif ours.error is not None:
        verdict = "refused"
    else:
        same = len(ours.results) == len(theirs.results) and all(map(_alike, ours.results, theirs.results))
        same = same and len(ours.after) == len(theirs.after) and all(map(_close, ours.after, theirs.after))
        verdict = "agree" if same else "different"
        if not same:
            said = [", ".join(str(r) for r in o.results)[:200].replace("\n", "") for o in (theirs, ours)]
    return {"verdict": verdict, "name": call.name, "how": call.how, "call": str(call), "torch": said[0], "minigrad": said[1]}  # fmt: skip


def chosen(calls: list[Call], prefixes: tuple[str, ...]) -> list[Call]:
    """The calls of names that start so: "Tensor." for methods, "torch." for functions of the engine's module itself."""
    return [c for c in calls if (c.name if "." in c.name else f"torch.{c.name}").startswith(prefixes or ("",))]


def drawn(calls: list[Call], seed: int, number: int) -> Call:
    """The call of this number."""
    rng = np.random.default_rng((seed, number))
    names = sorted({call.name for call in calls})
    name = names[int(rng.integers(len(names)))]
    some = [call for call in calls if call.name == name]
    call = spoil(some[int(rng.integers(len(some)))], rng)
    call.seed = number
    return call


class _TimeIsUp(BaseException):
    """The call has run too long."""


def _time_is_up(*_: Any) -> None:
    raise _TimeIsUp


def work(seed: int, start: int, end: int, prefixes: tuple[str, ...] = ()) -> None:
    """In a process of its own: judge the calls from start to end, one line of JSON each; a line with its text before."""
    calls = chosen(learn(), prefixes)
    minigrad.set_num_threads(1)
    TORCH.module.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _time_is_up)
    for number in range(start, end):
        call = drawn(calls, seed, number)
        print(json.dumps({"number": number, "name": call.name, "how": call.how, "call": str(call)}), flush=True)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            found = judge(call)
        except _TimeIsUp:
            continue  # the reader of these lines knows which engine it was
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps({"number": number, **found}), flush=True)


def fuzz(calls: int, seed: int = 0, prefixes: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What came of so many calls: for each its verdict, text and what the engines said. prefixes: see `chosen`."""
    found: list[dict[str, Any]] = []
    start = 0
    while start < calls:
        command = [sys.executable, "-m", "parity.fuzz", str(seed), str(start), str(calls), *prefixes]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"}, cwd=Path(__file__).parents[1])  # fmt: skip
        assert process.stdout is not None
        begun: dict[str, Any] = {}
        running = TORCH.name
        waited = time.monotonic()
        while True:
            ready, _, _ = select.select([process.stdout], [], [], 1)
            if not ready:
                if begun and time.monotonic() - waited > 4 * SECONDS:  # in a loop of C, which no signal reaches
                    process.kill()
                    break
                continue
            line = process.stdout.readline()
            if not line:
                break
            waited = time.monotonic()
            said = json.loads(line)
            if "running" in said:
                running = said["running"]
            elif begun and said["number"] != begun["number"]:
                found.append(_lost(begun, running))
                start, begun = said["number"], said
            elif "verdict" in said:
                found.append(said)
                start, begun = said["number"] + 1, {}
            else:
                begun = said
        process.wait()
        if start < calls:
            if not begun:
                raise RuntimeError("the process that makes the calls ended before its first one")
            found.append(_lost(begun, running))
            start = begun["number"] + 1
    return [{**f, "verdict": "agree", "reason": why} if (why := reason(f)) else f for f in found]


def _lost(begun: dict[str, Any], running: str) -> dict[str, Any]:
    """What came of a call that did not come back: a finding only if it was lost in minigrad."""
    said = {"torch": "", "minigrad": "", running.lower().removeprefix("py"): "does not come back, or ends the process"}
    return {**begun, "verdict": "crash" if running == MINIGRAD.name else "agree", **said}


def reason(found: dict[str, Any]) -> str:
    """Why minigrad differs there on purpose; empty where it should not."""
    text = f"{found['name']} | {found['call']} | {found['torch']} | {found['minigrad']}"
    for verdict, pattern, why in REASONS:
        if re.fullmatch(verdict, found["verdict"]) and re.search(pattern, text):
            return why
    return ""


def report(found: list[dict[str, Any]], examples: int = 3) -> str:
    """The counts, by verdict and by what was done, and the names with most findings of each verdict."""
    counts = collections.Counter(f["verdict"] for f in found)
    lines = [f"{len(found)} calls of {len({f['name'] for f in found})} names"]
    reasons = collections.Counter(f["reason"] for f in found if "reason" in f)
    lines += [f"  {counts[verdict]:7}  {verdict}: {text}" for verdict, text in VERDICTS.items()]
    lines += [f"  {n:7}  on purpose: {why}" for why, n in reasons.most_common()]
    for verdict in list(VERDICTS)[1:]:
        some = [f for f in found if f["verdict"] == verdict]
        if not some:
            continue
        ways = collections.Counter(f["how"] for f in some)
        lines += ["", f"{verdict}: {', '.join(f'{how} {n}' for how, n in ways.most_common())}"]
        names = collections.Counter(f["name"] for f in some)
        for name, n in names.most_common():
            lines.append(f"  {n:4} {name}")
            for f in [f for f in some if f["name"] == name][:examples]:
                lines.append(
                    f"         {f['call']}\n           PyTorch: {f['torch']}\n           minigrad: {f['minigrad']}"
                )
    return "\n".join(lines)


def main(calls: int, seed: int, file: Path | None = None, prefixes: tuple[str, ...] = ()) -> int:
    """Run, print, and say whether anything was found."""
    found = fuzz(calls, seed, prefixes)
    print(report(found))
    if file is not None:
        file.write_text(json.dumps([f for f in found if f["verdict"] != "agree"], indent=1))
    return int(any(f["verdict"] in ("taken", "different", "crash") for f in found))


if __name__ == "__main__":
    work(*map(int, sys.argv[1:4]), prefixes=tuple(sys.argv[4:]))  # type: ignore[misc]
