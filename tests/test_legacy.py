"""Old names, settings without effect, and the answers of a machine without accelerators: in both engines alike."""

import warnings

import numpy as np
import pytest
import torch

import minigrad

ENGINES = [torch, minigrad]


def plain(x):
    """A result as text, with the engine's name taken out; an object of the engine by its kind."""
    return repr(x).replace("minigrad.", "torch.")


def outcomes(engine, *questions):
    """What each question gives: its value, or the class of its error; with the classes of its warnings."""
    found = []
    for question in questions:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                value = plain(question(engine))
            except Exception as error:
                value = type(error).__name__
        found.append((value, [w.category.__name__ for w in caught]))
    return found


def same(*questions):
    """Each question, a function of the engine, has the same outcome in both."""
    theirs, ours = (outcomes(engine, *questions) for engine in ENGINES)
    assert ours == theirs
    return ours


def test_tensor_types():
    types = [
        lambda e: e.FloatTensor, lambda e: e.DoubleTensor, lambda e: e.HalfTensor, lambda e: e.LongTensor, lambda e: e.IntTensor,
        lambda e: e.ShortTensor, lambda e: e.CharTensor, lambda e: e.ByteTensor, lambda e: e.BoolTensor,
    ]  # fmt: skip
    data = [
        [1, 2],
        [1.5, 0.0],
        (2, 0),
        [[1, 2], [3, 4]],
        [],
        range(3),
        [True, 2.7],
        np.array([1.0, 2.0]),
        np.array([[1, 2]]),
    ]
    wrong = ["a", [1, "a"], 3.5, True, None, {1, 2}, np.float32(3)]
    for kind in types:
        for x in data:
            same(lambda e, x=x, kind=kind: kind(e)(x), lambda e, x=x, kind=kind: kind(e)(x).dtype)
        for x in wrong:
            ((result, _),) = same(lambda e, x=x, kind=kind: kind(e)(x))
            assert result == "TypeError"
        same(
            lambda e, kind=kind: kind(e)(2, 3).shape,
            lambda e, kind=kind: kind(e)(e.Size([2, 3])).shape,
            lambda e, kind=kind: kind(e)(size=(2, 3)).shape,
            lambda e, kind=kind: kind(e)().shape,
            lambda e, kind=kind: kind(e)(3, device="cpu").dtype,
            lambda e, kind=kind: kind(e)(-1),
            lambda e, kind=kind: kind(e)(2, dtype=e.float32),
            lambda e, kind=kind: kind(e)([1], [2]),
            lambda e, kind=kind: kind(e)(e.tensor([1, 2])),
            lambda e, kind=kind: kind(e)(e.tensor([1.0, 2.0])),
            lambda e, kind=kind: isinstance(e.tensor([1.0]), kind(e)),
            lambda e, kind=kind: isinstance(e.tensor([1]), kind(e)),
            lambda e, kind=kind: (kind(e).dtype, kind(e).is_cuda, kind(e).layout, kind(e).__name__),
            lambda e, kind=kind: kind(e),
        )
    same(lambda e: e.ByteTensor([300]), lambda e: e.ByteTensor([-1]), lambda e: e.BFloat16Tensor.dtype)
    with pytest.raises(TypeError, match="float32"):
        minigrad.BFloat16Tensor([1.0])


def test_the_memory_of_a_tensor_that_is_given_to_a_type_is_shared():
    for engine in ENGINES:
        x = engine.ones(2)
        for y in (engine.FloatTensor(x), engine.Tensor(x), x.new(x), engine.autograd.Variable(x)):
            y[0] = 5
            assert x[0] == 5
            assert y is not x


