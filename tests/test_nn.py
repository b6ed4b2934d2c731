"""`Module`, containers, initialization and nn.utils against PyTorch: what a program can see of them beside the numbers.

The numbers of every layer (outputs, gradients, buffers, initial weights) are compared by the table in parity/cases.
"""

import copy
import inspect
import pickle
import warnings
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
import torch

import minigrad

ENGINES = (torch, minigrad)
Raised = namedtuple("Raised", "kind text")


def plain(value):
    """A result in terms that both engines share; tensors with shape, dtype and the bits of their values."""
    if isinstance(value, torch.Tensor | minigrad.Tensor):
        value = value.detach().numpy()
        return ("tensor", value.shape, str(value.dtype), value.tobytes())
    if isinstance(value, OrderedDict | dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    # Newer releases show the bias of norms that older ones always had.
    return value.replace(", bias=True", "").replace("minigrad.", "torch.") if isinstance(value, str) else value


def outcome(run, engine):
    """What `run(engine)` returns, or the class and the text of what it raises."""
    engine.manual_seed(0)
    try:
        return plain(run(engine))
    except Exception as error:
        return Raised(type(error).__name__, str(error).replace("minigrad", "torch"))


def alike(run):
    """Both engines return the same, or raise errors of one class with one text (minigrad's may go on where PyTorch's ends).

    Returns the class of the error.
    """
    expected, found = outcome(run, torch), outcome(run, minigrad)
    if isinstance(expected, Raised) and isinstance(found, Raised):
        # The path of a class inside the package is the package's affair.
        expected, found = (Raised(e.kind, e.text.replace(".modules.", ".")) for e in (expected, found))
        found = Raised(found.kind, found.text[: len(expected.text)])
    assert found == expected
    return expected.kind if isinstance(expected, Raised) else None


def same(run, raises=None):
    """`alike`, and the error is of this class (None: there is none)."""
    assert alike(run) == raises


def ones(engine, *shape):
    return engine.ones(*shape)


def net(engine):
    nn = engine.nn

    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.linear = nn.Linear(width, width)
            self.scale = nn.Parameter(engine.ones(width))
            self.register_buffer("offset", engine.arange(float(width)))
            self.register_buffer("scratch", engine.zeros(2), persistent=False)
            self.register_parameter("nothing", None)

        def forward(self, x):
            return engine.tanh(self.linear(x)) * self.scale + self.offset

        def extra_repr(self):
            return "first\nsecond"

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList([Block(4), Block(4)])
            self.same_again = self.blocks[0]
            self.norm = nn.BatchNorm1d(4)
            self.head = nn.Sequential(OrderedDict(hidden=nn.Linear(4, 3), act=nn.ReLU(), out=nn.Linear(3, 2)))

        def forward(self, x):
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x))

    return Net()


# -- the tree


def test_tree():
    def run(engine):
        m = net(engine)
        return (
            repr(m),
            dict(m.named_parameters()),
            dict(m.named_parameters(prefix="p", remove_duplicate=False)),
            list(dict(m.blocks[0].named_parameters(recurse=False))),
            list(dict(m.named_buffers())),
            list(dict(m.named_buffers(remove_duplicate=False))),
            [name for name, _ in m.named_modules()],
            [name for name, _ in m.named_modules(prefix="m", remove_duplicate=False)],
            [name for name, _ in m.named_children()],
            [type(c).__name__ for c in m.children()],
            [type(c).__name__ for c in m.modules()],
            len(list(m.parameters())),
            len(list(m.buffers(recurse=False))),
            m.state_dict(),
            m.state_dict(prefix="a."),
            [p.requires_grad for p in m.state_dict(keep_vars=True).values()],
            m.get_submodule("head.out").out_features,
            m.get_submodule("").training,
            m.get_parameter("blocks.1.linear.bias"),
            m.get_buffer("norm.running_mean"),
        )

    same(run)


@pytest.mark.parametrize("target", ["missing", "head.missing", "norm.eps", "head.out.weight", "blocks.9"])
@pytest.mark.parametrize("getter", ["get_submodule", "get_parameter", "get_buffer"])
def test_paths_that_lead_nowhere(target, getter):
    alike(lambda engine: type(getattr(net(engine), getter)(target)).__name__)


def test_dir_lists_parts():
    m = net(minigrad)
    assert {"blocks", "norm", "head", "training", "forward"} <= set(dir(m))
    assert {"weight", "bias"} <= set(dir(m.head.out))


# -- attributes


def assigned(*steps):
    """What the tables hold after each of the assignments of (name, value(engine))."""

    def run(engine):
        m = engine.nn.Module()
        seen = []
        for name, value in steps:
            setattr(m, name, value(engine))
            seen.append(
                (list(m._parameters), list(m._buffers), list(m._modules), name in m.__dict__, getattr(m, name) is None)
            )
        return seen

    return run


PARAMETER = lambda engine: engine.nn.Parameter(engine.ones(2))  # noqa: E731
MODULE = lambda engine: engine.nn.Linear(2, 2)  # noqa: E731
TENSOR = lambda engine: engine.ones(2)  # noqa: E731
BUFFER = lambda engine: engine.nn.Buffer(engine.ones(2))  # noqa: E731
NOTHING = lambda engine: None  # noqa: E731
KINDS = {
    "parameter": PARAMETER,
    "module": MODULE,
    "tensor": TENSOR,
    "buffer": BUFFER,
    "none": NOTHING,
    "number": lambda engine: 3,
}


@pytest.mark.parametrize("second", KINDS)
@pytest.mark.parametrize("first", KINDS)
def test_assignment_replaces(first, second):
    alike(assigned(("x", KINDS[first]), ("y", MODULE), ("x", KINDS[second]), ("x", KINDS[first])))


def test_attribute_errors():
    same(lambda engine: engine.nn.Linear(2, 3).absent, "AttributeError")
    same(lambda engine: engine.nn.Module()(1), "NotImplementedError")
    same(lambda engine: engine.nn.Module().register_buffer("a.b", engine.ones(1)), "KeyError")
    same(lambda engine: engine.nn.Module().register_buffer("", engine.ones(1)), "KeyError")
    same(lambda engine: engine.nn.Module().register_buffer("training", engine.ones(1)), "KeyError")
    same(lambda engine: engine.nn.Module().register_buffer(3, engine.ones(1)), "TypeError")
    same(lambda engine: engine.nn.Module().register_buffer("b", 3), "TypeError")
    same(lambda engine: engine.nn.Module().register_parameter("a.b", PARAMETER(engine)), "KeyError")
    same(lambda engine: engine.nn.Module().register_parameter("", PARAMETER(engine)), "KeyError")
    same(lambda engine: engine.nn.Module().register_parameter("forward", PARAMETER(engine)), "KeyError")
    same(lambda engine: engine.nn.Module().register_parameter("p", engine.ones(2)), "TypeError")
    same(lambda engine: engine.nn.Module().register_parameter("p", PARAMETER(engine) * 2), "TypeError")
    same(lambda engine: engine.nn.Module().add_module("a.b", MODULE(engine)), "KeyError")
    same(lambda engine: engine.nn.Module().add_module("", MODULE(engine)), "KeyError")
    same(lambda engine: engine.nn.Module().add_module("m", 3), "TypeError")
    same(lambda engine: engine.nn.Module().register_module("eval", MODULE(engine)), "KeyError")
    same(lambda engine: engine.nn.Linear(2, 2).train("yes"), "ValueError")
    same(lambda engine: engine.nn.Linear(2, 2).to(engine.int64), "TypeError")


