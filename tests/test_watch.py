"""viz.watch: what it tells of a training is what was computed, and the training does not notice."""

import ast
import base64
import builtins
import copy
import io
import json
import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as torch
from minigrad import nn, viz
from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.tensor import Tensor
from minigrad.viz import film, probe, summary
from minigrad.viz.thinning import Losses, Thinned
from minigrad.viz.watch_page import html

ROOT = Path(__file__).parent.parent


class WithFunctions(nn.Module):
    """Its activations are functions, not modules; it counts its calls and draws from every random stream."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.calls = nn.Linear(2, 8), nn.Linear(8, 2), 0
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x):
        self.calls += 1
        self.seen += 1
        self.last = x.shape[0]
        noise = random.random() + np.random.rand() + torch.rand(1)
        return self.second(F.dropout(F.relu(self.first(x)), 0.2) + 0.001 * noise)


def mlp(*activations, inputs=2, outputs=2, width=8):
    layers = [nn.Linear(inputs, width)]
    for activation in activations:
        layers += [activation, nn.Linear(width, width)]
    return nn.Sequential(*layers[:-1], nn.Linear(width, outputs))


class Pictures(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten()
        )
        self.head = nn.Linear(36, 3)

    def forward(self, x):
        return self.head(self.body(x.reshape(-1, 1, 8, 8)))


class Words(nn.Module):
    """A recurrent layer returns a tuple, an attention layer has parameters of its own beside a part."""

    def __init__(self):
        super().__init__()
        self.embed, self.rnn = nn.Embedding(10, 8), nn.LSTM(8, 8, batch_first=True)
        self.attend, self.head = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 2)

    def forward(self, x):
        h, _ = self.rnn(self.embed(x))
        h, _ = self.attend(h, h, h)
        return self.head(h.mean(dim=1))


# By name: the model, x, y, the loss, and the optimizer.
def spirals():
    x = torch.randn(60, 2)
    model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
    return model, x, (x[:, 0] * x[:, 1] > 0).long(), F.cross_entropy, torch.optim.Adam


def three():
    x = torch.randn(60, 2)
    return mlp(nn.Tanh(), outputs=3), x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long(), F.cross_entropy, torch.optim.SGD


def sine():
    x = torch.linspace(-3, 3, 40)[:, None]
    return mlp(nn.Tanh(), nn.Sigmoid(), inputs=1, outputs=1), x, x.sin(), F.mse_loss, torch.optim.RMSprop


def coin():
    x = torch.randn(50, 2)
    return (
        mlp(nn.ReLU(), outputs=1),
        x,
        (x[:, :1] > 0).to(x.dtype),
        F.binary_cross_entropy_with_logits,
        torch.optim.AdamW,
    )


def probability():
    x = torch.randn(50, 2)
    return (
        nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()),
        x,
        (x[:, :1] > 0).to(x.dtype),
        F.binary_cross_entropy,
        torch.optim.SGD,
    )


def functions():
    x = torch.randn(50, 2)
    return WithFunctions(), x, (x[:, 0] > 0).long(), F.cross_entropy, torch.optim.Adagrad


def pictures():
    return Pictures(), torch.randn(20, 64), torch.randint(0, 3, (20,)), F.cross_entropy, torch.optim.NAdam


def words():
    return Words(), torch.randint(0, 10, (12, 5)), torch.randint(0, 2, (12,)), F.cross_entropy, torch.optim.Adam


PROGRAMS = {f.__name__: f for f in (spirals, three, sine, coin, probability, functions, pictures, words)}


def train(name, path=None, steps=12, watch=True, dtype=torch.float32):
    """(the losses, the model, the random streams at the end, the watch)"""
    torch.manual_seed(3), np.random.seed(3), random.seed(3)
    torch.set_default_dtype(dtype)
    model, x, y, loss_of, optimizer = PROGRAMS[name]()
    optimizer, losses = optimizer(model.parameters(), lr=0.05), []

    def loop():
        for _ in range(steps):
            rows = torch.randint(0, len(x), (16,))
            optimizer.zero_grad()
            loss = loss_of(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

    seen = None
    if path is None:
        loop()
    else:
        with viz.watch(model, optimizer, data=(x, y), path=path) as seen:
            loop()
    return losses, model, (torch.get_rng_state().array.tobytes(), np.random.rand(), random.random()), seen


def of_page(path):
    text = path.read_text(encoding="utf-8")
    kind, _, rest = text.partition('<script id="data" type="application/')[2].partition('">')
    held = rest.partition("</script>")[0]
    if kind == "json":
        return json.loads(held)
    import gzip

    return json.loads(gzip.decompress(base64.b64decode(held)))


# -- the training does not notice


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_watched_training_is_the_same_to_the_bit(name, dtype, tmp_path):
    places = Module.__dict__["__call__"], Tensor.__dict__["backward"]
    alone, model, streams, _ = train(name, dtype=dtype)
    watched, same, their_streams, seen = train(name, tmp_path / "watch.html", dtype=dtype)
    assert alone == watched
    assert streams == their_streams
    state, other = model.state_dict(), same.state_dict()
    assert state.keys() == other.keys()
    for key in state:
        assert state[key].array.tobytes() == other[key].array.tobytes(), key
    assert model.training is same.training is True
    if name == "functions":
        assert (same.calls, same.last) == (model.calls, model.last)
    assert (Module.__dict__["__call__"], Tensor.__dict__["backward"]) == places
    assert all(m._hooks is None for m in same.modules())
    assert seen.probe.trouble == ""


def test_nothing_is_in_its_place_when_nobody_watches(tmp_path):
    """Outside the block methods are the engine's own; inside, modules are looked at in those steps only that are kept."""
    plain = Module.__dict__["__call__"], Tensor.__dict__["backward"]
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    looked = []
    with pytest.raises(ZeroDivisionError), viz.watch(model, optimizer, path=tmp_path / "watch.html", frames=4):
        for _ in range(30):
            looked.append(Module.__dict__["__call__"] is not plain[0])
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
        raise ZeroDivisionError
    assert (Module.__dict__["__call__"], Tensor.__dict__["backward"]) == plain
    assert not optimizer._optimizer_step_post_hooks
    assert not optimizer._optimizer_step_pre_hooks
    assert sum(looked[16:]) <= 2


