"""Threads: how many operations may use, locks, and calls that no interrupt cuts short. Imports nothing of minigrad.

*Interrupts.* Python raises KeyboardInterrupt, and whatever else the handler of a signal raises, in the main thread, between
any two of its steps: also between asking another thread for something and noting that it was asked. What must not be left
half done is therefore done by another thread, as a `Job`, and whatever happens to the main thread, it does not go on
before that thread has finished (`settle`). Then the interrupt is raised.

*Forks.* A forked child has one thread, and finds locks as the others held them. Ours are made anew in it (`new_lock`); a
kernel that another thread is loading or compiling is waited for before the fork (`watch_forks`).
"""

from __future__ import annotations

import _thread
import contextvars
import functools
import importlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

_threads = {"count": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1}


def get_num_threads() -> int:
    """How many threads operations may use. PyTorch: torch.get_num_threads."""
    return _threads["count"]


def set_num_threads(n: object) -> None:
    """Let operations use n threads: BLAS's pool, where threadpoolctl is installed to reach it. PyTorch: torch.set_num_threads."""
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, got {n!r}")
    try:
        import threadpoolctl
    except ImportError:
        if n != _threads["count"]:
            raise RuntimeError(
                "set_num_threads needs the package threadpoolctl to reach NumPy's BLAS (pip install threadpoolctl); or set "
                "OPENBLAS_NUM_THREADS before Python starts"
            ) from None
    else:
        threadpoolctl.threadpool_limits(limits=n, user_api="blas")
    _threads["count"] = n


# -- locks and forks

# How many Python threads there are beside the main one. Where there is none, what would take a lock goes without: of a small
# operation a lock costs a tenth. (Only this thread could start another, and not while it is at that.)
others: Callable[[], int] = _thread._count


def new_lock() -> Any:
    """A lock that its thread may take again, and that a forked child finds free."""
    lock: Any = threading.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lock._at_fork_reinit)  # as the library's own do
    return lock


class Turn:
    """What one call has at a time, whichever thread it is of and also within one; a forked child finds it free.

    Calls stand in line, each with a ticket of its own, and who is first has the turn:

        ticket = object()
        try:
            if turn.first(ticket): ...
        finally:
            turn.leave(ticket, None)

    No interrupt leaves it taken: who has not taken it leaves the line just so, and to leave is one step of Python, which
    nothing comes before in a `finally`.
    """

    def __init__(self) -> None:
        self._line: dict[object, tuple[int, int]] = {}  # ticket: process and thread
        self.leave = self._line.pop

    def first(self, ticket: object) -> bool:
        """Stand in line; whether nobody of this process is before."""
        self._line[ticket] = os.getpid(), _thread.get_ident()
        return self._head()[0] is ticket

    def is_here(self) -> bool:
        """Whether a call of this very thread has the turn."""
        return bool(self._line) and self._head()[1] == _thread.get_ident()

    def _head(self) -> tuple[object, int]:
        """Ticket and thread of who has it; 0 for the thread that nobody is of."""
        here = os.getpid()
        for ticket, (process, thread) in list(self._line.items()):  # (one step, which no other thread comes between)
            if process == here:
                return ticket, thread
        return None, 0


compiling = threading.RLock()  # held while Numba is imported and while a kernel is compiled or loaded
_held: list[Any] = []  # the locks with which this process is forking
_missed: list[Any] = []  # and those for which it has waited long enough
_PATIENCE = 60.0  # seconds that a fork waits for them


class Compiler:
    """Whether Numba's compiler can be used in this process."""

    lost = False  # a thread that this process has not was at it when it was forked


def _before_fork() -> None:
    """Wait until nobody is importing Numba or compiling: a child could never finish what a thread it lacks has begun."""
    (_held if compiling.acquire(timeout=_PATIENCE) else _missed).append(compiling)
    numba = sys.modules.get("numba.core.compiler_lock")
    lock = getattr(getattr(numba, "global_compiler_lock", None), "_lock", None)  # (others may use Numba too)
    if lock is not None and not _missed:
        (_held if lock.acquire(timeout=_PATIENCE) else _missed).append(lock)


def _in_parent() -> None:
    while _held:
        _held.pop().release()
    _missed.clear()


def _in_child() -> None:
    Compiler.lost = bool(_missed)
    if compiling in _missed:
        compiling._at_fork_reinit()  # type: ignore[attr-defined]
    _in_parent()


@functools.cache
def watch_forks() -> None:
    """From here on a fork waits for the compiler. To be called before Numba is imported.

    What is to be done before a fork is done in reverse order. So first come the modules of the standard library that Numba
    imports and that take a lock before a fork: it would be held, and the import wait for it, while we wait for the import.
    """
    if hasattr(os, "register_at_fork"):
        importlib.import_module("logging")
        importlib.import_module("concurrent.futures.thread")
        os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)


# -- calls that no interrupt cuts short


class Job:
    """A call that is made once, by whichever thread takes it first. Its end and its error belong to it alone."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self.function, self.args = function, args
        self.result: Any = None
        self.error: BaseException | None = None
        self.offered = self.ended = False
        self._taker: dict[str, object] = {}
        self._end = threading.Lock()
        self._end.acquire()

    def taken_by(self, who: object) -> bool:
        """Take it if nobody has; whether it is `who`'s. This is one step of the interpreter: no interrupt comes between."""
        return self._taker.setdefault("thread", who) is who

    def do(self) -> None:
        """Make the call, unless it is taken. For threads that signals do not reach."""
        if self.taken_by(object()):
            try:
                self.result = self.function(*self.args)
            except BaseException as error:
                self.error = error
            self.ended = True
            self._end.release()

    def wait(self) -> None:
        """Until the thread that took it has finished. May be interrupted, and called again."""
        while not self.ended:
            self._end.acquire()


def settle(jobs: Sequence[Job], me: object, offer: Callable[[Job], None] | None = None) -> None:
    """Return when no other thread is at any of the jobs or will begin one. What interrupts the waiting is raised then.

    With `offer`, which has another thread do a job, when all have been done.
    """
    interrupt: BaseException | None = None
    while True:
        try:
            for job in jobs if offer is not None else ():
                if not job.offered:
                    offer(job)  # type: ignore[misc]  # mypy has forgotten
                    job.offered = True
            for job in jobs:
                if offer is not None or not job.taken_by(me):
                    job.wait()
            break
        except BaseException as error:
            interrupt = error
    if interrupt is not None:
        raise interrupt


def apart(function: Callable[..., Any], *args: Any) -> Any:
    """function(*args), which an interrupt does not cut short: it is raised at the end."""
    if threading.current_thread() is not threading.main_thread():
        return function(*args)  # signals do not reach it here
    job, me = Job(contextvars.copy_context().run, function, *args), object()
    thread = threading.Thread(target=job.do, name="minigrad")
    try:
        thread.start()
        job.wait()
    except RuntimeError:
        if thread.ident is not None or not job.taken_by(me):
            raise
        return function(*args)  # the system gives no more threads
    finally:
        try:
            settle((job,), me)
        finally:
            settle((job,), me)  # where an interrupt hit the first before it began
    if job.error is not None:
        raise job.error
    return job.result
