"""Public names that are no function of tensors: settings, printing, switches, copies, a Function's context. In both engines."""

import copy
import warnings

import numpy as np
import pytest
import torch

import minigrad

ENGINES = [torch, minigrad]


def text(value):
    return repr(value).replace("minigrad.", "torch.")


def both(fn):
    """What a function of the engine gives, which must be the same in both."""
    theirs, ours = (fn(engine) for engine in ENGINES)
    assert ours == theirs
    return ours


def raised(fn):
    """The class of the error that a function raises."""
    with pytest.raises(Exception) as info:  # noqa: PT011
        fn()
    return info.type


# -- settings


def test_the_default_dtype():
    def dtypes(engine):
        found = [text(engine.get_default_dtype())]
        engine.set_default_dtype(engine.float64)
        found += [text(engine.get_default_dtype()), *(text(engine.tensor(v).dtype) for v in (1.5, 1, True))]
        found += [text(engine.zeros(2).dtype), text(engine.nn.Linear(2, 2).weight.dtype), text(engine.ones(1)[0] / 2)]
        engine.set_default_dtype(engine.float32)
        return [*found, text(engine.tensor(1.5).dtype)]

    assert "torch.float64" in both(dtypes)
    for engine in ENGINES:
        assert raised(lambda e=engine: e.set_default_dtype(e.int64)) is TypeError


SETTINGS = [
    {"precision": 2}, {"precision": 7}, {"sci_mode": True}, {"sci_mode": False}, {"threshold": 5}, {"threshold": 5, "edgeitems": 1},
    {"linewidth": 20}, {"profile": "short"}, {"profile": "full"}, {"profile": "short", "precision": 5},
]  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_printoptions(setting):
    values = [[1.23456789, 200.5, -3.0], [1e-5, 5.0, 6e7], [0.0, 1.5, 2.25]]

    def printed(engine):
        texts = []
        try:
            engine.set_printoptions(**setting)
            for x in (engine.tensor(values), engine.arange(12), engine.tensor(values[0], dtype=engine.float64)):
                texts.append(" ".join(text(x).split()))
            engine.set_printoptions(profile="default")
            texts.append(text(engine.tensor(values[0])))
        finally:
            engine.set_printoptions(profile="default")
        return texts

    plain = [" ".join(text(torch.tensor(values)).split()), text(torch.tensor(values[0]))]
    printed_so = both(printed)
    assert printed_so[-1] == plain[1]  # the profile sets everything back
    if setting != {"profile": "full"} and setting != {"sci_mode": False}:
        assert any(text not in plain for text in printed_so[:-1])


def test_threads():
    for engine in ENGINES:
        before = engine.get_num_threads()
        try:
            assert engine.set_num_threads(1) is None
            assert engine.get_num_threads() == 1
            for bad in (0, -1):
                assert raised(lambda e=engine, n=bad: e.set_num_threads(n)) is RuntimeError
            assert engine.get_num_threads() == 1
        finally:
            engine.set_num_threads(before)


def test_deterministic_algorithms():
    def numbers(engine):
        engine.manual_seed(0)
        x = engine.randn(6, 4, requires_grad=True)
        index = engine.tensor([0, 1, 1, 3, 0, 2])
        (engine.zeros(4, 4).index_add(0, index, x) ** 2).sum().backward()
        return x.grad.tolist()

    plain = [numbers(engine) for engine in ENGINES]
    for engine in ENGINES:
        try:
            assert engine.use_deterministic_algorithms(True) is None
            assert engine.use_deterministic_algorithms(True, warn_only=True) is None
            assert numbers(engine) == plain[ENGINES.index(engine)]
        finally:
            engine.use_deterministic_algorithms(False)
        for wrong in ("yes", 1, None):
            assert raised(lambda wrong=wrong, engine=engine: engine.use_deterministic_algorithms(wrong)) is TypeError
            assert (
                raised(lambda wrong=wrong, engine=engine: engine.use_deterministic_algorithms(True, warn_only=wrong))
                is TypeError
            )
    np.testing.assert_allclose(plain[1], plain[0], rtol=1e-6)


