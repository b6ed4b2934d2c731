"""The compiled convolution and attention, forced on small odd shapes: against float64 truth, and no worse than PyTorch."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import minigrad
from minigrad import kernels
from minigrad.autograd import fused


@pytest.fixture(autouse=True)
def forced(monkeypatch):
    """Compiled loops for arrays of any size, split among threads wherever there are two parts."""
    monkeypatch.setattr(fused, "LARGE", 1)
    monkeypatch.setattr(kernels, "_PER_THREAD", 1)


def error(found, truth):
    return np.abs(found - truth).max() / max(np.abs(truth).max(), 1e-30)


def check(run, dtype):
    """`run(engine, dtype)` gives arrays: minigrad's differ from float64 truth by rounding alone, at most twice PyTorch's."""
    truth, theirs, ours = run(torch, "float64"), run(torch, dtype), run(minigrad, dtype)
    floor = 32 * np.finfo(dtype).eps  # a handful of roundings, by which two orders of summation may differ
    for name in truth:
        assert ours[name].shape == truth[name].shape
        assert ours[name].dtype == dtype
        assert error(ours[name], truth[name]) <= max(2 * error(theirs[name], truth[name]), floor), name


def called(monkeypatch, owner, name):
    """Counts the calls of a function, to be sure that the compiled form ran."""
    calls = []
    own, original = vars(owner)[name], getattr(owner, name)
    count = lambda *args: calls.append(name) or original(*args)  # noqa: E731
    monkeypatch.setattr(owner, name, staticmethod(count) if isinstance(own, staticmethod) else count)
    return calls


# -- convolution

# images, channels, size, filters, kernel, stride, padding, dilation, groups
CONVOLUTIONS = {
    "one channel": (5, 1, (9, 11), 5, (3, 3), 1, 0, 1, 1),
    "padding": (4, 3, (9, 11), 13, (3, 3), 1, 1, 1, 1),
    "same, even kernel": (4, 3, (9, 11), 8, (4, 2), 1, "same", 1, 1),
    "same, dilated": (4, 3, (9, 12), 8, (3, 3), 1, "same", 3, 1),
    "valid": (4, 3, (9, 11), 8, (3, 2), 1, "valid", 1, 1),
    "more padding than kernel": (3, 2, (5, 6), 4, (2, 2), 1, 3, 1, 1),
    "stride 2": (6, 5, (9, 11), 12, (3, 2), 2, (1, 0), 1, 1),
    "stride 2, 3, padding, dilation 2": (4, 6, (13, 11), 12, (3, 2), (2, 3), (2, 1), 2, 1),
    "stride beyond the kernel": (6, 4, (14, 13), 9, (2, 2), 4, 0, 1, 1),
    "dilation": (4, 6, (13, 11), 12, (3, 3), 1, 2, 2, 1),
    "groups": (3, 12, (13, 11), 24, (3, 3), 1, 1, 1, 3),
    "groups, stride": (3, 12, (13, 11), 16, (3, 3), 2, 1, 1, 2),
    "1x1": (3, 12, (13, 11), 24, (1, 1), 1, 0, 1, 1),
    "1x1, stride": (3, 12, (13, 11), 24, (1, 1), 2, 0, 1, 1),
    "1x1, padding": (3, 12, (7, 5), 24, (1, 1), 1, 1, 1, 1),
    "whole image": (70, 3, (6, 5), 24, (6, 5), 1, 0, 1, 1),
    "small images": (20, 6, (4, 4), 10, (3, 3), 1, 1, 1, 1),
    "many channels and filters": (3, 400, (6, 5), 530, (3, 3), 1, 1, 1, 1),
    "long rows": (2, 3, (3, 210), 7, (3, 5), 1, 1, 1, 1),
    "few filters a group": (40, 8, (9, 11), 8, (3, 3), 2, 1, 1, 2),
    "stride 3": (5, 8, (20, 17), 12, (4, 4), 3, 2, 1, 1),
    "stride 2, one channel": (9, 1, (21, 20), 4, (3, 3), 2, 1, 1, 1),
    "1d": (5, 6, (50,), 10, (5,), 1, 2, 1, 1),
    "1d, stride, dilation": (5, 6, (50,), 10, (5,), 3, 4, 2, 1),
    "1d, groups": (5, 6, (50,), 12, (4,), 2, 0, 1, 2),
}

# the same, for the road that puts an image in each lane
BATCHES = {
    "padding": (16, 16, (6, 6), 16, (3, 3), 1, 1, 1, 1),
    "lanes, channels and filters left over": (31, 20, (7, 9), 37, (3, 3), 1, 1, 1, 1),
    "several blocks of channels": (16, 70, (5, 4), 33, (3, 3), 1, 1, 1, 1),
    "several chunks of places": (15, 16, (15, 13), 17, (3, 3), 1, 1, 1, 1),
    "stride 2": (16, 16, (11, 12), 24, (3, 3), 2, 1, 1, 1),
    "stride 2, 3, padding, dilation 2": (32, 18, (13, 11), 16, (3, 2), (2, 3), (2, 1), 2, 1),
    "stride beyond the kernel": (16, 16, (14, 13), 16, (2, 2), 4, 0, 1, 1),
    "more padding than kernel": (16, 16, (9, 8), 16, (2, 2), 1, 3, 1, 1),
    "1x1, stride": (16, 24, (9, 11), 16, (1, 1), 2, 0, 1, 1),
    "large filters": (16, 16, (12, 12), 16, (9, 9), 1, 4, 1, 1),
    "1d, stride, dilation": (16, 16, (50,), 18, (5,), 3, 4, 2, 1),
}


def convolution(setting, dtype, transposed=False, seed=0, non_contiguous=False):
    images, channels, size, filters, kernel, stride, padding, dilation, groups = setting
    shape = (channels, filters // groups, *kernel) if transposed else (filters, channels // groups, *kernel)

    def run(engine, run_dtype):
        rng = np.random.default_rng(seed)

        def draw(*wanted):
            return engine.tensor(rng.standard_normal(wanted).astype(dtype).astype(run_dtype)).requires_grad_()

        if non_contiguous:
            x, w = draw(channels, images, *size[::-1]), draw(*shape[::-1])
            seen = x.transpose(0, 1).transpose(2, -1), w.permute(*range(w.ndim - 1, -1, -1))
        else:
            x, w = draw(images, channels, *size), draw(*shape)
            seen = x, w
        b = draw(filters)
        function = getattr(engine.nn.functional, f"conv{'_transpose' * transposed}{len(size)}d")
        y = function(*seen, b, stride=stride, padding=padding, dilation=dilation, groups=groups)
        grad = engine.tensor(rng.standard_normal(tuple(y.shape)).astype(dtype).astype(run_dtype))
        y.backward(grad.transpose(0, 1).clone().transpose(0, 1) if non_contiguous else grad)
        return {"out": y.detach().numpy(), "dx": x.grad.numpy(), "dw": w.grad.numpy(), "db": b.grad.numpy()}

    return run


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution(name, dtype, monkeypatch):
    from minigrad.kernels.conv import Convolution

    calls = [called(monkeypatch, Convolution, way) for way in ("convolve", "grad_input", "grad_weight")]
    check(convolution(CONVOLUTIONS[name], dtype), dtype)
    assert [len(c) for c in calls] == [1, 1, 1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("name", BATCHES)
def test_convolution_of_a_batch(name, transposed, dtype, monkeypatch):
    from minigrad.kernels import conv_batch

    monkeypatch.setattr(conv_batch, "_FEW", 0)  # this road is tested also on a processor that takes the other one here
    calls = [called(monkeypatch, conv_batch, function) for function in ("convolve", "gradient_by_weight")]
    check(convolution(BATCHES[name], dtype, transposed), dtype)
    assert [len(c) for c in calls] == [2, 1]


TRANSPOSED = [name for name, setting in CONVOLUTIONS.items() if not isinstance(setting[6], str) and "more" not in name]


@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposed_convolution(name):
    check(convolution(CONVOLUTIONS[name], "float32", transposed=True), "float32")


@pytest.mark.parametrize("name", ["padding", "stride 2", "groups", "1x1", "1d"])
def test_convolution_of_non_contiguous_tensors(name):
    check(convolution(CONVOLUTIONS[name], "float32", non_contiguous=True), "float32")


def test_convolution_without_bias_and_with_some_gradients():
    x, w = minigrad.randn(4, 3, 9, 9), minigrad.randn(8, 3, 3, 3)
    expected = torch.nn.functional.conv2d(torch.tensor(x.numpy()), torch.tensor(w.numpy()), padding=1).numpy()
    np.testing.assert_allclose(minigrad.nn.functional.conv2d(x, w, padding=1).numpy(), expected, atol=1e-5)
    w.requires_grad_()
    minigrad.nn.functional.conv2d(x, w, padding=1).sum().backward()
    assert x.grad is None
    assert w.grad.shape == w.shape


def test_convolution_second_derivative():
    x = minigrad.randn(2, 2, 6, 6, dtype=minigrad.float64).requires_grad_()
    w = minigrad.randn(4, 2, 3, 3, dtype=minigrad.float64).requires_grad_()
    function = lambda x, w: minigrad.nn.functional.conv2d(x, w, padding=1)  # noqa: E731
    assert minigrad.autograd.gradcheck(function, (x, w))
    assert minigrad.autograd.gradgradcheck(function, (x, w))


def test_convolution_error_of_a_long_sum():
    """Sums over 40,000 places (the weight's gradient) and 4,600 products (the output) round no worse than PyTorch's."""
    check(convolution((32, 8, (36, 36), 8, (3, 3), 1, 1, 1, 1), "float32"), "float32")
    check(convolution((4, 512, (5, 5), 16, (3, 3), 1, 1, 1, 1), "float32"), "float32")


def test_nan_stays_where_it_was():
    """Places between images are multiplied too; what is not finite there must not reach others."""
    x = np.ones((3, 4, 10, 10), "float32")
    x[1, 2, 4, 5] = np.nan
    w = np.ones((8, 4, 3, 3), "float32")
    ours = minigrad.nn.functional.conv2d(minigrad.tensor(x), minigrad.tensor(w), padding=1).numpy()
    theirs = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(w), padding=1).numpy()
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    assert np.isnan(ours).sum() == 8 * 9


def peak_growth(code):
    """By how many bytes the peak memory of a process grows in the second run of `step` of `code`."""
    code = f"""
import resource
import minigrad
{code}
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
x = x.repeat(*[4] + [1] * (x.ndim - 1)).detach().requires_grad_()
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) * 1024


