"""`python -m parity fuzz --calls N --seed S [--names PREFIX ...]`: calls of every public name, good and bad, in both engines.
`python -m parity fuzz --sweep [--names PREFIX ...]`: each argument of each name spoilt in every way of a list (fuzz_sweep.py).

The case table calls each name as it should be called. Here its calls are learnt by running it, and spoilt (see
fuzz_calls.py): an argument of another kind, type or size, a number out of range, one argument too many, a keyword that is
not there or spelt as NumPy spells it, two arguments on one memory. What PyTorch refuses minigrad must refuse too, with an
error of the same class that it raised on purpose; what PyTorch answers it must answer alike: the results, the state of the
inputs after the call, and the gradients of the results for a cotangent drawn at random.

They run in a process of their own with limits of time and memory, so that one that hangs or kills it is a finding too.
`VERDICTS` says what may come of a call, `fuzz_reasons.py` where minigrad differs on purpose.
"""

from __future__ import annotations

import collections
import functools
import json
import linecache
import math
import os
import pickle
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import minigrad
from minigrad import files
from minigrad.counted import counted

from .agreement import same_class
from .case import resolve
from .engines import MINIGRAD, TORCH, Engine
from .fuzz_calls import Built, chosen, drawn, learn
from .fuzz_kinds import Call
from .fuzz_objects import FUNCTIONS, used
from .fuzz_plainly import holds
from .fuzz_reasons import LOOSER, LOOSER_GRADIENTS, REASONS, Reason
from .fuzz_sweep import swept

SECONDS = 5  # of computing, a call in each engine
LOST = 60  # seconds without a word after which a call is given up: it waits for something, or computes where no signal reaches
MEMORY = 6 << 30  # bytes, of the process that runs the calls

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

# Of these the results are given up to the sign of each vector: absolute values are compared.
UP_TO_SIGN = re.compile(r"(svd|svd_lowrank|pca_lowrank|eigh|qr)$")


# -- running them


@dataclass
class Outcome:
    """What came of a call in one engine."""

    error: BaseException | None = None
    results: list[Any] = field(default_factory=list)
    after: list[Any] = field(default_factory=list)  # the inputs' states
    stage: str = ""  # in which it raised: "" is the call itself
    gradients: list[Any] = field(default_factory=list)


def _flat(x: Any, engine: Engine) -> list[Any]:
    if isinstance(x, list | tuple):
        return [type(x).__name__ if type(x) in (list, tuple) else "", len(x), *(z for y in x for z in _flat(y, engine))]
    if isinstance(x, engine.Tensor):
        dense = (
            x.detach().to_dense() if engine is TORCH and x.is_sparse else x.detach()
        )  # minigrad's gradients are dense
        return [(engine.dtype(x), bool(x.requires_grad), engine.array(dense).copy())]
    if isinstance(x, engine.module.nn.Module):
        return [len(list(x.parameters())), *_flat(list(x.state_dict().values()), engine)]
    if isinstance(x, dict):
        return [z for k in sorted(x, key=str) for z in (str(k), *_flat(x[k], engine))]
    if callable(x) or re.search(r" at 0x[0-9a-f]+>", str(x)):
        return [x.__name__ if isinstance(x, type) else "function" if callable(x) else type(x).__name__]
    if isinstance(x, np.integer):  # PyTorch's Size keeps NumPy's whole numbers
        x = int(x)
    return [x if isinstance(x, bool | int | float | str | type(None)) else re.sub(r"\b(minigrad|torch)\.", "", str(x))]


def _shared(x: Any, tensors: list[Any], engine: Engine) -> str:
    """Of each tensor of the result, 1 if it looks at the memory of a tensor of the call, else 0."""
    if isinstance(x, list | tuple):
        return "".join(_shared(y, tensors, engine) for y in x)
    if not isinstance(x, engine.Tensor) or x.is_sparse:
        return ""
    return str(int(x.numel() > 0 and any(_memory(x) == _memory(t) for t in tensors if t.numel())))


