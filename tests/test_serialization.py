"""Saving and loading: what goes in comes out, files go between the engines, damaged files are named as such."""

import collections
import contextlib
import io
import json
import math
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

import minigrad
from minigrad import files


def assert_equal(found, expected):
    if isinstance(expected, minigrad.Tensor | torch.Tensor | np.ndarray):
        assert isinstance(found, minigrad.Tensor if not isinstance(expected, np.ndarray) else np.ndarray)
        a, b = (np.asarray(v.detach() if hasattr(v, "detach") else v) for v in (found, expected))
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes()
        if not isinstance(expected, np.ndarray):
            assert found.requires_grad == expected.requires_grad
    elif isinstance(expected, dict):
        assert type(found) is type(expected)
        assert list(found) == list(expected)
        for key in expected:
            assert_equal(found[key], expected[key])
    elif isinstance(expected, list | tuple):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert_equal(a, b)
    elif isinstance(expected, float) and math.isnan(expected):
        assert math.isnan(found)
    else:
        assert type(found) is type(expected)
        assert found == expected


def everything(engine):
    """Tensors of all types and layouts, and plain values."""
    names = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")
    base = np.arange(24).reshape(2, 3, 4)
    tensors = {name: engine.tensor(base % 3, dtype=getattr(engine, name)) for name in names}
    parameter = engine.nn.Parameter(engine.ones(3))
    return {
        **tensors,
        "a.b": engine.ones(2),
        "a": {
            "b": engine.zeros(2),
            3: [engine.ones(()), (engine.zeros(0, 2), None)],
            True: "text",
            2.5: OrderedDict(z=1, y=2),
        },
        "view": engine.arange(24.0).reshape(4, 6)[1:, ::2].t(),
        "leaf": engine.ones(2, requires_grad=True),
        "parameter": parameter,
        "numbers": [1, -1.5, 1e300, float("inf"), float("nan"), True, None, "ünï\n", 2**70],
        "empty": {},
    }


def roundtrip(value):
    file = io.BytesIO()
    minigrad.save(value, file)
    return minigrad.load(io.BytesIO(file.getvalue()))


def test_roundtrip(tmp_path):
    value = everything(minigrad)
    assert_equal(roundtrip(value), value)
    minigrad.save(value, tmp_path / "checkpoint")
    assert_equal(minigrad.load(tmp_path / "checkpoint"), value)
    assert_equal(minigrad.load(str(tmp_path / "checkpoint"), map_location="cpu", weights_only=True), value)
    assert os.listdir(tmp_path) == ["checkpoint"]


@pytest.mark.parametrize(
    "value", [3, None, "x", [], (), {}, minigrad.ones(2, 3), minigrad.ones(()), np.ones(2), [minigrad.ones(1)] * 2]
)
def test_roundtrip_of_one_value(value):
    assert_equal(roundtrip(value), value)


def test_two_names_with_one_path():
    value = {"a.b": minigrad.ones(1), "a": {"b": minigrad.zeros(1)}, "a.b'": minigrad.full((1,), 2.0)}
    assert_equal(roundtrip(value), value)


def test_numpy_scalars_become_numbers():
    assert_equal(roundtrip({"x": np.float64(1.5), "n": np.int32(3)}), {"x": 1.5, "n": 3})


def network(engine):
    nn = engine.nn
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 3))


def train(engine, model, optimizer, scheduler, x, y, steps):
    losses = []
    for _ in range(steps):
        loss = engine.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses


def test_training_goes_on_where_it_stopped(tmp_path):
    """A checkpoint with model, optimizer, scheduler and random state: the resumed run has the same losses, to the bit."""

    def start():
        model = network(minigrad)
        optimizer = minigrad.optim.AdamW(model.parameters(), lr=1e-2)
        return model, optimizer, minigrad.optim.lr_scheduler.StepLR(optimizer, 3, 0.5)

    minigrad.manual_seed(0)
    x, y = minigrad.randn(16, 4), minigrad.randint(0, 3, (16,))
    parts = start()
    train(minigrad, *parts, x, y, 5)
    saved = {name: part.state_dict() for name, part in zip(("model", "optimizer", "scheduler"), parts, strict=True)}
    minigrad.save({**saved, "rng": minigrad.get_rng_state(), "epoch": 5}, tmp_path / "last.ckpt")
    expected = train(minigrad, *parts, x, y, 5)

    minigrad.manual_seed(99)
    checkpoint = minigrad.load(tmp_path / "last.ckpt")
    parts = start()
    for name, part in zip(("model", "optimizer", "scheduler"), parts, strict=True):
        part.load_state_dict(checkpoint[name])
    minigrad.set_rng_state(checkpoint["rng"])
    assert checkpoint["epoch"] == 5
    assert train(minigrad, *parts, x, y, 5) == expected