def test_importing_the_engine_imports_no_viz():
    code = "import sys, minigrad; assert not [m for m in sys.modules if m.startswith(('minigrad.viz', 'matplotlib', 'PIL'))]; minigrad.viz.watch; assert not [m for m in sys.modules if m.startswith(('matplotlib', 'PIL'))]"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_models_can_be_copied_and_saved_while_they_are_watched(tmp_path):
    model = mlp(nn.ReLU())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, optimizer, path=tmp_path / "watch.html") as seen:
        for _ in range(3):
            model(torch.ones(2, 2)).sum().backward()
            optimizer.step()
            copied = copy.deepcopy(model), copy.deepcopy(optimizer)
            pickle.dumps(model)
            torch.save(model.state_dict(), io.BytesIO())
            copied[0](torch.ones(2, 2)).sum().backward()  # another model: its steps and losses are not ours
            copied[1].step()
    assert seen.steps == 3
    assert all(stretch[2] == pytest.approx(0, abs=1e3) for stretch in seen.losses.stretches)


# -- what is told is what was computed


def close(shown, wanted):
    if shown is None or wanted is None:
        assert shown is wanted
    elif isinstance(shown, str):
        assert shown == str(float(wanted))
    else:
        assert shown == pytest.approx(float(wanted), rel=2e-6, abs=1e-30)