def test_compile_returns_a_function_that_computes_the_same():
    def half(x):
        return x / 2

    assert minigrad.compile(half)(minigrad.ones(2)).tolist() == [0.5, 0.5]
    assert minigrad.compile(mode="max-autotune")(half)(minigrad.ones(2)).tolist() == [0.5, 0.5]
    model = minigrad.nn.Linear(2, 3)
    assert minigrad.compile(model, disable=True) is minigrad.compile(model, backend="eager") is model
    compiled = minigrad.compile(model)
    assert compiled.weight is model.weight
    x = minigrad.ones(1, 2)
    for _ in range(4):
        with minigrad.no_grad():
            assert compiled(x).tolist() == model(x).tolist()


def test_show_config_names_what_is_in_use(capsys):
    assert minigrad.show_config() is None
    said = capsys.readouterr().out
    assert f"NumPy {np.__version__}" in said
    assert "fused operations: fastest" in said
    with minigrad.use_kernels(False):
        minigrad.show_config()
    assert "fused operations: definition" in capsys.readouterr().out


def test_kernels_are_switched_off_and_on(capsys):
    x = minigrad.randn(3, 4, requires_grad=True)
    names = []
    for on in (True, False):
        with minigrad.use_kernels(on):
            names.append(minigrad.nn.functional.cross_entropy(x, minigrad.tensor([0, 1, 2])).grad_fn.name())
    assert names[0] != names[1]  # one node, or the last of its definition


# -- anomaly


@pytest.mark.parametrize("engine", ENGINES, ids=["torch", "minigrad"])
def test_to_look_for_anomalies_warns_of_its_cost(engine):
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        engine.autograd.detect_anomaly()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with engine.autograd.set_detect_anomaly(True):
            pass


@pytest.mark.parametrize("engine", ENGINES, ids=["torch", "minigrad"])
def test_anomaly_is_found_where_it_begins(engine):
    def step():
        x = engine.tensor([0.0, 1.0], requires_grad=True)
        ((x.sqrt() * engine.tensor([0.0, 1.0])) * 3).sum().backward()
        return x.grad

    message = "'SqrtBackward0' returned nan values in its 0th output"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with engine.autograd.detect_anomaly(), pytest.raises(RuntimeError, match=message):
            step()
        with engine.autograd.detect_anomaly(check_nan=False):
            assert bool(step().isnan()[0])
        with engine.autograd.set_detect_anomaly(True), pytest.raises(RuntimeError, match=message):
            step()
        with engine.autograd.set_detect_anomaly(False):
            assert bool(step().isnan()[0])
        assert bool(step().isnan()[0])  # nothing stays behind
        try:
            engine.autograd.set_detect_anomaly(True)  # a call switches, without a with
            with pytest.raises(RuntimeError, match=message):
                step()
        finally:
            engine.autograd.set_detect_anomaly(False)
        assert bool(step().isnan()[0])


# -- the context of a Function