# -- files of others


def test_safetensors_reads_ours(tmp_path):
    value = {name: t for name, t in everything(minigrad).items() if isinstance(t, minigrad.Tensor)}
    minigrad.save(value, tmp_path / "model.safetensors")
    for module, convert in ((safetensors.torch, lambda t: t.numpy()), (safetensors.numpy, lambda t: t)):
        found = module.load_file(tmp_path / "model.safetensors")
        assert set(found) == set(value)
        for name, t in value.items():
            np.testing.assert_array_equal(convert(found[name]), t.detach().numpy())
    minigrad.save(network(minigrad).state_dict(), tmp_path / "net.safetensors")
    network(torch).load_state_dict(safetensors.torch.load_file(tmp_path / "net.safetensors"))


def test_we_read_safetensors(tmp_path):
    value = {n: t.detach().contiguous() for n, t in everything(torch).items() if isinstance(t, torch.Tensor)}
    safetensors.torch.save_file(value, tmp_path / "model.safetensors", {"note": "of another program"})
    found = minigrad.load(tmp_path / "model.safetensors")
    assert set(found) == set(value)
    for name, t in value.items():
        assert_equal(found[name], t)
    network(minigrad).load_state_dict(minigrad.load(io.BytesIO(safetensors.torch.save(network(torch).state_dict()))))


BF16 = torch.tensor([[0.0, -0.0, 1.0, -2.5], [math.inf, -math.inf, 1e-40, 3.3895e38]]).bfloat16()


def test_bfloat16_becomes_float32():
    found = minigrad.load(io.BytesIO(safetensors.torch.save({"x": BF16})))
    assert_equal(found["x"], BF16.float())


def test_we_read_torch_save(tmp_path):
    value = everything(torch)
    value["bfloat16"] = BF16
    value["shape"] = torch.Size([2, 3])
    value["model"] = network(torch).state_dict()
    x = torch.arange(6.0)
    value["shared"] = [x, x[2:4]]
    torch.save(value, tmp_path / "checkpoint.pt")
    found = minigrad.load(tmp_path / "checkpoint.pt")
    assert_equal(found.pop("bfloat16"), BF16.float())
    assert found.pop("shape") == (2, 3)
    assert isinstance(found["parameter"], minigrad.nn.Parameter)
    assert_equal(found["model"], value["model"])
    del value["bfloat16"], value["shape"]
    assert_equal(found, value)
    network(minigrad).load_state_dict(found["model"])


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (network(torch), "Sequential"),
        ({"f": os.path.join}, "join"),
        ({"n": np.float64(1.5)}, "scalar"),
        (torch.ones(1).to_sparse(), "_rebuild_sparse_tensor"),
    ],
)
def test_what_is_no_tensor_in_a_torch_file_is_named(value, name):
    file = io.BytesIO()
    torch.save(value, file)
    with pytest.raises(RuntimeError, match=rf"names \S*{name}, which is (not a tensor|a sparse tensor)"):
        minigrad.load(io.BytesIO(file.getvalue()))


def torch_file(program):
    """A zip as torch.save writes it, around a pickle of one's own."""
    file = io.BytesIO()
    torch.save({"x": torch.ones(3)}, file)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file.getvalue())) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            target.writestr(name, program if name.endswith("data.pkl") else source.read(name))
    return out.getvalue()


class Evil:
    def __reduce__(self):
        return os.mkdir, ("should_not_be",)


def test_no_code_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError, match=r"mkdir"):
        minigrad.load(io.BytesIO(torch_file(pickle.dumps({"x": Evil()}))))
    with pytest.raises(RuntimeError, match=r"pickle"):
        minigrad.load(io.BytesIO(pickle.dumps({"x": Evil()})))
    assert os.listdir(tmp_path) == []