def _memory(x: Any) -> int:
    return int(x.untyped_storage().data_ptr())


def _differentiable(x: Any, engine: Engine) -> list[Any]:
    """The results whose gradients can be asked for."""
    if isinstance(x, list | tuple):
        return [z for y in x for z in _differentiable(y, engine)]
    return [x] if isinstance(x, engine.Tensor) and x.requires_grad and x.grad_fn is not None else []


def attempt(engine: Engine, call: Call) -> Outcome:
    """Make the call, and go backward through what it returns."""
    engine.seed(call.seed)
    outcome = Outcome()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        built = Built(engine, call)
        try:
            result = resolve(engine.module, call.name)(*built.args, **built.kwargs)
            result = [result, [used(x, engine, built.then, call.seed) for x in (result, *built.objects)]]
            outcome.results = [*_flat(result, engine), f"shared: {_shared(result, built.tensors, engine)}"]
            outcome.stage = "gradient: "
            outcome.gradients = _gradients(engine, built, _differentiable(result, engine), call.seed)
        except Exception as error:
            outcome.error = error
    outcome.after = _flat([(x, x.grad if x.is_leaf else None) for x in built.tensors], engine)
    return outcome


def _gradients(engine: Engine, built: Built, results: list[Any], seed: int) -> list[Any]:
    """The gradients of the call's leaves, for cotangents that are the same in both engines; None is told from zeros."""
    if not results or not built.leaves:
        return []
    rng = np.random.default_rng(seed)
    cotangents = [
        engine.module.from_numpy(np.asarray(rng.normal(size=tuple(y.shape)), engine.dtype(y)).reshape(tuple(y.shape)))
        for y in results
    ]
    found = engine.module.autograd.grad(results, built.leaves, cotangents, allow_unused=True)
    return _flat(list(found), engine)


TOLERANCES = {"float64": 1e-9, "float32": 2e-4, "float16": 2e-2}


def _alike(a: Any, b: Any, tolerance: float = 0.0) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return a[0] == b[0] and a[1] == b[1] and _close(a[2], b[2], tolerance)
    if isinstance(a, float) and isinstance(b, float):
        return a == b or math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-6) or (a != a and b != b)
    return type(a) is type(b) and a == b


def _all_alike(a: list[Any], b: list[Any], tolerance: float = 0.0) -> bool:
    return len(a) == len(b) and all(_alike(x, y, tolerance) for x, y in zip(a, b, strict=True))


def _loosest(results: list[Any]) -> float:
    """The tolerance of the narrowest type through which gradients passed."""
    return max((TOLERANCES.get(x[0], 0.0) for x in results if isinstance(x, tuple)), default=0.0)


def _unsigned(x: Any) -> Any:
    return (*x[:2], np.abs(x[2])) if isinstance(x, tuple) else x


def _close(a: np.ndarray, b: np.ndarray, tolerance: float = 0.0) -> bool:
    if a.shape != b.shape:
        return False
    if a.dtype.kind != "f":
        return bool((a == b).all())
    with np.errstate(all="ignore"):
        a64, b64 = a.astype(np.float64), b.astype(np.float64)
        finite = np.isfinite(b64)
        scale = float(np.abs(b64[finite]).max()) if finite.any() else 0.0
        same = (a64 == b64) | (np.isnan(a64) & np.isnan(b64)) | (np.abs(a64 - b64) <= max(tolerance, TOLERANCES.get(str(b.dtype), 0)) * (scale + 1e-3))  # fmt: skip
    return bool(same.all())


_OWN_CODE = frozenset(function.__code__ for function in FUNCTIONS.values())  # what a program gives of its own
# Python's refusal of a call of what the program gave: a function that it wrote as a lambda, the `forward` of a module, `object`.
_REFUSED_CALL = re.compile(
    r"object\(\) takes no arguments|(<lambda>|\w+\.forward)\(\) (missing \d+ required|takes .*positional argument|got an unexpected keyword|got multiple values)"
)


