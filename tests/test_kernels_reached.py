"""Every compiled loop is compared with PyTorch, and fused operations are right on both sides of the size at which forms change.

Nothing here is listed by hand: kernels come from minigrad/kernels/compiled.py, operations from the subclasses of `Fused`.
"""

import itertools
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad.autograd import fused
from minigrad.autograd.variable import Variable
from parity import kernels
from parity.case import CASES
from parity.cases import FAMILIES
from parity.mutants import MUTANTS

assert FAMILIES
pytestmark = pytest.mark.xdist_group("kernels reached")  # what they share takes long to find: in one process


# -- every kernel


def test_every_kernel_is_compared_and_every_fault_in_one_is_found():
    """What no comparison reaches is named, and so are the kernels in which a wrong element goes unnoticed."""
    assert kernels.never_compared() == []
    assert [fault.name for fault in kernels.faults() if kernels.caught(fault) is None] == []


def test_the_readme_says_how_many_faults_there_are():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    assert (
        f"# {len(MUTANTS) + len(kernels.faults())} planted faults, {len(kernels.faults())} of them in compiled"
        in readme
    )


# -- every fused operation with a compiled form, at the size from which it is taken


def operations():
    """The subclasses of Fused in ops/ that name a compiled form, by name."""
    found, todo = {}, [fused.Fused]
    while todo:
        for cls in todo.pop().__subclasses__():
            todo.append(cls)
            if cls.compiled is not None and cls.__module__.startswith("minigrad.ops."):
                found[f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"] = cls
    return found


OPERATIONS = operations()


@pytest.fixture(scope="module")
def applied():
    """By operation: a few of the inputs with which cases of the table apply it and which its compiled form serves."""
    found = {cls: [] for cls in OPERATIONS.values()}
    by = {cls: set() for cls in OPERATIONS.values()}  # the cases that apply it, served or not
    name = ""
    original = vars(fused.Fused)["apply"].__func__

    def apply(cls, *inputs):
        if cls in found:
            by[cls].add(name)
            if len(found[cls]) < 12 and served(cls, inputs):
                found[cls].append([frozen(x) for x in inputs])
        return original(cls, *inputs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused.Fused, "apply", classmethod(apply))
        for name, seed in itertools.product(CASES, range(4)):
            kernels.alone(CASES[name], seed, "fastest")
        for cls, known in found.items():
            for name, seed in itertools.product(sorted(by[cls]), range(4, 40)):
                if known:
                    break
                kernels.alone(CASES[name], seed, "fastest")
    return found


def served(cls, inputs):
    """Whether the compiled form serves them, some gradient is wanted, and none that it does not give."""
    wanted = [fused.wants_gradient(x) for x in inputs]
    by_type = cls.work(*map(array_of, inputs)) > 0
    return by_type and any(wanted) and not any(wanted[i] for i in cls.constants)


def array_of(x):
    return x.array if isinstance(x, Variable) else x


def frozen(x):
    """A copy of an input; a tensor's without history, and requiring grad as the tensor did."""
    if isinstance(x, Variable):
        return minigrad.tensor(x.array.copy()).requires_grad_(fused.wants_gradient(x))
    return x.copy() if isinstance(x, np.ndarray) else x


def widened(x):
    """A copy of an input in float64, where it is of float32."""
    if array_of(x) is x:
        return x.astype(np.float64) if isinstance(x, np.ndarray) and x.dtype == np.float32 else x
    double = x.array.astype(np.float64 if x.array.dtype == np.float32 else x.array.dtype)
    return minigrad.tensor(double).requires_grad_(fused.wants_gradient(x))


def grown(inputs, n):
    """The same with n rows: those of every input that has as many as the first, over and over."""
    rows = array_of(inputs[0]).shape[0]

    def grow(x):
        a = array_of(x)
        if not isinstance(a, np.ndarray) or not a.ndim or a.shape[0] != rows:
            return x
        longer = a[np.arange(n) % rows]
        return minigrad.tensor(longer).requires_grad_(x.requires_grad) if isinstance(x, Variable) else longer

    return [grow(x) for x in inputs]


def computed(cls, inputs, position):
    """Which form ran, its output, and the gradients under a fixed cotangent."""
    inputs = [frozen(x) for x in inputs]
    with minigrad.use_kernels(position):
        out = cls.apply(*inputs)
        wanted = [x for x in inputs if isinstance(x, Variable) and x.requires_grad]
        if not wanted:
            return None, [out.numpy()]
        cotangent = np.random.default_rng(5).standard_normal(out.array.shape).astype(out.array.dtype)
        form = type(out._edge[0])
        gradients = minigrad.autograd.grad(out, wanted, minigrad.tensor(cotangent), allow_unused=True)
    return form, [out.detach().numpy(), *(g.numpy() for g in gradients if g is not None)]


def compare(cls, inputs, compiled):
    """The chosen form is compiled or not, as it should be, and gives what the NumPy form gives."""
    form, found = computed(cls, inputs, "fastest")
    _, expected = computed(cls, inputs, "numpy")
    assert form is None or (form is not cls) == compiled, f"{form}, work {cls.work(*map(array_of, inputs))}"
    for place, (a, b) in enumerate(zip(found, expected, strict=True)):
        assert a.dtype == b.dtype
        bound = {"f": 1e-4, "d": 1e-10}[a.dtype.char]
        finite = np.isfinite(b)
        assert np.array_equal(finite, np.isfinite(a))
        scale = max(np.abs(b[finite]).max(initial=0.0), 1.0)
        off = np.abs(a[finite] - b[finite]).max(initial=0.0)
        if off > bound * scale and a.dtype == np.float32:  # large numbers that cancel: then as near as NumPy's form is
            exact = computed(cls, [widened(x) for x in inputs], "numpy")[1][place][finite]
            assert np.abs(a[finite] - exact).max() <= 2 * np.abs(b[finite] - exact).max()
        else:
            assert off <= bound * scale


@pytest.mark.parametrize("name", OPERATIONS)
def test_small_arrays_around_a_threshold_that_is_moved_to_them(name, applied, monkeypatch):
    cls = OPERATIONS[name]
    assert applied[cls], "no case of the table applies it to what its compiled form serves"
    for inputs in applied[cls]:
        computed(cls, inputs, "compiled")  # (some are worth more when their loop is loaded)
        work = cls.work(*map(array_of, inputs))
        for large in (work - 1, work, work + 1):
            if large > 0:
                monkeypatch.setattr(fused, "LARGE", large)
                compare(cls, inputs, compiled=work >= large)


@pytest.mark.parametrize("name", OPERATIONS)
def test_arrays_a_row_below_at_and_a_row_above_the_threshold(name, applied):
    cls = OPERATIONS[name]
    done = 0
    for inputs in applied[cls]:
        computed(cls, inputs, "compiled")
        first = rows_from_which(cls, inputs)
        if first is None:
            continue
        for n in (first - 1, first, first + 1):
            compare(cls, grown(inputs, n), compiled=n >= first)
        done += 1
        if done == 2:
            break
    assert done, "none of the examples could be made larger"


def rows_from_which(cls, inputs):
    """The number of rows from which the compiled form is taken; None if more rows make no valid inputs."""

    def work(n):
        return cls.work(*map(array_of, grown(inputs, n)))

    if not isinstance(array_of(inputs[0]), np.ndarray) or not array_of(inputs[0]).ndim:
        return None
    low = high = array_of(inputs[0]).shape[0]
    if not 0 < work(low) < fused.LARGE:
        return None
    try:
        computed(cls, grown(inputs, 3 * low), "definition")
    except Exception:  # inputs that happen to have as many rows but another meaning
        return None
    while work(high) < fused.LARGE:
        low, high = high, 2 * high
        if high > 1 << 17 or work(high) <= work(low):
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if work(middle) >= fused.LARGE else (middle, high)
    return high
