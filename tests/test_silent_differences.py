"""What a comparison of random programs with PyTorch found to be wrong in silence."""

import array
import collections
import copy
import pickle
import random
import sys
import threading
import time
import types

import numpy as np
import pytest
import torch

import minigrad
import minigrad.nn.functional as F
from minigrad.autograd.fused import kernels_position


def test_an_entry_of_one_dimension_is_a_view() -> None:
    x = minigrad.ones(3)
    x[0].add_(5)
    x.select(0, 1).fill_(4)
    x.unbind()[2].zero_()
    assert x.tolist() == [6, 4, 0]
    w = minigrad.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="view of a leaf"):
        w[0].add_(1)
    y = w * 2
    y[0].mul_(3)
    assert y.tolist() == [6, 2, 2]
    (g,) = minigrad.autograd.grad((y * y).sum(), w, create_graph=True)
    assert g.tolist() == [72, 8, 8]
    assert minigrad.autograd.grad(g.sum(), w)[0].tolist() == [72, 8, 8]


def test_use_kernels_as_a_decorator_leaves_later_calls_alone() -> None:
    before = kernels_position()

    @minigrad.use_kernels(False)
    def position() -> str:
        return kernels_position()

    try:
        minigrad.use_kernels("numpy")
        assert (position(), kernels_position(), position(), kernels_position()) == ("definition", "numpy") * 2
        switch = minigrad.use_kernels(False)
        with switch:
            minigrad.use_kernels(True)
        with switch:
            assert kernels_position() == "definition"
        assert kernels_position() == "fastest"
    finally:
        minigrad.use_kernels(before)


def test_threads_that_switch_leave_the_process_as_it_was() -> None:
    before = kernels_position()
    stop = threading.Event()

    def switch(form: bool | str) -> None:
        while not stop.is_set():
            with minigrad.use_kernels(form):
                pass

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=switch, args=(form,)) for form in (False, "numpy", True)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        stop.set()
        for thread in threads:
            thread.join()
        assert kernels_position() == before
    finally:
        sys.setswitchinterval(interval)
        minigrad.use_kernels(before)


@pytest.mark.parametrize("form", [False, "numpy"])
def test_an_empty_batch_through_a_convolution_and_attention_twice(form: bool | str) -> None:
    with minigrad.use_kernels(form):
        x = minigrad.ones(0, 3, 8, 8, requires_grad=True)
        w = minigrad.ones(2, 3, 3, 3, requires_grad=True)
        gx, gw = minigrad.autograd.grad(F.conv2d(x, w).sum(), [x, w], create_graph=True)
        assert gx.shape == x.shape
        assert not gw.any()
        q = minigrad.ones(1, 1, 0, 4, requires_grad=True)
        out = F.scaled_dot_product_attention(q, q, q, is_causal=True)
        assert minigrad.autograd.grad(out.sum(), q, create_graph=True)[0].shape == q.shape


@pytest.mark.parametrize("form", [False, "numpy"])
@pytest.mark.parametrize("shape", [(), (5,)])
def test_batch_norm_wants_a_dimension_of_channels(form: bool | str, shape: tuple[int, ...]) -> None:
    with minigrad.use_kernels(form), pytest.raises(IndexError):
        F.batch_norm(minigrad.ones(shape), None, None, training=True)


def test_full_wants_a_number() -> None:
    for value in (None, "3"):
        with pytest.raises(TypeError, match="must be Number"):
            minigrad.full((2,), value)
        with pytest.raises(TypeError, match="must be Number"):
            minigrad.full_like(minigrad.ones(2), value)
    assert minigrad.full((2,), np.float32(2)).dtype is minigrad.float32


def test_expanded_memory_is_not_written_in_place() -> None:
    for change in (lambda x: x.add_(1), lambda x: x.uniform_(), lambda x: x.copy_(minigrad.ones(3))):
        with pytest.raises(RuntimeError, match="single memory location"):
            change(minigrad.ones(1).expand(3))
    for change in (lambda x: x.fill_(2), lambda x: x.fill_(2).zero_().add(2)):  # the same everywhere: it may be
        x = minigrad.ones(1)
        assert change(x.expand(3)).tolist() == [2, 2, 2]