def test_tensors_and_new():
    same(
        lambda e: e.Tensor([[1, 2], [3, 4]]),
        lambda e: e.Tensor(range(3)),
        lambda e: e.Tensor(np.int64(3)).shape,
        lambda e: e.Tensor(np.array(3)).shape,
        lambda e: e.Tensor(e.tensor(2), 3).shape,
        lambda e: e.Tensor(2, np.array(3)).shape,
        lambda e: e.zeros(np.array(3), 2).shape,
        lambda e: e.ones(6).reshape(np.array(3), 2).shape,
        lambda e: e.Tensor(e.tensor([1, 2])),
        lambda e: e.Tensor(e.ones(2, requires_grad=True)).requires_grad,
        lambda e: e.Tensor(data=[1]),
        lambda e: e.Tensor(2, device="cuda"),
        lambda e: e.Tensor(3.0),
        lambda e: e.Tensor([2], requires_grad=True),
        lambda e: e.ones(2, dtype=e.int32).new([1.7]),
        lambda e: e.ones(2, dtype=e.int32).new(2, 3).shape,
        lambda e: e.ones(2).new(e.ones(2).double()),
        lambda e: e.ones(2).new(3.0),
    )


def test_types_by_every_name():
    def kinds(e):
        return [
            e.LongTensor,
            "torch.LongTensor",
            e.int64,
            e.Tensor,
            e.HalfTensor,
            e.cuda.FloatTensor,
            float,
            "LongTensor",
            3,
        ]

    for k in range(len(kinds(torch))):
        same(
            lambda e, k=k: e.tensor([1.5, 2.0]).type(kinds(e)[k]),
            lambda e, k=k: e.ones(1).type(dtype=kinds(e)[k]).dtype,
        )
    assert minigrad.ones(2).type("minigrad.LongTensor").dtype is minigrad.int64
    same(lambda e: e.ones(2).type(), lambda e: e.nn.Parameter(e.ones(2)).type())


def test_variable():
    same(
        lambda e: e.autograd.Variable(e.ones(2)),
        lambda e: e.autograd.Variable(e.ones(2), requires_grad=True),
        lambda e: e.autograd.Variable(data=e.ones(2, requires_grad=True)).requires_grad,
        lambda e: e.autograd.Variable(e.ones(2, requires_grad=True) * 2).is_leaf,
        lambda e: e.autograd.Variable(e.ones(2), volatile=True),
        lambda e: e.autograd.Variable(e.ones(2), True, True),
        lambda e: e.autograd.Variable(e.ones(2).long(), requires_grad=True),
        lambda e: e.autograd.Variable([1.0]),
        lambda e: e.autograd.Variable().shape,
        lambda e: isinstance(e.ones(2), e.autograd.Variable),
        lambda e: isinstance(e.nn.Parameter(e.ones(2)), e.autograd.Variable),
        lambda e: isinstance(3, e.autograd.Variable),
        lambda e: type(e.autograd.Variable(e.nn.Parameter(e.ones(2)))) is e.Tensor,
    )


def test_the_default_tensor_type():
    def defaults(e):
        found = []
        try:
            for kind in (e.DoubleTensor, "torch.FloatTensor", "torch.DoubleTensor", e.FloatTensor):
                with pytest.warns(UserWarning, match="deprecated"):
                    e.set_default_tensor_type(kind)
                found.append(plain(e.ones(2).dtype))
        finally:
            e.set_default_dtype(e.float32)
        return found

    torch.set_warn_always(True)
    try:
        assert defaults(minigrad) == defaults(torch)
        same(
            lambda e: e.set_default_tensor_type(e.LongTensor),
            lambda e: e.set_default_tensor_type(e.cuda.FloatTensor),
            lambda e: e.set_default_tensor_type(e.float64),
        )
    finally:
        torch.set_warn_always(False)


def entered(e):
    with e.device("cpu") as device:  # and left again: all that follows in this process would run in it
        return device