def test_no_columns_of_large_images():
    """Beside images, result and gradients, four times as large as in the step before, there is no further large array."""
    size = 16 * 600 * 600 * 4
    grown = peak_growth("""
x, w = minigrad.randn(1, 16, 600, 600).requires_grad_(), minigrad.randn(16, 16, 3, 3).requires_grad_()
def step():
    minigrad.nn.functional.conv2d(x, w, padding=1).sum().backward()
""")
    assert grown < 4 * 4.5 * size  # the columns alone would be 4 · 9


# -- attention

RNG = np.random.default_rng(5)
BLIND = RNG.random((2, 3, 140, 150)) > 0.3
BLIND[0, 1, 5] = False  # a query that sees nothing
BLIND[1, 2, 9, :130] = False  # one that sees nothing in the first block of keys
# shape of q, number of keys, length of the values, mask, causal, heads behind rows in memory
ATTENTIONS = {
    "one block": ((2, 3, 128, 64), 128, 64, None, False, False),
    "tiny": ((2, 3, 5, 7), 9, 3, None, False, False),
    "one query, one key": ((1, 1, 1, 1), 1, 1, None, False, False),
    "blocks": ((1, 2, 300, 20), 270, 40, None, False, False),
    "causal": ((1, 2, 300, 20), 300, 40, None, True, False),
    "causal, more queries": ((1, 2, 300, 20), 70, 40, None, True, False),
    "causal, more keys": ((1, 2, 100, 20), 370, 40, None, True, False),
    "mask": ((1, 2, 150, 20), 300, 20, RNG.random((150, 300)) > 0.3, False, False),
    "mask of keys": ((2, 3, 150, 20), 170, 20, RNG.random((2, 1, 1, 170)) > 0.3, False, False),
    "mask that hides all": ((2, 3, 140, 20), 150, 20, BLIND, False, False),
    "numbers": ((2, 3, 140, 20), 150, 20, RNG.standard_normal((3, 140, 150)), False, False),
    "numbers by query": ((2, 3, 140, 20), 150, 20, RNG.standard_normal((3, 140, 1)), False, False),
    "heads behind rows": ((2, 3, 140, 20), 150, 20, None, False, True),
    "two dimensions": ((50, 33), 150, 33, None, False, False),
    "three": ((4, 50, 33), 150, 12, None, True, False),
}