@pytest.mark.parametrize("name", ["spirals", "sine", "pictures", "words"])
def test_numbers_are_those_of_the_training(name, tmp_path):
    """Every number of the page, computed once more beside an unwatched training."""
    data = (
        of_page(tmp_path / "watch.html") if (seen := train(name, tmp_path / "watch.html")[3]) is None else seen.told()
    )
    assert json.loads(json.dumps(data)) == of_page(tmp_path / "watch.html")
    torch.manual_seed(3), np.random.seed(3), random.seed(3)
    torch.set_default_dtype(torch.float32)
    model, x, y, loss_of, optimizer = PROGRAMS[name]()
    optimizer = optimizer(model.parameters(), lr=0.05)
    names = [p["name"] for p in data["parameters"]]
    assert names == [n for n, _ in model.named_parameters()]
    layers = [layer["name"] for layer in data["layers"]]
    outputs = {}
    for where, m in model.named_modules():
        if where in layers:
            m.register_forward_hook(
                lambda m, _, out, where=where: outputs.__setitem__(
                    where, (out[0] if isinstance(out, tuple) else out).array.copy()
                )
            )
    assert data["points"]["step"] == list(range(1, 13))
    assert [f["step"] for f in data["frames"]] == list(range(13))
    for step in range(12):
        rows = torch.randint(0, len(x), (16,))
        optimizer.zero_grad()
        loss = loss_of(model(x[rows]), y[rows])
        loss.backward()
        old = {n: p.array.astype(float) for n, p in model.named_parameters()}
        optimizer.step()
        close(data["loss"][step][1], loss.item())
        close(data["frames"][step + 1]["loss"], loss.item())
        for k, (n, p) in enumerate(model.named_parameters()):
            close(data["points"]["grad"][k][step], np.linalg.norm(p.grad.array.astype(float)))
            close(data["points"]["weight"][k][step], np.linalg.norm(old[n]))
            update = np.linalg.norm(p.array.astype(np.float32) - old[n].astype(np.float32))
            assert data["points"]["update"][k][step] == pytest.approx(update, rel=1e-5)
            for kind, array in (("weights", p.array), ("gradients", p.grad.array)):
                check_summary(data["frames"][step + 1][kind][k], array)
        for k, where in enumerate(layers):
            if where in outputs:
                check_summary(data["frames"][step + 1]["outputs"][k], outputs[where])
        if "confusion" in data["frames"][step + 1]:
            model.eval()
            with torch.no_grad():
                said = model(x).array.argmax(1)
            model.train()
            table = np.zeros((2, 2), int) if name != "pictures" else np.zeros((3, 3), int)
            np.add.at(table, (y.array, said), 1)
            assert data["frames"][step + 1]["confusion"] == table.tolist()
            close(data["frames"][step + 1]["accuracy"], (said == y.array).mean())
    assert ("confusion" in data["frames"][0]) == (name != "sine")


def check_summary(told, array):
    array = np.asarray(array, float)
    assert told["n"] == array.size
    close(told["lo"], array.min()), close(told["hi"], array.max())
    assert told["mean"] == pytest.approx(array.mean(), rel=1e-5, abs=1e-7 * np.abs(array).max())
    assert told["std"] == pytest.approx(array.std(), rel=1e-4, abs=1e-6 * np.abs(array).max() + 1e-30)
    assert sum(told["k"]) == array.size
    if array.max() > array.min():
        counts, _ = np.histogram(array, summary.BINS, (array.min(), array.max()))
        assert np.abs(counts - np.array(told["k"])).sum() <= 4  # an element on an edge may lie on either side


def test_boundary_and_curve_are_what_the_model_says(tmp_path):
    *_, seen = train("spirals", tmp_path / "watch.html")
    data = seen.told()
    space, last = data["space"], data["frames"][-1]
    places = np.stack(np.meshgrid(*(np.linspace(*ends, space["side"]) for ends in space["ends"])), -1).reshape(-1, 2)
    seen.model.eval()
    with torch.no_grad():
        p = F.softmax(seen.model(torch.tensor(places.astype(np.float32))), -1).array
    cells = np.frombuffer(base64.b64decode(last["map"]), np.int8)
    assert np.abs(cells / 127 - (p[:, 1] - p[:, 0])).max() <= 0.5 / 127 + 1e-5
    assert space["of"] == "classes"
    *_, seen = train("sine", tmp_path / "watch.html")
    data = seen.told()
    (ends,) = data["space"]["ends"]
    with torch.no_grad():
        wanted = seen.model(torch.tensor(np.linspace(*ends, probe.ALONG)[:, None].astype(np.float32))).array[:, 0]
    np.testing.assert_allclose(data["frames"][-1]["curve"][0], wanted, rtol=1e-5, atol=1e-6)
    assert data["space"]["of"] == "values"
    *_, seen = train("three", tmp_path / "watch.html")
    assert seen.told()["space"]["scale"] == "class"
    assert set(np.frombuffer(base64.b64decode(seen.told()["frames"][-1]["map"]), np.int8)) <= {0, 1, 2}