def on_purpose(error: BaseException, theirs: BaseException | None = None) -> bool:
    """Whether the innermost line of minigrad's that the error passed is a `raise`, or the error is the program's own affair.

    theirs: PyTorch's error to the same call. The program's own affair is what a function of its own does, and that Python
    refuses the call of what it gave with the arguments that it gave, or that its mapping lacks a key: in both engines, and in the
    same words.
    `_unread` is the code of a reader before its first call, which passes on what it was given (minigrad/signature.py).
    """
    if theirs is not None and (
        (_in_own(error) and _in_own(theirs)) or _call_is_refused(error, theirs) or _key_is_missing(error, theirs)
    ):
        return True
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if "parity" not in f.filename and f.name != "_unread"
    ]
    if not frames:
        return True
    last = frames[-1]
    line = linecache.getline(last.filename, last.lineno or 0).strip()
    return "minigrad" in last.filename and line.startswith(("raise", "self._refuse"))


def _in_own(error: BaseException) -> bool:
    """Whether the error arose in the code of a function that the program gave, not in what that calls."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_code in _OWN_CODE


def _call_is_refused(error: BaseException, theirs: BaseException) -> bool:
    """Whether both are Python's refusal of the same call."""
    words = [str(e) for e in (error, theirs) if type(e) is TypeError and _REFUSED_CALL.match(str(e))]
    return len(words) == 2 and words[0] == words[1]


def _key_is_missing(error: BaseException, theirs: BaseException) -> bool:
    """Whether both say that a mapping, which the program gave as its data, has no such key."""
    return type(error) is type(theirs) is KeyError and error.args == theirs.args


def _looser(table: list[tuple[str, float, str]], call: Call) -> float:
    return max((tolerance for pattern, tolerance, _ in table if re.match(pattern, call.name)), default=0.0)


def judge(call: Call, seconds: float = 0.0) -> dict[str, Any]:
    """The verdict on one call, and what each engine said.

    seconds: of computing, after which SIGPROF is sent; each engine has so many of its own. 0: as many as it takes.
    """
    outcomes = []
    for engine in (TORCH, MINIGRAD):
        print(json.dumps({"running": engine.name}), flush=True)  # if one takes the process down, it is known which
        signal.setitimer(signal.ITIMER_PROF, seconds)  # of this process, however busy the machine is
        try:
            outcomes.append(attempt(engine, call))
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    theirs, ours = outcomes
    said = [f"{o.stage}{type(o.error).__name__}: {str(o.error).splitlines()[0][:160] if str(o.error) else ''}" if o.error else "returns" for o in (theirs, ours)]  # fmt: skip
    both = [(ours.results, theirs.results), (ours.after, theirs.after)]
    answered = not any(o.error is not None and not o.stage for o in outcomes)
    if UP_TO_SIGN.search(call.name) and answered and not _all_alike(*both[0]):
        both[0] = tuple([_unsigned(x) for x in results] for results in both[0])  # type: ignore[assignment]
        for o in outcomes:
            o.gradients = []
    looser = _looser(LOOSER, call)
    errors: dict[str, bool] = {}
    if answered and (unlike := [pair for pair in both if not _all_alike(*pair, looser)]):
        verdict = "different"
        said = [", ".join(str(r) for r in xs)[:200].replace("\n", "") for xs in reversed(unlike[0])]
    elif theirs.error is not None and ours.error is not None:
        kin = same_class(ours.error, theirs.error) or isinstance(ours.error, type(theirs.error))
        errors = {"of_class": kin, "on_purpose": on_purpose(ours.error, theirs.error)}
        verdict = "stray" if not errors["on_purpose"] else "agree" if kin else "class"
    elif theirs.error is not None:
        verdict = "taken"
    elif ours.error is not None:
        verdict = "refused"
    elif _all_alike(ours.gradients, theirs.gradients, max(looser, _looser(LOOSER_GRADIENTS, call), _loosest(theirs.results))):  # fmt: skip
        verdict = "agree"
    else:
        verdict = "different"
        said = ["gradient: " + ", ".join(map(str, o.gradients))[:200].replace("\n", "") for o in (theirs, ours)]
    found: dict[str, Any] = {"verdict": verdict, "name": call.name, "how": call.how, "call": str(call), "torch": said[0], "minigrad": said[1]}  # fmt: skip
    if errors:
        found["errors"] = errors
    if verdict in ("taken", "different"):  # values that were answered: a reason says of which other call they are right
        asked = dict.fromkeys(name for r in _fitting(found) for name in r.holds.split())
        found["holds"] = holds(asked, call, ours, theirs, attempt, _all_alike)  # type: ignore[assignment]
    return found