@pytest.mark.parametrize("part", [PARAMETER, MODULE, BUFFER])
def test_parts_before_init(part):
    def run(engine):
        class Hasty(engine.nn.Module):
            def __init__(self):
                self.part = part(engine)

        return Hasty()

    same(run, "AttributeError")


def test_deleting_parts():
    def run(engine):
        m = net(engine)
        del m.head, m.norm.running_mean, m.blocks[0].linear.bias
        return list(m.state_dict()), hasattr(m, "head"), list(m.norm._buffers)

    same(run)
    same(lambda engine: delattr(net(engine), "absent"), "AttributeError")


def test_a_plain_tensor_in_place_of_a_weight():
    def run(engine):
        m = engine.nn.Linear(3, 2)
        weight = m.weight.detach() * 2
        del m.weight
        m.weight = weight
        return m(engine.ones(4, 3)), [n for n, _ in m.named_parameters()]

    same(run)


# -- changing the whole tree


def test_modes():
    def run(engine):
        m = net(engine)
        seen = [[c.training for c in m.modules()]]
        assert m.eval() is m
        seen.append([c.training for c in m.modules()])
        m.head.train()
        seen.append([c.training for c in m.modules()])
        assert m.train() is m
        seen.append([c.training for c in m.modules()])
        return seen

    same(run)


def test_requires_grad_apply_zero_grad():
    def run(engine):
        m = net(engine)
        visited = []
        m.apply(lambda c: visited.append(type(c).__name__))
        m.blocks.requires_grad_(False)
        frozen = [p.requires_grad for p in m.parameters()]
        m.requires_grad_(True)
        m(engine.ones(3, 4)).sum().backward()
        had = [p.grad is not None for p in m.parameters()]
        kept = m.head.out.weight.grad
        m.zero_grad(set_to_none=False)
        zeros = [p.grad for p in m.parameters()]
        held = kept.abs().sum()  # zeroed in place
        m.zero_grad()
        return visited, frozen, had, zeros, held, [p.grad for p in m.parameters()]

    same(run)


def test_conversion_keeps_the_parameter_objects():
    def run(engine):
        m = net(engine)
        before = list(m.parameters())
        m.head(engine.ones(3, 4)).sum().backward()
        assert m.double() is m
        now = list(m.parameters())
        kinds = [str(v.dtype).partition(".")[2] for v in m.state_dict().values()]
        grads = [str(p.grad.dtype).partition(".")[2] for p in m.head.parameters()]
        m.to("cpu").to(engine.float32).to(engine.device("cpu"), engine.float64).to(engine.ones(1)).float()
        return all(a is b for a, b in zip(before, now, strict=True)), kinds, grads, m.state_dict()

    same(run)


def test_other_devices_are_refused():
    for change in (lambda m: m.cuda(), lambda m: m.to("cuda"), lambda m: m.to(device="cuda:0")):
        with pytest.raises(RuntimeError, match="CPU only"):
            change(minigrad.nn.Linear(2, 2))
    assert isinstance(minigrad.nn.Linear(2, 2).cpu().share_memory(), minigrad.nn.Linear)


# -- calling and hooks


def test_forward_hooks():
    def run(engine):
        m = engine.nn.Linear(2, 2)
        seen = []
        handles = [
            m.register_forward_hook(lambda mod, args, out: seen.append(("first", len(args), tuple(out.shape)))),
            m.register_forward_hook(lambda mod, args, out: seen.append("second") or out * 2),
            m.register_forward_hook(lambda mod, args, out: seen.append("before"), prepend=True),
            m.register_forward_pre_hook(lambda mod, args: seen.append("pre") or args[0] * 3),
            m.register_forward_pre_hook(lambda mod, args: seen.append("pre first"), prepend=True),
            m.register_forward_hook(lambda mod, args, kwargs, out: seen.append(sorted(kwargs)), with_kwargs=True),
            m.register_forward_pre_hook(
                lambda mod, args, kwargs: (seen.append(len(args)), ((), {"input": args[0] + 1}))[1], with_kwargs=True
            ),
        ]
        outs = [m(engine.ones(1, 2))]
        for handle in handles:
            handle.remove()
        handles[0].remove()  # a second time: nothing happens
        with m.register_forward_hook(lambda mod, args, out: out * 5):
            outs.append(m(engine.ones(1, 2)))
        outs.append(m(engine.ones(1, 2)))
        return seen, outs

    same(run)


def test_forward_hook_errors():
    def run(engine):
        m = engine.nn.Identity()
        m.register_forward_pre_hook(lambda mod, args, kwargs: 3, with_kwargs=True)
        return m(1)

    same(run, "RuntimeError")
    with pytest.raises(NotImplementedError, match="always_call"):
        minigrad.nn.Identity().register_forward_hook(lambda *a: None, always_call=True)


def shown(values):
    return [None if v is None else v.clone() for v in values]


@pytest.mark.parametrize("used", [(0,), (1,), (0, 1), (0, 1, 2)])
@pytest.mark.parametrize("recorded", [(True, True), (True, False), (False, False)])
def test_full_backward_hooks(used, recorded):
    Pair = namedtuple("Pair", "a b c")

    def run(engine):
        class Three(engine.nn.Module):
            def __init__(self):
                super().__init__()
                self.w = engine.nn.Parameter(engine.full((3,), 2.0))

            def forward(self, a, b, c=1.0):
                return Pair(a * b * self.w, a + b * self.w, (a.detach() + b) * self.w)

        m, seen = Three(), []
        m.register_full_backward_pre_hook(lambda mod, grads: seen.append(shown(grads)))
        m.register_full_backward_pre_hook(lambda mod, grads: tuple(None if g is None else g * 3 for g in grads))
        m.register_full_backward_hook(lambda mod, gi, go: seen.append((shown(gi), shown(go))))
        m.register_full_backward_hook(lambda mod, gi, go: seen.append("first"), prepend=True)
        if any(recorded):
            m.register_full_backward_hook(lambda mod, gi, go: tuple(None if g is None else g + 1 for g in gi))
        a, b = (engine.arange(3.0).requires_grad_(r) for r in recorded)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = m(a, b, 4.0)
            sum((out[i] * (i + 1)).sum() for i in used).backward()
        return type(out).__name__, seen, a.grad, b.grad, m.w.grad

    same(run)


