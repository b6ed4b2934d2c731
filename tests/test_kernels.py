"""The compiled loops: their accuracy, their agreement with PyTorch on large arrays, threads, processes, the compiler.

On small arrays, where the case table reaches each of them: test_kernels_reached.py.
"""

import os
import subprocess
import sys
import threading
from pathlib import Path

import mpmath
import numpy as np
import pytest
import torch

import minigrad
from minigrad import kernels
from minigrad.autograd import fused
from minigrad.kernels import compiled, vector


@pytest.fixture
def forced(monkeypatch):
    """Compiled loops for arrays of any size, split among threads wherever there are two rows."""
    monkeypatch.setattr(fused, "LARGE", 1)
    monkeypatch.setattr(kernels, "_PER_THREAD", 1)


# -- accuracy


@compiled.kernel
def exp_loop(x, out):
    for i in range(x.size):
        out[i] = vector.exp(x[i])


@compiled.kernel
def tanh_loop(x, out):
    for i in range(x.size):
        out[i] = vector.tanh_float32(x[i])


@compiled.kernel
def erf_loop(x, out):
    for i in range(x.size):
        out[i] = vector.erf_float32(x[i])


def points(low, high, dtype):
    """Evenly spread over the range, and over the exponents of both signs down to the smallest number."""
    rng = np.random.default_rng(0)
    smallest = np.finfo(dtype).smallest_subnormal
    tiny = np.exp(rng.uniform(np.log(float(smallest)) if dtype == np.float32 else -700, np.log(high), 400))
    x = np.concatenate([rng.uniform(low, high, 1500), tiny, -tiny[-tiny > low], np.linspace(-2, 2, 401)])
    return x.astype(dtype)


@pytest.mark.parametrize(
    ("loop", "truth", "low", "high", "dtype"),
    [
        (exp_loop, mpmath.exp, -104.5, 89.5, np.float32),
        (exp_loop, mpmath.exp, -746.0, 710.5, np.float64),
        (tanh_loop, mpmath.tanh, -12.0, 12.0, np.float32),
        (erf_loop, mpmath.erf, -5.0, 5.0, np.float32),
    ],
    ids=["exp float32", "exp float64", "tanh float32", "erf float32"],
)
def test_within_two_ulp(loop, truth, low, high, dtype):
    x = points(low, high, dtype)
    out = np.empty_like(x)
    loop(x, out)
    with mpmath.workprec(120), np.errstate(over="ignore", under="ignore"):
        for given, got in zip(x, out, strict=True):
            exact = truth(mpmath.mpf(float(given)))
            nearest = dtype(float(exact)) if abs(exact) < 1e308 else dtype(np.inf)
            if np.isinf(nearest):
                assert np.isinf(got) or exact < np.finfo(dtype).max * (1 + 2 * np.finfo(dtype).eps), given
                continue
            ulp = float(np.spacing(np.abs(nearest)))
            assert abs(mpmath.mpf(float(got)) - exact) <= 2 * ulp, (given, got, exact)


@pytest.mark.parametrize(
    ("loop", "values"),
    [
        (exp_loop, [np.inf, 0.0, 1.0, 1.0, np.nan, np.inf, 0.0]),
        (tanh_loop, [1.0, -1.0, 0.0, -0.0, np.nan, 1.0, -1.0]),
        (erf_loop, [1.0, -1.0, 0.0, -0.0, np.nan, 1.0, -1.0]),
    ],
    ids=["exp", "tanh", "erf"],
)
def test_special_values(loop, values):
    x = np.array([np.inf, -np.inf, 0.0, -0.0, np.nan, 1e30, -1e30], np.float32)
    out = np.empty_like(x)
    loop(x, out)
    np.testing.assert_array_equal(out, np.array(values, np.float32))
    np.testing.assert_array_equal(np.signbit(out[:4]), np.signbit(np.array(values[:4])))


# -- large arrays, beside PyTorch


def both(function, *inputs):
    """Value and gradients in minigrad (compiled), minigrad (plain) and PyTorch, from a fixed random cotangent."""
    results = []
    for engine, on in ((minigrad, True), (minigrad, False), (torch, True)):
        tensors = [engine.from_numpy(x.copy()) for x in inputs]
        for x in tensors:
            if x.is_floating_point():
                x.requires_grad_()
        with minigrad.use_kernels(on):
            out = function(engine, *tensors)
            cotangent = np.random.default_rng(5).standard_normal(tuple(out.shape)).astype(inputs[0].dtype)
            out.backward(engine.from_numpy(cotangent))
        results.append([out.detach().numpy()] + [x.grad.numpy() for x in tensors if x.is_floating_point()])
    return results