def attention(setting, dtype, dropout=0.0):
    shape, n_keys, size, mask, causal, behind = setting
    *outer, rows, length = shape

    def run(engine, run_dtype):
        rng = np.random.default_rng(0)

        def draw(*wanted):
            return engine.tensor(rng.standard_normal(wanted).astype(dtype).astype(run_dtype)).requires_grad_()

        shapes = [(*outer, rows, length), (*outer, n_keys, length), (*outer, n_keys, size)]
        if behind:
            inputs = [draw(*s[:-3], s[-2], s[-3], s[-1]) for s in shapes]
            seen = [x.transpose(-2, -3) for x in inputs]
        else:
            seen = inputs = [draw(*s) for s in shapes]
        added = None
        if mask is not None:
            added = engine.tensor(mask if mask.dtype == bool else mask.astype(dtype).astype(run_dtype))
        if dropout:
            engine.manual_seed(3)
        y = engine.nn.functional.scaled_dot_product_attention(
            *seen, attn_mask=added, is_causal=causal, dropout_p=dropout
        )
        y.backward(engine.tensor(rng.standard_normal(tuple(y.shape)).astype(dtype).astype(run_dtype)))
        return {"out": y.detach().numpy()} | {n: x.grad.numpy() for n, x in zip("qkv", inputs, strict=True)}

    return run


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention(name, dtype, monkeypatch):
    from minigrad.kernels import attention as compiled

    calls = [called(monkeypatch, compiled, function) for function in ("forward", "backward")]
    check(attention(ATTENTIONS[name], dtype), dtype)
    assert [len(c) for c in calls] == [1, 1]


