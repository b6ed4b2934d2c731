"""`python -m benchmarks profile NAME`: where the time of minigrad's steps goes, by operation.

NAME is a workload (cnn) or a lesson (lesson10, or 10). Forward and backward of each operation are timed around its own
arithmetic ("kernel"); what the recording and the walk add around it is "overhead". What is neither (data, printing, the
optimizer's update) is listed as what it is or as "the rest".
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from curriculum import commands

from . import own
from .workloads import WORKLOADS


class Times:
    """Seconds by (operation, "forward" or "backward" or "overhead"), without what ran inside."""

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, str], float] = defaultdict(float)
        self.calls: dict[tuple[str, str], int] = defaultdict(int)
        self._inside: list[float] = []  # by open call: the seconds of calls inside it

    def around(self, name: str, kind: str, function: Callable[..., Any], *args: Any) -> Any:
        self._inside.append(0.0)
        start = time.perf_counter()
        try:
            return function(*args)
        finally:
            taken = time.perf_counter() - start
            self.seconds[name, kind] += taken - self._inside.pop()
            self.calls[name, kind] += 1
            if self._inside:
                self._inside[-1] += taken


def _subclasses(cls: type) -> Iterator[type]:
    sub: type
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)


@contextmanager
def timed(times: Times) -> Iterator[None]:
    """minigrad with a clock around every operation's forward and backward, the walk, and optimizers' steps."""
    from minigrad import optim
    from minigrad.autograd import differentiate, graph

    saved: list[tuple[Any, str, Any]] = []

    def replace(owner: Any, attribute: str, new: Any) -> None:
        saved.append((owner, attribute, vars(owner)[attribute]))
        setattr(owner, attribute, new)

    def wrap(owner: Any, attribute: str, name: str, kind: str) -> None:
        inner = getattr(owner, attribute)
        replace(owner, attribute, staticmethod(lambda *a: times.around(name, kind, inner, *a)))

    for cls in {graph.Operation, *_subclasses(graph.Operation)}:
        name = cls.__qualname__
        for attribute, kind in (("forward", "forward"), ("backward", "backward")):
            if isinstance(vars(cls).get(attribute), staticmethod):
                wrap(cls, attribute, name, kind)
        if "apply" in vars(cls):
            method = vars(cls)["apply"].__func__
            replace(
                cls, "apply",
                classmethod(lambda c, *a, _m=method: times.around(c.__qualname__, "overhead", _m, c, *a)),
            )  # fmt: skip
    accumulate = graph.AccumulateGrad.run_backward
    replace(
        graph.AccumulateGrad, "run_backward",
        lambda node, g: times.around("AccumulateGrad", "backward", accumulate, node, g),
    )  # fmt: skip
    walk = differentiate.walk
    replace(differentiate, "walk", lambda *a, **k: times.around("(the walk)", "overhead", lambda: walk(*a, **k)))
    optimizers: set[Any] = {optim.Optimizer, *_subclasses(optim.Optimizer)}
    for cls in optimizers:
        if "step" not in vars(cls):
            continue

        def timed(self: Any, *args: Any, _step: Any = cls.step) -> Any:
            return times.around(f"(optimizer {type(self).__name__})", "update", _step, self, *args)

        timed.hooked = True  # type: ignore[attr-defined]  # so that no class puts hooks around it, and keeps it
        replace(cls, "step", timed)
    try:
        yield
    finally:
        for owner, attribute, old in reversed(saved):
            setattr(owner, attribute, old)


def _job(name: str, seconds: float) -> Callable[[], Any]:
    if name in WORKLOADS:
        import minigrad

        step = WORKLOADS[name].make(minigrad, lambda function: function)
        for _ in range(3):
            step()

        def repeat() -> int:
            steps, end = 0, time.perf_counter() + seconds
            while time.perf_counter() < end or steps < 3:
                step()
                steps += 1
            return steps

        return repeat
    from curriculum import catalog, draw

    lesson = catalog.find(name.removeprefix("lesson"))
    os.environ["MINIGRAD_ENGINE"] = "minigrad"
    os.environ["CURRICULUM_FOLDER"] = tempfile.mkdtemp(prefix="profile-")
    draw.pyplot()

    def run() -> int:
        from contextlib import redirect_stdout
        from io import StringIO

        with redirect_stdout(StringIO()):
            runpy.run_path(str(lesson.path), run_name="__main__")
        return 1

    return run


def main(given: list[str]) -> int:
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks profile", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help=f"lesson07, or one of {', '.join(WORKLOADS)}")
    parser.add_argument("--workloads", metavar="FILE", help="a Python file that has the workload NAME")
    parser.add_argument(
        "--seconds", type=commands.above_zero, default=2.0, help="how long a workload's steps are repeated (2)"
    )
    parser.add_argument("--threads", type=commands.whole(most=1024), default=2)
    options = parser.parse_args(given)
    try:
        if options.workloads:
            own.load(options.workloads)
    except own.Unusable as problem:
        parser.error(str(problem))
    if options.name not in WORKLOADS and not options.name.removeprefix("lesson").isdecimal():
        parser.error(
            f"unknown workload {options.name!r}; there are {', '.join(WORKLOADS)}, and lesson01, lesson02, ..."
        )
    if options.name not in WORKLOADS:
        commands.refuse_beside(parser, given, ["workloads", "seconds"], "of a lesson, which is run once as it is")
    import minigrad

    minigrad.set_num_threads(options.threads)
    job = _job(options.name, options.seconds)
    times = Times()
    with timed(times):
        start = time.perf_counter()
        steps = job()
        total = time.perf_counter() - start
    console = Console() if sys.stdout.isatty() else Console(width=120)
    unit = "step" if options.name in WORKLOADS else "lesson"
    table = Table(title=f"{options.name}: {1e3 * total / steps:.3g} ms a {unit}, {steps} measured")
    for column in ("operation", "calls", "forward ms", "backward ms", "overhead ms", "share"):
        table.add_column(column, justify="left" if column == "operation" else "right")
    by_name: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for (name, kind), seconds in times.seconds.items():
        by_name[name][kind] += seconds
    known = 0.0
    for name, parts in sorted(by_name.items(), key=lambda item: -sum(item[1].values())):
        all_parts = sum(parts.values())
        known += all_parts
        calls = max(times.calls[name, kind] for kind in parts)
        cells = [
            f"{1e3 * x / steps:.3f}" if x else ""
            for x in (parts["forward"] + parts["update"], parts["backward"], parts["overhead"])
        ]
        table.add_row(name, f"{calls / steps:g}", *cells, f"{100 * all_parts / total:.1f} %")
    table.add_row("the rest: Python around it", "", "", "", "", f"{100 * (1 - known / total):.1f} %")
    console.print(table)
    console.print(
        "A clock around each call costs about a microsecond itself, so overheads look larger than they are.",
        highlight=False,
    )
    return 0