def tensors_to_copy(engine):
    """By name tensors that share memory, or are views of some."""

    def grid():
        return engine.arange(12.0).reshape(3, 4)

    x = grid()
    yield "a tensor and its row", [x, x[0]]
    yield "a transpose", [grid().t()]
    x = grid()
    yield "a transpose and its base", [x.t(), x]
    yield "a row, a column, the row again", [x[0], x[:, 1], x[0]]
    yield "every other column", [grid()[1:, ::2]]
    x = engine.arange(3.0)
    yield "expanded", [x.expand(4, 3), x]
    yield "windows", [engine.as_strided(engine.arange(10.0), (3, 3), (1, 2), 1)]
    yield "permuted", [engine.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)]
    w = engine.nn.Parameter(engine.arange(6.0))
    (w * w).sum().backward()
    yield "a parameter and its data", [w, w.data, w.detach()[2:], w]
    w = engine.arange(6.0, requires_grad=True)
    (w * w).sum().backward()
    yield "a leaf with a gradient", [w]


@pytest.mark.parametrize("how", [copy.deepcopy, lambda xs: pickle.loads(pickle.dumps(xs))])
@pytest.mark.parametrize("name", [name for name, _ in tensors_to_copy(minigrad)])
def test_copies_have_the_strides_and_share_what_the_originals_share(how, name) -> None:
    found = []
    for engine in (torch, minigrad):
        copies = how(dict(tensors_to_copy(engine))[name])
        told = [len({id(x) for x in copies})]
        for x in copies:
            told.append((type(x).__name__, list(x.stride()), x.requires_grad, x.tolist()))
            told.append(None if x.grad is None else x.grad.tolist())
        for x in copies:  # what is written into one is seen in which others?
            if x.numel():
                x.detach()[(0,) * x.dim()] = 77
                told.append([y.tolist() for y in copies])
        found.append(told)
    assert found[0] == found[1]


def test_a_computed_tensor_is_not_copied_and_is_pickled_as_a_leaf() -> None:
    for engine in (torch, minigrad):
        y = engine.ones(3, requires_grad=True) * 2
        with pytest.raises(RuntimeError, match="graph leaves"):
            copy.deepcopy(y)
        loaded = pickle.loads(pickle.dumps(y))
        assert (loaded.is_leaf, loaded.requires_grad, loaded.tolist()) == (True, True, [2, 2, 2])


ELEMENTARY = {
    "w * x": lambda engine, w, x: w * x,
    "w * w": lambda engine, w, x: w * w,
    "x / w": lambda engine, w, x: x / w,
    "sin": lambda engine, w, x: w.sin(),
    "square": lambda engine, w, x: w**2,
    "log": lambda engine, w, x: w.log(),
    "abs": lambda engine, w, x: w.abs(),
    "exp keeps its result": lambda engine, w, x: w.exp(),
    "tanh keeps its result": lambda engine, w, x: w.tanh(),
    "linear": lambda engine, w, x: engine.nn.functional.linear(x, w[None]),
    "a view was saved": lambda engine, w, x: w.view(3) * x * w.view(3),
}


@pytest.mark.parametrize("name", ELEMENTARY)
@pytest.mark.parametrize("create_graph", [False, True])
def test_other_data_between_forward_and_backward(name, create_graph) -> None:
    """A node that saved the leaf reads what the leaf holds now; one that saved its result does not."""
    found = []
    for engine in (torch, minigrad):
        w = engine.tensor([1.0, 2.0, 3.0], dtype=engine.float64, requires_grad=True)
        x = engine.tensor([4.0, 5.0, 7.0], dtype=engine.float64)
        y = ELEMENTARY[name](engine, w, x)
        w.data = engine.tensor([10.0, 20.0, 0.5], dtype=engine.float64)
        (g,) = engine.autograd.grad(y.sum(), w, create_graph=create_graph)
        found.append(g.tolist())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-12)