def test_backward_hook_errors():
    def invalid(engine):
        m = engine.nn.Linear(2, 2)
        m.register_full_backward_hook(lambda mod, gi, go: (gi[0], gi[0]))
        m(engine.ones(1, 2, requires_grad=True)).sum().backward()

    def invalid_before(engine):
        m = engine.nn.Linear(2, 2)
        m.register_full_backward_pre_hook(lambda mod, go: (go[0], go[0]))
        m(engine.ones(1, 2, requires_grad=True)).sum().backward()

    same(invalid, "RuntimeError")
    same(invalid_before, "RuntimeError")


def test_backward_hooks_under_create_graph():
    def run(engine):
        m = engine.nn.Sequential(engine.nn.Linear(2, 2), engine.nn.Tanh())
        m.register_full_backward_hook(lambda mod, gi, go: (gi[0] * gi[0],))
        x = engine.ones(3, 2, requires_grad=True, dtype=engine.float64)
        m.double()
        (g,) = engine.autograd.grad((m(x) ** 2).sum(), x, create_graph=True)
        g.sum().backward()
        return [np.round(v.detach().numpy(), 10).tolist() for v in (g, x.grad, m[0].weight.grad)]

    same(run)


def test_modules_without_recording():
    def run(engine):
        m = engine.nn.Linear(2, 2)
        m.register_full_backward_hook(lambda mod, gi, go: None)
        with engine.no_grad():
            return m(engine.ones(1, 2)).requires_grad

    same(run)


# -- state


def changed_state(change):
    def run(engine):
        m = net(engine)
        state = {name: value.clone() + 1 for name, value in m.state_dict().items()}
        change(engine, state)
        return str(m.load_state_dict(state)), m.state_dict()

    return run


def change_nothing(engine, state):
    pass


def change_missing(engine, state):
    del state["head.out.bias"], state["norm.running_var"], state["blocks.0.linear.weight"]


def change_unexpected(engine, state):
    state.update(
        {
            "head.out.more.w": engine.ones(1),
            "other.w": engine.ones(1),
            "blocks.0.w": engine.ones(1),
            "w": engine.ones(1),
        }
    )


def change_shapes(engine, state):
    state.update(
        {
            "head.out.weight": engine.ones(3),
            "blocks.1.scale": engine.ones(4, 1),
            "norm.num_batches_tracked": engine.ones(2),
        }
    )


def change_kinds(engine, state):
    state.update({"head.out.weight": 3, "norm.bias": [1.0]})


def change_all(engine, state):
    for change in (change_missing, change_unexpected, change_shapes, change_kinds):
        change(engine, state)


CHANGES = [change_nothing, change_missing, change_unexpected, change_shapes, change_kinds, change_all]


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_load_state_dict(change):
    same(changed_state(change), None if change is change_nothing else "RuntimeError")


@pytest.mark.parametrize("change", [change_nothing, change_missing, change_unexpected], ids=lambda f: f.__name__)
def test_load_state_dict_not_strict(change):
    def run(engine):
        m = net(engine)
        state = {name: value.clone() + 1 for name, value in m.state_dict().items()}
        change(engine, state)
        told = m.load_state_dict(state, strict=False)
        return str(told), told.missing_keys, told.unexpected_keys, list(told), m.state_dict()

    same(run)


def test_load_state_dict_changes_nothing_where_it_raises():
    m = net(minigrad)
    before = plain(m.state_dict())
    state = {name: value.clone() + 1 for name, value in m.state_dict().items()}
    change_all(minigrad, state)
    with pytest.raises(RuntimeError):
        m.load_state_dict(state)
    assert plain(m.state_dict()) == before
    with pytest.raises(TypeError, match="dict-like"):
        m.load_state_dict([1])


def test_assign():
    def run(engine):
        a, b = engine.nn.Linear(2, 2), engine.nn.Linear(2, 2)
        state = {name: value.double() for name, value in a.state_dict().items()}
        b.load_state_dict(state, assign=True)
        return b.state_dict(), b.weight.requires_grad, b.weight.is_leaf

    same(run)


def test_state_goes_between_the_engines():
    theirs, mine = net(torch), net(minigrad)
    mine.load_state_dict(theirs.state_dict())
    assert plain(mine.state_dict()) == plain(theirs.state_dict())
    with minigrad.no_grad():
        for p in mine.parameters():
            p.mul_(2)
    assert plain(mine.state_dict()) != plain(theirs.state_dict())  # copied, not shared
    theirs.load_state_dict({name: torch.from_numpy(value.numpy()) for name, value in mine.state_dict().items()})
    assert plain(mine.state_dict()) == plain(theirs.state_dict())
    mine.load_state_dict(theirs.bfloat16().state_dict())
    expected = plain({name: v if v.dtype == torch.int64 else v.float() for name, v in theirs.state_dict().items()})
    assert plain(mine.state_dict()) == expected


def test_copies():
    def run(engine):
        m = net(engine).eval()
        m(engine.ones(3, 4)).sum().backward()
        calls = []
        m.register_forward_hook(lambda mod, args, out: calls.append(1))
        twin = copy.deepcopy(m)
        with engine.no_grad():
            twin.head.out.weight.fill_(9.0)
        twin(engine.ones(3, 4))
        return (
            m.state_dict(), twin.state_dict(), repr(twin), twin.same_again is twin.blocks[0], calls,
            [p.grad is None for p in twin.parameters()], [p.grad is None for p in m.parameters()],
            [type(p).__name__ for p in twin.parameters()],
        )  # fmt: skip

    same(run)


def test_pickle():
    m = minigrad.nn.Sequential(minigrad.nn.Linear(2, 3), minigrad.nn.BatchNorm1d(3))
    m[0].bias.requires_grad_(False)
    twin = pickle.loads(pickle.dumps(m))
    assert plain(twin.state_dict()) == plain(m.state_dict())
    assert repr(twin) == repr(m)
    assert [p.requires_grad for p in twin.parameters()] == [True, False, True, True]
    assert isinstance(twin[0].weight, minigrad.nn.Parameter)


def test_parameter():
    def run(engine):
        p = engine.nn.Parameter(engine.arange(3.0))
        q = engine.nn.Parameter(engine.ones(2), requires_grad=False)
        (p * 2).sum().backward()
        twin = copy.deepcopy(p)
        return (
            repr(p), repr(q), p.is_leaf, type(p * 2).__name__, type(p.detach()).__name__, type(p.data).__name__, twin, twin.grad,
            isinstance(p, engine.Tensor), q.requires_grad, type(copy.deepcopy([p, p])[1]).__name__, engine.nn.Parameter().shape == (0,),
        )  # fmt: skip

    same(run)


# -- containers