class _TimeIsUp(BaseException):
    """The call has run too long."""


def _time_is_up(*_: Any) -> None:
    raise _TimeIsUp


def work(written: Path, start: int, end: int) -> None:
    """In a process of its own: judge the calls from start to end, one line of JSON each; a line with its text before.

    written: the function that gives the call of a number, pickled.
    """
    call_of: Callable[[int], Call] = pickle.loads(written.read_bytes())
    minigrad.set_num_threads(1)
    TORCH.module.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, _time_is_up)
    for number in range(start, end):
        call = call_of(number)
        print(json.dumps({"number": number, "name": call.name, "how": call.how, "call": str(call)}), flush=True)
        try:
            found = judge(call, SECONDS)
        except _TimeIsUp:
            continue  # the reader of these lines knows which engine it was
        print(json.dumps({"number": number, **found}), flush=True)


def fuzz(calls: int, seed: int = 0, prefixes: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What came of so many calls: for each its verdict, text and what the engines said. prefixes: see `chosen`."""
    return _found(functools.partial(drawn, chosen(learn(), prefixes), seed), calls)


def sweep(prefixes: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The same of the calls in which each argument of each name is spoilt in every way."""
    calls = list(swept(chosen(learn(), prefixes)))
    return _found(calls.__getitem__, len(calls))


def _found(call_of: Callable[[int], Call], calls: int) -> list[dict[str, Any]]:
    """What came of the calls of the numbers from 0 on."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "calls"  # a process that takes the place of another need not learn them again
        written.write_bytes(pickle.dumps(call_of))
        return [_with_reason(f) for f in _judged(written, calls)]


def _with_reason(found: dict[str, Any]) -> dict[str, Any]:
    if found["verdict"] == "agree":
        return found
    return {**found, "verdict": "agree", "reason": why, "but": found["verdict"]} if (why := reason(found)) else found


def _judged(written: Path, calls: int) -> Iterator[dict[str, Any]]:
    """The findings, as they come."""
    start = 0
    while start < calls:
        command = [sys.executable, "-m", "parity.fuzz", str(written), str(start), str(calls)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"}, cwd=Path(__file__).parents[1])  # fmt: skip
        assert process.stdout is not None
        begun: dict[str, Any] = {}
        running = TORCH.name
        waited = time.monotonic()
        while True:
            ready, _, _ = select.select([process.stdout], [], [], 1)
            if not ready:
                if begun and time.monotonic() - waited > LOST:
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
                yield _lost(begun, running)
                start, begun = said["number"], said
            elif "verdict" in said:
                yield said
                start, begun = said["number"] + 1, {}
            else:
                begun = said
        process.wait()
        if start < calls:
            if not begun:
                raise RuntimeError("the process that makes the calls ended before its first one")
            yield _lost(begun, running)
            start = begun["number"] + 1


def _lost(begun: dict[str, Any], running: str) -> dict[str, Any]:
    """What came of a call that did not come back: a finding only if it was lost in minigrad."""
    said = {"torch": "", "minigrad": "", running.lower().removeprefix("py"): "does not come back, or ends the process"}
    return {**begun, "verdict": "crash" if running == MINIGRAD.name else "agree", **said}


def _fitting(found: dict[str, Any]) -> Iterator[Reason]:
    """The reasons whose words fit."""
    text = f"{found['name']} | {found['call']} | {found['torch']} | {found['minigrad']} | {found.get('how')}"
    text = re.sub(r"'(torch|minigrad)\.", "'", text)
    for r in REASONS:
        if re.fullmatch(r.verdict, found["verdict"]) and re.search(r.pattern, text):
            yield r


def reason(found: dict[str, Any]) -> str:
    """Why minigrad differs there on purpose; empty where it should not."""
    for r in _fitting(found):
        if not r.holds or set(r.holds.split()) & set(found.get("holds", ())):
            return r.why
    return ""


def of_errors(found: list[dict[str, Any]]) -> dict[str, int]:
    """Of the calls that both engines refuse: how many there are, with how many minigrad's error is of PyTorch's class or a
    subclass, and with how many it was raised on purpose. What REASONS excuses counts as what it is."""
    both = [f["errors"] for f in found if "errors" in f]
    return {"both": len(both), **{k: sum(e[k] for e in both) for k in ("of_class", "on_purpose")}}


def _said_of_errors(found: list[dict[str, Any]]) -> str:
    n = of_errors(found)
    of_class, on_purpose = (f"{n[k]}, {n[k] / max(n['both'], 1):.1%}" for k in ("of_class", "on_purpose"))
    return f"errors in both engines: {n['both']}, of PyTorch's class or a subclass: {of_class}; raised on purpose: {on_purpose}"


def report(found: list[dict[str, Any]], examples: int = 3, by: str = "name") -> str:
    """The counts, by verdict, of errors, and by what was done, and the groups with most findings of each verdict.

    by: "name", or "how": those to which the same was done stand together, each with the names.
    """
    counts = collections.Counter(f["verdict"] for f in found)
    lines = [f"{counted(len(found), 'call')} of {counted(len({f['name'] for f in found}), 'name')}"]
    reasons = collections.Counter(f["reason"] for f in found if "reason" in f)
    lines += [f"  {counts[verdict]:7}  {verdict}: {text}" for verdict, text in VERDICTS.items()]
    lines.append(_said_of_errors(found))
    lines += [f"  {n:7}  on purpose: {why}" for why, n in reasons.most_common()]
    other = "name" if by == "how" else "how"
    for verdict in list(VERDICTS)[1:]:
        some = [f for f in found if f["verdict"] == verdict]
        if not some:
            continue
        lines += ["", f"{verdict}: {_counted(some, other)}"]
        for group, n in collections.Counter(f[by] for f in some).most_common():
            alike = [f for f in some if f[by] == group]
            lines.append(f"  {n:4} {group}" + (f": {_counted(alike, other)}" if by == "how" else ""))
            for f in alike[:examples]:
                lines.append(
                    f"         {f['call']}\n           PyTorch: {f['torch']}\n           minigrad: {f['minigrad']}"
                )
    return "\n".join(lines)


def _counted(found: list[dict[str, Any]], of: str) -> str:
    return ", ".join(f"{x} {n}" for x, n in collections.Counter(f[of] for f in found).most_common())


def main(calls: int | None, seed: int, file: Path | None = None, prefixes: tuple[str, ...] = ()) -> int:
    """Run, print, and say whether anything was found. calls: how many are drawn; None for the sweep."""
    found = sweep(prefixes) if calls is None else fuzz(calls, seed, prefixes)
    print(report(found, by="how" if calls is None else "name"))
    if file is not None:
        findings = [f for f in found if f["verdict"] != "agree"]
        said = {"calls": len(found), "seed": seed, "errors": of_errors(found), "findings": findings}
        files.write(file, json.dumps(said, indent=1) + "\n")
    return int(any(f["verdict"] in ("taken", "different", "crash") for f in found))


if __name__ == "__main__":
    work(Path(sys.argv[1]), *map(int, sys.argv[2:]))
