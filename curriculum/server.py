"""A process that imports once what all lessons import and forks a child for each: `python -m curriculum.server SOCKET ENGINE`.

The child goes on from the parent's memory, so a lesson begins at once; what it computes and how it may fail is its own. That is
sound only while the process that forks has no threads of its own making (a child gets the memory, with every lock as it is, but
not the threads): what starts some at its import, such as pandas, is not imported here, and if there are any nothing is forked.

A request comes through the socket as four open files: the request itself in JSON, the child's standard output and error, and a pipe
that is told `pid N` when it was forked and `exit N` when it ended; `no` if it was not forked. When the socket is closed, who asked is gone:
then the children are killed.
"""

import atexit
import contextlib
import importlib
import io
import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
from typing import Any, NoReturn

FILES = 4  # that come with each request
# By engine, beside numpy and matplotlib. PyTorch's optimizers import torch._dynamo with their first step, which takes longer than
# torch itself; minigrad's compiled forms import numba. `minigrad` writes both engines' files (see files.py).
IMPORTED = {
    "torch": ("torch", "torch._dynamo", "minigrad"),
    "minigrad": ("minigrad", "minigrad.viz", "minigrad.kernels.compiled"),
}


def threads() -> int:
    """How many threads the system sees in this process."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def prepare(engine: str) -> bool:
    """Import what lessons need; whether a child may be forked afterwards."""
    from . import worker  # noqa: F401  (numpy comes first, as in a process of a lesson's own)

    before = threads()  # numpy's linear algebra has its own, and ends them before a fork
    kept = os.environ.get("MINIGRAD_KEEP_MEMORY")
    if engine != "minigrad":
        os.environ["MINIGRAD_KEEP_MEMORY"] = (
            "0"  # how another engine's process keeps memory is not for minigrad to change
        )
    for name in (*IMPORTED[engine], "matplotlib.backends.backend_agg"):
        with contextlib.suppress(Exception, SystemExit):  # the lesson will say it, where it needs what is missing
            importlib.import_module(name)
    with contextlib.suppress(Exception, SystemExit):
        _draw_once()
    if engine != "minigrad":
        del os.environ["MINIGRAD_KEEP_MEMORY"]
        os.environ |= {} if kept is None else {"MINIGRAD_KEEP_MEMORY": kept}
    return threads() <= before


def _draw_once() -> None:
    """A picture that nobody sees: with the first one matplotlib looks for its fonts and Pillow for its formats."""
    from matplotlib.figure import Figure

    from . import draw

    draw.pyplot()
    figure = Figure()
    figure.subplots().set_title("$x$")
    figure.savefig(io.BytesIO(), format="png")


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: who asked closes the socket
    control = socket.socket(fileno=int(sys.argv[1]))
    safe = prepare(sys.argv[2])
    wake, woken = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # with a handler the end of a child wakes `select`
    running: dict[int, int] = {}  # the pipes to tell, by process
    sources: list[Any] = [control, wake]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if wake in ready:
            os.read(wake, 1 << 16)
            _bury(running)
        if control not in ready:
            continue
        message, files, _, _ = socket.recv_fds(control, 1, FILES)
        if not message:
            break
        with os.fdopen(files[0], encoding="utf-8") as file:
            request = json.load(file)
        out, errors, told = files[1:]
        pid = _fork() if safe else None
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for fd in (wake, woken, told, *running.values()):
                os.close(fd)
            control.close()
            _run(request, out, errors)
        os.close(out)
        os.close(errors)
        if pid is None:
            _tell(told, "no")
            os.close(told)
        else:
            running[pid] = told
            _tell(told, f"pid {pid}")
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _fork() -> int | None:
    try:
        return os.fork()
    except OSError:  # no memory, or too many processes
        return None


def _bury(running: dict[int, int]) -> None:
    """Tell of the children that ended."""
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        if (told := running.pop(pid, None)) is not None:
            _tell(told, f"exit {os.waitstatus_to_exitcode(status)}")
            os.close(told)


def _tell(told: int, text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(told, f"{text}\n".encode())


def _run(request: dict[str, Any], out: int, errors: int) -> NoReturn:
    """In the child: run the lesson as `python -m curriculum.worker` would, and end."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(out, 1)
        os.dup2(errors, 2)
        os.close(out)
        os.close(errors)
        os.environ.clear()
        os.environ.update(request["environment"])
        from . import worker

        sys.argv = [str(worker.__file__), *request["arguments"]]
        worker.main()
        status = 0
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
        status = 0 if end.code is None else end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        try:  # what an interpreter does when it ends
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            for stream in (sys.__stdout__, sys.__stderr__):
                if stream is not None:
                    stream.flush()
        finally:
            os._exit(status & 0xFF)


if __name__ == "__main__":
    main()