def draw(*shape, dtype=np.float32):
    return np.random.default_rng(3).standard_normal(shape).astype(dtype)


LARGE = {
    "erf": lambda t, x: t.erf(x),
    "relu": lambda t, x: t.relu(t.cat([x, x, -x])),
    "gelu": lambda t, x: t.nn.functional.gelu(x),
    "gelu_tanh": lambda t, x: t.nn.functional.gelu(x, approximate="tanh"),
    "softmax": lambda t, x: t.softmax(x, -1),
    "log_softmax": lambda t, x: t.log_softmax(x, -1),
    "layer_norm": lambda t, x: t.nn.functional.layer_norm(x, x.shape[-1:]),
    "batch_norm": lambda t, x: t.nn.functional.batch_norm(x, None, None, training=True),
    "max_pool2d": lambda t, x: t.nn.functional.max_pool2d(x, 3, 2, 1),
    "max_pool2d.dilation": lambda t, x: t.nn.functional.max_pool2d(x, (2, 3), 1, (1, 0), 2),
    "transposed": lambda t, x: t.softmax(x.transpose(1, 2), -1),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LARGE)
def test_large_arrays(name, dtype):
    found, plain, expected = both(LARGE[name], draw(8, 7, 33, 65, dtype=dtype))
    bound = 2e-5 if dtype == np.float32 else 1e-12
    for a, b, c in zip(found, plain, expected, strict=True):
        assert a.dtype == c.dtype
        assert a.shape == c.shape
        np.testing.assert_allclose(a, c, rtol=bound, atol=bound)
        np.testing.assert_allclose(b, c, rtol=bound, atol=bound)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [193, 194, 195, 196])  # the weight's gradient is summed by fours, and in blocks of 64
def test_layer_norm_s_weights_at_every_remainder(rows, dtype):
    x, w, b = draw(rows, 331, dtype=dtype), draw(331, dtype=dtype), draw(331, dtype=dtype)
    found, plain, expected = both(lambda t, x, w, b: t.nn.functional.layer_norm(x, (331,), w, b), x, w, b)
    bound = 2e-5 if dtype == np.float32 else 1e-12
    for a, b, c in zip(found, plain, expected, strict=True):
        np.testing.assert_allclose(a, c, rtol=bound, atol=bound)
        np.testing.assert_allclose(b, c, rtol=bound, atol=bound)


def test_cross_entropy_of_many_classes():
    labels = np.random.default_rng(0).integers(0, 500, 120)
    labels[::7] = -100
    found, plain, expected = both(lambda t, x, y: t.nn.functional.cross_entropy(x, y), draw(120, 500), labels)
    for a, b, c in zip(found, plain, expected, strict=True):
        np.testing.assert_allclose(a, c, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(b, c, rtol=1e-5, atol=1e-7)


def test_nan_and_ties_in_pooling():
    x = np.random.default_rng(0).integers(0, 3, (4, 40, 16, 16)).astype(np.float32)
    x[0, 0, 3, 5] = x[3, 39, 15, 15] = np.nan
    found, _, expected = both(LARGE["max_pool2d"], x)
    for a, c in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, c, rtol=1e-5)


def test_rows_of_infinities():
    x = draw(64, 600)
    x[0], x[1, 3], x[2, 5] = -np.inf, -np.inf, np.inf
    for name in ("softmax", "log_softmax"):
        found, _, expected = both(LARGE[name], x)
        np.testing.assert_array_equal(np.isnan(found[0]), np.isnan(expected[0]))
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["Adam", "AdamW", "SGD"])
def test_optimizers_on_large_parameters(name):
    start, grads = draw(300, 200), [draw(300, 200) * k for k in (1, -0.5, 2)]
    settings = {"lr": 0.01, "weight_decay": 0.1} | ({"momentum": 0.9, "nesterov": True} if name == "SGD" else {})
    results = []
    for engine in (minigrad, torch):
        p = engine.from_numpy(start.copy()).requires_grad_()
        optimizer = getattr(engine.optim, name)([p], **settings)
        for g in grads:
            p.grad = engine.from_numpy(g.copy())
            optimizer.step()
        results.append(p.detach().numpy())
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-7)


# -- threads, processes, the compiler


