"""Every case calls what it claims to cover and would notice if that were wrong; every public name is claimed.

The planted cases below are what would pass a count of calls and still prove nothing.
"""

import warnings

import pytest
import torch

import minigrad
from parity import claims, public
from parity.agreement import Mismatch, check_case
from parity.case import CASES, REDUCED, call, op
from parity.cases import FAMILIES

assert FAMILIES


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def planted(request):
    """Enter a case for the length of one test."""
    before = set(CASES)

    def plant(name, draw, fn=None, **options):
        return op(name, draw, fn, **options)

    yield plant
    for name in set(CASES) - before:
        del CASES[name]


@pytest.mark.parametrize("family", sorted({case.family for case in CASES.values()}))
def test_no_case_claims_in_vain(family):
    names = public.public()
    found = {case.name: claims.idle(case, names=names) for case in CASES.values() if case.family == family}
    assert {name: idle for name, idle in found.items() if idle} == {}


def test_cases_claim_something():
    """A case of no public name is about several together: each is listed here."""
    names = public.public()
    assert sorted(case.name for case in CASES.values() if not claims.claimed(case, names)) == [
        "embedding.big", "graph.edges", "graph.inner", "graph.ownership", "graph.reuse", "in_place", "in_place.slices",
        "nn.load_state_dict", "nn.shared_weights", "normalize.second", "scaled_dot_product_attention.blocks",
    ]  # fmt: skip


def one(d):
    return call(d.tensor((3, 2)))


def with_weights(d):
    return call(d.tensor((3, 2)), d.tensor((4, 2)))


NEVER = "it is never called"
UNSEEN = "it is called, and no wrong result would be noticed"
F = torch.nn.functional
LINEAR = "nn.functional.linear"


def _through_a_module(torch, x, w):
    layer = torch.nn.Linear(2, 4, bias=False).double()
    layer.weight = torch.nn.Parameter(w.detach().double())
    return layer(x.double())


def _thrown_away(torch, x, w):
    torch.nn.functional.linear(x, w)
    return x @ w.T


def _changed_and_thrown_away(torch, x):
    x.detach().clone().exp_()
    return x * 2


def _made_and_thrown_away(torch, x):
    torch.nn.Linear(2, 3)
    return x * 2


def _switch_that_switches_nothing(torch, x):
    with torch.no_grad():
        pass
    return x * 2


def _only_values(torch, x):
    return torch.max(x, 1).values


