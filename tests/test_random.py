"""The random stream against PyTorch's: every draw to the bit, and the generator's state after it."""

import copy
import math
import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

import minigrad
from minigrad import random

# Elsewhere PyTorch rounds otherwise (no fused multiply-add, the C library's float32 logarithm and sine): a few float32
# units in the last place of the largest intermediate, theta = 2 pi.
SAME_ROUNDING = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")

TORCH = {np.dtype(str(t).partition(".")[2]): t for t in (
    torch.float16, torch.float32, torch.float64, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool,
)}  # fmt: skip
FLOATS = [d for d in TORCH if d.kind == "f"]
INTEGERS = [d for d in TORCH if d.kind in "iu"]

seeds = st.integers(-(2**63), 2**64 - 1)
sizes = st.sampled_from([0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 100, 623, 624, 625, 1000]) | st.integers(0, 1300)
shapes = sizes.map(lambda n: (n,)) | st.lists(st.integers(0, 7), max_size=3).map(tuple)
floats = st.sampled_from(FLOATS)
finite = st.floats(-100, 100, width=32).map(lambda x: x / 3)  # all digits in use, yet nothing near 1e-308
positive = st.floats(2**-10, 100)
inside = st.floats(2**-20, 1 - 2**-20)  # probabilities that are neither 0 nor 1


def same(ours: np.ndarray, theirs: torch.Tensor) -> None:
    """Equal in dtype, shape and every bit."""
    expected = theirs.numpy()
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    if SAME_ROUNDING or ours.dtype.kind != "f":
        assert ours.tobytes() == expected.tobytes(), np.flatnonzero(ours.ravel() != expected.ravel())[:10]
    else:
        eps = float(np.finfo(ours.dtype).eps)
        np.testing.assert_allclose(ours, expected, rtol=32 * eps, atol=32 * eps * max(1, float(np.abs(expected).max())))


def in_step(ours: random.Generator, theirs: torch.Generator) -> None:
    """Both have taken as many outputs, and have the same normal number waiting."""
    assert ours.get_state().tobytes() == theirs.get_state().numpy().tobytes()


# One strategy a draw. Each gives a pair of functions, of minigrad's generator and of PyTorch's.

Pair = tuple[Callable[[random.Generator], np.ndarray], Callable[[torch.Generator], torch.Tensor]]
DRAWS: dict[str, Callable[..., Pair]] = {}


def draws(function):
    DRAWS[function.__name__] = st.composite(function)()
    return function


@draws
def uniform(draw):
    shape, dtype = draw(shapes), draw(floats)
    low, high = sorted((draw(finite), draw(finite)))
    low, high = draw(
        st.sampled_from([(low, high), (0.0, 1.0), (-1 / 3, 1 / 3), (-high, high)] if high >= 0 else [(low, high)])
    )
    return (
        lambda g: g.uniform(shape, dtype, low, high),
        lambda g: torch.empty(shape, dtype=TORCH[dtype]).uniform_(low, high, generator=g),
    )


@draws
def rand(draw):
    shape, dtype = draw(shapes), draw(floats)
    return lambda g: g.uniform(shape, dtype), lambda g: torch.rand(shape, dtype=TORCH[dtype], generator=g)


@draws
def normal(draw):
    shape, dtype = draw(shapes), draw(floats)
    mean, std = draw(finite), draw(positive | st.just(0.0))
    return (
        lambda g: g.normal(shape, dtype, mean, std),
        lambda g: torch.empty(shape, dtype=TORCH[dtype]).normal_(mean, std, generator=g),
    )


@draws
def randn(draw):
    shape, dtype = draw(shapes), draw(floats)
    return lambda g: g.normal(shape, dtype), lambda g: torch.randn(shape, dtype=TORCH[dtype], generator=g)


@draws
def log_normal(draw):
    shape, dtype = draw(shapes), draw(floats)
    mean, std = draw(st.floats(-5, 5)), draw(st.floats(0.01, 2))
    return (
        lambda g: g.log_normal(shape, dtype, mean, std),
        lambda g: torch.empty(shape, dtype=TORCH[dtype]).log_normal_(mean, std, generator=g),
    )


@draws
def exponential(draw):
    shape, dtype, rate = draw(shapes), draw(floats), draw(positive)
    return (
        lambda g: g.exponential(shape, dtype, rate),
        lambda g: torch.empty(shape, dtype=TORCH[dtype]).exponential_(rate, generator=g),
    )