def test_settings_are_answered_as_they_were_set():
    try:
        same(
            lambda e: e.get_float32_matmul_precision(),
            lambda e: (e.set_float32_matmul_precision("high"), e.get_float32_matmul_precision()),
            lambda e: e.set_float32_matmul_precision(1),
            lambda e: e.is_warn_always_enabled(),
            lambda e: (e.set_warn_always(True), e.is_warn_always_enabled()),
            lambda e: (e.set_float32_matmul_precision("hig"), e.get_float32_matmul_precision()),
            lambda e: e.set_warn_always(1),
            lambda e: e.set_num_interop_threads("2"),
            lambda e: e.set_num_interop_threads(True),
            lambda e: e.set_num_threads(1.5),
            lambda e: e.set_num_threads(True),
            lambda e: (e.are_deterministic_algorithms_enabled(), e.get_deterministic_debug_mode()),
            lambda e: (e.set_deterministic_debug_mode("error"), e.get_deterministic_debug_mode()),
            lambda e: (e.set_deterministic_debug_mode(0), e.are_deterministic_algorithms_enabled()),
            lambda e: (e.use_deterministic_algorithms(True), e.is_deterministic_algorithms_warn_only_enabled()),
            lambda e: (e.use_deterministic_algorithms(True, warn_only=True), e.get_deterministic_debug_mode()),
            lambda e: e.is_deterministic_algorithms_warn_only_enabled(),
            lambda e: e.set_deterministic_debug_mode("x"),
            lambda e: e.set_deterministic_debug_mode(5),
            lambda e: (e.set_default_device("cpu"), e.set_default_device(None), e.get_default_device()),
            lambda e: e.set_default_device("x"),
            entered,
        )
    finally:
        for e in ENGINES:
            e.set_float32_matmul_precision("highest")
            e.set_warn_always(False)
            e.use_deterministic_algorithms(False)
    with pytest.raises(RuntimeError, match="CPU only"):
        minigrad.set_default_device("cuda")
    assert minigrad.get_num_interop_threads() >= 1
    assert minigrad.set_num_interop_threads(2) is None
    assert minigrad.get_num_interop_threads() == 2
    with pytest.raises(RuntimeError, match="positive"):
        minigrad.set_num_interop_threads(0)


def test_questions_about_tensors():
    same(
        lambda e: e.is_storage(3),
        lambda e: e.typename(e.ones(2)),
        lambda e: [e.typename(x) for x in (3, [3], int, len)],
        lambda e: (e.numel(e.ones(2, 3)), e.is_complex(e.ones(2)), e.is_signed(e.ones(2)), e.is_signed(e.ones(2).byte())),
        lambda e: (e.is_nonzero(e.ones(1)), e.is_nonzero(e.zeros(1)), e.is_floating_point(e.ones(1).int())),
        lambda e: e.is_nonzero(e.ones(2)),
        lambda e: (e.is_same_size(e.ones(2), e.ones(2)), e.is_same_size(e.ones(2), e.ones(3))),
        lambda e: (e.get_device(e.ones(2)), e.is_conj(e.ones(2)), e.is_neg(e.ones(2))),
        *(lambda e, n=n: getattr(e, n)(3) for n in ("numel", "is_complex", "is_signed", "get_device", "is_nonzero", "conj", "real")),
    )  # fmt: skip
    for e in ENGINES:
        x = e.ones(2)
        assert e.conj(x) is e.real(x) is e.resolve_conj(x) is e.resolve_neg(x) is x


def test_where_a_tensor_is_not():
    same(
        lambda e: (e.ones(2).is_cpu, e.ones(2).is_xpu, e.ones(2).is_mps, e.ones(2).is_meta, e.ones(2).is_quantized),
        lambda e: (e.ones(2).is_sparse_csr, e.ones(2).is_nested, e.ones(2).is_mtia, e.ones(2).is_ipu, e.ones(2).is_xla),
        lambda e: (e.ones(2).is_maia, e.ones(2).is_vulkan, e.ones(2).is_mkldnn, e.ones(2).layout),
    )


def test_there_is_no_accelerator():
    same(
        lambda e: (e.accelerator.is_available(), e.accelerator.device_count(), e.accelerator.current_accelerator()),
        lambda e: e.accelerator.current_accelerator(check_available=True),
        lambda e: e.accelerator.current_device_index(),
        lambda e: e.accelerator.set_device_index(0),
        lambda e: e.accelerator.current_stream(),
        lambda e: e.accelerator.synchronize(),
        lambda e: e.accelerator.empty_cache(),
        lambda e: e.accelerator.memory_allocated(),
        lambda e: (e.mps.is_available(), e.mps.device_count(), e.mps.manual_seed(0)),
        lambda e: (e.xpu.is_available(), e.xpu.device_count(), e.xpu.manual_seed(0)),
        lambda e: (e.cpu.is_available(), e.cpu.device_count(), e.cpu.current_device(), e.cpu.synchronize()),
        lambda e: (e.version.cuda, e.version.hip, e.version.debug),
    )