PLANTED = {
    "another function": (LINEAR, with_weights, lambda torch, x, w: x @ w.T, NEVER),
    "through a module": (LINEAR, with_weights, _through_a_module, NEVER),
    "behind a condition": (LINEAR, with_weights, lambda torch, x, w: F.linear(x, w) if x.shape[0] == 99 else x * 2, NEVER),
    "thrown away": (LINEAR, with_weights, _thrown_away, UNSEEN),
    "shape only": (LINEAR, with_weights, lambda torch, x, w: torch.nn.functional.linear(x, w).shape, UNSEEN),
    "against itself": (LINEAR, with_weights, lambda torch, x, w: (y := torch.nn.functional.linear(x, w)) - y.detach(), UNSEEN),
    "times zero": (LINEAR, with_weights, lambda torch, x, w: torch.nn.functional.linear(x, w) * 0, UNSEEN),
    "a method, thrown away": ("Tensor.exp_", one, _changed_and_thrown_away, UNSEEN),
    "a property, thrown away": ("Tensor.shape", one, lambda torch, x: (x.shape, x * 2)[1], UNSEEN),
    "an operator that is none": ("Tensor.__matmul__", one, lambda torch, x: torch.matmul(x, x.T), NEVER),
    "a class, thrown away": ("nn.Linear", one, _made_and_thrown_away, UNSEEN),
    "a class, through another": ("optim.Optimizer", one, lambda torch, x: torch.optim.SGD([torch.nn.Parameter(x)], 0.1).defaults["lr"], NEVER),
    "a switch that switches nothing": ("autograd.set_detect_anomaly", one, lambda torch, x: x * 2, NEVER),
    "a call without effect": ("manual_seed", one, lambda torch, x: (torch.manual_seed(0), x * 2)[1], UNSEEN),
    "one part of two": ("max", one, _only_values, "wrong values in part 1 of the result would not be noticed"),
    "the values alone": ("exp", one, lambda torch, x: torch.exp(x), "a wrong gradient would not be noticed"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_case_that_proves_nothing_is_found(name, planted):
    path, draw, fn, why = PLANTED[name]
    options = {"gradient": False} if name == "the values alone" else {}
    case = planted(
        f"planted: {name}", draw, fn, covers=[path], tolerance=REDUCED, float32=False, modes=("normal",), **options
    )
    if name == "the values alone":  # the gradient may be compared by another case of that name: here there is none
        others = {n: CASES.pop(n) for n, c in list(CASES.items()) if "exp" in c.covers and c is not case}
        try:
            assert claims.idle(case) == {path: why}
        finally:
            CASES.update(others)
        return
    check_case(case, 5)  # it passes ...
    assert claims.idle(case) == {path: why}  # ... and proves nothing


def test_an_honest_case_is_left_in_peace(planted):
    case = planted(
        "planted: honest",
        with_weights,
        lambda torch, x, w: torch.nn.functional.linear(x, w),
        covers=[LINEAR],
        tolerance=REDUCED,
    )
    assert claims.idle(case) == {}


def test_each_form_is_tried(planted):
    """A form of its own name that calls something else is found among forms that are right."""
    case = planted("planted: forms", one, covers=[], also=["exp"], hidden=True)
    case.forms.append(type(case.forms[0])("Tensor.exp", lambda torch, x: torch.exp(x)))
    case.covers = ("Tensor.exp", "exp")
    assert claims.idle(case) == {"Tensor.exp": NEVER}


def test_nothing_stays_behind():
    def state():
        names = ("exp", "nn.Linear", "no_grad", "set_grad_enabled", "autograd.Function")
        found = [public.public()[n] for n in names] + [
            vars(minigrad.nn.Linear)["__init__"],
            minigrad.autograd.Function.apply,
        ]
        return found, dict(vars(minigrad.Tensor)), minigrad.is_grad_enabled()

    before = state()
    for name in (
        "exp",
        "nn.Linear",
        "no_grad",
        "autograd.Function",
        "Tensor.facts",
        "Tensor._is_view",
    ):
        claims.idle(CASES[name])
    assert state() == before


def test_pytorch_has_no_gradient_where_none_is_asked_for():
    x = torch.tensor([0.7, 1.3], requires_grad=True)
    for y in (torch.floor_divide(x, 2.0), x.floor_divide(2.0), x // 2.0, 2.0 // x, 2.5 % x):
        with pytest.raises(RuntimeError, match="is not implemented"):
            y.sum().backward()
    assert {name for name in claims.WITHOUT_GRADIENT if not name.startswith("nn.")} == {
        "floor_divide", "Tensor.floor_divide", "Tensor.__floordiv__", "Tensor.__rfloordiv__", "Tensor.__rmod__",
    }  # fmt: skip


# -- every public name


def helper(x):
    """A function that PyTorch does not have."""
    return x * 3 + 1


PLACES = [
    ("", minigrad, "minigrad.ops.pointwise"),
    ("nn", minigrad.nn, "minigrad.nn.linear"),
    ("nn.functional", minigrad.nn.functional, "minigrad.ops.activation"),
    ("nn.init", minigrad.nn.init, "minigrad.nn.init"),
    ("nn.utils", minigrad.nn.utils, "minigrad.nn.utils.clip"),
    ("nn.utils.rnn", minigrad.nn.utils.rnn, "minigrad.nn.utils.rnn"),
    ("optim", minigrad.optim, "minigrad.optim.sgd"),
    ("optim.lr_scheduler", minigrad.optim.lr_scheduler, "minigrad.optim.lr_scheduler"),
    ("autograd", minigrad.autograd, "minigrad.autograd"),
    ("autograd.functional", minigrad.autograd.functional, minigrad.autograd.functional.__name__),
    ("utils.data", minigrad.utils.data, "minigrad.utils.data.dataset"),
    ("cuda", minigrad.cuda, "minigrad.cuda"),
    ("Tensor", minigrad.Tensor, "minigrad.tensor"),
]


@pytest.mark.parametrize(("path", "place", "home"), PLACES, ids=[p or "minigrad" for p, *_ in PLACES])
def test_a_name_that_pytorch_lacks_needs_a_case_too(path, place, home, monkeypatch, planted):
    monkeypatch.setattr(helper, "__module__", home)
    monkeypatch.setattr(place, "thrice_and_one", helper, raising=False)
    if (
        hasattr(place, "__all__") and "__dir__" in vars(place) and home != place.__name__
    ):  # what comes from another file is shown if it is listed
        monkeypatch.setattr(place, "__all__", [*place.__all__, "thrice_and_one"])
    name = f"{path}.thrice_and_one" if path else "thrice_and_one"
    assert public.missing() == [name]
    assert name in public.unknown_to_pytorch()
    case = planted(name, one, reference=lambda torch, x: x * 3 + 1, methods=False)
    assert public.missing() == []
    check_case(case, 20)
    assert claims.idle(case) == {}
    case.reference = lambda torch, x: x * 3 + 1.001
    with pytest.raises(Mismatch, match="output"):
        check_case(case, 20)
    case.reference = None
    assert public.without_reference() == [name]


@pytest.mark.parametrize(("path", "place"), [("linalg", minigrad.linalg), ("random", minigrad.random)])
def test_a_listed_name_that_pytorch_lacks_needs_a_case(path, place, monkeypatch):
    monkeypatch.setattr(helper, "__module__", place.__name__)
    monkeypatch.setattr(place, "thrice_and_one", helper, raising=False)
    monkeypatch.setattr(place, "__all__", [*place.__all__, "thrice_and_one"])
    assert public.missing() == [f"{path}.thrice_and_one"]


@pytest.mark.parametrize(("node", "why"), [
    ("tests/test_engine.py::test_settings", "there is no file tests/test_engine.py"),
    ("tests/test_parity_public.py::test_settings", "has no test called test_settings"),
    ("tests/test_parity_public.py::test_mark_dirty", "does not use it"),
])  # fmt: skip
def test_a_test_that_is_cited_must_be_there(node, why, monkeypatch):
    monkeypatch.setitem(public.TESTED, "set_printoptions", node)
    (wrong,) = public.untested()
    assert why in wrong