def test_sequential():
    def run(engine):
        nn = engine.nn
        s = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
        facts = [len(s), repr(s[0]), repr(s[-1]), repr(s[1:]), repr(s[::2]), [type(m).__name__ for m in s]]
        s.append(nn.Tanh())
        s.insert(1, nn.Sigmoid())
        s.extend([nn.Identity(), nn.ELU()])
        facts.append(repr(s))
        s[0] = nn.Linear(5, 6)
        del s[2]
        facts.append(repr(s))
        facts.append(repr(s.pop(1)))
        del s[1:3]
        facts.append(repr(s))
        facts.append(repr(s + nn.Sequential(nn.Dropout())))
        facts.append(repr(nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh()))[-1:]))
        facts.append(list(s.state_dict()))
        facts.append(repr(nn.Sequential()))
        return facts

    same(run)
    same(lambda engine: engine.nn.Sequential(engine.nn.ReLU())[1], "IndexError")
    same(lambda engine: engine.nn.Sequential(engine.nn.ReLU())[-2], "IndexError")
    same(lambda engine: engine.nn.Sequential(3), "TypeError")
    same(lambda engine: engine.nn.Sequential(engine.nn.ReLU()).append(3), "TypeError")


def test_module_list():
    def run(engine):
        nn = engine.nn
        m = nn.ModuleList(
            [nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU(), nn.Sequential(nn.Tanh()), nn.Sequential(nn.Tanh())]
        )
        facts = [repr(m), len(m), repr(m[1:3]), repr(m[-1]), [type(c).__name__ for c in m]]
        m += [nn.Sigmoid()]
        m.append(nn.ELU()).insert(0, nn.Identity())
        m.extend(nn.ModuleList([nn.GELU()]))
        facts.append(repr(m))
        m[2] = nn.Dropout()
        del m[0]
        facts += [repr(m), repr(m.pop(0)), repr(m), repr(nn.ModuleList()), repr(m + [nn.Tanh()])]
        del m[1:4]
        facts += [repr(m), [n for n, _ in m.named_children()]]
        return facts

    same(run)
    same(lambda engine: engine.nn.ModuleList([engine.nn.ReLU()])[3], "IndexError")
    same(lambda engine: engine.nn.ModuleList([3]), "TypeError")
    same(lambda engine: engine.nn.ModuleList([engine.nn.ReLU()])(1), "NotImplementedError")


def test_module_dict():
    def run(engine):
        nn = engine.nn
        m = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Linear(2, 2)})
        facts = [repr(m), len(m), list(m), list(m.keys()), [type(v).__name__ for v in m.values()], "a" in m, "c" in m]
        m["c"] = nn.Tanh()
        m.update([("d", nn.Sigmoid())])
        m.update(nn.ModuleDict({"e": nn.ELU()}))
        facts += [[k for k, _ in m.items()], repr(m.pop("a")), repr(m)]
        del m["b"]
        facts.append(repr(m))
        m.clear()
        facts.append(len(m))
        return facts

    same(run)
    same(lambda engine: engine.nn.ModuleDict()["a"], "KeyError")
    same(lambda engine: engine.nn.ModuleDict({"a": 3}), "TypeError")


def test_parameter_list():
    def run(engine):
        nn = engine.nn
        m = nn.ParameterList([nn.Parameter(engine.ones(2)), engine.zeros(3, 1), 7])
        facts = [len(m), m[1], isinstance(m[1], nn.Parameter), m[-1], [n for n, _ in m.named_parameters()], repr(m)]
        m.append(engine.ones(1))
        m += [engine.ones(4)]
        m[0] = engine.full((2,), 5.0)
        m.extend([engine.ones(1, 2, 3)])
        facts += [list(m), len(m[1:3]), m.state_dict(), repr(m)]
        return facts

    same(run)
    same(lambda engine: engine.nn.ParameterList()[0], "IndexError")
    same(lambda engine: engine.nn.ParameterList().extend(3), "TypeError")


def test_parameter_dict():
    def run(engine):
        nn = engine.nn
        m = nn.ParameterDict({"a": engine.ones(2), "b": nn.Parameter(engine.zeros(1)), "c": 3})
        facts = [
            len(m),
            list(m),
            list(m.keys()),
            "a" in m,
            m["a"],
            isinstance(m["a"], nn.Parameter),
            [n for n, _ in m.named_parameters()],
        ]
        m["d"] = engine.ones(3)
        m.update({"e": engine.ones(1)})
        del m["b"]
        facts += [
            [k for k, _ in m.items()],
            list(m.values()),
            m.state_dict(),
            repr(m),
            m.get("zzz"),
            m.pop("a"),
            len(m),
        ]
        facts += [m.setdefault("f", engine.ones(2)), m.popitem()[0], list(m.copy()), repr(m | {"g": engine.ones(1)})]
        m.clear()
        return [*facts, len(m)]

    same(run)
    same(lambda engine: engine.nn.ParameterDict()["a"], "AttributeError")


# -- errors of layers, class by class and word for word