@draws
def cauchy(draw):
    shape, dtype, median, sigma = draw(shapes), draw(floats), draw(finite), draw(positive)
    return (
        lambda g: g.cauchy(shape, dtype, median, sigma),
        lambda g: torch.empty(shape, dtype=TORCH[dtype]).cauchy_(median, sigma, generator=g),
    )


@draws
def geometric(draw):
    shape, dtype = draw(shapes), draw(floats | st.sampled_from([np.dtype(np.int32), np.dtype(np.int64)]))
    p = draw(st.floats(0.01, 0.99))
    return (
        lambda g: g.geometric(shape, dtype, p),
        lambda g: torch.empty(shape, dtype=TORCH[dtype]).geometric_(p, generator=g),
    )


@draws
def randint(draw):
    shape = draw(shapes)
    dtype = draw(st.sampled_from(list(TORCH)))
    if dtype.kind == "f":
        largest = 2 ** (np.finfo(dtype).nmant + 1)
        least = -largest
    else:
        least, largest = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    corners = [least, largest, 0, 2**28 - 1, 2**28, 2**32 - 1, 2**32]
    bound = st.integers(int(least), int(largest)) | st.sampled_from([c for c in corners if least <= c <= largest])
    low, last = sorted((draw(bound), draw(bound)))
    high = min(int(last) + 1, 2**63 - 1)
    if low >= high:
        low = high - 1
    return (
        lambda g: g.random(shape, dtype, int(low), high),
        lambda g: torch.empty(shape, dtype=TORCH[dtype]).random_(int(low), high, generator=g),
    )


@draws
def random_up(draw):
    shape, dtype = draw(shapes), draw(st.sampled_from(INTEGERS))
    least = -(2**63) if dtype == np.int64 else int(np.iinfo(dtype).min)
    low = draw(st.integers(least, int(np.iinfo(dtype).max)) | st.just(least))
    return (
        lambda g: g.random(shape, dtype, low),
        lambda g: torch.empty(shape, dtype=TORCH[dtype]).random_(low, None, generator=g),
    )


@draws
def random_full(draw):
    shape, dtype = draw(shapes), draw(st.sampled_from(list(TORCH)))
    return (
        lambda g: g.random(shape, dtype),
        lambda g: torch.empty(shape, dtype=TORCH[dtype]).random_(generator=g),
    )


@draws
def randperm(draw):
    n, dtype = draw(sizes), draw(st.sampled_from([d for d in TORCH if d.kind != "b"]))
    if dtype.kind in "iu":
        n = min(n, int(np.iinfo(dtype).max) + 1)
    return lambda g: g.randperm(n, dtype), lambda g: torch.randperm(n, dtype=TORCH[dtype], generator=g)


@draws
def bernoulli(draw):
    shape, dtype = draw(shapes), draw(st.sampled_from(list(TORCH)))
    p = draw(inside | st.sampled_from([0.0, 0.5, 1.0]))
    return (
        lambda g: g.bernoulli(shape, dtype, p),
        lambda g: torch.empty(shape, dtype=TORCH[dtype]).bernoulli_(p, generator=g),
    )


@draws
def bernoulli_of_array(draw):
    shape, dtype, kind = (
        draw(shapes),
        draw(st.sampled_from(list(TORCH))),
        draw(st.sampled_from([np.float32, np.float64])),
    )
    shape_p = draw(st.sampled_from([shape, shape[-1:], ()]))
    p = np.asarray(np.random.default_rng(draw(st.integers(0, 99))).random(shape_p), kind)
    return (
        lambda g: g.bernoulli(shape, dtype, p),
        lambda g: torch.empty(shape, dtype=TORCH[dtype]).bernoulli_(torch.from_numpy(p), generator=g),
    )


@draws
def bernoulli_of_itself(draw):
    shape, dtype = draw(shapes), draw(st.sampled_from([np.dtype(np.float32), np.dtype(np.float64)]))
    p = np.asarray(np.random.default_rng(draw(st.integers(0, 99))).random(shape), dtype)
    return lambda g: g.bernoulli(shape, dtype, p), lambda g: torch.bernoulli(torch.from_numpy(p), generator=g)