@pytest.mark.parametrize("name", ["blocks", "causal", "mask"])
def test_attention_drops_what_pytorch_drops(name):
    run = attention(ATTENTIONS[name], "float32", dropout=0.3)
    theirs, ours = run(torch, "float32"), run(minigrad, "float32")
    for key, value in theirs.items():
        assert error(ours[key], value) < 3e-6, key


def test_attention_agrees_with_its_definition():
    for name in ("causal", "mask that hides all"):
        run = attention(ATTENTIONS[name], "float64")
        fast = run(minigrad, "float64")
        with minigrad.use_kernels(False):
            plain = run(minigrad, "float64")
        for key, value in plain.items():
            np.testing.assert_allclose(fast[key], value, rtol=1e-10, atol=1e-12)


def test_attention_gives_the_masks_gradient():
    q, k, v = (minigrad.randn(2, 4, 30, 16) for _ in range(3))
    mask = minigrad.randn(30, 30).requires_grad_()
    minigrad.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask).square().sum().backward()
    theirs = torch.tensor(mask.detach().numpy()).requires_grad_()
    q, k, v = (torch.tensor(x.numpy()) for x in (q, k, v))
    torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=theirs).square().sum().backward()
    np.testing.assert_allclose(mask.grad.numpy(), theirs.grad.numpy(), atol=1e-5)


def test_attention_with_a_mask_that_learns_takes_the_numpy_form():
    q, k, v = (minigrad.randn(2, 4, 30, 16) for _ in range(3))
    attend = minigrad.nn.functional.scaled_dot_product_attention
    q.requires_grad_()
    mask = minigrad.randn(30, 30)
    assert type(attend(q, k, v, attn_mask=mask).grad_fn).__module__ == "minigrad.kernels.attention"
    mask.requires_grad_()
    assert type(attend(q, k, v, attn_mask=mask).grad_fn).__module__ == "minigrad.ops.attention"
    with minigrad.no_grad():
        used = []
        original = kernels.split
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("minigrad.kernels.attention.split", lambda *a: used.append(1) or original(*a))
            attend(q, k, v, attn_mask=mask)
    assert used


def test_attention_of_long_sequences_keeps_no_square():
    grown = peak_growth("""
x = minigrad.randn(1, 1, 4000, 16).requires_grad_()
def step():
    minigrad.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True).sum().backward()
""")
    assert grown < 4000 * 4000 * 4 / 4


def test_attention_passes_on_what_is_not_finite():
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((1, 2, 40, 16)).astype("float32") for _ in range(3))
    q[0, 0, 3, 2], k[0, 1, 7, 1], v[0, 1, 5, 4] = np.nan, np.inf, np.nan
    run = lambda e: e.nn.functional.scaled_dot_product_attention(*map(e.tensor, (q, k, v))).numpy()  # noqa: E731
    ours, theirs = run(minigrad), run(torch)
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