def calls_of_hooks(engine, seed):
    """Which hooks of a drawn graph are called, in order."""
    r = random.Random(seed)
    called: list[str] = []

    def note(name):
        return lambda *_: called.append(name)

    leaves = [engine.full((2,), 0.5 + i, dtype=engine.float64, requires_grad=True) for i in range(r.randint(2, 4))]
    for i, leaf in enumerate(leaves):
        for k in range(r.randint(0, 2)):
            leaf.register_hook(note(f"leaf {i} {k}"))
        for k in range(r.randint(0, 2)):
            leaf.register_post_accumulate_grad_hook(note(f"after leaf {i} {k}"))
    pool = list(leaves)
    operations = [
        lambda a, b: a + b,
        lambda a, b: a * b,
        lambda a, b: a.sin(),
        lambda a, b: engine.cat([a, b])[:2],
        lambda a, b: a - b.exp(),
        lambda a, b: engine.stack([a, b]).sum(0),
        lambda a, b: a.clone().mul_(2.0),
    ]
    for j in range(r.randint(3, 9)):
        y = r.choice(operations)(r.choice(pool), r.choice(pool))
        for k in range(r.randint(0, 2)):
            y.register_hook(note(f"tensor {j} {k}"))
        if r.random() < 0.4:
            y.grad_fn.register_hook(note(f"node {j}"))
        if r.random() < 0.4:
            y.grad_fn.register_prehook(note(f"before node {j}"))
        if r.random() < 0.2:
            y.register_hook(note(f"removed {j}")).remove()
        pool.append(y)
    loss = sum((y * y).sum() for y in r.sample(pool[-2:], r.randint(1, 2)))
    kind = r.randint(0, 2)
    if kind == 0:
        loss.backward()
    elif kind == 1:
        engine.autograd.grad(loss, [*leaves, pool[-1]], allow_unused=True)
    else:
        loss.backward(retain_graph=True)
        loss.backward()
    return called


def test_hooks_are_called_in_pytorchs_order() -> None:
    for seed in range(150):
        assert calls_of_hooks(minigrad, seed) == calls_of_hooks(torch, seed), seed


def test_hooks_of_modules_and_of_their_parameters_are_called_in_pytorchs_order() -> None:
    for seed in range(20):
        found = []
        for engine in (torch, minigrad):
            r, called = random.Random(seed), []
            nn = engine.nn
            model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 3), nn.Tanh()), nn.Linear(3, 1))
            for name, module in model.named_modules():
                if r.random() < 0.5:
                    module.register_full_backward_hook(
                        lambda *_, name=name, called=called: called.append(("backward", name))
                    )
                if r.random() < 0.5:
                    module.register_full_backward_pre_hook(
                        lambda *_, name=name, called=called: called.append(("before", name))
                    )
            for name, p in model.named_parameters():
                if r.random() < 0.5:
                    p.register_hook(lambda _, name=name, called=called: called.append(("gradient", name)))
                if r.random() < 0.5:
                    p.register_post_accumulate_grad_hook(
                        lambda _, name=name, called=called: called.append(("after", name))
                    )
            model(engine.ones(3, 2, requires_grad=True)).sum().backward()
            found.append(called)
        assert found[0] == found[1], seed


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(4,), (2, 4), (2, 3, 4)])
def test_a_linear_layer_keeps_the_weight_that_it_saw(shape, bias):
    """PyTorch saves the transposed weight, so the gradient of x is that of the old one, whatever `w.data = ...` said since."""
    found = []
    for engine in (torch, minigrad):
        engine.manual_seed(0)
        x, w = engine.randn(*shape, requires_grad=True), engine.randn(3, 4, requires_grad=True)
        y = engine.nn.functional.linear(x, w, engine.randn(3) if bias else None)
        x.data, w.data = x.detach() * 2, w.detach() * 3
        found.append([g.numpy() for g in engine.autograd.grad(y.sum(), (x, w))])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-6, 1e-6)