LAYER_ERRORS = {
    "conv_groups": lambda nn, t: nn.Conv2d(3, 4, 3, groups=2),
    "conv_groups_out": lambda nn, t: nn.Conv2d(4, 3, 3, groups=2),
    "conv_groups_0": lambda nn, t: nn.Conv2d(4, 4, 3, groups=0),
    "conv_same_strided": lambda nn, t: nn.Conv2d(4, 4, 3, stride=2, padding="same"),
    "conv_transposed_mode": lambda nn, t: nn.ConvTranspose2d(1, 1, 3, padding_mode="circular"),
    "batch_norm_1d": lambda nn, t: nn.BatchNorm1d(3)(t.ones(2, 3, 4, 5)),
    "batch_norm_2d": lambda nn, t: nn.BatchNorm2d(3)(t.ones(2, 3)),
    "batch_norm_3d": lambda nn, t: nn.BatchNorm3d(3)(t.ones(2, 3)),
    "batch_norm_one_value": lambda nn, t: nn.BatchNorm1d(3)(t.ones(1, 3)),
    "instance_norm": lambda nn, t: nn.InstanceNorm1d(3)(t.ones(3)),
    "instance_norm_2d": lambda nn, t: nn.InstanceNorm2d(3)(t.ones(3)),
    "group_norm": lambda nn, t: nn.GroupNorm(3, 4),
    "dropout_p": lambda nn, t: nn.Dropout(1.5),
    "dropout_p_negative": lambda nn, t: nn.Dropout2d(-0.1),
    "embedding_padding": lambda nn, t: nn.Embedding(3, 2, padding_idx=5),
    "embedding_padding_negative": lambda nn, t: nn.Embedding(3, 2, padding_idx=-5),
    "embedding_weight": lambda nn, t: nn.Embedding(3, 2, _weight=t.ones(2, 2)),
    "embedding_pretrained": lambda nn, t: nn.Embedding.from_pretrained(t.ones(2)),
    "embedding_index": lambda nn, t: nn.Embedding(3, 2)(t.tensor([3])),
    "bilinear": lambda nn, t: nn.Bilinear(0, 2, 2),
    "softmax_2d": lambda nn, t: nn.Softmax2d()(t.ones(2, 3)),
    "unflatten": lambda nn, t: nn.Unflatten(1, (2, 4))(t.ones(2, 6)),
    "multi_margin_p": lambda nn, t: nn.MultiMarginLoss(p=3),
    "triplet_margin": lambda nn, t: nn.TripletMarginWithDistanceLoss(margin=-1.0),
    "attention_heads": lambda nn, t: nn.MultiheadAttention(5, 2),
    "attention_embedding": lambda nn, t: nn.MultiheadAttention(0, 2),
    "attention_causal": lambda nn, t: nn.MultiheadAttention(4, 2)(*[t.ones(3, 2, 4)] * 3, is_causal=True),
    "attention_width": lambda nn, t: nn.MultiheadAttention(4, 2)(*[t.ones(3, 2, 5)] * 3),
    "attention_dims": lambda nn, t: nn.MultiheadAttention(4, 2)(*[t.ones(3)] * 3),
    "attention_mask_2d": lambda nn, t: nn.MultiheadAttention(4, 2)(*[t.ones(3, 2, 4)] * 3, attn_mask=t.ones(3, 4)),
    "attention_mask_3d": lambda nn, t: nn.MultiheadAttention(4, 2)(*[t.ones(3, 2, 4)] * 3, attn_mask=t.ones(2, 3, 3)),
    "attention_mask_type": lambda nn, t: nn.MultiheadAttention(4, 2)(
        *[t.ones(3, 2, 4)] * 3, attn_mask=t.ones(3, 3).long()
    ),
    "attention_padding": lambda nn, t: nn.MultiheadAttention(4, 2)(
        *[t.ones(3, 2, 4)] * 3, key_padding_mask=t.ones(3, 3)
    ),
    "attention_keys": lambda nn, t: nn.MultiheadAttention(4, 2)(t.ones(3, 2, 4), t.ones(3, 2, 4), t.ones(4, 2, 4)),
    "transformer_activation": lambda nn, t: nn.TransformerEncoderLayer(4, 2, activation="sin"),
    "transformer_batch": lambda nn, t: nn.Transformer(4, 2, 1, 1, 4)(t.ones(3, 2, 4), t.ones(3, 3, 4)),
    "transformer_width": lambda nn, t: nn.Transformer(4, 2, 1, 1, 4)(t.ones(3, 2, 4), t.ones(3, 2, 5)),
    "rnn_nonlinearity": lambda nn, t: nn.RNN(2, 3, nonlinearity="sin"),
    "rnn_hidden": lambda nn, t: nn.GRU(2, 0),
    "rnn_layers": lambda nn, t: nn.GRU(2, 3, num_layers=0),
    "rnn_input": lambda nn, t: nn.GRU(0, 3),
    "rnn_bias": lambda nn, t: nn.LSTM(2, 3, bias="False"),
    "rnn_batch_first": lambda nn, t: nn.RNN(2, 3, batch_first=1),
    "rnn_input_type": lambda nn, t: nn.RNN(2.0, 3),
    "rnn_projection": lambda nn, t: nn.GRU(2, 3, proj_size=1),
    "rnn_projection_width": lambda nn, t: nn.LSTM(2, 3, proj_size=3),
    "rnn_projection_negative": lambda nn, t: nn.LSTM(2, 3, proj_size=-1),
    "rnn_dims": lambda nn, t: nn.LSTM(2, 3)(t.ones(2)),
    "rnn_dtype": lambda nn, t: nn.LSTM(2, 3)(t.ones(2, 1, 2).double()),
    "rnn_state_dtype": lambda nn, t: nn.GRU(2, 3)(t.ones(2, 1, 2), t.ones(1, 1, 3).double()),
    "pack_unsorted": lambda nn, t: nn.utils.rnn.pack_padded_sequence(t.ones(3, 2, 1), [1, 3]),
    "pack_zero": lambda nn, t: nn.utils.rnn.pack_padded_sequence(t.ones(3, 2, 1), [3, 0]),
    "pack_batch": lambda nn, t: nn.utils.rnn.pack_padded_sequence(t.ones(3, 2, 1), [3, 2, 1]),
    "pack_lengths": lambda nn, t: nn.utils.rnn.pack_padded_sequence(t.ones(3, 2, 1), t.ones(2, 1)),
    "pack_empty": lambda nn, t: nn.utils.rnn.pack_padded_sequence(t.ones(3, 0), []),
    "pack_nothing": lambda nn, t: nn.utils.rnn.pack_sequence([]),
    "packed_pair": lambda nn, t: nn.utils.rnn.PackedSequence(t.ones(3)),
    "pad_packed_short": lambda nn, t: nn.utils.rnn.pad_packed_sequence(
        nn.utils.rnn.pack_padded_sequence(t.ones(3, 2, 1), [3, 2]), total_length=2
    ),
    "packed_width": lambda nn, t: nn.GRU(2, 3)(nn.utils.rnn.pack_padded_sequence(t.ones(3, 2, 1), [3, 2])),
    "packed_state": lambda nn, t: nn.GRU(1, 3)(
        nn.utils.rnn.pack_padded_sequence(t.ones(3, 2, 1), [3, 2]), t.ones(1, 3, 3)
    ),
    "rnn_dropout": lambda nn, t: nn.LSTM(2, 3, 2, dropout=2),
    "rnn_width": lambda nn, t: nn.LSTM(2, 3)(t.ones(4, 2, 3)),
    "rnn_empty": lambda nn, t: nn.LSTM(2, 3)(t.ones(0, 2, 2)),
    "rnn_state": lambda nn, t: nn.GRU(2, 3)(t.ones(4, 2, 2), t.ones(1, 3, 3)),
    "rnn_state_dims": lambda nn, t: nn.GRU(2, 3)(t.ones(4, 2, 2), t.ones(1, 3)),
    "lstm_state": lambda nn, t: nn.LSTM(2, 3)(t.ones(4, 2, 2), (t.ones(1, 3, 3), t.ones(1, 2, 3))),
    "lstm_state_dims": lambda nn, t: nn.LSTM(2, 3)(t.ones(4, 2, 2), (t.ones(1, 3), t.ones(1, 3))),
    "cell_dims": lambda nn, t: nn.LSTMCell(2, 3)(t.ones(1, 2, 2)),
    "cell_width": lambda nn, t: nn.GRUCell(2, 3)(t.ones(2, 3)),
    "cell_state": lambda nn, t: nn.GRUCell(2, 3)(t.ones(2, 2), t.ones(2, 2)),
    "cell_batch": lambda nn, t: nn.RNNCell(2, 3)(t.ones(2, 2), t.ones(3, 3)),
}


