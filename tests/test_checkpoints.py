"""Files at length: headers of every length, random checkpoints in both formats, memory that stays shared, hostile files."""

import argparse
import collections
import contextlib
import datetime
import io
import json
import pathlib
import pickle
import random
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch

import minigrad

PlainPair = collections.namedtuple("PlainPair", "left right")


def saved(value, engine=minigrad, **options):
    file = io.BytesIO()
    engine.save(value, file, **options)
    return file.getvalue()


def loaded(data, engine=minigrad, **options):
    return engine.load(io.BytesIO(data), **options)


# -- what a file is


def test_a_thousand_headers():
    """Whatever the length of the header, of which the file's first bytes are made, the file is read."""
    first = set()
    for n in range(1, 1025):
        data = saved({"w" * n: minigrad.arange(3.0)})
        first.add(data[:2])
        assert loaded(data)["w" * n].tolist() == [0.0, 1.0, 2.0], n
    assert {bytes([n]) for n in range(0, 256, 8)} == {pair[:1] for pair in first}


@pytest.mark.parametrize("start", [b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05", b"{\0", b"\x1f\x8b"])
def test_headers_whose_length_looks_like_another_format(start):
    (length,) = struct.unpack("<Q", start.ljust(8, b"\0"))
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    text = json.dumps({"w": entry}).encode().ljust(length)
    data = struct.pack("<Q", length) + text + struct.pack("<f", 2.5)
    assert data.startswith(start)
    assert loaded(data)["w"].tolist() == [2.5]


def test_headers_of_other_programs_of_every_length():
    """safetensors does not ask that headers be padded."""
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    text = json.dumps({"w": entry}).encode()
    for more in range(1000):
        data = struct.pack("<Q", len(text) + more) + text + b" " * more + struct.pack("<f", 2.5)
        assert loaded(data)["w"].tolist() == [2.5]


# -- random checkpoints


def drawn(rng, engine, depth=0, plain=False):
    """A random value. plain: of the kinds that PyTorch loads with weights_only=True."""
    leaves = [
        lambda: rng.choice(
            [None, True, False, 0, -3, 2**70, 1.5, float("inf"), "", "ünï", "a.b", 1 + 2j, b"\0x\xff", -0.0]
        ),
        lambda: engine.Size([rng.randint(0, 3) for _ in range(rng.randint(0, 3))]),
        lambda: getattr(engine, rng.choice(["float32", "float64", "int64", "bool", "bfloat16"])),
        lambda: engine.device("cpu"),
        lambda: bytearray(b"some"),
        *[lambda: tensor(rng, engine)] * 6,
    ]
    if not plain:
        leaves += [
            lambda: np.arange(rng.randint(0, 4)).astype(rng.choice(["f4", "i8", "u1", "u4", "?"])).reshape(-1, 1),
            lambda: pathlib.Path("runs") / "best.pt",
            lambda: datetime.datetime(2024, 5, rng.randint(1, 28), 3, 4, 5, 6),
            lambda: datetime.timedelta(days=rng.randint(-3, 3), seconds=7),
            lambda: datetime.date(2020, 2, 29),
        ]
    if depth > 3 or rng.random() < 0.3:
        return rng.choice(leaves)()
    inner = lambda n: [drawn(rng, engine, depth + 1, plain) for _ in range(n)]  # noqa: E731
    n = rng.randint(0, 3)
    keys = rng.sample(["a", "a.b", "b", 1, 2.5, True, "__metadata__", "x'", (1, "t"), None, b"k"], n)
    containers = [
        lambda: inner(n),
        lambda: tuple(inner(n)),
        lambda: dict(zip(keys, inner(n), strict=True)),
        lambda: collections.OrderedDict(zip(keys, inner(n), strict=True)),
        lambda: {1, "x", (2, 3)},
        lambda: collections.Counter("abca"[:n]),
    ]
    if not plain:
        containers += [
            lambda: frozenset((1, "x")),
            lambda: collections.defaultdict(rng.choice([list, int, dict, None]), zip(keys, inner(n), strict=True)),
        ]
    return rng.choice(containers)()


def tensor(rng, engine):
    kinds = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
    dtype = getattr(engine, rng.choice(kinds))
    shape = [rng.choice([0, 1, 2, 3]) for _ in range(rng.randint(0, 3))]
    x = engine.tensor(np.arange(int(np.prod(shape))).reshape(shape) % 7).to(dtype)
    if x.dim() >= 2 and rng.random() < 0.4:
        x = x.transpose(0, 1)
    if x.dim() >= 1 and x.shape[0] > 1 and rng.random() < 0.3:
        x = x[::2]
    if dtype.is_floating_point:
        if rng.random() < 0.3:
            x = engine.nn.Parameter(x, rng.random() < 0.5)
        elif rng.random() < 0.2:
            x = x.clone().requires_grad_()
    return x


def assert_same(a, b, where="", strides=False):
    """b is minigrad's; a of any engine."""
    if isinstance(a, torch.Tensor | minigrad.Tensor):
        assert isinstance(b, minigrad.Tensor), where
        assert isinstance(b, minigrad.nn.Parameter) == isinstance(a, torch.nn.Parameter | minigrad.nn.Parameter), where
        assert (str(a.dtype).split(".")[1], tuple(a.shape), a.requires_grad) == (
            str(b.dtype).split(".")[1], tuple(b.shape), b.requires_grad), where  # fmt: skip
        assert a.tolist() == b.tolist(), where
        if strides:
            assert a.stride() == b.stride(), where
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape, a.tolist()) == (b.dtype, b.shape, b.tolist()), where
    elif isinstance(a, torch.Size | minigrad.Size):
        assert (minigrad.Size, list(a)) == (type(b), list(b)), where
    elif isinstance(a, torch.dtype | torch.device):
        assert type(b) in (minigrad.dtype, minigrad.device), where
        assert str(a).split(".")[-1] == str(b).split(".")[-1], where
    elif isinstance(a, dict):
        assert (type(a), list(a)) == (type(b), list(b)), where
        assert getattr(a, "default_factory", None) is getattr(b, "default_factory", None), where
        for key in a:
            assert_same(a[key], b[key], f"{where}[{key!r}]", strides)
    elif isinstance(a, list | tuple):
        assert (type(a), len(a)) == (type(b), len(b)), where
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{where}[{i}]", strides)
    else:
        assert (type(a) is type(b) and (a == b or a != a) and str(a) == str(b)) or (isinstance(a, set | frozenset) and a == b), (
            where, a, b)  # fmt: skip


def test_random_checkpoints():
    for seed in range(400):
        value = drawn(random.Random(seed), minigrad)
        assert_same(value, loaded(saved(value)), f"seed {seed}: ")


@pytest.mark.parametrize("options", [
    {}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 3}, {"pickle_protocol": 4}, {"pickle_protocol": 5},
], ids=str)  # fmt: skip
def test_random_checkpoints_of_pytorch(options):
    for seed in range(120):
        value = drawn(random.Random(seed), torch, plain=seed % 2 == 0)
        data = saved(value, torch, **options)
        assert_same(value, loaded(data, weights_only=None if seed % 2 == 0 else False), f"seed {seed}: ", strides=True)


def test_what_pytorch_loads_with_weights_only_and_what_not():
    """Both engines take and refuse the same kinds by default; refusing is an error of pickle's class, as in PyTorch."""
    for value in (
        np.arange(3), np.float32(2.0), pathlib.Path("x"), datetime.date(2020, 1, 1), collections.defaultdict(list),
        PlainPair(1, 2), argparse.Namespace(a=1), torch.nn.Linear(1, 1), slice(1), range(3), Exception("x"), {1: {2}}, 1j,
        collections.Counter("aab"), b"x", bytearray(b"x"), torch.float64, torch.Size([2]), torch.device("cpu"), frozenset((1,)),
    ):  # fmt: skip
        data = saved({"value": value}, torch)
        results = []
        for engine in (torch, minigrad):
            try:
                loaded(data, engine)
                results.append(None)
            except pickle.UnpicklingError as error:
                results.append(type(error).__name__)
        assert results[0] == results[1], (value, results)


def test_numpy_scalars_of_pytorch_files():
    value = {"a": np.float64(1.5), "b": np.int16(-2), "c": np.bool_(True), "d": np.arange(6.0).reshape(2, 3).T, "e": np.array("text"),
             "f": np.array([1, 2], ">i4"), "state": np.random.RandomState(0).get_state()}  # fmt: skip
    for protocol in (2, 5):
        data = saved(value, torch, pickle_protocol=protocol)
        found, expected = loaded(data, weights_only=False), loaded(data, torch, weights_only=False)
        for key in "abcdef":
            assert type(found[key]) is type(expected[key])
            assert found[key].dtype == expected[key].dtype
            assert found[key].tolist() == expected[key].tolist()
        np.testing.assert_array_equal(found["state"][1], value["state"][1])
    state = np.random.RandomState(0).get_state()
    again = loaded(saved({"numpy": state}))["numpy"]
    assert again[0] == state[0]
    assert again[1].dtype == np.uint32
    assert (again[1] == state[1]).all()
    assert again[2:] == state[2:]


def test_named_tuples_and_cycles():
    value = {"pair": PlainPair(1, [minigrad.ones(2)])}
    value["itself"] = value
    value["list"] = [value["pair"][1]]
    found = loaded(saved(value))
    assert found["pair"].right[0].tolist() == [1.0, 1.0]
    assert found["pair"]._fields == ("left", "right")
    assert found["itself"] is found
    assert found["list"][0] is found["pair"].right


def test_attributes_of_tensors_and_versions_of_states():
    x = torch.ones(2)
    x.note = {"from": "a run"}
    assert loaded(saved(x, torch)).note == {"from": "a run"}
    model = minigrad.nn.Sequential(minigrad.nn.BatchNorm1d(2))
    state = model.state_dict()
    assert loaded(saved(state))._metadata == state._metadata == {"": {"version": 1}, "0": {"version": 2}}
    assert loaded(saved(torch.nn.Sequential(torch.nn.BatchNorm1d(2)).state_dict(), torch))._metadata == state._metadata


# -- memory


def views(rng, engine):
    """Tensors that look into one memory in many ways."""
    base = engine.arange(24.0)
    ways = [
        lambda: base, lambda: base[3:9], lambda: base[6:12], lambda: base[::2], lambda: base[1::2], lambda: base.view(4, 6),
        lambda: base.view(4, 6).t(), lambda: base.view(4, 6)[1:3, 2:5], lambda: base.view(2, 3, 4)[:, 1], lambda: base[5],
        lambda: base[20:], lambda: base[:0], lambda: base.detach(), lambda: base.clone(), lambda: base.view(4, 6).diagonal(),
    ]  # fmt: skip
    return [way() for way in rng.choices(ways, k=rng.randint(1, 5))]


@pytest.mark.parametrize("form", ["own", "pytorch", "legacy"])
def test_what_shared_memory_shares_it_again(form):
    """After loading, writing to one tensor changes the others exactly as in PyTorch."""
    for seed in range(80):
        theirs = views(random.Random(seed), torch)
        if form == "own":
            ours = loaded(saved(views(random.Random(seed), minigrad)))
        else:
            ours = loaded(saved(theirs, torch, _use_new_zipfile_serialization=form == "pytorch"))
        theirs = loaded(saved(theirs, torch), torch)
        for i in range(len(theirs)):
            for tensors in (theirs, ours):
                if tensors[i].dim() == 0:
                    tensors[i].fill_(100.0 + i)
                elif tensors[i].numel():
                    tensors[i][..., -1] = 100.0 + i
            assert [t.tolist() for t in theirs] == [t.tolist() for t in ours], (seed, i)


def test_one_object_in_two_places():
    w, kept = minigrad.nn.Parameter(minigrad.ones(2)), [1, 2]
    found = loaded(saved({"a": w, "b": [w], "c": kept, "d": (kept,)}))
    assert found["a"] is found["b"][0]
    assert found["c"] is found["d"][0]
    model = minigrad.nn.Sequential(minigrad.nn.Linear(2, 2), minigrad.nn.Linear(2, 2))
    model[1].weight = model[0].weight
    state = loaded(saved(model.state_dict()))
    state["0.weight"].fill_(5)
    assert state["1.weight"].tolist() == [[5.0, 5.0]] * 2


def test_tensors_of_two_types_on_one_memory():
    x = minigrad.arange(4, dtype=minigrad.int32)
    with pytest.raises(RuntimeError, match="different types that look at the same data"):
        saved([x, x.view(minigrad.float32)])
    y = torch.arange(4, dtype=torch.int32)
    with pytest.raises(RuntimeError):
        saved([y, y.view(torch.float32)], torch)


def test_order_in_memory():
    for x in (minigrad.ones(2, 3).t(), minigrad.ones(2, 3, 4, 5).permute(0, 3, 1, 2), minigrad.ones(3)):
        assert loaded(saved(x)).stride() == x.stride()


def test_whole_modules():
    model = minigrad.nn.Sequential(
        minigrad.nn.Linear(2, 3), minigrad.nn.BatchNorm1d(3), minigrad.nn.ReLU(), minigrad.nn.Linear(3, 3)
    )
    model.note, model.act = ("text", {1}), minigrad.nn.functional.gelu
    data = saved({"model": model.eval(), "again": model})
    found = loaded(data, weights_only=False)
    x = minigrad.randn(4, 2)
    assert found["model"] is found["again"]
    assert repr(found["model"]) == repr(model)
    assert found["model"](x).tolist() == model(x).tolist()
    assert not found["model"].training
    assert found["model"].note == model.note
    assert found["model"].act is model.act
    with pytest.raises(
        pickle.UnpicklingError, match=r"a whole minigrad.nn.containers.Sequential; pass weights_only=False"
    ):
        loaded(data)


def test_a_file_cannot_name_another_class():
    for place in ("os", "subprocess", "minigrad.nn.linear"):
        for name in ("system", "Popen", "Module.apply", "F", "Parameter"):
            node = {"module": [place, name], "state": {"dict": [], "ordered": False}}
            text = json.dumps({"__metadata__": {"minigrad.structure": json.dumps(node)}}).encode()
            with pytest.raises(pickle.UnpicklingError, match="no such class of modules"):
                loaded(struct.pack("<Q", len(text)) + text, weights_only=False)


# -- damaged and hostile files


class Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        return obj[1] if isinstance(obj, tuple) and obj[:1] == ("memory",) else None


class Call:
    def __init__(self, function, *args):
        self.reduced = function, args

    def __reduce__(self):
        return self.reduced


def archive(program, blocks=(("0", bytes(12)),), compression=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        file.writestr("archive/data.pkl", program)
        for key, block in blocks:
            file.writestr(f"archive/data/{key}", block)
    return out.getvalue()


def pickled(value):
    file = io.BytesIO()
    Pickler(file, protocol=2).dump(value)
    return file.getvalue()


def rebuilt(size, stride, offset=0, count=3, kind=torch.FloatStorage):
    memory = ("memory", ("storage", kind, "0", "cpu", count))
    return Call(torch._utils._rebuild_tensor_v2, memory, offset, size, stride, False, collections.OrderedDict())


BIG = 2**40
GREEDY = {
    "a size beyond the memory": archive(pickled(rebuilt((BIG,), (1,)))),
    "a size beyond all numbers": archive(pickled(rebuilt((2**63, 2**63), (0, 0)))),
    "a block that is announced": archive(pickled(rebuilt((1,), (1,), count=BIG))),
    "a block of many packed zeros": archive(pickled(rebuilt((1,), (1,), count=2**28)), [("0", bytes(2**26))], zipfile.ZIP_DEFLATED),
    "a bytearray by its length": archive(b"\x80\x02c__builtin__\nbytearray\nK\x00" + pickle.LONG4[:0] + b"J\xff\xff\xff\x7f\x85R."),
    "bytes that are announced": archive(b"\x80\x05" + pickle.BYTEARRAY8 + struct.pack("<Q", BIG) + b"."),
    "a number of many digits": archive(b"\x80\x02" + pickle.LONG4 + struct.pack("<i", 2**31 - 1) + b"."),
    "an empty array": archive(pickled({"x": Call(np.ndarray, (BIG,), "f8")})),
    "a legacy block": pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2) + (
        pickled(Call(torch._utils._rebuild_tensor_v2, ("memory", ("storage", torch.FloatStorage, "0", "cpu", BIG, None)), 0, (1,), (1,), False, None))
    ),
    "a header that is announced": struct.pack("<Q", BIG) + b"{}",
    "tensors that overlap": (lambda text: struct.pack("<Q", len(text)) + text + bytes(4000))(
        json.dumps({f"t{i}": {"dtype": "U8", "shape": [4000], "data_offsets": [0, 4000]} for i in range(2000)}).encode()
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GREEDY)
@pytest.mark.parametrize("weights_only", [True, False])
def test_no_more_memory_than_the_file_has(case, weights_only):
    data = GREEDY[case]
    loaded(saved(minigrad.ones(1)))  # imports
    loaded(saved(torch.ones(1), torch))
    tracemalloc.start()
    try:
        with pytest.raises(RuntimeError):
            loaded(data, weights_only=weights_only)
        assert tracemalloc.get_traced_memory()[1] < 30 * len(data) + 2**21
    finally:
        tracemalloc.stop()


def test_a_memo_that_is_announced_is_not_made():
    tracemalloc.start()
    assert loaded(archive(b"\x80\x02Nr\xff\xff\xff\x7f.")) is None
    assert tracemalloc.get_traced_memory()[1] < 2**21
    tracemalloc.stop()


def test_an_expanded_tensor_takes_no_memory():
    """As in PyTorch it looks at one element many times; it cannot be written."""
    data = archive(pickled(rebuilt((10**6, 10**6), (0, 0), count=1)), [("0", struct.pack("<f", 2.5))])
    tracemalloc.start()
    x = loaded(data)
    assert tracemalloc.get_traced_memory()[1] < 2**21
    tracemalloc.stop()
    assert x.shape == (10**6, 10**6)
    assert x.stride() == (0, 0)
    assert x[5, 7].item() == 2.5
    with pytest.raises(RuntimeError):
        x.fill_(1)


@pytest.mark.parametrize("make", [
    lambda: saved({"w": torch.ones(3), "s": {1}, "l": [1, "x", None]}, torch),
    lambda: saved({"w": torch.ones(3), "s": {1}, "l": [1, "x", None]}, torch, _use_new_zipfile_serialization=False),
    lambda: saved({"w": np.arange(3), "d": datetime.date(2020, 1, 1)}, torch),
    lambda: saved({"w": minigrad.ones(3), "s": {1}, "l": [1, "x", minigrad.nn.Linear(1, 1)], "b": b"xy"}),
], ids=["zip", "legacy", "arrays", "own"])  # fmt: skip
def test_random_damage_of_every_format(make):
    """Whatever byte is wrong: a RuntimeError, or a file that still is one; no other error, and little memory."""
    whole = make()
    rng = np.random.default_rng(0)
    tracemalloc.start()
    for i in range(400):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(len(data))] = rng.integers(256)
        if i % 5 == 0:
            data = data[: rng.integers(len(data))]
        with contextlib.suppress(RuntimeError):
            loaded(bytes(data), weights_only=False)
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()


def test_nothing_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    import os

    class Evil:
        def __init__(self, *reduced):
            self.reduced = reduced

        def __reduce__(self):
            return self.reduced

    for program in (
        pickle.dumps(Evil(os.mkdir, ("x",)), 2),
        pickle.dumps(Evil(exec, ("import os; os.mkdir('x')",)), 4),
        b"\x80\x02(S'x'\nios\nmkdir\n.",  # INST
        b"\x80\x02(cos\nmkdir\nS'x'\no.",  # OBJ
        b"cos\nmkdir\n(S'x'\ntR.",
        b"\x80\x02cbuiltins\ngetattr\n.",
        b"\x80\x02cminigrad\nsave\n.",
        b"\x80\x02ctorch\nfloat32\n}X\x04\x00\x00\x00nameX\x01\x00\x00\x00xsb.",  # sets an attribute of a type
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x01\x00\x00\x00aK\x01sb.",
        b"\x80\x02ccollections\nOrderedDict\nN}X\x01\x00\x00\x00aK\x01s\x86b.",
    ):
        for data in (archive(program), program):
            for weights_only in (True, False):
                with pytest.raises(RuntimeError):
                    loaded(data, weights_only=weights_only)
    assert os.listdir(tmp_path) == []
    assert minigrad.float32.name == "float32"


def test_text_files_and_empty_files():
    with pytest.raises(TypeError, match="open it in binary mode"):
        minigrad.load(io.StringIO("x"))
    for data in (b"", b"\0" * 100, b"<html>not found</html>", b"\x80", b"PK\x03\x04", b"\x80\x02.", b"{}" * 50):
        with pytest.raises(RuntimeError, match="no file of tensors, or it is damaged"):
            loaded(data)