def test_a_tensor_beyond_its_memory_is_refused():
    class Beyond:
        def __init__(self, offset, size, stride):
            self.arguments = (offset, size, stride)

        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (Memory(), *self.arguments, False, OrderedDict())

    class Memory:
        pass

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return ("storage", torch.FloatStorage, "0", "cpu", 3) if isinstance(obj, Memory) else None

    for arguments, fits in (
        ((0, (3,), (1,)), True),
        ((1, (3,), (1,)), False),
        ((0, (2, 2), (2, 1)), False),
        ((0, (3,), (-1,)), False),
        ((-1, (1,), (1,)), False),
    ):
        file = io.BytesIO()
        Pickler(file, protocol=2).dump(Beyond(*arguments))
        data = torch_file(file.getvalue())
        if fits:
            assert minigrad.load(io.BytesIO(data)).tolist() == [1.0, 1.0, 1.0]
        else:
            with pytest.raises(RuntimeError, match="damaged"):
                minigrad.load(io.BytesIO(data))


# -- what goes wrong


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 9, 40, 200, -1])
def test_cut_off_files(keep, tmp_path):
    minigrad.save({"weight": minigrad.ones(10, 10), "lr": 0.1}, tmp_path / "whole")
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[:keep])
    with pytest.raises(RuntimeError, match=r"cut is no file of tensors, or it is damaged or cut off"):
        minigrad.load(tmp_path / "cut")
    torch.save({"weight": torch.ones(10, 10)}, tmp_path / "whole.pt")
    (tmp_path / "cut").write_bytes((tmp_path / "whole.pt").read_bytes()[: keep or 3])
    with pytest.raises(RuntimeError, match="damaged"):
        minigrad.load(tmp_path / "cut")


def with_header(header, body=b""):
    text = json.dumps(header).encode()
    return io.BytesIO(struct.pack("<Q", len(text)) + text + body)


GOOD = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "header",
    [
        [],
        3,
        {"x": 3},
        {"x": {**GOOD, "dtype": "F8_E4M3"}},
        {"x": {**GOOD, "shape": [3]}},
        {"x": {**GOOD, "shape": [-1]}},
        {"x": {**GOOD, "shape": "2"}},
        {"x": {**GOOD, "data_offsets": [8, 0]}},
        {"x": {**GOOD, "data_offsets": [-8, 0]}},
        {"x": {**GOOD, "data_offsets": [4, 12]}},
        {"x": {**GOOD, "data_offsets": [0]}},
        {"x": {"dtype": "F32"}},
        {"x": GOOD, "__metadata__": {"minigrad.structure": "{"}},
        {"x": GOOD, "__metadata__": {"minigrad.structure": '{"tensor": "y", "requires_grad": false}'}},
        {"x": GOOD, "__metadata__": {"minigrad.structure": "{}"}},
    ],
)
def test_damaged_headers(header):
    with pytest.raises(RuntimeError, match="damaged"):
        minigrad.load(with_header(header, bytes(8)))


def test_a_good_header_loads():
    assert minigrad.load(with_header({"x": GOOD}, bytes(8)))["x"].tolist() == [0.0, 0.0]


def test_random_damage():
    """Whatever byte is wrong: a RuntimeError, or a file that still is one; no other error."""
    file = io.BytesIO()
    minigrad.save({"a": minigrad.ones(3), "b": [1, {"c": minigrad.zeros(2)}]}, file)
    whole = file.getvalue()
    rng = np.random.default_rng(0)
    for _ in range(500):
        data = bytearray(whole)
        data[rng.integers(len(data))] = rng.integers(256)
        with contextlib.suppress(RuntimeError):
            minigrad.load(io.BytesIO(bytes(data)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (minigrad.optim.SGD([minigrad.ones(1)]), r"give SGD.state_dict\(\)"),
        ({"f": lambda: 1}, r"cannot save a function \(at f\)"),
        ({"a": [1, {2, object}]}, r"cannot save a type \(at a.1.\d\)"),
        ({minigrad.ones(1): 3}, "keys must not be tensors"),
        ({"x": np.zeros(2, complex)}, "complex128"),
        ({"m": type("Local", (minigrad.nn.Module,), {})()}, r"Local \(at m\): its class cannot be found"),
        (collections.defaultdict(lambda: 1), "defaultdict of <lambda>"),
    ],
)
def test_what_cannot_be_saved(value, text, tmp_path):
    with pytest.raises(TypeError, match=text):
        minigrad.save(value, tmp_path / "file")
    assert os.listdir(tmp_path) == []


def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint"
    minigrad.save({"x": 1}, path)

    def full(*args):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        minigrad.save({"x": 2}, path)
    assert minigrad.load(path) == {"x": 1}
    assert os.listdir(tmp_path) == ["checkpoint"]