@pytest.mark.parametrize(("name", "half"), [("coin", 0.0), ("probability", 0.5)])
def test_one_number_says_two_classes(name, half, tmp_path):
    _, model, _, seen = train(name, tmp_path / "watch.html", steps=40)
    frame, (data, labels) = seen.told()["frames"][-1], (seen.probe.x[0], seen.probe.y)
    said = model.eval()(data).array[:, 0] > half
    table = np.zeros((2, 2), int)
    np.add.at(table, (labels[:, 0].astype(int), said.astype(int)), 1)
    assert frame["confusion"] == table.tolist()


@pytest.mark.parametrize(
    ("last", "y", "scale", "half"),
    [
        (nn.Sigmoid, None, "difference", True),
        (nn.Sigmoid, "values", "value", False),  # a regression, which happens to stay within 0 and 1
        (nn.Identity, None, "value", False),
        (nn.Identity, "values", "value", False),
        (nn.Identity, "classes", "difference", False),
        (nn.Sigmoid, "classes", "difference", True),
    ],
)
def test_what_one_number_over_the_plane_means(last, y, scale, half, tmp_path):
    x = torch.randn(8, 2)
    targets = {None: None, "values": torch.randn(8, 1), "classes": (x[:, :1] > 0).float()}[y]
    model = nn.Sequential(nn.Linear(2, 1), last())
    with torch.no_grad():
        model[0].weight.fill_(3.0)
    bias = model[0].bias.array[0].copy()
    data = run(model, tmp_path / "watch.html", steps=1, data=(x, targets))
    space, frame = data["space"], data["frames"][0]
    assert (space["scale"], space["half"], space.get("of")) == (scale, half, y)
    cells = np.frombuffer(base64.b64decode(frame["map"]), np.int8).reshape(probe.SIDE, probe.SIDE)
    (left, _), (bottom, _) = space["ends"]
    said = 3 * (left + bottom) + bias
    value = {"value": 1 / (1 + np.exp(-said)) if last is nn.Sigmoid else said, "difference": np.tanh(said / 2)}[scale]
    assert cells[0, 0] * float(frame["max"]) / 127 == pytest.approx(value, abs=0.005 * float(frame["max"]))


def test_a_probability_stays_one_when_the_training_fails(tmp_path):
    """Class 1 is said from 1/2 on, at all moments, also when the last outputs are nan."""
    x, y = torch.randn(20, 2), (torch.rand(20, 1) > 0.5).float()
    model = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
    with torch.no_grad():
        said = model(x).array > 0.5
    with viz.watch(model, path=tmp_path / "watch.html", data=(x, y)) as seen:
        with torch.no_grad():
            model[0].weight.fill_(float("nan"))
        seen.step(1.0)
    first, last = seen.told()["frames"]
    assert (first["level"], last["level"], last["unknown"]) == (0.5, 0.5, 20)
    assert first["accuracy"] == pytest.approx((said == y.array).mean())


def test_dead_units_are_counted(tmp_path):
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    with torch.no_grad():
        model[0].bias[:3] = -100.0
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    with viz.watch(model, optimizer, path=tmp_path / "watch.html") as seen:
        model(torch.rand(8, 2)).sum().backward()
        optimizer.step()
    frame = seen.told()["frames"][-1]
    assert frame["outputs"][1]["silent"][0] >= 3
    assert frame["outputs"][1]["silent"][1] == 4


