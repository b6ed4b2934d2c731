"""What a compiled step must notice: whatever its code can read by any road has changed, and whatever it does is done.

Each program below is one way to change what a step reads, or to do something besides computing. It runs twice, eager and
compiled, and tells what it saw; both must tell the same, at each call.
"""

import collections
import contextlib
import copy
import functools
import io
import math
import operator
import sys
import threading
import types

import numpy as np
import pytest

import minigrad as mg
from minigrad.compiler.record import Recording

nn, F = mg.nn, mg.nn.functional
ONE = mg.ones(3)
CALLS = 4
_config = types.ModuleType("config_of_a_test")
PROGRAMS = {}


def program(f):
    PROGRAMS[f.__name__] = f
    return f


def tell(x):
    """What is compared."""
    if isinstance(x, mg.Tensor):
        return (type(x).__name__, str(x.dtype), tuple(x.shape), x.requires_grad, x.detach().numpy().tobytes())
    if isinstance(x, nn.Module):
        return {name: tell(t) for name, t in x.state_dict().items()}
    if isinstance(x, dict):
        return {k: tell(v) for k, v in x.items()}
    return [tell(v) for v in x] if isinstance(x, list | tuple) else x


class Side:
    """One of the two runs."""

    def __init__(self, compiled):
        self.compiled, self.told = compiled, []

    def step(self, f):
        return mg.compile(f) if self.compiled else f

    def see(self, *x):
        self.told.append(tell(x))

    def calls(self, f, *arguments):
        for _ in range(CALLS):
            self.see(f(*arguments))

    def changes(self, f, change, *arguments):
        """The step before and after a change."""
        step = self.step(f)
        self.calls(step, *(arguments or (ONE,)))
        change()
        self.calls(step, *(arguments or (ONE,)))


def both(f):
    told = []
    for compiled in (False, True):
        mg.manual_seed(0)
        side, out = Side(compiled), io.StringIO()
        with mg.use_kernels("numpy"), contextlib.redirect_stdout(out):
            f(side)
        told.append((side.told, out.getvalue(), mg.rand(1).item()))
    return told


# -- attributes, by every road to them


def settings(**values):
    class Settings:
        pass

    made = Settings()
    vars(made).update(values)
    return made


@program
def a_class_before_the_one_that_has_it(side):
    class Base:
        scale = 2.0

    class Derived(Base):
        pass

    s = Derived()
    side.changes(lambda x: x * s.scale, lambda: setattr(Derived, "scale", 5.0))
    side.changes(lambda x: x * Derived.scale, lambda: setattr(Derived, "scale", 7.0))


@program
def an_instance_before_its_class(side):
    class Model(nn.Module):
        scale = 2.0

        def forward(self, x):
            return x * self.scale

    model = Model()
    side.changes(model, lambda: setattr(model, "scale", 5.0))
    side.changes(lambda x: model(x), lambda: setattr(Model, "__call__", lambda self, x: x * 7))


@program
def another_class_or_table(side):
    class A(nn.Module):
        def forward(self, x):
            return x * 2

    class B(nn.Module):
        def forward(self, x):
            return x * 5

    a, tanh, s = A(), nn.Sequential(nn.Tanh()), settings(scale=2.0)
    side.changes(lambda x: a(x), lambda: setattr(a, "__class__", B))
    tanh[0].inplace = False
    side.changes(lambda x: tanh(x), lambda: setattr(tanh[0], "__class__", nn.ReLU))
    side.changes(lambda x: x * s.scale, lambda: setattr(s, "__dict__", {"scale": 5.0}))


@program
def names_that_the_code_does_not_show(side):
    name = "sca"
    for read in (
        lambda s: getattr(s, "scale", 1.0),
        lambda s: getattr(s, name + "le", 1.0),
        lambda s: s.__dict__.get("scale", 1.0),
        lambda s: operator.attrgetter("scale")(s) if hasattr(s, "scale") else 1.0,
    ):
        s = settings()
        side.changes(lambda x, read=read, s=s: x * read(s), lambda s=s: setattr(s, "scale", 5.0))
        side.changes(lambda x, read=read, s=s: x * read(s), lambda s=s: setattr(s, "scale", 7.0))
        side.changes(lambda x, read=read, s=s: x * read(s), lambda s=s: delattr(s, "scale"))