def test_arguments(tmp_path):
    minigrad.save({"x": minigrad.ones(1)}, tmp_path / "x")
    for place in ("cpu", minigrad.device("cpu"), None, {"cuda:0": "cpu"}, lambda storage, location: storage):
        assert minigrad.load(tmp_path / "x", map_location=place)["x"].tolist() == [1.0]
    with pytest.raises(RuntimeError, match="CPU only"):
        minigrad.load(tmp_path / "x", map_location="cuda")
    with pytest.raises(NotImplementedError, match="mmap"):
        minigrad.load(tmp_path / "x", mmap=True)
    with pytest.raises(FileNotFoundError):
        minigrad.load(tmp_path / "y")


@pytest.mark.parametrize("fail", ["write", "replace"])
def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch, fail):
    old, kept = tmp_path / "checkpoint", tmp_path / "before"
    old.write_bytes(b"old")

    def refuse(*_):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), files.replacing(old, sync=True, keep=kept) as file:
        file.write(b"half of the n")
        assert old.read_bytes() == b"old"
        if fail == "write":
            refuse()
        monkeypatch.setattr(os, "replace", refuse)
    assert old.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint"]


def test_the_file_before_is_kept(tmp_path):
    path, kept = tmp_path / "checkpoint", tmp_path / "before"
    for content in (b"1", b"2", b"3"):
        with files.replacing(path, keep=kept) as file:
            file.write(content)
    assert (path.read_bytes(), kept.read_bytes()) == (b"3", b"2")
    files.write(tmp_path / "new" / "folder" / "text", "é")
    assert (tmp_path / "new" / "folder" / "text").read_text(encoding="utf-8") == "é"


def test_a_write_goes_through_one_function():
    """Nothing but `minigrad/files.py` renames a file into its place."""
    root = Path(minigrad.__file__).parent.parent
    sources = [
        p for package in ("minigrad", "curriculum", "parity", "benchmarks") for p in (root / package).rglob("*.py")
    ]
    assert [str(p.relative_to(root)) for p in sources if "os.replace(" in p.read_text()] == ["minigrad/files.py"]


# -- where a file lies, and what is left


