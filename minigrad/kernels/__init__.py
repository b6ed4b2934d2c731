"""Compiled loops for large arrays. Nobody needs to read them to understand the engine: each has its twin in NumPy.

A fused operation (autograd/fused.py) names its compiled form, a class beside the loops here. It is imported, and Numba with
it, when an array is large enough for it: small arrays never wait for a compiler. A compiled loop is kept on disk
(NUMBA_CACHE_DIR, else beside the file), so each is compiled once on a machine; `python -m minigrad.kernels warm` does it ahead.

    compiled.py       the decorators of all loops, and the list of what they made
    vector.py         exp, tanh, erf ... written out, so that the compiler makes vector instructions of them
    sums.py           sums and maxima of a row
    elementwise.py    activations, forward and backward
    rows.py           softmax and layer norm, one row after the other
    cross_entropy.py  cross-entropy of class indices, on those rows
    channels.py       batch norm
    pool.py           max pooling
    gemm.py           the tile of a matrix product, in registers
    conv.py           convolution, on that tile
    conv_batch.py     convolution of a batch, an image in each lane
    attention.py      scaled dot-product attention, in blocks, on that tile
    recurrent.py      recurrent layers, the whole walk along a sequence, on that tile
    running.py        the largest and the smallest so far
    grid.py           images read between their elements
    substitution.py   equations with a triangular matrix
    scatter.py        rows added up by index: the gradient of an embedding
    swaps.py          the swaps of a random permutation
    optimizer.py      Adam and SGD in one pass

Threads: a kernel releases Python's lock and works on a part of the rows, `split` gives each thread of a small pool its
part. So no second pool spins beside that of BLAS, and loader threads may call kernels too.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
from collections.abc import Callable

from ..threads import get_num_threads

_PER_THREAD = 1 << 17  # elements that are worth waking a second thread for

_workers: list[_Worker] = []
_busy = threading.Lock()


class _Worker(threading.Thread):
    """A thread that runs one function at a time, waiting for the next on a lock, which wakes it sooner than a queue would."""

    def __init__(self) -> None:
        super().__init__(name="minigrad kernel", daemon=True)
        self.job: Callable[[], object] | None = None
        self.error: BaseException | None = None
        self._given, self._done = threading.Lock(), threading.Lock()
        self._given.acquire()
        self._done.acquire()
        self.start()

    def run(self) -> None:
        while True:
            self._given.acquire()
            try:
                assert self.job is not None
                self.job()
            except BaseException as error:
                self.error = error
            self.job = None
            self._done.release()

    def give(self, job: Callable[[], object]) -> None:
        self.job = job
        self._given.release()

    def wait(self) -> BaseException | None:
        self._done.acquire()
        error, self.error = self.error, None
        return error


def split(rows: int, elements: int, run: Callable[[int, int], object]) -> None:
    """`run(start, stop)` over all rows, their `elements` shared among the threads of `minigrad.set_num_threads`.

    While another thread uses the workers, this one does its work alone.
    """
    parts = max(1, min(get_num_threads(), rows, elements // _PER_THREAD))
    if parts == 1 or not _busy.acquire(blocking=False):
        run(0, rows)
        return
    try:
        while len(_workers) < parts - 1:
            _workers.append(_Worker())
        bounds = [rows * i // parts for i in range(parts + 1)]
        used = _workers[: parts - 1]
        for worker, (a, b) in zip(used, itertools.pairwise(bounds[1:]), strict=True):
            worker.give(functools.partial(run, a, b))
        try:
            run(bounds[0], bounds[1])
        finally:
            errors = [worker.wait() for worker in used]
        for error in errors:
            if error is not None:
                raise error
    finally:
        _busy.release()


def _forget_workers() -> None:
    """In a forked child the threads are gone, and nobody will release the lock."""
    global _busy
    _workers.clear()
    _busy = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_workers)