def doubling(engine, declared=True, returned=True):
    class Double(engine.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            if declared:
                ctx.mark_dirty(x)
            return x if returned else x.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    return Double


def test_mark_dirty():
    def changed(engine):
        leaf = engine.tensor([1.0, 2.0], requires_grad=True)
        y = leaf * 3
        before = y._version
        z = doubling(engine).apply(y)
        found = [z is y, y._version - before, y.tolist(), y.is_leaf, y.grad_fn.name()]
        (z * z).sum().backward()
        return [*found, leaf.grad.tolist()]

    assert both(changed)[0]

    def stale(engine):
        """What was saved before the change is noticed in the backward pass."""
        y = engine.tensor([1.0, 2.0], requires_grad=True) * 3
        square = y * y
        doubling(engine).apply(y)
        return raised(lambda: square.sum().backward())

    assert both(stale) is RuntimeError


def test_mark_dirty_refuses_what_pytorch_refuses():
    for engine in ENGINES:
        leaf = engine.tensor([1.0, 2.0], requires_grad=True)
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            doubling(engine).apply(leaf)
        with pytest.raises(RuntimeError, match="marked as dirty"):
            doubling(engine, returned=False).apply(leaf * 1)


def _changed_and_marked(ctx, x):
    x.mul_(2)
    ctx.mark_dirty(x)
    ctx.mark_non_differentiable(x)
    return x


def _marked(which, mark, gives_back):
    def forward(ctx, x):
        y = x * 2
        getattr(ctx, mark)({"input": x, "output": y, "another": x.detach(), "none of them": 3}[which])
        return x if gives_back == "input" else y

    return forward


FORWARDS = {
    "changed and not differentiable": _changed_and_marked,
    "input itself": lambda ctx, x: x,
    "input and another": lambda ctx, x: (x, x * 3),
    **{
        f"{mark} {which}, {gives_back} returned": _marked(which, mark, gives_back)
        for mark in ("mark_dirty", "mark_non_differentiable")
        for which in ("input", "output", "another", "none of them")
        for gives_back in ("input", "output")
    },
}


@pytest.mark.filterwarnings("ignore:ctx.mark_dirty:UserWarning", "ignore:.*mark_dirty:UserWarning")
@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("kind", ["leaf", "inner", "plain", "view of a leaf"])
@pytest.mark.parametrize("name", FORWARDS)
def test_marks_of_inputs_and_outputs(name, kind, recording):
    """Each mark on each kind of tensor: the same error, or the same outputs in the same place of the graph."""

    def applied(engine):
        leaf = engine.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=kind != "plain")
        x = {"leaf": leaf, "inner": leaf * 1, "plain": leaf, "view of a leaf": leaf[0]}[kind]
        function = type(
            "Own",
            (engine.autograd.Function,),
            {"forward": staticmethod(FORWARDS[name]), "backward": staticmethod(lambda ctx, *grads: sum(grads))},
        )
        with engine.set_grad_enabled(recording):
            try:
                outputs = function.apply(x)
            except Exception as error:
                return type(error).__name__
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        found = [(out is x, out.requires_grad, getattr(out.grad_fn, "name", str)(), out.tolist()) for out in outputs]
        if outputs[0].requires_grad:
            sum((out * out).sum() for out in outputs).backward()
        return found, x.requires_grad, x.tolist(), None if leaf.grad is None else leaf.grad.tolist()

    both(applied)


