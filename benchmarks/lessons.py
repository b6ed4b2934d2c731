"""`python -m benchmarks lessons [22 23]`: how long a step of each of the course's lessons waits for an empty kernel cache.

Each runs twice in minigrad, in a process of its own: with an empty folder for compiled loops, then with what is there by then. A
step lasts from the end of one backward pass, or call of a compiled step, to the next; the first from the lesson's beginning.
Both runs take the same steps. Told is the one that took longest with the empty folder, and what it took with the filled one,
in seconds of the processor. MINIGRAD_DTYPE=float64 measures in that type.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from curriculum import catalog

CODE = "import sys; from benchmarks import lessons; lessons.watch(*sys.argv[1:])"


def watch(path: str, out: str) -> None:
    """Run a lesson in this process; when each of its steps ended, by the processor's time, goes to the file `out`."""
    from curriculum import draw, engine, record, worker  # noqa: F401  the engine is not the lesson's time
    from minigrad.autograd import differentiate
    from minigrad.compiler.run import Compiled

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            ends.append(time.process_time())
            return result

        return call

    for owner, name in ((differentiate, "walk"), (Compiled, "__call__")):
        setattr(owner, name, noting(getattr(owner, name)))
    draw.pyplot()
    ends = [time.process_time()]
    sys.stdout = listening = worker.Listening()
    with contextlib.suppress(record.Skipped):
        worker.run(path, listening)
    Path(out).write_text(json.dumps(ends), encoding="utf-8")


def measure(lesson: catalog.Lesson) -> tuple[int, float, float] | None:
    """The step that takes longest with an empty cache, its seconds with that and with a filled one; None without any step."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        out, kernels = Path(folder, "ends.json"), os.path.join(folder, "kernels")
        own = {"CURRICULUM_FOLDER": folder, "CURRICULUM_PICTURES": "no", "NUMBA_CACHE_DIR": kernels}
        for _ in range(2):
            command = [sys.executable, "-c", CODE, str(lesson.path), str(out)]
            env = os.environ | own | {"MINIGRAD_ENGINE": "minigrad"}
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"lesson {lesson.number}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
            runs.append([b - a for a, b in itertools.pairwise(json.loads(out.read_text(encoding="utf-8")))])
    return max(zip(itertools.count(1), *runs), key=lambda step: step[1], default=None)


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks lessons", description=__doc__)
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="01, 02, ... (all)")
    print(f"{'lesson':28}{'step':>8}{'empty':>10}{'filled':>10}")
    for lesson in catalog.find_all(parser.parse_args(given).lessons):
        step, empty, filled = measure(lesson) or (0, 0.0, 0.0)
        print(f"{lesson.name:28}{step or 'none':>8}{empty:8.2f} s{filled:8.2f} s", flush=True)
    return 0