def test_activations_that_are_functions_are_seen_where_they_go_in(tmp_path):
    *_, seen = train("functions", tmp_path / "watch.html")
    data = seen.told()
    assert [layer["name"] for layer in data["layers"]] == ["first", "second ←", "second"]
    assert data["frames"][-1]["outputs"][1]["lo"] >= 0


# -- which loss is a step's


def small(tmp_path, loop, **options):
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    optimizer = options.pop("optimizer", torch.optim.SGD)(model.parameters(), lr=0.01)
    with viz.watch(model, options.pop("watched", optimizer), path=tmp_path / "watch.html", **options) as seen:
        losses = loop(model, optimizer, seen)
    assert [stretch[2] for stretch in seen.losses.stretches] == pytest.approx(losses)
    return seen


X, Y = [[1.0, 2.0], [3.0, -1.0]], [[1.0], [0.0]]


def loss_of(model):
    return F.mse_loss(model(torch.tensor(X)), torch.tensor(Y))


def accumulated(model, optimizer, seen):
    found = []
    for _ in range(3):
        optimizer.zero_grad()
        parts = [0.5 * loss_of(model), 0.25 * loss_of(model)]
        for part in parts:
            part.backward()
        optimizer.step()
        found.append(sum(p.item() for p in parts))
    return found


def cleared_to_zero(model, optimizer, seen):
    found = []
    for _ in range(3):
        optimizer.zero_grad(set_to_none=False)
        loss = loss_of(model)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def thrown_away(model, optimizer, seen):
    """A gradient that was looked at and cleared is none of the step's."""
    found = []
    for _ in range(3):
        (5 * loss_of(model)).backward()
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def of_another_model(model, optimizer, seen):
    found, other = [], nn.Linear(2, 1)
    for _ in range(3):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        loss_of(other).backward()
        optimizer.step()
        found.append(loss.item())
    return found


def closures(model, optimizer, seen):
    found = []
    for _ in range(3):
        seen_here = []

        def closure(seen_here=seen_here):
            optimizer.zero_grad()
            loss = loss_of(model)
            loss.backward()
            seen_here.append(loss.item())
            return loss

        optimizer.step(closure)
        found.append(seen_here[0])
    return found


def told(model, optimizer, seen):
    found = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = loss_of(model)
        (1024 * loss).backward()
        optimizer.step()
        seen.step(loss)
        found.append(loss.item())
    return found


@pytest.mark.parametrize("loop", [accumulated, cleared_to_zero, thrown_away, of_another_model, closures, told])
def test_the_loss_of_a_step(loop, tmp_path):
    small(tmp_path, loop)
    if loop is closures:
        small(tmp_path, loop, optimizer=lambda p, lr: torch.optim.LBFGS(p, lr=lr, max_iter=4))


def test_without_an_optimizer(tmp_path):
    def by_hand(model, _, seen):
        found = []
        for _ in range(4):
            loss = loss_of(model)
            loss.backward()
            with torch.no_grad():
                for p in model.parameters():
                    p -= 0.1 * p.grad
            seen.step(loss)
            model.zero_grad()
            found.append(loss.item())
        return found

    data = small(tmp_path, by_hand, watched=None).told()
    assert data["steps"] == 4
    assert all(v is not None for v in data["points"]["update"][0][1:])
    np.testing.assert_allclose(
        data["points"]["update"][0][1:], 0.1 * np.array(data["points"]["grad"][0][1:]), rtol=1e-4
    )


# -- bounded memory


