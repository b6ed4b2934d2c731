"""Random draws, initialization and data loading: the same seed gives the same numbers, in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..agreement import DType
from ..case import ELEMENTWISE, EXACT, Call, call, family, op
from ..inputs import Draw

family("random")

# Lengths around 16, where PyTorch's normal draws change their road, and around the generator's block of 624.
LENGTHS = (1, 2, 5, 15, 16, 17, 31, 32, 40, 100, 623, 624, 1300)


def random(name: str, draw: Any, fn: Any = None, tolerance: Any = EXACT, **options: Any) -> None:
    op(name, draw, fn, tolerance=tolerance, seeds=True, gradient=False, float32=False, modes=("normal",), **options)


def length(d: Draw) -> int:
    return d.choice(LENGTHS)


def dtype(d: Draw) -> dict[str, Any]:
    return d.choice(({}, {"dtype": DType("float64")}, {"dtype": DType("float32")}))


random("rand", lambda d: call(length(d), **dtype(d)))
random("randn", lambda d: call(length(d), **dtype(d)), tolerance=ELEMENTWISE)
random(
    "rand.shapes",
    lambda d: call(d.shape()),
    lambda torch, s: (torch.rand(s), torch.randn(s), torch.rand(*s, 2), torch.randn(*s, 2)),
    tolerance=ELEMENTWISE,
)
random("randint", lambda d: call(*d.choice(((10,), (2, 7), (-5, 5), (0, 2**40), (0, 2**32 + 5), (0, 1))), (length(d),)))
random("randperm", lambda d: call(d.choice((*LENGTHS, 0))))
random("rand_like", lambda d: call(d.tensor(grad=False)))
# In C order: for 16 or more elements of other strides PyTorch takes the road of short draws.
random(
    "randn_like",
    lambda d: call(d.tensor(d.choice(((length(d),), (4, 6))), grad=False, layout="C")),
    tolerance=ELEMENTWISE,
)
random("randint_like", lambda d: call(d.tensor(grad=False), 10))
random(
    "normal",
    lambda d: call(
        *d.choice(
            (
                (0.0, 1.0, (20,)),
                (2.0, 0.5, (3, 4)),
                (d.tensor((20,), grad=False), 0.5),
                (d.tensor((4,), grad=False), d.lay(np.ones(4), False)),
            )
        )
    ),
    tolerance=ELEMENTWISE,
    methods=False,
)
random("bernoulli", lambda d: call(d.lay(d.rng.uniform(0, 1, length(d)), False)))
random(
    "bernoulli.p", lambda d: call(d.tensor((length(d),), grad=False), 0.3), lambda torch, x, p: torch.bernoulli(x, p)
)
random(
    "multinomial",
    lambda d: call(
        d.lay(d.rng.uniform(0.1, 1, d.choice(((5,), (3, 5)))), False), d.integer(1, 5), *d.choice(((), (True,)))
    ),
)

IN_PLACE: dict[str, Any] = {
    "uniform_": ((), (-1.0, 2.0)), "normal_": ((), (1.0, 0.5)), "bernoulli_": ((), (0.3,)), "random_": ((), (10,), (-3, 7)),
    "exponential_": ((), (2.0,)), "log_normal_": ((),), "cauchy_": ((),), "geometric_": ((0.3,),),
}  # fmt: skip
for name, arguments in IN_PLACE.items():
    random(
        f"Tensor.{name}",
        lambda d, arguments=arguments: call(d.tensor((length(d),), grad=False), *d.choice(arguments)),
        tolerance=ELEMENTWISE,
    )


def _stream(torch: Any, steps: list, seed: int) -> Any:
    """Several kinds of draws one after the other: what one leaves behind, the next must find."""
    torch.manual_seed(seed)
    out: list[Any] = []
    for kind, n in steps:
        if kind == "seeded":
            out.append(torch.initial_seed())
        elif kind == "dropout":
            out.append(torch.nn.functional.dropout(torch.ones(n), 0.5))
        elif kind == "double":
            out.append(torch.randn(n, dtype=torch.float64))
        elif kind == "randint":
            out.append(torch.randint(0, 7, (n,)))
        elif kind == "state":
            state = torch.get_rng_state()
            first = torch.rand(n)
            torch.set_rng_state(state)
            out.append((first, torch.rand(n)))
        elif kind == "fork":
            with torch.random.fork_rng():
                out.append(torch.rand(3))
            out.append(torch.rand(3))
        else:
            out.append(getattr(torch, kind)(n))
    return out


KINDS = ("rand", "randn", "randperm", "randint", "double", "dropout", "seeded", "state", "fork")
random(
    "manual_seed",
    lambda d: call(
        [(d.choice(KINDS), d.choice((1, 3, 16, 33))) for _ in range(d.integer(1, 6))],
        d.choice((0, 1, 42, 2**31, 2**63 - 1, -1)),
    ),
    _stream,
    tolerance=ELEMENTWISE,
    covers=["initial_seed", "get_rng_state", "set_rng_state", "random.fork_rng"],
)


def _generator(torch: Any, seed: int) -> Any:
    g = torch.Generator()
    first = g.initial_seed()
    g.manual_seed(seed)
    a = (
        torch.rand(5, generator=g),
        torch.randperm(7, generator=g),
        torch.randn(20, generator=g),
        torch.randint(0, 9, (4,), generator=g),
    )
    state = g.get_state()
    b = torch.rand(3, generator=g)
    g.set_state(state)
    h = torch.Generator(device="cpu").manual_seed(seed)
    twin = h.clone_state()
    twins = torch.rand(3, generator=twin), torch.rand(3, generator=h)
    drawn = h.seed()
    assert drawn == h.initial_seed(), "seed() returns the number that it took"
    h.manual_seed(seed)
    return (
        first,
        g.initial_seed(),
        a,
        b,
        torch.rand(3, generator=g),
        torch.empty(4).uniform_(generator=h),
        twins,
        torch.rand(3),
    )


random("Generator", lambda d: call(d.integer(0, 999)), _generator, tolerance=ELEMENTWISE)

family("initializer")


def _initialized(torch: Any, name: str, shape: tuple, args: tuple, kwargs: dict, dtype: str) -> Any:
    w = torch.empty(shape, dtype=getattr(torch, dtype))
    returned = getattr(torch.nn.init, name)(w, *args, **kwargs)
    return w, returned is w


def initializer(
    name: str,
    *choices: tuple[tuple, dict[str, Any]],
    shapes: tuple = ((4, 3), (20, 16), (4, 3, 2, 2)),
    tolerance: Any = EXACT,
) -> None:
    random(
        f"nn.init.{name}",
        lambda d: call(name, d.choice(shapes), *d.choice(choices or (((), {}),)), d.choice(("float32", "float64"))),
        _initialized,
        tolerance=tolerance,
    )


initializer("uniform_", ((), {}), ((-2.0, 3.0), {}))
initializer("normal_", ((), {}), ((1.0, 0.3), {}), tolerance=ELEMENTWISE)
initializer("trunc_normal_", ((), {}), ((0.0, 0.5, -1.0, 1.0), {}), tolerance=ELEMENTWISE)
initializer("constant_", ((1.5,), {}))
initializer("ones_")
initializer("zeros_")
initializer("eye_", shapes=((4, 3), (2, 5)))
initializer("dirac_", ((), {}), shapes=((4, 3, 2), (2, 2, 3, 3)))
initializer("xavier_uniform_", ((), {}), ((2.0,), {}), tolerance=ELEMENTWISE)
initializer("xavier_normal_", ((), {}), ((2.0,), {}), tolerance=ELEMENTWISE)
KAIMING: tuple[tuple[tuple, dict[str, Any]], ...] = (
    ((), {}),
    ((0.1,), {}),
    ((), {"mode": "fan_out", "nonlinearity": "relu"}),
    ((), {"nonlinearity": "linear"}),
)
initializer("kaiming_uniform_", *KAIMING, tolerance=ELEMENTWISE)
initializer("kaiming_normal_", *KAIMING, tolerance=ELEMENTWISE)
initializer("sparse_", ((0.3,), {}), shapes=((6, 4),), tolerance=ELEMENTWISE)
GAINS = ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu", "nonsense")
op(
    "nn.init.calculate_gain",
    lambda d: call(d.choice(GAINS)),
    lambda torch, name: float(torch.nn.init.calculate_gain(name)),
    gradient=False,
)
op(
    "nn.init.calculate_gain.slope",
    lambda d: call("leaky_relu", d.choice((0.2, 0.0))),
    lambda torch, *a: torch.nn.init.calculate_gain(*a),
    gradient=False,
)


def _orthogonal(torch: Any, shape: tuple, gain: float) -> Any:
    """The sign and rounding of a QR decomposition are LAPACK's: what is equal is what makes it orthogonal."""
    w = torch.nn.init.orthogonal_(torch.empty(shape, dtype=torch.float64), gain)
    flat = w.flatten(1)
    small = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    return w.shape, (small - gain**2 * torch.eye(small.shape[0], dtype=torch.float64)).abs().max().item() < 1e-12