def test_every_flipped_bit_is_noticed():
    """In numbers, names, plain values and the header: an error, or the same content."""
    value = {"w": minigrad.arange(5.0), "lr": 0.1, "name": "x"}
    file = io.BytesIO()
    minigrad.save(value, file)
    whole = file.getvalue()
    for place in range(8 * len(whole)):
        data = bytearray(whole)
        data[place // 8] ^= 1 << place % 8
        try:
            found = minigrad.load(io.BytesIO(bytes(data)))
        except RuntimeError:
            continue
        assert_equal(found, value)


def test_the_checksum_can_be_left_out_and_is_not_asked_of_others():
    value = {"w": minigrad.arange(5.0)}
    sizes = {}
    for wanted in (True, False):
        minigrad.serialization.set_crc32_options(wanted)
        torch.serialization.set_crc32_options(wanted)
        try:
            assert minigrad.serialization.get_crc32_options() is torch.serialization.get_crc32_options() is wanted
            file, other = io.BytesIO(), io.BytesIO()
            minigrad.save(value, file)
            torch.save({"w": torch.arange(5.0)}, other)
        finally:
            minigrad.serialization.set_crc32_options(True)
            torch.serialization.set_crc32_options(True)
        sizes[wanted] = b"crc32" in file.getvalue()
        assert_equal(minigrad.load(io.BytesIO(file.getvalue())), value)
        assert_equal(minigrad.load(io.BytesIO(other.getvalue())), value)
    assert sizes == {True: True, False: False}
    # another program changes the numbers and keeps the metadata, in a header of its own
    file = io.BytesIO()
    minigrad.save(value, file)
    length = struct.unpack("<Q", file.getvalue()[:8])[0]
    metadata = json.loads(file.getvalue()[8 : 8 + length])["__metadata__"]
    changed = safetensors.torch.save({"w": torch.zeros(5)}, metadata)
    assert_equal(minigrad.load(io.BytesIO(changed)), {"w": minigrad.zeros(5)})


@pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")
def test_mode_umask_and_links_are_kept(tmp_path):
    for mask in (0o022, 0o077, 0o000):
        before = os.umask(mask)
        try:
            for m in (torch, minigrad):
                m.save({"x": m.ones(1)}, tmp_path / f"{m.__name__}{mask}")
        finally:
            os.umask(before)
        assert (tmp_path / f"minigrad{mask}").stat().st_mode == (tmp_path / f"torch{mask}").stat().st_mode
    file = tmp_path / "minigrad0"
    for mode in (0o600, 0o640, 0o664, 0o777):
        file.chmod(mode)
        minigrad.save({"x": minigrad.ones(1)}, file)
        assert file.stat().st_mode & 0o7777 == mode
    (tmp_path / "folder").mkdir()
    (tmp_path / "one").symlink_to("folder/two")
    (tmp_path / "folder" / "two").symlink_to("../three")
    for value in (1, 2):  # the first time, three is not there
        minigrad.save(value, tmp_path / "one")
        assert (tmp_path / "one").is_symlink()
        assert (tmp_path / "folder" / "two").is_symlink()
        assert minigrad.load(tmp_path / "three") == value
    assert not list(tmp_path.rglob("*partial"))


@pytest.mark.skipif(os.name != "posix", reason="devices and pipes are POSIX's")
def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "ring").symlink_to("ring")
    (tmp_path / "locked").write_bytes(b"x")
    device = os.stat("/dev/null")
    for place, line in (
        (tmp_path, "is a folder"), (str(tmp_path / "new") + "/", "names a folder"), ("/dev/null", "is a device"), ("/dev/zero", "is a device"),
        (tmp_path / "pipe", "is a device"), (tmp_path / "ring", "cannot be written"), (tmp_path / "no" / "x", "there is no folder"),
        (tmp_path / "locked" / "x", "cannot be written"),
    ):  # fmt: skip
        for kind in (RuntimeError, OSError):
            with pytest.raises(kind, match=line):
                minigrad.save({"x": 1}, place)
    assert os.stat("/dev/null").st_rdev == device.st_rdev
    for place in ("/dev/zero", tmp_path / "pipe"):
        with pytest.raises(RuntimeError, match="is a device"):
            minigrad.load(place)
    for function in (
        lambda: minigrad.save(1, 3),
        lambda: minigrad.load(3),
        lambda: torch.save(1, 3),
        lambda: torch.load(3),
    ):
        with pytest.raises(AttributeError):
            function()
    with pytest.raises(TypeError, match="'wb'"):
        minigrad.save(1, io.StringIO())


class Slow(io.RawIOBase):
    """A raw file that takes a part at a time, as a pipe may."""

    def __init__(self):
        self.content = b""

    def writable(self):
        return True

    def write(self, data):
        part = bytes(data[: 1 + len(self.content) % 7])
        self.content += part
        return len(part)


def test_short_writes():
    value = {"x": minigrad.arange(100.0), "y": [1, "z"]}
    slow, whole = Slow(), io.BytesIO()
    minigrad.save(value, slow)
    minigrad.save(value, whole)
    assert slow.content == whole.getvalue()

    class Silent:  # no file of Python's: it says nothing
        content = b""

        def write(self, data):
            self.content += bytes(data)

    silent = Silent()
    minigrad.save(value, silent)
    assert silent.content == whole.getvalue()

    class Full(Slow):
        def write(self, data):
            return None

    with pytest.raises(BlockingIOError):
        minigrad.save(value, Full())


def test_signals_during_a_save_break_nothing(tmp_path):
    """A pipe is written by parts, and each wait is interrupted."""
    import signal
    import threading

    value = {"x": minigrad.arange(300_000.0)}
    there, here = os.pipe()
    content = []

    def read():
        with open(there, "rb", buffering=0) as file:
            while part := file.read(50_000):
                content.append(part)

    reader = threading.Thread(target=read)
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        reader.start()
        with open(here, "wb", buffering=0) as file:
            minigrad.save(value, file)
        reader.join()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert_equal(minigrad.load(io.BytesIO(b"".join(content))), value)


@pytest.mark.parametrize(
    "name", ["__metadata__", "minigrad.crc32", "format", "minigrad.structure", "", "a.b", "'", '"', "\ud800", "ü" * 300]
)
def test_tensors_of_odd_names(name):
    value = {name: minigrad.arange(3.0), "x": {name: minigrad.ones(2)}}
    assert_equal(roundtrip(value), value)


