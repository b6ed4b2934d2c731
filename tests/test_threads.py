"""Threads and forked processes: nothing is lost that several threads add, and no child hangs, whenever it is forked.

HYPOTHESIS_PROFILE=deep forks 100 times at each kind of bad moment.
"""

import ast
import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad import nn, storage

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"


def together(n, function):
    """function(i) in n threads, begun at once, which change places as often as Python lets them; what they returned."""
    barrier, results, errors = threading.Barrier(n), [None] * n, []

    def run(i):
        try:
            barrier.wait()
            results[i] = function(i)
        except BaseException as error:
            errors.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        workers = [threading.Thread(target=run, args=(i,)) for i in range(n)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(before)
    if errors:
        raise errors[0]
    return results


# -- one leaf


@pytest.mark.parametrize("shape", [(), (3,), (50_000,)])
@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_of_several_threads_into_one_leaf_are_all_added(shape, create_graph):
    n, times = 4, 50
    x = minigrad.ones(shape, requires_grad=True)

    def run(i):
        for _ in range(times):
            (x * (i + 1)).sum().backward(create_graph=create_graph)

    for _ in range(3):
        x.grad = None
        together(n, run)
        assert (x.grad.detach().numpy() == times * sum(range(1, n + 1))).all()
        if create_graph:
            x.grad = None  # a cycle of the leaf and its gradient


def test_a_shared_layer_gets_the_gradients_of_all_threads():
    layer = nn.Linear(5, 3)
    inputs = [minigrad.randn(7, 5) for _ in range(4)]
    for x in inputs:
        layer(x).square().sum().backward()
    expected = [p.grad.clone() for p in layer.parameters()]
    layer.zero_grad()
    together(4, lambda i: layer(inputs[i]).square().sum().backward())
    for p, wanted in zip(layer.parameters(), expected, strict=True):
        assert minigrad.allclose(p.grad, wanted, rtol=1e-5)


def test_hooks_that_threads_register_at_once_all_stay():
    x = minigrad.ones(2, requires_grad=True)
    called = []
    handles = together(6, lambda i: [x.register_hook(lambda g, i=i: called.append(i)) for _ in range(200)])
    assert len({handle.id for row in handles for handle in row}) == 1200
    x.sum().backward()
    assert len(called) == 1200


def test_no_write_is_overlooked_when_threads_write_at_once():
    """The time of the latest write never goes back: an operation between two writes would not notice the second."""
    latest = []

    def run(i):
        x = minigrad.zeros(2)
        for _ in range(2000):
            time = storage.mark_written(x.array)
            latest.append(storage.Latest.written >= time)
        return storage.version(x.array)

    assert together(4, run) == [2000] * 4
    assert all(latest)


# -- each thread for itself


def test_no_grad_of_one_thread_is_not_another_s():
    x = minigrad.ones(3, requires_grad=True)

    def run(i):
        for _ in range(300):
            if i % 2:
                with minigrad.no_grad():
                    assert not (x * 2).requires_grad
            else:
                assert (x * 2).requires_grad
        return minigrad.is_grad_enabled()

    assert together(4, run) == [True] * 4


def train(seed):
    """A model of its own, an optimizer, dropout, large arrays and small ones."""
    rng = np.random.default_rng(seed)
    generator = minigrad.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Linear(40, 300), nn.GELU(), nn.LayerNorm(300), nn.Linear(300, 10))
    for p in model.parameters():
        p.data = minigrad.from_numpy(rng.standard_normal(p.shape).astype(np.float32) * 0.1)
    optimizer = minigrad.optim.Adam(model.parameters(), lr=0.01)
    x = minigrad.from_numpy(rng.standard_normal((256, 40)).astype(np.float32))
    labels = minigrad.from_numpy(rng.integers(0, 10, 256))
    for _ in range(4):
        optimizer.zero_grad()
        noisy = x + 0.1 * minigrad.randn(256, 40, generator=generator)
        nn.functional.cross_entropy(model(noisy), labels).backward()
        optimizer.step()
    return b"".join(p.detach().numpy().tobytes() for p in model.parameters())


def test_six_models_in_six_threads_learn_what_each_learns_alone():
    alone = [train(i) for i in range(6)]
    assert together(6, train) == alone


# -- forks

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