@draws
def multinomial(draw):
    replacement = draw(st.booleans())
    categories = draw(st.integers(1, 40))
    samples = draw(st.integers(1, 60 if replacement else categories))
    shape = (*draw(st.sampled_from([(), (1,), (3,), (0,)])), categories)
    # Several samples without replacement of float16: ties, in the order of whose sorting torch.topk gives no promise.
    dtype = draw(
        floats if replacement or samples == 1 else st.sampled_from([np.dtype(np.float32), np.dtype(np.float64)])
    )
    p = np.random.default_rng(draw(st.integers(0, 99))).random(shape).astype(dtype) + np.float16(0.01)
    if replacement and categories > 1 and draw(st.booleans()):
        p[..., draw(st.integers(0, categories - 1))] = 0
    return (
        lambda g: g.multinomial(p, samples, replacement),
        lambda g: torch.multinomial(torch.from_numpy(p), samples, replacement, generator=g),
    )


@pytest.mark.parametrize("name", DRAWS)
def test_draw(name: str) -> None:
    @given(seeds, DRAWS[name])
    def check(seed: int, pair: Pair) -> None:
        ours, theirs = random.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
        for _ in range(2):  # the second draw starts where the first has left the generator
            same(pair[0](ours), pair[1](theirs))
        in_step(ours, theirs)

    check()


@given(seeds, st.lists(st.one_of(*DRAWS.values()), min_size=2, max_size=12))
def test_sequence_of_draws(seed: int, pairs: list[Pair]) -> None:
    ours, theirs = random.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    for mine, pytorchs in pairs:
        same(mine(ours), pytorchs(theirs))
        in_step(ours, theirs)


@given(seeds, *[st.lists(st.one_of(*DRAWS.values()), max_size=4)] * 3)
def test_state_is_carried_there_and_back(seed: int, before: list[Pair], there: list[Pair], back: list[Pair]) -> None:
    ours, theirs = random.Generator(), torch.Generator().manual_seed(seed)
    for _, pytorchs in before:
        pytorchs(theirs)
    ours.set_state(theirs.get_state().numpy())
    assert ours.initial_seed() == theirs.initial_seed()
    for mine, pytorchs in there:
        same(mine(ours), pytorchs(theirs))
    other = torch.Generator()
    other.set_state(torch.from_numpy(ours.get_state()))
    for mine, pytorchs in back:
        same(mine(ours), pytorchs(other))
    in_step(ours, other)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("n", [100_000, 1_000_003])
def test_many_elements(dtype: np.dtype, n: int) -> None:
    """Long draws are made block by block."""
    ours, theirs = random.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    tensor = torch.empty(n, dtype=TORCH[dtype])
    same(ours.uniform((n,), dtype, -0.1, 0.3), tensor.uniform_(-0.1, 0.3, generator=theirs))
    same(ours.normal((n,), dtype, 0.1, 0.02), tensor.normal_(0.1, 0.02, generator=theirs))
    same(ours.normal((n,), dtype), torch.randn(n, dtype=TORCH[dtype], generator=theirs))
    same(ours.log_normal((n,), dtype, 0.1, 0.2), tensor.log_normal_(0.1, 0.2, generator=theirs))
    same(ours.exponential((n,), dtype), tensor.exponential_(generator=theirs))
    same(ours.bernoulli((n,), dtype, 0.3), tensor.bernoulli_(0.3, generator=theirs))
    same(ours.randperm(n), torch.randperm(n, generator=theirs))
    same(ours.random((n,), np.int64), torch.empty(n, dtype=torch.int64).random_(generator=theirs))
    in_step(ours, theirs)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.25, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_dropout(p: float, dtype: np.dtype) -> None:
    ours = random.Generator().manual_seed(3)
    torch.manual_seed(3)
    x = torch.ones(5, 77, dtype=TORCH[dtype])
    same(ours.dropout_mask((5, 77), dtype, p), torch.nn.functional.dropout(x, p))
    in_step(ours, torch.default_generator)


def test_weights_of_a_linear_layer() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(784, 100)
    ours = random.Generator().manual_seed(0)
    bound = 1 / math.sqrt(784)
    same(ours.uniform((100, 784), np.float32, -bound, bound), layer.weight.detach())
    same(ours.uniform((100,), np.float32, -bound, bound), layer.bias.detach())


@pytest.mark.parametrize("own_generator", [False, True])
def test_batches_of_a_data_loader(own_generator: bool) -> None:
    """Each epoch draws the loader's seed and the sampler's, or the permutation itself where there is a generator."""
    torch.manual_seed(7)
    random.manual_seed(7)
    theirs = torch.Generator().manual_seed(8) if own_generator else None
    ours = random.Generator().manual_seed(8) if own_generator else random.default_generator
    loader = DataLoader(list(range(50)), batch_size=7, shuffle=True, generator=theirs)
    for _ in range(3):
        order = torch.cat(list(loader))
        ours.random((), np.int64)  # the loader's base seed, for its workers
        sampler = ours
        if not own_generator:
            sampler = random.Generator().manual_seed(int(ours.random((), np.int64)))
        same(sampler.randperm(50), order)
        if own_generator:
            ours.randperm(50)  # for the part of an epoch that remains: nothing, but it is drawn
    in_step(random.default_generator, torch.default_generator)
    in_step(ours, theirs or torch.default_generator)