def test_the_number_of_threads_changes_nothing(forced):
    x = draw(37, 129)
    before = minigrad.get_num_threads()
    results = []
    try:
        for n in (1, 2):
            minigrad.set_num_threads(n)
            results.append(both(LARGE["layer_norm"], x)[0] + both(LARGE["gelu"], x)[0])
    finally:
        minigrad.set_num_threads(before)
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_several_threads_may_call_kernels_at_once(forced):
    x = draw(64, 257)
    expected = minigrad.softmax(minigrad.from_numpy(x), -1).numpy()
    wrong = []

    def work():
        for _ in range(30):
            if not np.array_equal(minigrad.softmax(minigrad.from_numpy(x), -1).numpy(), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_error_in_a_worker_is_raised(forced):
    def fail(a, b):
        if a > 0:
            raise ValueError("in a worker")

    before = minigrad.get_num_threads()
    minigrad.set_num_threads(2)
    try:
        with pytest.raises(ValueError, match="in a worker"):
            kernels.split(10, 10, fail)
        kernels.split(10, 10, lambda a, b: None)
    finally:
        minigrad.set_num_threads(before)


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | environment
    )
    return done.stdout.strip()


SMALL = """
import sys, minigrad as torch
nn = torch.nn
model = nn.Sequential(nn.Linear(2, 4), nn.GELU(), nn.LayerNorm(4), nn.Linear(4, 3), nn.Softmax(-1))
model(torch.randn(800, 2)).sum().backward()
print('numba' in sys.modules)
"""


def test_small_arrays_never_wait_for_a_compiler():
    assert run(SMALL) == "False"


def test_kernels_can_be_switched_off_for_a_process():
    code = "import sys, minigrad; minigrad.softmax(minigrad.randn(500, 500), -1); print('numba' in sys.modules)"
    assert run(code, MINIGRAD_KERNELS="0") == "False"
    assert run(code) == "True"


def test_blas_sleeps_and_memory_is_kept():
    code = "import os, minigrad; print(os.environ['OPENBLAS_THREAD_TIMEOUT'], minigrad.process.blas_sleeps)"
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_THREAD_TIMEOUT"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["20", "True"]
    assert run(code, OPENBLAS_THREAD_TIMEOUT="26").split()[0] == "26"
    code = "import numpy, minigrad; minigrad.show_config()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert "NumPy was imported before minigrad" in done.stdout


def test_warm_compiles_every_kernel(tmp_path):
    code = "from minigrad.kernels.__main__ import main, unused; main(['warm']); print('left out:', unused())"
    said = run(code)
    assert "programs" in said
    assert "left out: []" in said


BUSY = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from minigrad.kernels import compiled

compiled.PATIENCE = 0.001
import busy

busy.long(np.zeros(1), int(sys.argv[2]))
"""
LOOP = """
from minigrad.kernels.compiled import kernel

@kernel
def long(x, n):
    for i in range(n):
        x[0] = x[0] * 0.5 + i
"""


def test_compiling_is_announced_and_a_long_call_is_not(tmp_path):
    (tmp_path / "busy.py").write_text(LOOP)

    def said(n):
        code = [sys.executable, "-c", BUSY, str(tmp_path), str(n)]
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        return subprocess.run(code, capture_output=True, text=True, check=True, env=environment).stderr

    assert "minigrad: compiling busy.long, once on this machine" in said(1)
    assert said(300_000_000) == ""  # longer than PATIENCE, but loaded from disk


def test_the_deep_run_looks_at_every_index(tmp_path):
    """NUMBA_BOUNDSCHECK, as `make test-deep` sets it, reaches the kernels: past the end is an error there, not a number."""
    (tmp_path / "beyond.py").write_text(
        "import numpy as np\n"
        "from minigrad.kernels import compiled\n\n"
        "@compiled.kernel\n"
        "def beyond(x, out):\n"
        "    for i in range(x.size + 1):\n"
        "        out[0] += x[i]\n\n"
        "beyond(np.ones(3), np.zeros(1))\n"
    )
    root = Path(__file__).parent.parent
    assert "NUMBA_BOUNDSCHECK=1" in (root / "Makefile").read_text(encoding="utf-8")
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(root)}
    run = [
        subprocess.run([sys.executable, "beyond.py"], cwd=tmp_path, env=env | more, capture_output=True, text=True)
        for more in ({}, {"NUMBA_BOUNDSCHECK": "1"})
    ]
    assert run[0].returncode == 0, run[0].stderr
    assert run[1].returncode == 1
    assert "IndexError" in run[1].stderr