random("nn.init.orthogonal_", lambda d: call(d.choice(((3, 4), (4, 3), (3, 2, 2))), d.choice((1.0, 2.0))), _orthogonal)

family("data")


def columns(d: Draw) -> tuple[Any, Any]:
    n = d.choice((7, 1, 16, 10))
    return d.tensor((n, 3), grad=False, layout="C"), d.integers((n,), 0, 4)


def data(name: str, draw: Any, fn: Any, covers: tuple[str, ...] = ()) -> None:
    op(
        f"utils.data.{name}",
        draw,
        fn,
        covers=covers,
        tolerance=EXACT,
        seeds=True,
        gradient=False,
        float32=False,
        modes=("normal",),
    )


def _loader(torch: Any, x: Any, y: Any, options: dict, generator: int | None) -> Any:
    data = torch.utils.data
    if generator is not None:
        options = {**options, "generator": torch.Generator().manual_seed(generator)}
    loader = data.DataLoader(data.TensorDataset(x, y), **options)
    epochs = [list(loader) for _ in range(2)]
    return len(loader), epochs, torch.rand(3)


def loading(d: Draw) -> Call:
    options: dict[str, Any] = {"batch_size": d.choice((1, 3, 4, 100)), "shuffle": d.flag(0.7)}
    options |= d.choice(({}, {"drop_last": True}, {"num_workers": 0}))
    return call(*columns(d), options, d.choice((None, 3)))