@pytest.mark.parametrize("materialize", [None, True, False])
def test_set_materialize_grads(materialize):
    def given(engine):
        seen = []

        class Two(engine.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                if materialize is not None:
                    ctx.set_materialize_grads(materialize)
                return x * 2, x * 3

            @staticmethod
            def backward(ctx, a, b):
                seen.append([None if g is None else g.tolist() for g in (a, b)])
                return (0 if a is None else a * 2) + (0 if b is None else b * 3)

        x = engine.tensor([1.0, 2.0], requires_grad=True)
        for which in (0, 1):
            Two.apply(x)[which].sum().backward()
        p, q = Two.apply(x)
        (p * q).sum().backward()
        return seen, x.grad.tolist()

    def refused(engine):
        class Wrong(engine.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads("yes")
                return x * 2

        return raised(lambda: Wrong.apply(engine.ones(1)))

    assert both(refused) is TypeError
    seen, _ = both(given)
    assert seen[0][1] == (None if materialize is False else [0.0, 0.0])


# -- tensors


def test_dlpack_shares_memory_and_refuses_a_history():
    for engine in ENGINES:
        x = engine.tensor([[1.0, 2.0], [3.0, 4.0]])
        seen = np.from_dlpack(x)
        x[0, 0] = 7.0
        assert seen.tolist() == [[7.0, 2.0], [3.0, 4.0]]
        assert type(x.__dlpack__()).__name__ == "PyCapsule"
        assert tuple(map(int, x.__dlpack_device__())) == (1, 0)  # kDLCPU, the first
        with pytest.raises(BufferError, match="require gradient"):
            x.requires_grad_().__dlpack__()
        assert engine.from_dlpack(np.arange(3.0)).tolist() == [0.0, 1.0, 2.0]
    ours = minigrad.tensor([1.0, 2.0])
    theirs = torch.from_dlpack(ours)
    theirs[0] = 5.0
    assert ours.tolist() == [5.0, 2.0]


def test_is_view():
    """Of what autograd records: minigrad keeps no such note of tensors without a history."""

    def facts(engine):
        x = engine.ones(2, 3, requires_grad=True) * 2
        made = [
            x,
            x[0],
            x.t(),
            x[0][1:],
            x.reshape(6),
            x.clone(),
            x * 1,
            x.unbind(0)[1],
            x.expand(2, 2, 3),
            x.detach().clone(),
        ]
        return [y._is_view() for y in made], [y._base is x for y in made[:5]]

    both(facts)


def test_tensors_are_hashed_by_what_they_are_and_not_by_their_values():
    for engine in ENGINES:
        x, y = engine.ones(2), engine.ones(2)
        assert hash(x) == hash(x) == x.__hash__()
        assert len({x, y, x}) == 2
        before = hash(x)
        x.mul_(3)
        assert hash(x) == before


def test_dir_names_what_a_tensor_has():
    for engine in ENGINES:
        x = engine.ones(2)
        x.note = 1
        names = set(x.__dir__())
        assert {"note", "shape", "grad", "view", "backward", "add_"} <= names
        assert names == set(dir(x))


def test_data_ptr_is_shared_by_what_shares_memory():
    def distances(engine):
        x = engine.arange(6.0)
        return [y.data_ptr() - x.data_ptr() for y in (x, x.view(2, 3), x[2:], x.view(2, 3)[1], x.detach())]

    assert both(distances) == [0, 0, 8, 12, 0]
    for engine in ENGINES:
        x = engine.arange(6.0)
        assert x.clone().data_ptr() != x.data_ptr()


def test_there_is_one_process_and_one_kind_of_memory():
    x = minigrad.ones(2)
    assert x.pin_memory() is x
    for engine in ENGINES:
        y = engine.ones(2)
        assert y.share_memory_() is y


def test_bfloat16_is_refused():
    with pytest.raises(TypeError, match="use float32"):
        minigrad.ones(2).bfloat16()


def test_cuda_is_refused():
    with pytest.raises(RuntimeError, match="CPU only"):
        minigrad.ones(2).cuda()


# -- files, seeds, workers


def test_what_is_saved_is_loaded(tmp_path):
    value = {"w": [1.0, -2.5], "n": 3, "name": "a", "nested": [[0.5], (1, None, True)]}

    def contents(save, load):
        path = tmp_path / f"{save.__name__}.pt"
        save.save({**value, "w": save.tensor(value["w"])}, path)
        found = load.load(path)
        return {**found, "w": found["w"].tolist()}, type(found["w"]) is type(load.tensor(0.0))

    for save, load in ((minigrad, minigrad), (torch, minigrad)):
        assert contents(save, load) == (value, True)


def test_seed_takes_another_number_each_time():
    for engine in ENGINES:
        drawn = {engine.seed(), engine.random.seed(), engine.seed()}
        assert len(drawn) == 3
        last = engine.seed()
        assert engine.initial_seed() == last
        a = engine.rand(3).tolist()
        engine.manual_seed(last)
        assert engine.rand(3).tolist() == a


def test_the_default_generator_is_behind_the_functions():
    def stream(engine):
        assert engine.default_generator is engine.random.default_generator
        engine.default_generator.manual_seed(5)
        a = engine.rand(3).tolist()
        state = engine.default_generator.get_state()
        b = engine.rand(2).tolist()
        engine.default_generator.set_state(state)
        assert engine.rand(2).tolist() == b
        return a, b, engine.initial_seed()

    both(stream)


@pytest.mark.parametrize("workers", [0, 2])
def test_samples_are_read_in_the_main_process(workers):
    """There PyTorch's answer is None too."""

    def asked(engine, workers):
        data = engine.utils.data

        class Asking(data.Dataset):
            def __len__(self):
                return 4

            def __getitem__(self, i):
                return [-1 if data.get_worker_info() is None else data.get_worker_info().id, i]

        return [[n.tolist() for n in batch] for batch in data.DataLoader(Asking(), 2, num_workers=workers)]

    assert asked(minigrad, workers) == asked(torch, 0)
    assert minigrad.utils.data.get_worker_info() is torch.utils.data.get_worker_info() is None


def test_a_deep_copy_of_what_has_a_history_is_refused():
    for engine in ENGINES:
        with pytest.raises(RuntimeError, match="graph leaves"):
            copy.deepcopy(engine.ones(2, requires_grad=True) * 2)