@pytest.mark.parametrize("n", [1, 2, 7, 10, 11, 100, 1000, 4096])
def test_long_trainings_are_thinned_evenly(n):
    kept, losses = Thinned(10), Losses(10)
    for step in range(n):
        if kept.wants(step):
            kept.add(step, step)
    rng = np.random.default_rng(0)
    values = rng.normal(size=n)
    values[n // 3] = np.nan
    for step, v in enumerate(values, 1):
        losses.add(step, v)
    assert min(n, 5) <= len(kept.steps) <= 10
    assert kept.steps == list(range(0, n, kept.every)) == kept.kept
    assert min(n, 5) <= len(losses.stretches) <= 10
    lows, highs = ([s[i] for s in losses.stretches if s[i] is not None] for i in (3, 4))
    if n > 1:
        assert (min(lows), max(highs)) == (np.nanmin(values), np.nanmax(values))
    assert sum(s[5] for s in losses.stretches) == 1
    for number, step, value, *_ in losses.stretches:
        assert (step - 1) // losses.every == number
        assert value == values[step - 1] or np.isnan(value)


def test_frames_are_bounded_and_the_last_step_is_there(tmp_path):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    with viz.watch(model, optimizer, path=tmp_path / "watch.html", frames=8) as seen:
        for _ in range(333):
            optimizer.zero_grad()
            loss_of(model).backward()
            optimizer.step()
    steps = [f["step"] for f in seen.told()["frames"]]
    assert len(steps) <= 9
    assert steps[0] == 0
    assert steps[-1] == 333
    assert seen.told()["every"]["frames"] == 64
    assert seen.told()["frames"][-1]["loss"] == seen.told()["loss"][-1][1]


def test_many_layers_are_chosen_evenly(tmp_path):
    model = nn.Sequential(*[nn.Tanh() if i % 2 else nn.Linear(2, 2) for i in range(150)])
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    with viz.watch(model, optimizer, path=tmp_path / "watch.html") as seen:
        model(torch.rand(4, 2)).sum().backward()
        optimizer.step()
    assert len(seen.modules) == 60
    assert seen.points.most < 1000
    assert any("150 layers" in note for note in seen.told()["notes"])


# -- bad input


def run(model, path, steps=3, data=None, x=None, **options):
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=0.1) if parameters else None
    x = torch.rand(6, 2) if x is None else x
    with viz.watch(model, optimizer, data=data, path=path, **options) as seen:
        for _ in range(steps):
            out = model(x)
            if parameters:
                optimizer.zero_grad()
                out.sum().backward()
                optimizer.step()
            else:
                seen.step(out.sum())
    return seen.told()


def test_values_that_are_not_finite(tmp_path):
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    x = torch.rand(6, 2)
    x[0, 0] = float("nan")
    data = run(model, tmp_path / "watch.html", data=(x, torch.tensor([0, 1, 0, 1, 0, 1])), x=x)
    assert data == of_page(tmp_path / "watch.html")
    assert any("not finite at step 1" in note for note in data["notes"])
    assert data["loss"][0][1:] == ["nan", None, None, 1]
    assert data["frames"][-1]["weights"][0]["bad"] > 0
    assert data["frames"][-1]["unknown"] == 6
    assert data["frames"][-1]["accuracy"] == 0
    assert set(base64.b64decode(data["frames"][-1]["map"])) == {128}
    with torch.no_grad():
        model[0].weight.fill_(3e38)
        model[2].weight.fill_(float("inf"))
    data = run(model, tmp_path / "watch.html", data=(torch.rand(6, 2), None))
    assert data["frames"][0]["weights"][0]["lo"] == pytest.approx(3e38)


def test_models_without_parameters_and_frozen_ones(tmp_path):
    data = run(nn.Tanh(), tmp_path / "watch.html")
    assert any("no parameters" in note for note in data["notes"])
    assert data["steps"] == 3
    model = mlp(nn.ReLU())
    for p in model[0].parameters():
        p.requires_grad_(False)
    data = run(model, tmp_path / "watch.html")
    assert any(note.startswith("Frozen, without gradient: 0.weight, 0.bias") for note in data["notes"])
    assert data["points"]["grad"][0] == [None] * 3
    assert data["points"]["update"][0] == [0] * 3
    assert data["frames"][-1]["gradients"][0] is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("step", [0, 2])