FORKING = """
import os, random, sys, threading, time, warnings
import numpy as np
import minigrad as torch
from minigrad import kernels

warnings.simplefilter("ignore")  # Python's, about forks of programs with threads
kernels._PER_THREAD = 1 << 12
x = np.random.default_rng(0).standard_normal((200, 300)).astype(np.float32)
e = np.exp(x - x.max(1, keepdims=True))
EXPECTED = e / e.sum(1, keepdims=True)
shared = torch.from_numpy(x.copy()).requires_grad_()


def softmax():
    y = torch.softmax(shared, -1)
    (y * y.detach()).sum().backward()
    torch.zeros(5).add_(1)
    with torch.use_kernels(True):
        pass
    return np.abs(y.detach().numpy() - EXPECTED).max() < 1e-6


def forked(seconds):
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if softmax() else 3)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(4)
    return child, time.monotonic() + seconds


def wait(children):
    for child, until in children:
        while True:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                assert status == 0, f"a child ended with {status}"
                break
            if time.monotonic() > until:
                os.kill(child, 9)
                raise SystemExit("a child hangs")
            time.sleep(0.01)
"""

WHILE_COMPILING = (
    FORKING
    + """
from minigrad.kernels.__main__ import main
rng = random.Random(sys.argv[1])
names = ["relu float32", "erf", "softmax float32", "gelu", "log_softmax float32", "cross_entropy float32"]
def compile():
    softmax()
    main(["warm", *names[: int(sys.argv[3])]])
busy = threading.Thread(target=compile)
busy.start()
children = []
for _ in range(int(sys.argv[2])):
    time.sleep(rng.uniform(0, 0.5))
    children.append(forked(100))
wait(children)
busy.join()
assert softmax()
print("forked", len(children))
"""
)

WHILE_COMPUTING = (
    FORKING
    + """
assert softmax()
stop = False
def compute():
    while not stop:
        assert softmax()
busy = [threading.Thread(target=compute) for _ in range(3)]
for thread in busy:
    thread.start()
rng = random.Random(sys.argv[1])
count = int(sys.argv[2])
for _ in range(0, count, 4):
    time.sleep(rng.uniform(0, 0.02))
    wait([forked(100) for _ in range(4)])
stop = True
for thread in busy:
    thread.join()
print("forked", count)
"""
)


@forks
@pytest.mark.parametrize("seed", range(5 if DEEP else 1))
@pytest.mark.parametrize("cache", ["warm", "empty"])
def test_forks_while_another_thread_loads_or_compiles_a_kernel(cache, seed, tmp_path):
    """The first fork comes while Numba is imported, or soon after."""
    environment = os.environ | ({"NUMBA_CACHE_DIR": str(tmp_path)} if cache == "empty" else {})
    count = 20 if DEEP else 5
    code = [sys.executable, "-c", WHILE_COMPILING, f"{cache} {seed}", str(count), "6" if DEEP else "2"]
    done = subprocess.run(code, env=environment, capture_output=True, text=True, timeout=550 if DEEP else 120)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"forked {count}" in done.stdout


@forks
def test_forks_while_other_threads_compute():
    count = 100 if DEEP else 20
    code = [sys.executable, "-c", WHILE_COMPUTING, "0", str(count)]
    done = subprocess.run(code, capture_output=True, text=True, timeout=550 if DEEP else 120)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"forked {count}" in done.stdout


class Rows(minigrad.utils.data.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, i):
        return minigrad.softmax(minigrad.full((200, 300), float(i)), -1).sum()


def test_workers_of_a_loader_use_kernels_beside_a_thread_that_does():
    stop = threading.Event()

    def compute():
        while not stop.is_set():
            minigrad.softmax(minigrad.zeros(200, 300), -1)

    busy = threading.Thread(target=compute)
    busy.start()
    try:
        loader = minigrad.utils.data.DataLoader(Rows(), batch_size=2, num_workers=2)
        assert [round(float(b.sum()), 2) for b in loader] == [400.0] * 4
    finally:
        stop.set()
        busy.join()


def of_a_process(i):
    return float(minigrad.softmax(minigrad.full((200, 300), float(i)), -1).sum())


@forks
def test_a_pool_of_forked_processes_uses_kernels():
    minigrad.softmax(minigrad.zeros(200, 300), -1)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map_async(of_a_process, range(6)).get(timeout=120)
    assert np.allclose(found, 200)


def test_every_lock_of_ours_is_made_anew_in_a_child():
    """Whoever makes a lock makes it by `threads.new_lock`, which sees to that, or in threads.py itself."""
    root = Path(minigrad.__file__).parent
    made = {"Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Barrier", "allocate_lock"}
    found = []
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
            if name in made and path.name != "threads.py":
                found.append(f"{path.relative_to(root)}:{node.lineno}")
    assert found == []