@pytest.mark.parametrize("name", [n for n in dir(torch.Tensor) if n.endswith("_") and not n.startswith("_") and hasattr(minigrad.Tensor, n)])  # fmt: skip
def test_a_tensor_written_elsewhere_in_itself_is_refused_where_pytorch_refuses(name: str) -> None:
    """Every in-place method, with the tensor itself as what is read."""
    said = []
    for engine in (torch, minigrad):
        raised = []
        places, rows, yes = engine.arange(9).reshape(3, 3), engine.arange(3), engine.ones(3, 3) > 0
        for arguments in (
            lambda x: (x,), lambda x: (0, rows, x), lambda x: (0, rows.reshape(3, 1).expand(3, 3), x), lambda x: (places, x),  # noqa: B023
            lambda x: ((rows,), x), lambda x: (yes, x), lambda x: (0, rows, x, "prod"),  # noqa: B023
            lambda x: (0, rows.reshape(3, 1).expand(3, 3), x, "sum"),  # noqa: B023
        ):  # fmt: skip
            x = engine.ones(3, 3)
            try:
                getattr(x, name)(*arguments(x))
            except Exception as error:
                raised.append("memory" if "memory location" in str(error) else "other")
            else:
                raised.append("returns")
        said.append(raised)
    for theirs, ours in zip(*said, strict=True):
        assert "memory" not in (theirs, ours) or "returns" not in (theirs, ours)


@pytest.mark.parametrize("name", [n for n in minigrad.optim.__all__ if n[0].isupper() and n != "Optimizer"])
def test_a_parameter_that_shows_one_element_several_times_takes_no_step(name: str) -> None:
    for engine in (torch, minigrad):
        p = engine.ones(1).expand(3).requires_grad_()
        p.grad = engine.ones(3)
        with pytest.raises(RuntimeError, match="single memory location"):
            made = getattr(engine.optim, name)([p], lr=0.1)
            made.step(*([lambda: (p * 2).sum()] if name == "LBFGS" else []))  # noqa: B023


@pytest.mark.parametrize("shape", [(2, 1), (1, 4), (2, 4)])
def test_dim_order_of_expanded_and_turned_tensors(shape: tuple[int, ...]) -> None:
    for view in (
        lambda x: x.expand(2, 4),
        lambda x: x.expand(3, 2, 4),
        lambda x: x.expand(3, 2, 4).transpose(0, 2),
        lambda x: x.T,
    ):
        assert view(minigrad.ones(shape)).dim_order() == view(torch.ones(shape)).dim_order()


def test_set_takes_what_pytorch_takes() -> None:
    for given in (
        lambda t: (t.ones(3, 4), 0, (12,)), lambda t: (t.ones(3, 4), 0, (12,), (1,)), lambda t: (t.ones(3, 4),),
        lambda t: (t.ones(3, 4), 1), lambda t: (t.ones(3, 4), 0, None, (1,)), lambda t: (t.ones(3, 4), 0, 3, 1), lambda t: (),
    ):  # fmt: skip
        said = []
        for engine in (torch, minigrad):
            try:
                said.append(tuple(engine.zeros(0).set_(*given(engine)).shape))
            except TypeError:
                said.append("TypeError")
        assert said[0] == said[1]


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_map_from_or_to_no_features(bias: bool) -> None:
    for n, m in ((0, 3), (3, 0), (0, 0)):
        said = []
        for engine in (torch, minigrad):
            x = engine.ones(2, n, requires_grad=True)
            y = engine.nn.functional.linear(x, engine.ones(m, n), engine.ones(m) if bias else None)
            y.sum().backward()
            said.append((y.tolist(), x.grad.tolist()))
        assert said[0] == said[1]