def test_an_interrupted_training_has_its_page(error, step, tmp_path):
    model = mlp(nn.ReLU())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(error, match="<b>enough"), viz.watch(model, optimizer, path=tmp_path / "watch.html"):
        for i in range(5):
            if i == step:
                raise error("<b>enough")
            model(torch.ones(2, 2)).sum().backward()
            optimizer.step()
    data = of_page(tmp_path / "watch.html")
    assert data["steps"] == step
    assert data["notes"][0] == f"The training ended early, after {step} steps: {error.__name__}: <b>enough"
    assert data["frames"][-1]["step"] == step


def test_a_page_that_cannot_be_written_does_not_hide_what_happened(tmp_path):
    (tmp_path / "taken").mkdir()
    model = mlp(nn.ReLU())
    written = pytest.warns(UserWarning, match="the page was not written")
    with written, pytest.raises(ZeroDivisionError), viz.watch(model, path=tmp_path / "taken"):
        raise ZeroDivisionError
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        viz.watch(model, path=tmp_path / "absent" / "watch.html").__enter__()


def test_a_model_that_cannot_be_asked_is_trained_all_the_same(tmp_path):
    class Fussy(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, x):
            if not self.training:
                raise ValueError("only in training")
            return self.layer(x)

    data = run(Fussy(), tmp_path / "watch.html", data=(torch.rand(6, 2), torch.rand(6, 1)))
    assert data["steps"] == 3
    assert any("could not be asked for pictures: ValueError: only in training" in note for note in data["notes"])


def test_a_lazy_model_and_one_that_grows(tmp_path):
    model = nn.Sequential(nn.LazyLinear(3), nn.Tanh(), nn.Linear(3, 1))
    with viz.watch(model, path=tmp_path / "watch.html", data=(torch.rand(6, 2), torch.rand(6, 1))) as seen:
        for i in range(3):
            if i == 2:
                model.add_module("more", nn.Linear(1, 1))
            loss = model(torch.rand(6, 2)).sum()
            loss.backward()
            seen.step(loss)
    names = [p["name"] for p in seen.told()["parameters"]]
    assert set(names) == {"0.weight", "0.bias", "2.weight", "2.bias", "more.weight", "more.bias"}


HOSTILE = ["<script>window.bad = 1</script>", '"><img src=x onerror="window.bad = 1">', "${window.bad = 1}"]


def hostile(path, steps=2):
    class Net(nn.Module):
        def forward(self, x):
            for part in self.children():
                x = part(x)
            return x

    Net.__name__ = HOSTILE[0]
    model = Net()
    for name in HOSTILE:
        model.add_module(name.replace(".", ""), nn.Linear(2, 2))
    return run(model, path, steps, data=(torch.rand(6, 2), torch.zeros(6).long()), title=HOSTILE[1])


def test_hostile_names_are_text(tmp_path):
    data = hostile(tmp_path / "watch.html")
    text = (tmp_path / "watch.html").read_text(encoding="utf-8")
    assert "<script>window" not in text
    assert "<img src=x" not in text
    assert of_page(tmp_path / "watch.html") == data
    assert html({**data, "title": "</script><script>window.bad = 1"}).count("<script>window.bad") == 0


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: viz.watch("model"), TypeError, "wants a model"),
        (lambda: viz.watch(nn.Linear(1, 1), "adam"), TypeError, "wants an optimizer"),
        (lambda: viz.watch(nn.Linear(1, 1), frames=1), ValueError, "frames is 1"),
        (lambda: viz.watch(nn.Linear(1, 1), frames=True), ValueError, "frames is True"),
        (lambda: viz.watch(nn.Linear(1, 1), data=([1], [2])), TypeError, "wants tensors"),
        (lambda: viz.watch(nn.Linear(1, 1), data=(torch.ones(3, 1), torch.ones(2))), TypeError, "y of 3 rows"),
        (lambda: viz.watch(nn.Linear(1, 1)).step("much"), TypeError, "wants a loss"),
        (lambda: viz.watch(nn.Linear(1, 1)).step(torch.ones(2)), TypeError, "one number"),
    ],
)
def test_wrong_arguments_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_pytorchs_own_modules_are_named():
    pytorch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"torch\.nn\.modules\.linear\.Linear of PyTorch"):
        viz.watch(pytorch.nn.Linear(1, 1))