def test_module_functions() -> None:
    for seed in (0, -1, 2**32 + 5, 2**63, 2**64 - 1, -(2**63), 3.7, True, "12"):
        assert random.manual_seed(seed) is random.default_generator
        torch.manual_seed(seed)
        assert random.initial_seed() == torch.initial_seed()
        in_step(random.default_generator, torch.default_generator)
    first = random.seed()
    assert random.initial_seed() == first
    assert random.seed() != first


def test_fork_rng_puts_the_generator_back() -> None:
    before = random.manual_seed(1).get_state()
    with random.fork_rng():
        random.default_generator.normal((5,), np.float32)
    assert (random.default_generator.get_state() == before).all()
    with random.fork_rng(enabled=False):
        random.default_generator.normal((5,), np.float32)
    assert (random.default_generator.get_state() != before).any()


def test_new_generator_is_in_step_and_copies_are_independent() -> None:
    ours, theirs = random.Generator(), torch.Generator()
    assert str(ours.device) == "cpu"
    assert ours.initial_seed() == theirs.initial_seed()
    in_step(ours, theirs)
    ours.normal((5,), np.float32)
    for other in (copy.copy(ours), copy.deepcopy(ours), pickle.loads(pickle.dumps(ours)), ours.clone_state()):
        state = ours.get_state()
        assert (other.get_state() == state).all()
        other.normal((5,), np.float32)
        assert (ours.get_state() == state).all()
    assert ours.seed() == ours.initial_seed()