@pytest.mark.parametrize("dim", [(), []], ids=["tuple", "list"])
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(
    "name", ["all", "any", "sum", "mean", "amax", "amin", "logsumexp", "nansum", "std", "var", "median", "prod", "norm"]
)
def test_no_dimension_to_reduce(name, keepdim, dim):
    """dim=() is all dimensions, but for all and any, where it is none."""
    found = []
    for engine in (torch, minigrad):
        x = engine.tensor([[1.0, 0.0, 2.0], [1.0, 1.0, 4.0]])
        try:
            found.append(getattr(x, name)(dim=dim, keepdim=keepdim).tolist())
        except Exception as error:
            found.append(type(error).__name__)
    if str in map(type, found):
        assert found[0] == found[1]
    else:
        assert np.shape(found[0]) == np.shape(found[1])
        np.testing.assert_allclose(found[1], found[0], rtol=1e-6)


class Read(collections.abc.Sequence):
    """A sequence that cannot be written."""

    def __init__(self, items):
        self.items = list(items)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


class Unmakeable(Read):
    """And one that cannot be made of its items."""

    def __init__(self):
        super().__init__([np.float32(1), np.float32(2)])


Pair = collections.namedtuple("Pair", "a b")
ONE, TWO = np.float32(1), np.float32(2)
CONTAINERS = [
    (), (ONE, TWO), [ONE], type("L", (list,), {})([ONE, TWO]), type("D", (dict,), {})(a=ONE), collections.OrderedDict(a=ONE),
    collections.defaultdict(list, a=ONE), types.MappingProxyType({"a": ONE}), collections.ChainMap({"a": ONE}), Pair(ONE, TWO),
    Read([ONE]), Unmakeable(), range(3), collections.deque([ONE, TWO]), {"a": (ONE, [TWO])}, array.array("f", [1.0, 2.0]), "ab",
    b"ab", None, 3, {1, 2}, bytearray(b"ab"), [np.array(["a"])],
]  # fmt: skip


def _described(x):
    """Its class and what is in it, tensors as their type and values."""
    if hasattr(x, "detach"):
        return str(x.dtype).rpartition(".")[2], x.tolist()
    if isinstance(x, collections.abc.Mapping):
        return type(x).__name__, [(k, _described(x[k])) for k in x]
    if isinstance(x, collections.abc.Sequence) and not isinstance(x, str | bytes):
        return type(x).__name__, [_described(y) for y in x]
    return type(x).__name__, repr(x)


@pytest.mark.parametrize("function", ["default_convert", "default_collate"])
@pytest.mark.parametrize("sample", CONTAINERS, ids=lambda s: type(s).__name__)
def test_a_batch_keeps_the_containers_of_its_samples(function, sample):
    """An OrderedDict stays one, also what a defaultdict makes of keys that are missing; a tuple becomes a list."""
    data = sample if function == "default_convert" else [sample, sample]

    def made(engine):
        try:
            return _described(getattr(engine.utils.data, function)(data))
        except Exception as error:
            return type(error)

    assert made(minigrad) == made(torch)


@pytest.mark.parametrize("name", ["Gumbel", "Kumaraswamy", "Pareto", "Weibull"])
@pytest.mark.parametrize("shape", [(-1,), (2, -1)])
def test_a_transformed_distribution_is_expanded_to_no_negative_length(name, shape):
    for engine in (torch, minigrad):
        x = engine.tensor([1.5, 2.0])
        with pytest.raises(ValueError, match="negative length"):
            getattr(engine.distributions, name)(x, x).expand(shape)


@pytest.mark.parametrize(
    "call", [lambda f, T: f.one_hot(T.tensor(2**63 - 1)), lambda f, T: f.one_hot(T.tensor([0]), 2**63 - 1)]
)
def test_more_classes_than_can_be_counted(call):
    """NumPy's arange of 2**63 - 1 is empty."""
    for engine in (torch, minigrad):
        with pytest.raises(RuntimeError):
            call(engine.nn.functional, engine)