LAYER_ERROR_KINDS = {
    **dict.fromkeys(["embedding_padding", "embedding_padding_negative", "embedding_weight", "embedding_pretrained", "attention_heads",
                     "attention_width", "attention_dims", "attention_mask_type", "attention_padding", "attention_keys",
                     "packed_pair"], "AssertionError"),
    **dict.fromkeys(["unflatten", "attention_causal", "attention_mask_2d", "attention_mask_3d", "transformer_activation",
                     "transformer_batch", "transformer_width", "rnn_width", "rnn_empty", "rnn_state", "rnn_state_dims", "lstm_state",
                     "lstm_state_dims", "cell_width", "cell_state", "cell_batch", "rnn_state_dtype", "pack_unsorted", "pack_zero",
                     "pack_batch", "pack_lengths", "pack_empty", "pack_nothing", "packed_width", "packed_state"], "RuntimeError"),
    **dict.fromkeys(["rnn_bias", "rnn_batch_first", "rnn_input_type"], "TypeError"),
    "embedding_index": "IndexError",
}  # fmt: skip


@pytest.mark.parametrize("name", LAYER_ERRORS)
def test_layer_errors(name):
    same(lambda engine: LAYER_ERRORS[name](engine.nn, engine), LAYER_ERROR_KINDS.get(name, "ValueError"))


@pytest.mark.parametrize(
    "options",
    [{}, {"norm_first": True}, {"bias": False}, {"activation": "tanh"}, {"nhead": 1}, {"batch_first": False}],
    ids=str,
)
def test_an_encoder_says_why_padding_is_not_left_out(options):
    def run(engine):
        given = {"nhead": 2, "batch_first": True} | options
        if "activation" in given:
            given["activation"] = engine.tanh
        layer = engine.nn.TransformerEncoderLayer(4, dim_feedforward=6, **given)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            use = engine.nn.TransformerEncoder(layer, 1).use_nested_tensor
        return use, [str(w.message) for w in found if "nested_tensor" in str(w.message)]

    same(run)


def test_masks_of_two_kinds_warn():
    def run(engine):
        layer = engine.nn.TransformerEncoderLayer(4, 2, 6, batch_first=True)
        padding, mask = engine.zeros(2, 3, dtype=engine.bool), engine.zeros(3, 3)
        x = engine.ones(2, 3, 4)
        said = []
        for call in (
            lambda: layer(x, mask, padding),
            lambda: engine.nn.TransformerEncoder(layer, 1)(x, mask, padding),
            lambda: layer.self_attn(x, x, x, padding, attn_mask=mask),
            lambda: layer(x, mask.bool(), padding),
        ):
            with warnings.catch_warnings(record=True) as found:
                warnings.simplefilter("always")
                call()
            said.append([str(w.message) for w in found if "mismatched" in str(w.message)])
        return said

    same(run)


def test_lengths_beyond_the_input_are_refused():
    """PyTorch takes some of them, and gives a PackedSequence whose batch_sizes count more rows than it has."""
    with pytest.raises(RuntimeError, match="a length of 4 is more than the 3 steps"):
        minigrad.nn.utils.rnn.pack_padded_sequence(minigrad.ones(3, 2, 1), [4, 2])


def test_a_packed_sequence_is_a_named_tuple():
    def run(engine):
        x = engine.arange(12.0).reshape(3, 2, 2)
        p = engine.nn.utils.rnn.pack_padded_sequence(x, [2, 3], enforce_sorted=False)
        data, sizes, order, back = p
        same_type = p.to(engine.float32) is p, p.float() is p, p.is_cuda, p.cpu() is p
        return (
            repr(p),
            data,
            sizes,
            order,
            back,
            p.double().data,
            p.long().data,
            p.to(engine.int16).data,
            same_type,
            p[0],
        )

    same(run)


UNSUPPORTED = {
    "SyncBatchNorm": lambda nn: nn.SyncBatchNorm(3),
    "CrossMapLRN2d": lambda nn: nn.CrossMapLRN2d(3),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_is_missing_is_named(name):
    with pytest.raises(NotImplementedError, match=name):
        UNSUPPORTED[name](minigrad.nn)


# -- initialization: the same seed gives the same numbers, to the bit


SHAPES = [(3,), (4, 3), (5, 17), (6, 4, 3), (4, 2, 3, 3)]
INITS = {
    "uniform_": [{}, {"a": -2.0, "b": 3.0}],
    "normal_": [{}, {"mean": 1.0, "std": 0.2}],
    "constant_": [{"val": 2.5}],
    "ones_": [{}],
    "zeros_": [{}],
    "eye_": [{}],
    "dirac_": [{}, {"groups": 2}],
    "xavier_uniform_": [{}, {"gain": 2.0}],
    "xavier_normal_": [{}, {"gain": 2.0}],
    "kaiming_uniform_": [{}, {"a": 5**0.5}, {"mode": "fan_out", "nonlinearity": "relu"}, {"mode": "other"}],
    "kaiming_normal_": [{}, {"nonlinearity": "tanh"}, {"mode": "fan_out"}, {"nonlinearity": "other"}],
    "trunc_normal_": [{}, {"std": 0.02}, {"mean": 1.0, "a": 0.0, "b": 2.0}, {"a": 3.0, "b": 4.0}, {"mean": 9.0}],
    "sparse_": [{"sparsity": 0.3}, {"sparsity": 0.5, "std": 2.0}],
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", INITS)
def test_init(name, dtype):
    for shape in SHAPES:
        for options in INITS[name]:

            def run(engine, shape=shape, options=options):
                p = engine.nn.Parameter(engine.empty(*shape, dtype=getattr(engine, dtype)))
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    returned = getattr(engine.nn.init, name)(p, **options)
                assert returned is p
                follows = engine.rand(3)  # the stream stands at the same place
                return p, p.requires_grad, follows, [str(w.message) for w in caught]

            alike(run)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (6, 2), (3, 2, 2)])
def test_orthogonal(shape, dtype):
    matrices = []
    for engine in ENGINES:
        engine.manual_seed(1)
        w = engine.nn.init.orthogonal_(engine.empty(*shape, dtype=getattr(engine, dtype)), gain=2.0)
        matrices.append(w.numpy())
    # The decompositions are of two libraries: equal up to rounding.
    np.testing.assert_allclose(matrices[1], matrices[0], atol=1e-5 if dtype == "float32" else 1e-13, rtol=0)
    same(lambda engine: engine.nn.init.orthogonal_(engine.empty(3)), "ValueError")