@program
def attributes_and_defaults_of_functions(side):
    def f(x, a=2.0):
        return x * f.scale * a

    def shift(x):
        return x + shift.by

    f.scale, shift.by = 2.0, 1.0
    side.changes(f, lambda: setattr(f, "scale", 5.0))
    side.changes(f, lambda: setattr(f, "__defaults__", (3.0,)))
    side.changes(lambda x: shift(x), lambda: setattr(shift, "by", 5.0))


@program
def modules_of_python(side):
    sys.modules["config_of_a_test"] = _config
    _config.scale = 2.0

    def imports(x):
        import config_of_a_test

        return x * config_of_a_test.scale

    def imports_a_name(x):
        from config_of_a_test import scale

        return x * scale

    def may_be_there(x):
        try:
            return x * _config.late
        except AttributeError:
            return x

    try:
        for k, f in enumerate((imports, imports_a_name, lambda x: x * sys.modules["config_of_a_test"].scale)):
            side.changes(f, lambda k=k: setattr(_config, "scale", 5.0 + k))
        side.changes(may_be_there, lambda: setattr(_config, "late", 5.0))
        sys.argv.append("2")
        side.changes(lambda x: x * float(sys.argv[-1]), lambda: sys.argv.__setitem__(-1, "5"))
        sys.argv.pop()
    finally:
        del sys.modules["config_of_a_test"]
        vars(_config).pop("late", None)


@program
def what_a_library_offers_is_replaced(side):
    relu, pi, forward = F.relu, math.pi, nn.Tanh.forward
    tanh = nn.Sequential(nn.Tanh())
    try:
        side.changes(lambda x: F.relu(-x), lambda: setattr(F, "relu", lambda x: x * 5))
        side.changes(lambda x: x * math.pi, lambda: setattr(math, "pi", 3.0))
        side.changes(lambda x: tanh(x), lambda: setattr(nn.Tanh, "forward", lambda self, x: x * 5))
    finally:
        F.relu, math.pi, nn.Tanh.forward = relu, pi, forward
    side.changes(lambda x: tanh(x), lambda: setattr(tanh[0], "forward", lambda x: x * 7))


@program
def settings_that_a_class_of_its_own_inherits(side):
    for base, made, change, value in (
        (nn.Dropout, (0.5,), "p", 0.0),
        (nn.LeakyReLU, (0.5,), "negative_slope", 0.1),
        (nn.Softmax, (0,), "dim", 1),
        (nn.LayerNorm, (3,), "eps", 0.5),
        (nn.BatchNorm1d, (3,), "eps", 0.5),
        (nn.BatchNorm1d, (3,), "momentum", 0.9),
        (nn.ELU, (1.0,), "alpha", 0.3),
    ):
        for cls in (base, type("Own", (base,), {})):
            module = cls(*made)
            side.changes(
                lambda x, module=module: module(x).detach() * 1,
                lambda module=module, change=change, value=value: setattr(module, change, value),
                mg.arange(12.0).view(4, 3).sin(),
            )
            side.see(module)
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    with mg.no_grad():
        side.changes(layer, lambda: setattr(layer, "activation", F.gelu), mg.randn(2, 3, 4))


# -- values


@program
def the_order_of_a_dict(side):
    table = {"a": 2.0, "b": 3.0}
    layers = nn.Sequential(nn.Linear(3, 3), nn.Tanh())

    def f(x):
        for v in table.values():
            x = x * v + 1
        return x

    side.changes(f, lambda: table.update(a=table.pop("a")))
    side.changes(lambda x: layers(x).detach() * 1, lambda: layers._modules.update({"0": layers._modules.pop("0")}))


@program
def the_type_of_a_number_in_a_tuple(side):
    for before, after in (((2,), (2.0,)), (((True,),), ((1.0,),)), (frozenset((1,)), frozenset((1.0,)))):
        s = settings(t=before)

        def f(x, s=s):
            t = min(s.t)
            return x * (t[0] if isinstance(t, tuple) else t)

        side.changes(f, lambda s=s, after=after: setattr(s, "t", after), mg.tensor([1, 2, 3]))
    s = settings(t=(0.0, 1.0))
    side.changes(lambda x: x * s.t[0], lambda: setattr(s, "t", (-0.0, 1.0)))