@pytest.mark.parametrize(("a", "b"), [((1,), (3,)), ((3,), (1,)), ((2,), (3,))])
def test_vecdot_of_two_vectors_broadcasts_nothing(a, b):
    for engine in (torch, minigrad):
        with pytest.raises(RuntimeError):
            engine.linalg.vecdot(engine.ones(a), engine.ones(b))
        assert engine.linalg.vecdot(engine.ones(2, 3), engine.ones(1)).tolist() == [3, 3]
        with pytest.raises(RuntimeError, match="same dtype"):
            engine.linalg.vecdot(engine.ones(3), engine.ones(3, dtype=engine.float64))


def test_the_method_lu_gives_a_tuple_without_names():
    for engine in (torch, minigrad):
        for get_infos in (False, True):
            found = engine.eye(2).lu(get_infos=get_infos)
            assert type(found) is tuple
            assert len(found) == 2 + get_infos


@pytest.mark.parametrize("p", [1, 2])
def test_the_gradient_of_an_infinite_margin(p):
    """The target's own entry takes no part, so that 0 · inf does not arise there."""
    found = []
    for engine in (torch, minigrad):
        x = engine.tensor([[2.0, -2.0, 0.5], [0.1, 0.2, 0.3]], requires_grad=True)
        loss = engine.nn.functional.multi_margin_loss(x, engine.tensor([0, 2]), p=p, margin=float("inf"))
        found.append([loss.item(), *engine.autograd.grad(loss, x)[0].flatten().tolist()])
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("name", ["Adagrad", "Adamax", "NAdam", "RMSprop", "RAdam", "Adadelta", "SGD"])
def test_a_step_that_overflows_is_seen(name):
    """The rate times the moment is infinite, and so is the root of the second one: nan, as the order of PyTorch's factors has it."""
    found = []
    for engine in (torch, minigrad):
        p = engine.tensor([0.5, -2.0, 3.0], dtype=engine.float64, requires_grad=True)
        optimizer = getattr(engine.optim, name)([p], lr=1e300, weight_decay=0.02)
        for _ in range(3):
            p.grad = engine.tensor([1.0, -0.5, 2.0], dtype=engine.float64)
            optimizer.step()
        found.append(p.tolist())
    np.testing.assert_allclose(*found, rtol=1e-12)


@pytest.mark.parametrize("device", [None, "cpu", "cuda", "cuda:1"])
@pytest.mark.filterwarnings("ignore:The argument 'device'")
def test_a_tensor_is_pinned_for_no_device(device):
    for engine in (torch, minigrad):
        assert engine.ones(2).is_pinned(device) is False
        assert engine.ones(2).is_pinned(device=device) is False
        assert engine.ones(2).is_pinned(device and engine.device(device)) is False
        with pytest.raises(RuntimeError):
            engine.ones(2).is_pinned("nonsense")


MOST = 2**63 - 1
OVERFLOWING = {
    "bincount": lambda T: T.bincount(T.tensor([MOST])),
    "bincount with weights": lambda T: T.bincount(T.tensor([MOST]), weights=T.tensor([1.0])),
    "bincount among others": lambda T: T.bincount(T.tensor([3, MOST, 1])),
    "repeats that come to 0 again": lambda T: T.repeat_interleave(T.arange(4), T.tensor([2**62] * 4)),
    "repeats that come to 4 again": lambda T: T.repeat_interleave(T.arange(4), T.tensor([2**62] * 3 + [2**62 + 4])),
    "counts that come to 5 again": lambda T: T.repeat_interleave(T.tensor([2**62] * 3 + [2**62 + 5])),
}