def test_gain_and_fans():
    names = ["linear", "conv1d", "conv_transpose2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
    same(lambda engine: [engine.nn.init.calculate_gain(name) for name in names])
    same(lambda engine: engine.nn.init.calculate_gain("leaky_relu", 0.2))
    same(lambda engine: engine.nn.init.calculate_gain("leaky_relu", "x"), "ValueError")
    same(lambda engine: engine.nn.init._calculate_fan_in_and_fan_out(engine.ones(4, 3, 2, 2)))
    same(lambda engine: engine.nn.init._calculate_fan_in_and_fan_out(engine.ones(4)), "ValueError")
    same(lambda engine: engine.nn.init.eye_(engine.ones(4)), "ValueError")
    same(lambda engine: engine.nn.init.dirac_(engine.ones(4, 2)), "ValueError")


def test_init_with_a_generator():
    def run(engine):
        g = engine.Generator().manual_seed(5)
        return [
            engine.nn.init.kaiming_normal_(engine.empty(4, 5), generator=g),
            engine.nn.init.uniform_(engine.empty(9), generator=g),
            engine.rand(2),
        ]

    same(run)


def test_weights_of_networks():
    def run(engine):
        nn = engine.nn
        mlp = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 10))
        cnn = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3),
            nn.ConvTranspose2d(16, 2, 2),
        )
        gpt = nn.ModuleDict({
            "tokens": nn.Embedding(65, 32), "places": nn.Embedding(16, 32), "norm": nn.LayerNorm(32),
            "blocks": nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64), 2, enable_nested_tensor=False),
            "head": nn.Linear(32, 65, bias=False), "rnn": nn.LSTM(8, 16, 2, bidirectional=True), "bi": nn.Bilinear(3, 4, 5),
        })  # fmt: skip
        return [m.state_dict() for m in (mlp, cnn, gpt)]

    same(run)


# -- nn.utils


def grads(engine, scale=1.0, dtype="float64"):
    rng = np.random.default_rng(0)
    parameters = []
    for shape in ((3, 2), (4,), ()):
        p = engine.nn.Parameter(engine.zeros(shape, dtype=getattr(engine, dtype)))
        p.grad = engine.tensor(scale * rng.normal(size=shape), dtype=getattr(engine, dtype))
        parameters.append(p)
    parameters.append(engine.nn.Parameter(engine.zeros(2)))  # without a gradient
    return parameters


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, float("inf")])
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_clip_grad_norm(norm_type, scale):
    found = []
    for engine in ENGINES:
        parameters = grads(engine, scale)
        total = engine.nn.utils.clip_grad_norm_(parameters, 0.5, norm_type)
        found.append([total.item(), *(p.grad.numpy() for p in parameters[:3])])
        assert parameters[3].grad is None
        total = engine.nn.utils.get_total_norm([p.grad for p in parameters[:3]], norm_type)
        found[-1].append(total.item())
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


def test_clipping():
    same(lambda engine: [engine.nn.utils.clip_grad_value_(ps := grads(engine), 0.3), [p.grad for p in ps]])
    same(lambda engine: engine.nn.utils.clip_grad_norm_([], 1.0))
    same(lambda engine: engine.nn.utils.clip_grad_norm_(grads(engine)[0], 1e9))
    same(
        lambda engine: engine.nn.utils.clip_grad_norm_(grads(engine, np.nan), 1.0, error_if_nonfinite=True),
        "RuntimeError",
    )


def test_vectors():
    def run(engine):
        m = engine.nn.Linear(3, 2)
        v = engine.nn.utils.parameters_to_vector(m.parameters())
        engine.nn.utils.vector_to_parameters(engine.arange(8.0), m.parameters())
        return v, m.state_dict(), v.requires_grad, m.weight.is_leaf

    same(run)
    same(lambda engine: engine.nn.utils.vector_to_parameters([1.0], []), "TypeError")


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_pad_sequence(batch_first, side):
    def run(engine):
        parts = [engine.arange(float(n * 2)).reshape(n, 2).requires_grad_() for n in (3, 1, 2)]
        out = engine.nn.utils.rnn.pad_sequence(parts, batch_first, -1.0, side)
        (out * out).sum().backward()
        return out, [p.grad for p in parts]

    same(run)


# -- training goes the same way


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_recurrent_training(kind):
    """A few steps of a sequence model with dropout between its layers: the same losses."""
    losses = []
    for engine in ENGINES:
        engine.manual_seed(3)
        nn = engine.nn

        class Model(nn.Module):
            def __init__(self, nn=nn):
                super().__init__()
                self.embed = nn.Embedding(11, 6)
                self.rnn = getattr(nn, kind)(6, 8, 2, batch_first=True, dropout=0.2, bidirectional=True)
                self.head = nn.Linear(16, 11)

            def forward(self, x):
                return self.head(self.rnn(self.embed(x))[0])

        m = Model().double()
        optimizer = engine.optim.Adam(m.parameters(), lr=1e-2)
        data = engine.randint(0, 11, (4, 9))
        losses.append([])
        for _ in range(8):
            logits = m(data[:, :-1])
            loss = nn.functional.cross_entropy(logits.reshape(-1, 11), data[:, 1:].reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(m.parameters(), 1.0)
            optimizer.step()
            losses[-1].append(loss.item())
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-9)
    assert losses[1][-1] < losses[1][0]