data("DataLoader", loading, _loader, ("utils.data.TensorDataset",))
data("DataLoader.unbatched", lambda d: call(*columns(d), {"batch_size": None}, None), _loader)


def _workers(torch: Any, x: Any, y: Any, workers: int, shuffle: bool) -> Any:
    """PyTorch with processes is slow to start, so its own answer is taken without workers: the order must be the same."""
    data = torch.utils.data
    workers = 0 if torch.__name__ == "torch" else workers
    return list(data.DataLoader(data.TensorDataset(x, y), 2, shuffle=shuffle, num_workers=workers))


data("DataLoader.workers", lambda d: call(*columns(d), d.choice((1, 2)), d.flag()), _workers)


def _collate(torch: Any, kind: str) -> Any:
    data = torch.utils.data
    items: dict[str, list] = {
        "dicts": [{"x": np.ones(2, np.float32) * i, "n": i, "s": str(i), "f": i / 2} for i in range(4)],
        "numbers": list(range(5)),
        "floats": [0.5, 1.5, 2.5],
        "pairs": [(torch.tensor([float(i)]), i) for i in range(4)],
        "arrays": [np.arange(3) * i for i in range(4)],
        "nested": [(i, (float(i), [i, i])) for i in range(3)],
        "strings": ["a", "b", "c"],
        "bools": [True, False, True],
    }

    class Items(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(items[kind])

        def __getitem__(self, i: int) -> Any:
            return items[kind][i]

    custom = list(data.DataLoader(Items(), 2, collate_fn=lambda batch: len(batch)))
    return list(data.DataLoader(Items(), batch_size=2)), custom, data.default_collate(items[kind])


KINDS_OF_ITEMS = ("dicts", "numbers", "floats", "pairs", "arrays", "nested", "strings", "bools")
data("default_collate", lambda d: call(d.choice(KINDS_OF_ITEMS)), _collate, ("utils.data.Dataset",))


def _counting(torch: Any, n: int) -> Any:
    class Numbers(torch.utils.data.IterableDataset):
        def __iter__(self) -> Any:
            return iter(range(n))

    return Numbers()


def _datasets(torch: Any, x: Any, y: Any, seed: int) -> Any:
    data = torch.utils.data
    first, second = data.TensorDataset(x, y), data.TensorDataset(x * 2, y)
    both = data.ConcatDataset([first, second])
    n = len(both)
    parts = data.random_split(both, [n - n // 3, n // 3])
    shares = data.random_split(both, [0.7, 0.3], generator=torch.Generator().manual_seed(seed))
    subset = data.Subset(both, [0, n - 1, n // 2])
    added = first + second
    stacked = data.StackDataset(x, y)
    chained = list(data.ChainDataset([_counting(torch, 2), _counting(torch, 3)]))
    return (
        stacked[0], len(stacked), chained, data.default_convert({"a": np.arange(2), "b": [1.5]}),
        n, len(added), both[n - 1], both[-1], [len(p) for p in (*parts, *shares)], [list(p.indices) for p in (*parts, *shares)],
        list(subset), len(subset), [p[0] for p in parts if len(p)], torch.rand(2),
    )  # fmt: skip


EXTRAS = tuple(
    f"utils.data.{n}" for n in ("ConcatDataset", "Subset", "StackDataset", "ChainDataset", "default_convert")
)
data("random_split", lambda d: call(*columns(d), d.integer(0, 9)), _datasets, EXTRAS)


def _samplers(torch: Any, n: int, seed: int) -> Any:
    data = torch.utils.data
    items = list(range(n))

    class Backwards(torch.utils.data.Sampler):
        def __iter__(self) -> Any:
            return iter(range(n - 1, -1, -1))

        def __len__(self) -> int:
            return n

    g = torch.Generator().manual_seed(seed)
    weights = [0.1 + (i % 3) for i in range(n)]
    made = [
        data.SequentialSampler(items), data.RandomSampler(items), data.RandomSampler(items, generator=g),
        data.RandomSampler(items, replacement=True, num_samples=2 * n), data.SubsetRandomSampler(items[::2]),
        data.WeightedRandomSampler(weights, n), data.WeightedRandomSampler(weights, max(n // 2, 1), replacement=False),
        data.BatchSampler(data.SequentialSampler(items), 3, False), data.BatchSampler(data.RandomSampler(items), 3, True),
        Backwards(), data.BatchSampler(Backwards(), 2, False),
    ]  # fmt: skip
    return [(len(s), list(s), list(s)) for s in made], torch.rand(2)


SAMPLERS = (
    "Sampler",
    "SequentialSampler",
    "RandomSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
    "BatchSampler",
)
data(
    "samplers",
    lambda d: call(d.choice((5, 1, 12)), d.integer(0, 9)),
    _samplers,
    tuple(f"utils.data.{s}" for s in SAMPLERS),
)


def _iterable(torch: Any, n: int) -> Any:
    load = torch.utils.data.DataLoader
    return list(load(_counting(torch, n), 3)), list(load(_counting(torch, n), 3, drop_last=True))


data("IterableDataset", lambda d: call(d.choice((5, 6))), _iterable)