@pytest.mark.parametrize("name", OVERFLOWING)
def test_counts_that_do_not_fit_64_bits(name):
    """NumPy takes them for small ones and writes outside of its memory. Of repeats PyTorch does so too, and ends the process."""
    for engine in (torch, minigrad) if name.startswith("bincount") else (minigrad,):
        with pytest.raises(RuntimeError, match="overflow"):
            OVERFLOWING[name](engine)


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_padding_by_nothing_gives_a_copy(mode):
    for engine in (torch, minigrad):
        x = engine.ones(1, 2, 3, 3, requires_grad=True)
        for y in (
            engine.nn.functional.pad(x, (0, 0, 0, 0), mode=mode),
            {"constant": engine.nn.ConstantPad2d(0, 0.0), "reflect": engine.nn.ReflectionPad2d(0), "replicate": engine.nn.ReplicationPad2d(0),
             "circular": engine.nn.CircularPad2d(0)}[mode](x),
        ):  # fmt: skip
            assert y.data_ptr() != x.data_ptr()
            assert y.grad_fn is not None
            y.detach().add_(1)
            assert x.detach().flatten().tolist() == [1] * 18
            assert engine.autograd.grad(y.sum(), x)[0].flatten().tolist() == [1] * 18


@pytest.mark.parametrize("kernel", [(), (2, 3), (2,), [2], 2])
def test_a_pool_of_lines_takes_one_size(kernel):
    found = []
    for engine in (torch, minigrad):
        try:
            found.append(engine.nn.AvgPool1d(kernel)(engine.ones(1, 1, 6)).tolist())
        except Exception as error:
            found.append(type(error))
    assert found[0] == found[1]


@pytest.mark.parametrize("lr", [1e60, -1e60])
def test_a_rate_that_float32_does_not_hold(lr):
    for engine in (torch, minigrad):
        p = engine.tensor([0.5], requires_grad=True)
        optimizer = engine.optim.SGD([p], lr=0.1)
        optimizer.param_groups[0]["lr"] = lr
        p.grad = engine.tensor([1.0])
        with pytest.raises(RuntimeError, match="without overflow"):
            optimizer.step()
        assert p.tolist() == [0.5]


def test_a_covariance_wants_a_factor_with_columns():
    for engine in (torch, minigrad):
        with pytest.raises(IndexError):
            engine.distributions.LowRankMultivariateNormal(engine.zeros(3), engine.ones(3, 0), engine.ones(3))


def _schedule(T, gamma):
    schedule = T.optim.lr_scheduler.MultiStepLR(T.optim.SGD([T.ones(1)], lr=0.1), [1, 1], gamma=gamma)
    schedule.optimizer.step()
    schedule.step()


def _with_gradient(T):
    p = T.ones(3, requires_grad=True)
    p.grad = T.ones(3)
    return p


ALSO_REFUSED = {
    "a truth to the power of truths": lambda T: T.pow(False, T.tensor([True])),
    "a dimension of none": lambda T: T.gradient(T.tensor(1.5), dim=0),
    "more choices than can be counted": lambda T: T.combinations(T.ones(4), 100),
    "a fraction for dimensions": lambda T: T.tensordot(T.ones(2, 3), T.ones(3, 2), dims=(1, 0.5)),
    "a mask of heads without dimensions": lambda T: T.nn.functional.scaled_dot_product_attention(*[T.ones(2, 3, 4, 2)] * 3, attn_mask=T.tensor(True)),
    "a mask of heads of one": lambda T: T.nn.functional.scaled_dot_product_attention(*[T.ones(2, 3, 4, 2)] * 3, attn_mask=T.ones(4, dtype=T.bool)),
    "a rate that overflows": lambda T: _schedule(T, 1e300),
    "a norm of several": lambda T: T.nn.utils.clip_grads_with_norm_([_with_gradient(T)], 1.0, T.ones(3)),
    "a second derivative of nothing": lambda T: T.autograd.functional.hessian(lambda x: x.sum(), T.ones(0)),
    "strides for other sizes": lambda T: T.empty(0).set_(T.ones(3, 4), 0, (), (1,)),
    "a mean far away": lambda T: T.nn.init.trunc_normal_(T.ones(3), 1e300),
    "a permutation of rows": lambda T: T.nn.utils.rnn.invert_permutation(T.tensor([[0]])),
    "no probability": lambda T: T.ones(2).bernoulli(None),
    "lists of milestones": lambda T: T.optim.lr_scheduler.MultiStepLR(T.optim.SGD([T.ones(1)], lr=0.1), [[1, 2], [3]]),
    "no samples": lambda T: T.utils.data.default_collate(()),
    "a temperature that is a number": lambda T: T.distributions.RelaxedBernoulli(1.0, T.tensor([0.3])).log_prob(T.tensor([0.4])),
}  # fmt: skip