@pytest.mark.parametrize("form", ["definition", "numpy", "compiled"])
@pytest.mark.parametrize("shape", [(4, 3), (1, 3, 5), (2, 3, 4, 1)])
def test_running_statistics_move_in_each_form(form, shape):
    values = np.random.default_rng(0).standard_normal(shape)

    def run(engine):
        x = engine.tensor(values)
        mean, var = engine.zeros(3, dtype=engine.float64), engine.ones(3, dtype=engine.float64)
        for kind in ("batch_norm",) if len(shape) == 2 else ("batch_norm", "instance_norm"):
            getattr(engine.nn.functional, kind)(x, mean, var, None, None, True, 0.3)
        return mean.numpy(), var.numpy()

    with minigrad.use_kernels(form):
        ours = run(minigrad)
    for a, b in zip(ours, run(torch), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("name", ["running_mean", "running_var"])
@pytest.mark.parametrize("norm", ["batch_norm", "instance_norm"])
def test_one_running_statistic_alone_is_refused(norm, name):
    def run(engine):
        given = {"running_mean": None, "running_var": None, name: engine.ones(3)}
        args = {"training": True} if norm == "batch_norm" else {}
        return getattr(engine.nn.functional, norm)(engine.ones(2, 3, 4), **given, **args)

    assert outcome(run, minigrad) == outcome(run, torch)


IN_PLACE = [
    "celu",
    "elu",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "mish",
    "relu",
    "relu6",
    "rrelu",
    "selu",
    "silu",
    "threshold",
]


@pytest.mark.parametrize("name", IN_PLACE)
def test_functional_activations_take_inplace_last(name):
    """In F, by name or position; not in `minigrad.relu`, as in PyTorch."""
    ours, theirs = (getattr(engine.nn.functional, name) for engine in ENGINES[::-1])
    signature = inspect.signature(ours)
    assert [(p.name, p.default) for p in signature.parameters.values()] == [
        (p.name, p.default) for p in inspect.signature(theirs).parameters.values()
    ]
    assert ours.__doc__
    assert ours.__name__ == name
    first = [0.1, 0.5][: sum(p.default is p.empty for p in signature.parameters.values()) - 1]
    rest = [p.default for p in signature.parameters.values() if p.default is not p.empty][:-1]
    x = minigrad.tensor([-2.0, 0.3, 7.0])
    expected = ours(x, *first)
    written = x.clone()
    assert ours(written, *first, inplace=True) is written
    np.testing.assert_array_equal(written.numpy(), expected.numpy())
    assert ours(x, *first, *rest, True) is x
    np.testing.assert_array_equal(x.numpy(), expected.numpy())
    if hasattr(minigrad, name):
        with pytest.raises(TypeError):
            getattr(minigrad, name)(x, *first, inplace=True)


def test_momentum_steps_where_the_first_gradient_lies_in_columns():
    """The buffer then lies in columns too: a loop over the memory of all would go astray."""

    def run(engine):
        p = engine.ones(3, 4).requires_grad_()
        optimizer = engine.optim.SGD([p], lr=0.1, momentum=0.9)
        for i in range(3):
            grad = engine.arange(12.0)
            p.grad = grad.reshape(4, 3).t() if i == 0 else grad.reshape(3, 4)
            optimizer.step()
        return p.detach().numpy()

    with minigrad.use_kernels("compiled"):
        np.testing.assert_allclose(run(minigrad), run(torch), rtol=1e-6)


# -- found by random calls, each one of a kind


def agree(call):
    theirs, ours = (call(engine) for engine in ENGINES)
    assert plain(ours) == plain(theirs)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_adaptive_max_pool_of_ties_and_nan(rank):
    """The first of several that are equal wins, in the order of memory, and the last nan."""
    rng = np.random.default_rng(rank)
    for _ in range(30):
        size, target = tuple(rng.integers(1, 7, rank)), tuple(rng.integers(1, 8, rank).tolist())
        x = rng.integers(0, 3, (2, 3, *size)).astype(np.float32)
        x[rng.random(x.shape) < 0.1] = np.nan
        agree(lambda e, x=x, m=target: getattr(e.nn.functional, f"adaptive_max_pool{rank}d")(e.tensor(x), m, True))


def test_adaptive_pooling_to_many_places_takes_no_time():
    agree(lambda e: e.nn.functional.adaptive_max_pool3d(e.arange(24.0).reshape(1, 2, 3, 4), 60))


@pytest.mark.parametrize("name", ["adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool2d"])
def test_pooling_to_nothing_keeps_its_history(name):
    agree(lambda e: getattr(e.nn.functional, name)(e.ones(1, 2, 3, requires_grad=True), 0).requires_grad)


@pytest.mark.parametrize("shape", [(2, 3), (1, 1, 1, 2, 3), (2, 3, 6, 0)])
def test_the_mean_over_all_is_of_any_rank(shape):
    agree(lambda e: e.nn.functional.adaptive_avg_pool2d(e.ones(shape), 1).isnan())
    agree(lambda e: e.nn.functional.adaptive_avg_pool2d(e.ones(shape), 1).shape == e.Size((*shape[:-2], 1, 1)))


@pytest.mark.parametrize("weight", ["float64", "float16", "bool"])
@pytest.mark.parametrize("input", ["float32", "float64"])
def test_rms_norm_of_another_type_than_its_weight(input, weight):
    def call(engine):
        x = engine.arange(8, dtype=getattr(engine, input)).reshape(2, 4) / 4
        y = engine.nn.functional.rms_norm(x, (4,), engine.tensor([1, 0, 2, 1]).to(getattr(engine, weight)))
        return str(y.dtype).partition(".")[2], y.double().numpy().round(6).tolist()

    assert call(minigrad) == call(torch)


@pytest.mark.parametrize("old", [{"size_average": 0}, {"reduce": 0}, {"size_average": False}, {"reduce": 1}])
def test_the_old_arguments_of_losses_are_truths(old):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree(lambda e: e.nn.MSELoss(**old)(e.ones(2, 3) * 2, e.zeros(2, 3)))


def test_the_loss_of_one_row_has_no_dimensions():
    agree(lambda e: e.nn.functional.nll_loss(e.ones(2), e.tensor([1]), reduction="none"))
    agree(lambda e: e.nn.functional.nll_loss(e.ones(2), e.tensor(1), reduction="none"))


def test_sequences_of_several_types_are_of_the_first_ones():
    a = np.array([1, 2, 3])
    agree(lambda e: e.nn.utils.rnn.pad_sequence([e.tensor(a), e.tensor([0.5, 2.5])]))
    agree(lambda e: e.nn.utils.rnn.pack_sequence([e.tensor(a), e.tensor([0.5, 2.5])]).data)


def test_numbers_of_numpy_become_tensors_in_a_loader():
    for data in ([np.float64(1), np.float32(2)], [np.int64(1), np.bool_(True)], [1.5, "a"]):
        agree(lambda e, data=data: e.utils.data.default_convert(data))
        agree(lambda e, data=data: list(e.utils.data.DataLoader(data, batch_size=None)))


@pytest.mark.parametrize("p", [0, 1, -1, float("inf")])
def test_the_total_norm_of_every_order(p):
    agree(lambda e: e.nn.utils.get_total_norm([e.tensor([1.0, 0.0, 2.0]), e.zeros(2)], p))


def test_second_derivatives_by_a_number():
    agree(lambda e: e.func.hessian(lambda x: x * x)(e.tensor(2.0)))
    agree(lambda e: e.func.jacfwd(lambda x: e.stack([x, x * x]))(e.tensor(2.0)))
    agree(lambda e: e.autograd.functional.hessian(lambda x: x * x, e.tensor(2.0)))


def test_the_shape_that_a_transform_gives():
    agree(lambda e: tuple(e.distributions.AffineTransform(e.zeros(2, 1), 1.0).forward_shape((3,))))
    agree(lambda e: tuple(e.distributions.PowerTransform(e.ones(4, 1)).inverse_shape((2,))))


@pytest.mark.parametrize("n", [0, -1, -2, -3, 1, 5])
def test_frequencies_of_few_samples(n):
    agree(lambda e: e.fft.rfftfreq(n))
    if n >= 0:
        agree(lambda e: e.fft.fftfreq(n))


@pytest.mark.parametrize("name", ["cholesky", "det", "svdvals"])
@pytest.mark.parametrize("place", [(0, 0), (1, 1), (1, 0)])
def test_matrices_with_nan(name, place):
    def call(engine):
        x = engine.eye(2)
        x[place] = float("nan")
        try:
            return np.isnan(getattr(engine.linalg, name)(x).numpy()).tolist()
        except RuntimeError as error:
            return type(error).__name__.removeprefix("_")

    assert call(minigrad) == call(torch)


@pytest.mark.parametrize("target", [[True, False], np.array([1, 255], np.uint8), [1, -1]])
def test_soft_margin_loss_of_targets_that_are_no_floats(target):
    agree(lambda e: e.nn.functional.soft_margin_loss(e.tensor([0.5, -0.25]), e.tensor(target), reduction="none"))