@program
def numbers_with_attributes(side):
    class Scale(float):
        pass

    scale = Scale(2.0)
    scale.more = 3.0
    side.changes(lambda x: x * scale * scale.more, lambda: setattr(scale, "more", 5.0))


@program
def one_tensor_in_two_places(side):
    f = side.step(lambda x, y: x * 2 + y if x is y else x * 3 + y)
    x = mg.ones(3)
    side.calls(f, x, mg.ones(3))
    side.calls(f, x, x)


@program
def a_gradient_that_is_given(side):
    w, c = mg.ones(3, requires_grad=True), mg.tensor(1.0)

    def f(x):
        w.grad = None
        loss = (w * x).sum()
        loss.backward(c)
        return w.grad.clone()

    side.changes(f, lambda: c.fill_(5.0))


@program
def running_statistics_after_they_moved(side):
    bn, w, x = nn.BatchNorm1d(3), mg.ones(3, requires_grad=True), mg.randn(8, 3)

    def f(x):
        w.grad = None
        out = bn(x * w)
        loss = (out.mean(0) - bn.running_mean).square().sum() + (w * bn.running_var).sum()
        loss.backward()
        return loss

    side.calls(side.step(f), x)
    side.see(w.grad, bn)
    view = bn.running_mean.view(3)
    side.calls(side.step(lambda x, m: bn(x).detach() + m), x, view)
    side.calls(side.step(lambda x: bn(x).detach() * bn.num_batches_tracked), x)


# -- what a step does


@program
def functions_of_c(side):
    seen, table = [], {"a": 2.0}
    push, get = seen.append, table.get
    side.changes(lambda x: (push(1), x * 2)[1], lambda: None)
    side.changes(lambda x: x * get("a"), lambda: table.update(a=5.0))
    for log in (functools.partial(print, "a"), functools.partial(seen.append, 1)):
        side.changes(lambda x, log=log: (log(), x * 2)[1], lambda: None)
    side.changes(lambda x: (list(map(print, ["b"])), x * 2)[1], lambda: None)
    side.changes(lambda x: (sorted([1], key=print), x * 2)[1], lambda: None)
    side.see(len(seen))


@program
def slots_of_types(side):
    s, numbers = settings(n=0), [0]

    def sets(x):
        object.__setattr__(s, "n", 7)
        return x * 2

    def sets_an_entry(x):
        numbers.__setitem__(0, 7)
        return x * 2

    side.changes(sets, lambda: setattr(s, "n", 0))
    side.changes(sets_an_entry, lambda: numbers.__setitem__(0, 0))
    side.see(s.n, numbers)


@program
def a_step_whose_code_is_a_text(side):
    space = {"torch": mg}
    exec("def f(x):\n    print('called')\n    return x * 2", space)
    side.calls(side.step(space["f"]), ONE)


@program
def hooks_of_all_kinds(side):
    seen, w = [], mg.ones(3, requires_grad=True)

    def f(x):
        w.grad = None
        loss = (w * x).exp().sum()
        loss.backward()
        return loss

    step = side.step(f)
    side.calls(step, ONE)
    with mg.autograd.graph.saved_tensors_hooks(lambda t: (seen.append(1), t)[1], lambda t: t):
        side.calls(step, ONE)
    side.calls(step, ONE)
    node = w.expand_as(w).grad_fn.next_functions[0][0]
    node.register_hook(lambda *_: seen.append(2))
    side.calls(step, ONE)
    side.see(seen)


@program
def a_compiled_module_is_the_module(side):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.w = 2.0, nn.Parameter(mg.ones(3))

        def forward(self, x):
            return x * self.scale * self.w

    seen = []
    model = Model()
    compiled = side.step(model)
    with mg.no_grad():
        side.calls(compiled, ONE)
        compiled.scale = 5.0
        side.calls(compiled, ONE)
        compiled.w = nn.Parameter(mg.ones(3) * 7)
        side.calls(compiled, ONE)
        side.calls(copy.deepcopy(compiled), ONE)
        compiled.register_forward_hook(lambda *_: seen.append(1))
        side.calls(compiled, ONE)
    compiled.eval()
    side.see(len(seen), model.training, compiled.training, model.w)
    model.train()
    side.see(compiled.training)