def test_recording_and_watching_together(tmp_path):
    places = Module.__dict__["__call__"], Tensor.__dict__["backward"]
    model = mlp(nn.ReLU())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with viz.watch(model, optimizer, path=tmp_path / "watch.html"):
        with viz.recording():
            loss = model(torch.ones(2, 2)).sum()
        loss.backward()
        optimizer.step()
    with viz.recording(), viz.watch(model, optimizer, path=tmp_path / "watch.html"):
        model(torch.ones(2, 2)).sum().backward()
        optimizer.step()
    assert (Module.__dict__["__call__"], Tensor.__dict__["backward"]) == places


def test_two_watches_at_a_time_know_their_own(tmp_path):
    """As in a training of two networks against each other: the generator's loss goes through the discriminator too."""
    g, d = nn.Linear(2, 2), nn.Linear(2, 1)
    of_g, of_d = torch.optim.SGD(g.parameters(), lr=0.01), torch.optim.SGD(d.parameters(), lr=0.01)
    wanted = [], []
    with viz.watch(g, of_g, path=tmp_path / "g.html") as seen_g, viz.watch(d, of_d, path=tmp_path / "d.html") as seen_d:
        for _ in range(3):
            made = g(torch.rand(4, 2))
            of_d.zero_grad()
            loss = d(made.detach()).mean() + 7
            loss.backward()
            of_d.step()
            wanted[1].append(loss.item())
            of_g.zero_grad()
            loss = -d(made).mean()
            loss.backward()
            of_g.step()
            wanted[0].append(loss.item())
    for seen, losses in zip((seen_g, seen_d), wanted, strict=True):
        assert [s[2] for s in seen.losses.stretches] == pytest.approx(losses)


# -- pictures


def test_png_and_gif(tmp_path):
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("PIL.Image")
    *_, seen = train("spirals", tmp_path / "watch.html", steps=4)
    assert image.open(seen.png(tmp_path / "watch.png", step=2)).format == "PNG"
    film_ = image.open(seen.gif(tmp_path / "watch.gif", seconds=1))
    assert (film_.format, film_.n_frames) == ("GIF", 5)
    with pytest.raises(ValueError, match="seconds is 0"):
        seen.gif(tmp_path / "watch.gif", seconds=0)


def test_pictures_of_bad_values_and_hostile_names(tmp_path):
    pytest.importorskip("matplotlib")
    model = nn.Sequential()
    model.add_module("$x^{$", nn.Linear(2, 1))
    x = torch.full((6, 2), float("nan"))
    with viz.watch(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        path=tmp_path / "watch.html",
        title="$\\frac{$",
        data=(torch.rand(6, 2), torch.rand(6, 1)),
    ) as seen:
        model(x).sum().backward()
        seen.optimizer.step()
    seen.png(tmp_path / "watch.png")


@pytest.mark.parametrize("absent", ["matplotlib", "PIL"])
def test_a_missing_library_is_named(absent, tmp_path, monkeypatch):
    *_, seen = train("sine", tmp_path / "watch.html", steps=1)
    for name in [m for m in sys.modules if m.partition(".")[0] == absent]:
        monkeypatch.delitem(sys.modules, name)
    plain = builtins.__import__

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name.partition(".")[0] == absent:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    assert plain is builtins.__import__
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'minigrad\[lessons\]'"):
        seen.gif(tmp_path / "watch.gif")


def test_the_readme_shows_what_is_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "viz.watch(model, optimizer" in text
    assert {"png", "gif", "step", "write"} <= {
        n.name
        for n in ast.walk(ast.parse((ROOT / "minigrad/viz/watch.py").read_text(encoding="utf-8")))
        if isinstance(n, ast.FunctionDef)
    }
    assert film.VERSION == 1