@pytest.mark.parametrize("name", ALSO_REFUSED)
def test_it_is_refused_with_pytorchs_class(name):
    kinds = []
    for engine in (torch, minigrad):
        with pytest.raises(Exception) as caught:  # noqa: PT011  of which class is what is compared
            ALSO_REFUSED[name](engine)
        kinds.append(caught.type)
    assert issubclass(kinds[1], kinds[0])


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda T: T.tensor(1j, dtype=T.float32), TypeError),
        (lambda T: T.tensor([1, 2j], dtype=T.int64), TypeError),
        (lambda T: T.ones(2).new_tensor([1j]), TypeError),
        (lambda T: T.Tensor([1j]), TypeError),
        (lambda T: T.xlogy(2**70, T.ones(2)), OverflowError),
        (lambda T: T.special.xlog1py(2**64, T.ones(2)), OverflowError),
        (lambda T: T.special.zeta(2**70, T.ones(2)), OverflowError),
        (lambda T: T.std(T.ones(2), True, unbiased=False), TypeError),
        (lambda T: T.ones(2).var(False, unbiased=True), TypeError),
        (lambda T: T.std_mean(T.ones(2), False, unbiased=True), TypeError),
    ],
)
def test_nothing_that_was_given_is_dropped(call, kind):
    """An imaginary part, a number of more than 64 bits, what an argument says the second time."""
    for engine in (torch, minigrad):
        with pytest.raises(kind):
            call(engine)


def test_the_distribution_function_of_gamma_variables():
    found = []
    for engine in (torch, minigrad):
        a, b, x = (
            engine.tensor(v, dtype=engine.float64, requires_grad=True) for v in ([1.5, 2.0], [0.5, 3.0], [0.3, 2.0])
        )
        below = engine.distributions.Gamma(a.detach(), b).cdf(x)
        chi = engine.distributions.Chi2(engine.tensor(3.0)).cdf(engine.tensor(2.0))
        found.append(
            [
                *below.tolist(),
                *(g for y in engine.autograd.grad(below.sum(), [b, x]) for g in y.tolist()),
                round(chi.item(), 5),
            ]
        )
    np.testing.assert_allclose(*found, rtol=1e-12)


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), -1.0, 20])
def test_softplus_at_any_threshold(threshold):
    """Nothing is above nan, so that all of it is curved."""
    found = []
    for engine in (torch, minigrad):
        x = engine.tensor([20.0, 4.0, -3.0], dtype=engine.float64, requires_grad=True)
        y = engine.nn.functional.softplus(x, 0.5, threshold)
        found.append([*y.tolist(), *engine.autograd.grad(y.sum(), x)[0].tolist()])
    np.testing.assert_allclose(*found, rtol=1e-12)


@pytest.mark.parametrize("n", [3, 20])
@pytest.mark.parametrize("name", ["normal_", "cauchy_", "log_normal_"])
@pytest.mark.parametrize("where", [float("inf"), float("-inf"), 1e300, float("nan")])
def test_draws_around_what_is_infinite(name, n, where):
    """The sum is rounded once by keeping its errors, of which infinity has none."""
    found = []
    for engine in (torch, minigrad):
        engine.manual_seed(0)
        found.append(
            [getattr(engine.empty(n, dtype=d), name)(where, 1.0).tolist() for d in (engine.float32, engine.float64)]
        )
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