@program
def what_is_returned_twice(side):
    w = mg.ones(3, requires_grad=True)

    def f(x):
        w.grad = None
        loss = (w * x).sum()
        loss.backward()
        return loss, [loss], {"again": loss}

    step = side.step(f)
    for _ in range(CALLS):
        a, (b,), more = step(ONE)
        side.see(a, a is b is more["again"])

    def share(x):
        y = x * 2
        return y, y.detach()

    step = side.step(share)
    for _ in range(CALLS):
        a, b = step(ONE)
        a.mul_(3)
        side.see(a, b)
    Named = collections.namedtuple("Named", "a b")
    side.calls(side.step(lambda x: Named(x * 2, 3)), ONE)


@program
def a_compiled_step_inside_of_another(side):
    bn, x = nn.BatchNorm1d(3), mg.randn(5, 3)
    inner = side.step(bn)
    with mg.no_grad():
        side.calls(inner, x)

        def outer(x):
            inner(x)
            return x * 2

        side.calls(side.step(outer), x)
    side.see(bn)


@pytest.mark.parametrize("name", PROGRAMS)
def test_both_tell_the_same(name):
    eager, compiled = both(PROGRAMS[name])
    for k, (a, b) in enumerate(zip(eager[0], compiled[0], strict=True)):
        assert a == b, f"at {k}"
    assert eager[1:] == compiled[1:]


def test_what_is_read_only_elsewhere_does_not_disturb():
    """An attribute that only the training loop uses may change: the program goes on."""

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.epoch = nn.Linear(3, 3), 0

        def forward(self, x):
            return self.layer(x)

    model = Model()
    step = mg.compile(lambda x: model(x).detach() * np.sqrt(4.0))
    with mg.no_grad():
        for _ in range(20):
            step(ONE)
            model.epoch += 1
    assert step._ready[0].calls == 18


@pytest.mark.parametrize("form", ["numpy", "fastest"])
def test_a_call_that_is_refused_leaves_the_gradients_of_the_one_before(form):
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())
    adam = mg.optim.Adam(model.parameters(), lr=0.01)

    def step(x, y):
        loss = F.binary_cross_entropy(model(x), y)
        adam.zero_grad()
        loss.backward()
        adam.step()

    x = mg.randn(80, 2)
    y = (x > 0).float()[:, :1]
    with mg.use_kernels(form):
        run = mg.compile(step)
        for k in range(8):
            run(x, y)
            if k > 4:
                before = [tell(p) + tell(p.grad) for p in model.parameters()]
                with pytest.raises(RuntimeError, match="between 0 and 1"):
                    run(x * 3, y * 3)
                assert before == [tell(p) + tell(p.grad) for p in model.parameters()]
    assert run._ready[0].calls == 6


def test_a_gradient_that_was_taken_from_its_parameter_is_not_written_again():
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    adam = mg.optim.Adam(model.parameters(), lr=0.01)

    def step(x, y):
        adam.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        adam.step()

    run, taken = mg.compile(step), []
    with mg.use_kernels("fastest"):
        for k in range(8):
            run(mg.randn(80, 2), mg.randn(80, 1))
            taken += [(p.grad, tell(p.grad)) for p in list(model.parameters())[k % 2 :]]
            adam.zero_grad()
            assert all(tell(g) == before for g, before in taken)
        assert run._ready[0].fast is not None


def test_another_thread_in_the_midst_of_an_update_hides_nothing_from_a_recording():
    recording, inside, seen = Recording({}), threading.Event(), threading.Event()

    def update(optimizer):
        inside.set()
        seen.wait(10)

    thread = threading.Thread(target=recording.updated, args=(update, None))
    thread.start()
    try:
        assert inside.wait(10)
        assert recording.busy()
    finally:
        seen.set()
        thread.join()
    assert not recording.entries


@pytest.mark.parametrize("of", ["model", "optimizer"])
def test_a_zero_grad_that_is_put_on_an_object_is_called(of):
    model = nn.Sequential(nn.Linear(2, 1))
    sgd = mg.optim.SGD(model.parameters(), lr=0.0)
    chosen = model if of == "model" else sgd

    def step(x):
        chosen.zero_grad()
        model(x).sum().backward()
        sgd.step()

    run, x = mg.compile(step), mg.ones(1, 2)
    for _ in range(4):
        run(x)
    chosen.zero_grad = lambda *_: None
    run(x)
    assert tell(model[0].weight.grad) == tell(mg.full((1, 2), 2.0))
