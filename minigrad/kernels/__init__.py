"""Compiled loops for large arrays. Nobody needs to read them to understand the engine: each has its twin in NumPy.

A fused operation (autograd/fused.py) names its compiled form, a class beside the loops here. It is imported, and Numba with
it, when an array is large enough for it: small arrays never wait for a compiler. A compiled loop is kept on disk
(NUMBA_CACHE_DIR, else beside the file), so each is compiled once on a machine; `python -m minigrad.kernels warm` does it ahead.

    compiled.py       the decorators of all loops, and the list of what they made
    cache.py          compiled loops on disk, as Numba keeps them
    disk.py           where they lie, and that they are checked before they are believed
    native.py         machine code that runs without Numba
    ahead.py          a step's loop compiled in a process beside this one
    vector.py         exp, tanh, erf ... written out, so that the compiler makes vector instructions of them
    lanes.py          formulas over whole vectors, where a compiler would not make them by itself
    sums.py           sums and maxima of a row
    elementwise.py    activations, forward and backward
    rows.py           softmax and layer norm, one row after the other
    cross_entropy.py  cross-entropy of class indices, on those rows
    channels.py       batch norm
    pool.py           max pooling, with ReLU before it
    gemm.py           the tile of a matrix product, in registers
    conv.py           convolution, on that tile
    conv_batch.py     convolution of a batch, an image in each lane
    attention.py      scaled dot-product attention, in blocks, on that tile
    recurrent.py      recurrent layers, the whole walk along a sequence, on that tile
    beside.py         a second thread that helps with one walk, where its steps are too short for `split`
    running.py        the largest and the smallest so far
    first.py          the first few elements of an order
    special.py        erfc, its inverse, ln Γ
    grid.py           images and volumes read between their elements
    substitution.py   equations with a triangular matrix
    scatter.py        entries and elements read and added up by index: index_add, gather, scatter_add
    swaps.py          the swaps of a random permutation
    pairs.py          normal numbers, two of two uniform ones
    optimizer.py      Adam and SGD in one pass
    tape.py           runs of small instructions over arrays, as minigrad/compiler/tapes.py writes them
    step.py           a small network's whole training step, as minigrad/compiler/loops.py writes it

Threads: a kernel releases Python's lock and works on a part of the rows, `split` gives each thread of a small pool its
part. So no second pool spins beside that of BLAS, and loader threads may call kernels too.
"""

from __future__ import annotations

import itertools
import os
import queue
import threading
from collections.abc import Callable

from ..threads import Job, get_num_threads, settle

_PER_THREAD = 1 << 17  # elements that are worth waking a second thread for

_workers: list[threading.Thread] = []
_offered: queue.SimpleQueue[Job] = queue.SimpleQueue()  # a worker does what it finds here, if nobody has begun it


def _work() -> None:
    while True:
        _offered.get().do()  # (while it waits it holds no job, and with it no arrays)


def _hire(n: int) -> bool:
    """Have at least n workers; whether the system allows it."""
    try:
        while len(_workers) < n:
            worker = threading.Thread(target=_work, name="minigrad kernel", daemon=True)
            worker.start()
            _workers.append(worker)
    except RuntimeError:
        return False
    return True


def split(rows: int, elements: int, run: Callable[[int, int], object], in_place: bool = False) -> None:
    """`run(start, stop)` over all rows, their `elements` shared among the threads of `minigrad.set_num_threads`.

    This thread does the first part, and any that no worker has begun by then: no thread waits for workers that are busy.
    It returns when all are done, or raises when none is under way. in_place: what the arrays held before is lost, so they
    must not be left changed in part; then the workers do it all, whom no interrupt reaches.
    """
    if elements < 2 * _PER_THREAD:
        run(0, rows)
        return
    parts = max(1, min(get_num_threads(), rows, elements // _PER_THREAD))
    if parts == 1 or not _hire(parts if in_place else parts - 1):
        run(0, rows)
        return
    bounds = [rows * i // parts for i in range(parts + 1)]
    jobs, me = [Job(run, a, b) for a, b in itertools.pairwise(bounds)], object()
    offer = _offered.put if in_place else None
    try:
        for job in () if in_place else jobs[1:]:
            _offered.put(job)
        for job in () if in_place else jobs:
            if job.taken_by(me):
                run(*job.args)
    finally:
        try:
            settle(jobs, me, offer)
        finally:
            settle(jobs, me, offer)  # where an interrupt hit the first before it began
    for job in jobs:
        if job.error is not None:
            raise job.error


def _forget_workers() -> None:
    """In a forked child the threads are gone, and nobody will take what they were offered."""
    global _offered
    _workers.clear()
    _offered = queue.SimpleQueue()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_workers)