def tensor(dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.empty(3, dtype=dtype)


f32, i64, u8 = np.float32, np.int64, np.uint8
BAD = {
    "seed of another type": (lambda g: g.manual_seed(1.5), lambda g: g.manual_seed(1.5)),
    "seed too large": (lambda g: g.manual_seed(2**64), lambda g: g.manual_seed(2**64)),
    "seed too small": (lambda g: g.manual_seed(-(2**63) - 1), lambda g: g.manual_seed(-(2**63) - 1)),
    "device": (lambda g: random.Generator("cuda"), lambda g: torch.Generator("meta")),
    "state of another dtype": (lambda g: g.set_state(np.zeros(5056)), lambda g: g.set_state(torch.zeros(5056))),
    "state of another size": (lambda g: g.set_state(np.zeros(9, u8)), lambda g: g.set_state(torch.zeros(9, dtype=torch.uint8))),
    "state of zeros": (lambda g: g.set_state(np.zeros(5056, u8)), lambda g: g.set_state(torch.zeros(5056, dtype=torch.uint8))),
    "uniform bounds": (lambda g: g.uniform((3,), f32, 1, 0), lambda g: tensor().uniform_(1, 0)),
    "uniform nan": (lambda g: g.uniform((3,), f32, math.nan, 1), lambda g: tensor().uniform_(math.nan, 1)),
    "uniform overflow": (lambda g: g.uniform((3,), f32, -3e38, 3e38), lambda g: tensor().uniform_(-3e38, 3e38)),
    "uniform of integers": (lambda g: g.uniform((3,), i64), lambda g: tensor(torch.int64).uniform_()),
    "normal std": (lambda g: g.normal((3,), f32, 0, -1), lambda g: tensor().normal_(0, -1)),
    "normal nan": (lambda g: g.normal((0,), f32, 0, math.nan), lambda g: torch.empty(0).normal_(0, math.nan)),
    "normal of integers": (lambda g: g.normal((3,), i64), lambda g: tensor(torch.int64).normal_()),
    "log_normal std": (lambda g: g.log_normal((3,), f32, 0, 0), lambda g: tensor().log_normal_(0, 0)),
    "log_normal of integers": (lambda g: g.log_normal((3,), i64), lambda g: tensor(torch.int64).log_normal_()),
    "exponential rate": (lambda g: g.exponential((3,), f32, 0), lambda g: tensor().exponential_(0)),
    "exponential of integers": (lambda g: g.exponential((3,), i64), lambda g: tensor(torch.int64).exponential_()),
    "cauchy sigma": (lambda g: g.cauchy((3,), f32, 0, 0), lambda g: tensor().cauchy_(0, 0)),
    "geometric p": (lambda g: g.geometric((3,), f32, 1), lambda g: tensor().geometric_(1)),
    "geometric of bool": (lambda g: g.geometric((3,), np.bool_, 0.5), lambda g: tensor(torch.bool).geometric_(0.5)),
    "random bounds": (lambda g: g.random((3,), i64, 5, 5), lambda g: tensor(torch.int64).random_(5, 5)),
    "random above": (lambda g: g.random((3,), u8, 0, 257), lambda g: tensor(torch.uint8).random_(0, 257)),
    "random below": (lambda g: g.random((3,), u8, -1, 5), lambda g: tensor(torch.uint8).random_(-1, 5)),
    "randperm n": (lambda g: g.randperm(-1), lambda g: torch.randperm(-1)),
    "randperm of uint8": (lambda g: g.randperm(257, u8), lambda g: torch.randperm(257, dtype=torch.uint8)),
    "randperm of float16": (lambda g: g.randperm(2050, np.float16), lambda g: torch.randperm(2050, dtype=torch.float16)),
    "randperm of bool": (lambda g: g.randperm(2, np.bool_), lambda g: torch.randperm(2, dtype=torch.bool)),
    "bernoulli p": (lambda g: g.bernoulli((3,), f32, 1.5), lambda g: tensor().bernoulli_(1.5)),
    "bernoulli array": (lambda g: g.bernoulli((2,), f32, np.array([0.5, 2])), lambda g: torch.bernoulli(torch.tensor([0.5, 2]))),
    "bernoulli of integers": (lambda g: g.bernoulli((2,), i64, np.array([0, 1])), lambda g: torch.bernoulli(torch.tensor([0, 1]))),
    "dropout p": (lambda g: g.dropout_mask((3,), f32, 1.5), lambda g: torch.nn.functional.dropout(torch.ones(3), 1.5)),
}  # fmt: skip
for name, p, samples, replacement in (
    ("too many samples", [1.0, 2.0], 3, False),
    ("no samples", [1.0, 2.0], 0, True),
    ("zeros", [0.0, 0.0], 1, False),
    ("zeros, replaced", [0.0, 0.0], 2, True),
    ("negative", [-1.0, 2.0], 1, False),
    ("negative, replaced", [-1.0, 2.0], 2, True),
    ("nan", [math.nan, 2.0], 2, True),
    ("infinite", [math.inf, 2.0], 1, True),
    ("a scalar", 1.0, 1, True),
    ("three dimensions", [[[1.0]]], 1, True),
    ("integers", [1, 2], 1, True),
):
    BAD[f"multinomial of {name}"] = (
        lambda g, p=p, n=samples, r=replacement: g.multinomial(np.array(p), n, r),
        lambda g, p=p, n=samples, r=replacement: torch.multinomial(torch.tensor(p), n, r),
    )


@pytest.mark.parametrize("name", BAD)
def test_bad_input_raises_in_both(name: str) -> None:
    mine, pytorchs = BAD[name]
    ours = random.Generator()
    before = ours.get_state()
    with pytest.raises(Exception) as theirs:  # noqa: PT011 (its class is what the next line wants)
        pytorchs(torch.Generator())
    with pytest.raises(theirs.type):
        mine(ours)
    assert (ours.get_state() == before).all()


@pytest.mark.skipif(not SAME_ROUNDING, reason="PyTorch rounds otherwise on this processor")
@pytest.mark.parametrize("n", [16, 17, 1000, 70_001])
def test_normal_numbers_are_the_same_in_every_form(n):
    torch.manual_seed(n)
    expected = torch.randn(n)
    for form in ("numpy", "compiled"):
        minigrad.manual_seed(n)
        with minigrad.use_kernels(form):
            np.testing.assert_array_equal(minigrad.randn(n, dtype=minigrad.float32).numpy(), expected.numpy())


def test_compiled_pairs_are_those_of_numpy():
    pairs = pytest.importorskip("minigrad.kernels.pairs")
    draw = np.random.default_rng(0)
    drawn = (draw.integers(0, 2**24, (2, 4096, 8)) * 2.0**-24).astype(np.float32)
    a, b = 1 - drawn[0], drawn[1]
    a[0] = [1, 2**-24, 0.5, np.sqrt(0.5), np.nextafter(np.float32(np.sqrt(0.5)), 0), 0.75, 0.25, 2**-23]
    np.testing.assert_array_equal(pairs.box_muller(a, b), random._box_muller_32(a, b))