def test_there_is_no_cuda():
    same(
        lambda e: (e.cuda.is_available(), e.cuda.is_initialized(), e.cuda.device_count(), e.cuda.is_bf16_supported()),
        lambda e: (
            e.cuda.is_tf32_supported(),
            e.cuda.get_arch_list(),
            e.cuda.manual_seed(0),
            e.cuda.manual_seed_all(0),
        ),
        lambda e: (e.cuda.seed(), e.cuda.seed_all(), e.cuda.get_rng_state_all(), e.cuda.set_rng_state_all([])),
        lambda e: (e.cuda.empty_cache(), e.cuda.memory_allocated(), e.cuda.max_memory_allocated()),
        lambda e: (e.cuda.memory_reserved(), e.cuda.max_memory_reserved(), dict(e.cuda.memory_stats())),
        lambda e: e.cuda.init(),
        lambda e: e.cuda.current_device(),
        lambda e: e.cuda.get_device_name(),
        lambda e: e.cuda.get_device_properties(0),
        lambda e: e.cuda.get_device_capability(),
        lambda e: e.cuda.mem_get_info(),
        lambda e: e.cuda.initial_seed(),
        lambda e: e.cuda.ipc_collect(),
        lambda e: e.cuda.synchronize(),
        lambda e: e.cuda.current_stream(),
        lambda e: e.cuda.Stream(),
        lambda e: e.cuda.Event(enable_timing=True),
    )
    types = [
        lambda e: e.cuda.FloatTensor, lambda e: e.cuda.DoubleTensor, lambda e: e.cuda.HalfTensor, lambda e: e.cuda.BFloat16Tensor,
        lambda e: e.cuda.LongTensor, lambda e: e.cuda.IntTensor, lambda e: e.cuda.ShortTensor, lambda e: e.cuda.CharTensor,
        lambda e: e.cuda.ByteTensor, lambda e: e.cuda.BoolTensor,
    ]  # fmt: skip
    for kind in types:
        same(
            kind,
            lambda e, kind=kind: kind(e)([1]),
            lambda e, kind=kind: (kind(e).dtype, kind(e).is_cuda),
            lambda e, kind=kind: isinstance(e.ones(2), kind(e)),
        )
    # PyTorch asks its C++ part, which has no such function in a build for the CPU.
    for name in (minigrad.cuda.set_device, minigrad.cuda.reset_peak_memory_stats):
        with pytest.raises(AssertionError, match="is_available"):
            name(0)


def test_autocast_is_off():
    same(
        lambda e: e.amp.autocast("cuda").fast_dtype,
        lambda e: e.autocast("cuda", dtype=e.bfloat16).fast_dtype,
        lambda e: e.autocast("cuda", enabled=False).fast_dtype,
        lambda e: e.autocast("cpu", enabled=False).fast_dtype,
        lambda e: e.autocast("cpu", dtype=e.float32).fast_dtype,
        lambda e: e.autocast("xyz"),
        lambda e: e.autocast(),
        lambda e: e.autocast(3),
        lambda e: e.cuda.amp.autocast().fast_dtype,
        lambda e: e.cuda.amp.autocast(enabled=False).fast_dtype,
        lambda e: (e.amp.is_autocast_available("cpu"), e.amp.is_autocast_available("cuda")),
        lambda e: (e.is_autocast_enabled(), e.is_autocast_enabled("cpu"), e.get_autocast_dtype("cpu")),
    )
    for e in ENGINES:

        @e.autocast("cpu", enabled=False)
        def product(x):
            return x @ x

        assert product(e.ones(2, 2)).dtype is e.float32
    with pytest.raises(NotImplementedError, match="enabled=False"):
        minigrad.autocast("cpu")
    with pytest.raises(NotImplementedError, match="bfloat16"):
        minigrad.autocast("cpu", dtype=minigrad.bfloat16)