def test_what_repeats_its_memory_is_kept_as_it_is(tmp_path):
    """Expanded tensors and windows take the room of their memory, and share it again; arrays may run backwards."""

    def make(engine):
        x = engine.arange(6.0)
        row = engine.ones(1, 3)
        return {
            "a": row.expand(10**6, 3),
            "b": x.as_strided((4, 3), (1, 1)),
            "x": x,
            "c": engine.zeros(1).expand(10**5, 10**5),
            "row": row,
        }

    minigrad.save(make(minigrad), tmp_path / "x")
    torch.save(make(torch), tmp_path / "y")
    assert (tmp_path / "x").stat().st_size < 3000
    for found, expected in (
        (minigrad.load(tmp_path / "x"), torch.load(tmp_path / "y")), (minigrad.load(tmp_path / "y"), torch.load(tmp_path / "y"))
    ):  # fmt: skip
        assert {k: (tuple(t.shape), t.stride()) for k, t in found.items()} == {
            k: (tuple(t.shape), t.stride()) for k, t in expected.items()
        }
        for values in (found, expected):
            values["x"][2] = 70.0
            values["row"][0, 1] = 5.0
        assert found["b"].tolist() == expected["b"].tolist()
        assert found["a"][999_999].tolist() == expected["a"][999_999].tolist() == [1.0, 5.0, 1.0]
    a = np.arange(6.0).reshape(2, 3)
    found = roundtrip({"a": a, "b": a[::-1, ::-2], "c": a[1, ::-1]})
    found["a"][1, 2] = 9
    assert found["b"].tolist() == [[9, 3], [2, 0]]
    assert found["c"].tolist() == [9, 4, 3]


@pytest.mark.parametrize("kind", [lambda v: [v], lambda v: {"x": v}, lambda v: (v,)], ids=["list", "dict", "tuple"])
def test_nesting_that_is_too_deep_is_named(kind):
    def saved_and_loaded():
        value = 1
        for depth in range(1, 3000):
            value = kind(value)
            if depth % 97 == 0:
                file = io.BytesIO()
                minigrad.save(value, file)
                minigrad.load(io.BytesIO(file.getvalue()))  # what can be saved can be loaded

    with pytest.raises(RecursionError, match="nested too deeply"):
        saved_and_loaded()


KILLED = """
import os, signal, sys
from minigrad import files
with files.replacing(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("there", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps what the killed leave")
def test_what_the_killed_left_is_removed_and_nothing_else(tmp_path):
    import subprocess
    import sys

    name = "x.pt"
    path = tmp_path / name

    def start():
        process = subprocess.Popen([sys.executable, "-c", KILLED, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"there\n"
        return process

    killed, living, second = start(), start(), start()
    for process in (killed, second):
        process.kill()
        process.wait()
    left = sorted(os.listdir(tmp_path))
    assert len(left) == 3
    strangers = [
        f".{name[:50]}.partial",
        f".{name[:50]}.0.minigrad-partial.bak",
        "y.pt",
        f".y{name[:9]}.0.minigrad-partial",
    ]
    for stranger in strangers:
        (tmp_path / stranger).write_bytes(b"not of this place")
    link = files._names(path)[5]
    link.symlink_to(tmp_path / "y.pt")
    folder = files._names(path)[6]
    folder.mkdir()
    minigrad.save({"x": 1}, path)
    assert minigrad.load(path) == {"x": 1}
    alive = [n for n in left if (tmp_path / n).exists()]
    assert len(alive) == 1  # of the one that still writes
    assert sorted(os.listdir(tmp_path)) == sorted([name, *alive, *strangers, link.name, folder.name])
    living.communicate(b"", timeout=60)
    assert path.read_bytes() == b"half"
    assert sorted(os.listdir(tmp_path)) == sorted([name, *strangers, link.name, folder.name])


@pytest.mark.parametrize("name", ["x" * 255, "ü" * 127])
def test_names_as_long_as_they_may_be(tmp_path, name):
    files._names(tmp_path / name)[3].write_bytes(b"")
    minigrad.save({"x": 1}, tmp_path / name)
    assert os.listdir(tmp_path) == [name]


def test_many_writers_of_one_place(tmp_path):
    """The last one wins; none meets another's half."""
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "x"

    def work(number):
        for _ in range(10):
            minigrad.save({"n": minigrad.full((1000,), float(number))}, path)
            assert len(set(minigrad.load(path)["n"].tolist())) == 1

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(work, range(24)))
    assert os.listdir(tmp_path) == ["x"]