def test_functions_of_ones_own_under_autocast():
    def gradient(e):
        class Double(e.autograd.Function):
            @staticmethod
            @e.amp.custom_fwd(device_type="cuda")
            def forward(ctx, x):
                return 2 * x

            @staticmethod
            @e.amp.custom_bwd(device_type="cuda")
            def backward(ctx, grad):
                return 2 * grad

        x = e.ones(2, requires_grad=True)
        Double.apply(x).sum().backward()
        return x.grad

    same(
        gradient,
        lambda e: e.amp.custom_fwd(len, device_type=3),
        lambda e: e.amp.custom_bwd(len, device_type=3),
        lambda e: callable(e.cuda.amp.custom_fwd(len)),
        lambda e: callable(e.cuda.amp.custom_bwd(len)),
    )


def trained(e, scaler, steps=6, interval=2):
    """Losses, scales and weights of a few steps, of which one meets an infinite gradient."""
    e.manual_seed(0)
    model = e.nn.Linear(3, 1)
    optimizer = e.optim.SGD(model.parameters(), lr=0.1)
    found = []
    for step in range(steps):
        x = e.ones(4, 3) * (step + 1)
        loss = (model(x) ** 2).mean()
        if step == 3:
            loss = loss * float("inf")
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        if step % 2:
            scaler.unscale_(optimizer)
            e.nn.utils.clip_grad_norm_(model.parameters(), 1.0) if step != 3 else None
        scaler.step(optimizer)
        scaler.update()
        found.append((scaler.get_scale(), scaler.state_dict(), [round(w, 5) for w in model.weight.flatten().tolist()]))
    return found


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_gradients_are_scaled(device):
    def losses(e):
        return trained(e, e.amp.GradScaler(device, growth_interval=2))

    ((text, _),) = same(losses)
    assert "Error" not in text


def test_grad_scalers():
    def scaler(e, **options):
        return e.amp.GradScaler("cpu", **options)

    def scaled(e):
        s = scaler(e)
        s.scale(e.ones(2))
        return s

    def reset(e):
        s = scaler(e, init_scale=8.0)
        s.set_growth_factor(3.0)
        s.set_backoff_factor(0.25)
        s.set_growth_interval(7)
        s.load_state_dict({**s.state_dict(), "scale": 4.0})
        return (
            s.get_growth_factor(),
            s.get_backoff_factor(),
            s.get_growth_interval(),
            s.scale([e.ones(2), (e.ones(1),)]),
        )

    def sgd(e):
        return e.optim.SGD([e.ones(2, requires_grad=True)], lr=0.1)

    same(
        reset,
        lambda e: scaler(e, growth_factor=0.5),
        lambda e: scaler(e, backoff_factor=2.0),
        lambda e: scaler(e).update(),
        lambda e: scaled(e).update(),
        lambda e: scaler(e).unscale_(sgd(e)),
        lambda e: scaler(e).step(sgd(e)),
        lambda e: scaler(e).scale(3),
        lambda e: scaler(e).load_state_dict({}),
        lambda e: (e.amp.GradScaler(enabled=False).is_enabled(), e.cuda.amp.GradScaler().get_scale()),
        lambda e: e.cuda.amp.GradScaler(enabled=False).scale(e.ones(2)),
        lambda e: e.amp.GradScaler("cuda").load_state_dict({"a": 1}),
    )


@pytest.fixture
def attention_as_before():
    """What the test switches off is on again afterwards, also where it fails: attention everywhere depends on it."""
    yield
    for e in ENGINES:
        for switch in (
            e.backends.cuda.enable_flash_sdp,
            e.backends.cuda.enable_math_sdp,
            e.backends.cuda.enable_mem_efficient_sdp,
        ):
            switch(True)


@pytest.mark.usefixtures("attention_as_before")
def test_backends_can_be_set():
    same(
        lambda e: (
            e.backends.cudnn.is_available(),
            e.backends.cudnn.version(),
            e.backends.cudnn.is_acceptable(e.ones(2)),
        ),
        lambda e: (e.backends.mps.is_available(), e.backends.mps.is_built(), e.backends.cuda.is_built()),
        lambda e: (e.backends.cudnn.enabled, e.backends.cudnn.benchmark, e.backends.cudnn.deterministic),
        lambda e: (e.backends.cudnn.allow_tf32, e.backends.cuda.matmul.allow_tf32, e.backends.cudnn.benchmark_limit),
        lambda e: (e.backends.mkldnn.enabled, e.backends.mkldnn.deterministic),
        lambda e: setattr(e.backends.cudnn, "benchmark", "x"),
        lambda e: setattr(e.backends.cudnn, "enabled", 1),
        lambda e: e.backends.cudnn.foo,
        lambda e: (e.backends.cuda.flash_sdp_enabled(), e.backends.cuda.math_sdp_enabled()),
        lambda e: (e.backends.cuda.enable_flash_sdp(False), e.backends.cuda.flash_sdp_enabled()),
        lambda e: (e.backends.cuda.enable_math_sdp(False), e.backends.cuda.math_sdp_enabled()),
        lambda e: (e.backends.cuda.enable_mem_efficient_sdp(False), e.backends.cuda.mem_efficient_sdp_enabled()),
        lambda e: e.backends.cpu.get_cpu_capability() in ("AVX512", "AVX2", "DEFAULT"),
    )
    # NumPy's BLAS and minigrad's loops are neither of these.
    assert minigrad.backends.mkl.is_available() is minigrad.backends.mkldnn.is_available() is False
    assert minigrad.backends.openmp.is_available() is minigrad.backends.opt_einsum.is_available() is False
    for e in ENGINES:
        cudnn = e.backends.cudnn
        try:
            cudnn.benchmark = cudnn.deterministic = True
            e.backends.cuda.matmul.allow_tf32 = True
            assert (cudnn.benchmark, cudnn.deterministic, e.backends.cuda.matmul.allow_tf32) == (True, True, True)
        finally:
            cudnn.benchmark = cudnn.deterministic = e.backends.cuda.matmul.allow_tf32 = False
        with cudnn.flags(enabled=False, deterministic=True):
            assert (cudnn.enabled, cudnn.deterministic) == (False, True)
        assert (cudnn.enabled, cudnn.deterministic) == (True, False)


def test_scripts_run_as_they_are_written():
    jit, compiler = minigrad.jit, minigrad.compiler

    @jit.script
    def double(x):
        return 2 * x

    layer = minigrad.nn.Linear(2, 2)
    assert jit.script(layer) is jit.trace(layer, minigrad.ones(1, 2)) is layer
    assert jit.trace(double, (minigrad.ones(2),), check_trace=False) is double
    assert jit.ignore(double) is jit.ignore(drop=True)(double) is jit.unused(double) is jit.export(double) is double
    assert compiler.disable(double) is compiler.disable(recursive=False)(double) is double
    with pytest.raises(TypeError, match="colour"):
        jit.trace(double, minigrad.ones(2), colour=1)
    with pytest.raises(RuntimeError):  # what the function raises on its example inputs
        jit.trace(layer, minigrad.ones(3))
    same(
        lambda e: (
            e.jit.is_scripting(),
            e.jit.is_tracing(),
            e.jit.annotate(int, 3),
            e.jit.isinstance(3, int),
            e.jit.Final,
        ),
        lambda e: (e.compiler.is_compiling(), e.compiler.is_dynamo_compiling(), e.compiler.reset()),
    )


def test_old_paths_lead_to_the_same_things():
    for e in ENGINES:
        assert e.utils.data.dataloader.DataLoader is e.utils.data.DataLoader
        assert e.utils.data.dataloader.default_collate is e.utils.data.default_collate
        assert e.random.get_rng_state is e.get_rng_state
        assert e.random.set_rng_state is e.set_rng_state
    for name in ("manual_seed", "seed", "initial_seed"):  # torch.compile's machinery, once imported, wraps PyTorch's
        assert getattr(minigrad.random, name) is getattr(minigrad, name)


def test_rooms_are_imported_when_they_are_entered():
    import subprocess
    import sys

    code = "import sys, minigrad; print([n for n in minigrad._ROOMS if f'minigrad.{n}' in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
    assert set(minigrad._ROOMS) | set(minigrad._FROM_ROOMS) <= set(dir(minigrad))
