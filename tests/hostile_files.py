"""Damaged and hostile files, drawn by a seed, and a process of little memory that loads them.

`damaged(seed)` takes a good file and spoils it as disks, networks and bugs do. `hostile(seed)` builds one as somebody would
who wants to harm: files that ask for memory, time or stack that they do not pay for in bytes, or that spoil what is in memory.
Run as a program, this file loads what it is told to, one path a line, with 512 MB of memory above its own and the file's.
"""

import collections
import hashlib
import io
import json
import pickle
import random
import struct
import sys
import zipfile

MARGIN = 512 * 2**20
SECONDS = 30  # for one file; the slowest takes a few


# -- good files


def _value(engine, plain=False):
    x = engine.arange(24.0)
    tensors = {
        "w": x.reshape(4, 6),
        "view": x[3:9],
        "n": engine.tensor([1, 2, 3]),
        "b": engine.ones(5) > 0,
        "e": engine.zeros(0, 3),
    }
    if plain:
        return {name: t.clone() for name, t in tensors.items()}
    rest = {
        "lr": 0.1,
        "steps": [1, 2, (3, None)],
        "name": "ünï",
        7: True,
        "s": {1, 2},
        "d": collections.OrderedDict(a=1),
    }
    return {"model": tensors, "p": engine.nn.Parameter(engine.ones(2)), **rest}


def good_files():
    """By name: the bytes, and whether a checksum in it tells when a number has changed."""
    import numpy as np
    import safetensors.torch
    import torch

    import minigrad

    def saved(engine, value, **options):
        file = io.BytesIO()
        engine.save(value, file, **options)
        return file.getvalue()

    files = {
        "own": (saved(minigrad, _value(minigrad)), True),
        "own state": (saved(minigrad, minigrad.nn.Linear(3, 2).state_dict()), True),
    }
    for protocol in (2, 4, 5):
        files[f"zip {protocol}"] = saved(torch, _value(torch), pickle_protocol=protocol), True
    files["zip arrays"] = saved(torch, {"x": np.arange(6.0), "t": torch.ones(2), "u": np.array(["ab", "c"])}), True
    files["legacy"] = saved(torch, _value(torch), _use_new_zipfile_serialization=False), False
    files["safetensors"] = safetensors.torch.save(_value(torch, plain=True)), False
    return files


def damaged(seed, files):
    """(name of the good file, the spoiled bytes)"""
    rng = random.Random(f"damaged {seed}")
    name = rng.choice(sorted(files))
    data = bytearray(files[name][0])
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at, length = rng.randrange(len(data) + 1), rng.choice((1, 2, 4, 8, 64, 512))
        how = rng.randrange(9)
        if how == 0:
            del data[at:]
        elif how == 1:
            del data[at : at + length]
        elif how == 2:
            data[at:at] = rng.randbytes(length)
        elif how == 3:
            data[at : at + length] = bytes(len(data[at : at + length]))
        elif how == 4:
            data[at:at] = data[at : at + length]
        elif how == 5:
            other = files[rng.choice(sorted(files))][0]
            data[at : at + length] = other[at : at + length]
        elif how == 6:
            width = rng.choice((2, 4, 8))
            data[at : at + width] = rng.choice((0, 1, 2**15, 2**31 - 1, 2**31, 2**63 - 1, 2**64 - 1)).to_bytes(
                8, "little"
            )[:width]
        elif data:
            for _ in range(1 if how == 7 else 8):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        if not data:
            break
    return name, bytes(data)


# -- hostile ones


def _zip(program, blocks=(("0", bytes(12)),), method=zipfile.ZIP_STORED, extra=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        file.writestr("archive/data.pkl", program)
        for key, block in blocks:
            file.writestr(f"archive/data/{key}", block)
        for name, content in extra:
            file.writestr(name, content)
    return out.getvalue()


def _text(text):
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def _int(n):
    return pickle.dumps(n, 2)[2:-1]


def _tuple(*parts):
    return b"(" + b"".join(parts) + b"t"


def _name(module, name):
    return f"c{module}\n{name}\n".encode()


def _memory(count=3, kind="FloatStorage", key="0"):
    return _tuple(_text("storage"), _name("torch", kind), _text(key), _text("cpu"), _int(count)) + b"Q"


def _call(function, *args):
    return function + _tuple(*args) + b"R"


def _sizes(*numbers):
    return _tuple(*map(_int, numbers))


EMPTY = _name("collections", "OrderedDict") + b")R"


def _tensor(size, stride, offset=0, memory=None, grad=b"\x89"):
    rebuild = _name("torch._utils", "_rebuild_tensor_v2")
    return _call(rebuild, memory or _memory(), _int(offset), size, stride, grad, EMPTY)


def _expanded(rng):
    n = 10 ** rng.randrange(3, 13)
    return _tensor(_sizes(n, rng.choice((1, n))), _sizes(0, 0))


def _program(body, proto=2):
    return bytes([0x80, proto]) + body + b"."


def _deep(rng):
    n = 10 ** rng.randrange(3, 7)
    begin, end = rng.choice(
        (
            (b"]", b"a"),
            (b"(", b"t"),
            (b"}K\x00", b"s"),
            (b"((", b"tt"),
            (b"(K\x01", b"d"),
            (b"(", b"l"),
            (b"(", b"\x91"),
        )
    )
    last = b"" if begin != b"}K\x00" else b"N"
    return _zip(_program(begin * n + last + end * n, 4))


def _laughs(rng, shell=b"%s"):
    """A tuple of tuples of one another: as a tree it has 2**depth leaves."""
    depth = rng.randrange(25, 60)
    return b"K\x01" + b"".join(b"q%c" % i + b"h%c\x86" % i for i in range(depth))


def _key_of_laughs(rng):
    laughs, laugh = _laughs(rng), rng.randrange(4)
    if laugh == 0:
        return _zip(_program(b"}" + laughs + b"Ns"))
    if laugh == 1:
        return _zip(_program(b"\x8f(" + laughs + b"\x90", 4))
    if laugh == 2:
        return _zip(_program(_call(_name("builtins", "set"), b"](" + laughs + b"e")))
    return _zip(_program(b"(" + laughs + b"Nd"))


def _text_of_laughs(rng):
    laughs, places = _laughs(rng), rng.randrange(6)
    if places == 0:
        return _zip(_program(_call(_name("builtins", "str"), laughs)))
    if places == 1:
        return _zip(_program(_tensor(laughs, _sizes(1))))
    if places == 2:
        return _zip(
            _program(_tuple(_text("storage"), _name("torch", "FloatStorage"), laughs, _text("cpu"), _int(3)) + b"Q")
        )
    if places == 3:
        return _zip(_program(_call(_name("numpy", "dtype"), laughs)))
    if places == 4:
        return _zip(_program(laughs + b"Q"))
    return _zip(
        _program(_call(_name("torch._tensor", "_rebuild_from_type_v2"), laughs, _name("torch", "Tensor"), b")", b"N"))
    )


def _copies(rng):
    """A long list, and many calls that copy it."""
    n, calls = 100_000, 100_000
    function = rng.choice(
        (
            _name("builtins", "set"),
            _name("builtins", "list"),
            _name("builtins", "tuple"),
            _name("collections", "Counter"),
        )
    )
    return _zip(_program(function + b"q\x010](" + b"K\x01" * n + b"eq\x02]q\x03(" + b"h\x01h\x02\x85R" * calls + b"e"))


def _counted(rng):
    """A code that announces more than there is."""
    huge = rng.choice((2**31 - 1, 2**40, 2**62, 2**63 - 1, 2**64 - 1))
    code, width = rng.choice(
        (
            (b"T", 4),
            (b"X", 4),
            (b"B", 4),
            (b"\x8a", 1),
            (b"\x8b", 4),
            (b"\x8d", 8),
            (b"\x8e", 8),
            (b"\x95", 8),
            (b"\x96", 8),
            (b"r", 4),
            (b"j", 4),
        )
    )
    return _zip(_program(b"N" + code + huge.to_bytes(8, "little")[:width] + b"x" * rng.randrange(9), 5))


def _digits(rng):
    n = rng.choice((4_000, 5_000, 200_000))
    return _zip(
        _program(
            rng.choice((b"I%s\n", b"L%sL\n", b"F%s\n", b"g%s\n", b"p%s\n", b"cbuiltins\nint\n(V%s\ntR")) % (b"9" * n)
        )
    )


def _wrong_size(rng):
    pick = lambda: rng.choice((-1, -(2**63), 0, 1, 3, 2**31, 2**62, 2**64, 2**200))  # noqa: E731
    size, stride = (
        _sizes(*(pick() for _ in range(rng.randrange(4)))),
        _sizes(*(pick() for _ in range(rng.randrange(4)))),
    )
    if rng.random() < 0.3:
        size = rng.choice(
            (b"N", b"G" + bytes(8), _text("33"), _expanded(rng), b"]", _tuple(b"\x88"), _sizes(*[1] * 200))
        )
    grad = rng.choice((b"\x88", b"\x89", b"N", _expanded(rng), b"]"))
    kind = rng.choice(("FloatStorage", "BoolStorage", "BFloat16Storage", "float32"))
    return _zip(_program(_tensor(size, stride, pick(), _memory(rng.choice((3, -1, 2**40, 0)), kind), grad)))


def _object_taken_for_another(rng):
    """Codes and functions that would compute if they were given a tensor."""
    x = _expanded(rng)
    return _zip(_program(rng.choice((
        b"\x8f0" + x + b"(" + x + b"\x90", x + b"K\x00K\x01s", x + b"K\x01a", x + b"(K\x00K\x01u", x + b"(K\x00e",
        _call(_name("builtins", "list"), x), _call(_name("builtins", "set"), x), _call(_name("builtins", "bool"), x),
        _call(_name("builtins", "float"), x), _call(_name("collections", "Counter"), x), _call(_name("collections", "OrderedDict"), x),
        _call(_name("torch", "Size"), x), _call(_name("builtins", "bytearray"), x), _call(_name("builtins", "tuple"), x),
        _call(_name("collections", "defaultdict"), _name("builtins", "list"), x), _call(_name("pathlib", "Path"), x),
        _call(_name("torch._utils", "_rebuild_parameter"), x, x, EMPTY), _tuple(x, x) + b"Q",
        _call(_name("torch._tensor", "_rebuild_from_type_v2"), _name("builtins", "list"), _name("torch", "Tensor"), _tuple(x), b"}"),
        _call(_name("torch._utils", "_rebuild_tensor_v2"), x, b"K\x00", _sizes(1), _sizes(1)),
        _call(_name("_codecs", "encode"), x, _text("latin1")), _call(_name("datetime", "timedelta"), x),
    )), 4))  # fmt: skip


def _array(n, kind="f8", state=None):
    """A NumPy array; the number of its place in the memo is 9."""
    made = (
        _call(_name("numpy._core.multiarray", "_reconstruct"), _name("numpy", "ndarray"), _sizes(0), b"C\x01b")
        + b"q\x09"
    )
    dtype = _call(_name("numpy", "dtype"), _text(kind), b"\x89", b"\x88") + b"q\x08"
    if state is not None:
        dtype += state + b"b"
    return (
        made + _tuple(b"K\x01", _sizes(n), dtype, b"\x89", b"B" + struct.pack("<I", 8 * n) + bytes(range(8)) * n) + b"b"
    )


def _type_state(flags=0, size=-1, fields=b"N", order="<", version=3):
    return _tuple(_int(version), _text(order), b"N", fields, fields, _int(size), _int(-1), _int(flags))


def _spoiled_array(rng):
    """Arrays whose memory is exchanged under others, or whose type is: numbers become addresses."""
    how = rng.randrange(6)
    if how == 0:
        return _zip(_program(_array(4, state=_type_state(flags=rng.choice((1, 4, 63, 255))))))
    if how == 1:
        return _zip(_program(_array(4, "S8") + b"h\x08" + _type_state(size=10 ** rng.randrange(2, 9)) + b"b0"))
    if how == 2:  # a tensor looks into it, then it gets another content
        again = b"h\x09" + _tuple(b"K\x01", _sizes(1), b"h\x08", b"\x89", b"B\x08\x00\x00\x00" + bytes(8)) + b"b"
        return _zip(_program(b"](" + _array(4000) + _tensor(_sizes(4000), _sizes(1), memory=b"h\x09") + again + b"e"))
    if how == 3:
        return _zip(_program(_array(4, state=_type_state(fields=_text("x")))))
    if how == 4:
        return _zip(_program(_array(1, rng.choice(("O", "V8", "i4,i4", "U1000000", "c16", ">f8")))))
    return _zip(
        _program(
            _memory()
            + _tuple(b"K\x01", _sizes(1), _name("torch", "float32"), b"\x89", b"B\x04\x00\x00\x00" + bytes(4))
            + b"b"
        )
    )


def _forbidden(rng):
    module, name = rng.choice((("os", "system"), ("builtins", "eval"), ("builtins", "getattr"), ("posix", "system"), ("minigrad", "save"),
                               ("subprocess", "Popen"), ("torch", "load"), ("numpy", "fromfile"), ("builtins", "open"), ("sys", "modules")))  # fmt: skip
    how = rng.randrange(4)
    if how == 0:
        return _zip(_program(_call(_name(module, name), _text("true"))))
    if how == 1:
        return _zip(_program(_text(module) + _text(name) + b"\x93" + _text("true") + b"\x85R", 4))
    if how == 2:
        return _zip(_program(f"(S'true'\ni{module}\n{name}\n".encode()))
    return _program(_call(_name(module, name), _text("true")))


def _bomb(rng):
    """Archives that unpack to more than they are, or say what is not so."""
    program, n = _program(_tensor(_sizes(1), _sizes(1), memory=_memory(2**26))), rng.randrange(8)
    if n < 3:
        return _zip(program, [("0", bytes(2**28))], (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)[n])
    if n == 3:
        return _zip(b"\x80\x02" + b"]" * 2**27 + b".", method=zipfile.ZIP_DEFLATED)
    data = bytearray(
        _zip(_program(_tensor(_sizes(3), _sizes(1))), method=zipfile.ZIP_DEFLATED if n == 4 else zipfile.ZIP_STORED)
    )
    at = data.rindex(b"PK\x01\x02")
    if n == 4:  # the unpacked size
        data[at + 24 : at + 28] = struct.pack("<I", rng.choice((0, 1, 2**31, 2**32 - 2)))
    elif n == 5:  # the method
        data[at + 10 : at + 12] = struct.pack("<H", rng.choice((1, 9, 12, 14, 93, 99)))
    elif n == 6:  # encrypted
        data[at + 8] |= 1
    else:  # where it lies
        data[at + 42 : at + 46] = struct.pack("<I", rng.choice((0, 7, 2**31, 2**32 - 2)))
    return bytes(data)


def _quoted_bomb(rng):
    """Entries of an archive that all lie on the same bytes."""
    block, n = bytes(2**20), 2000
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        tensors = b"".join(_tensor(_sizes(1), _sizes(1), memory=_memory(2**18, key=str(i))) for i in range(n))
        file.writestr("archive/data.pkl", _program(b"](" + tensors + b"e"))
        file.writestr("archive/data/0", block)
        first = file.filelist[-1]
        for i in range(1, n):
            entry = zipfile.ZipInfo(f"archive/data/{i}")
            entry.header_offset, entry.file_size, entry.compress_size, entry.CRC = (
                first.header_offset,
                len(block),
                len(block),
                0,
            )
            file.filelist.append(entry)
            file.NameToInfo[entry.filename] = entry
    return out.getvalue()


def _safetensors(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def _header(rng):
    """Headers that say what cannot be."""
    good = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    pick = lambda: rng.choice(  # noqa: E731
        (-1, 0, 1, 8, 2**31, 2**63, 2**64, 2.0, True, None, "2", [1], float("nan"), float("inf"), 10**400)
    )
    part = rng.randrange(12)
    if part == 0:
        return _safetensors({"x": {**good, "shape": [pick() for _ in range(rng.randrange(4))]}}, bytes(8))
    if part == 1:
        return _safetensors(
            {"x": {**good, "data_offsets": [pick() for _ in range(rng.choice((0, 1, 2, 2, 2, 3)))]}}, bytes(8)
        )
    if part == 2:
        return _safetensors({"x": {**good, "dtype": pick()}}, bytes(8))
    if part == 3:
        return _safetensors(
            {"x": good, "__metadata__": rng.choice((pick(), {"a": pick()}, {"minigrad.structure": pick()}))}, bytes(8)
        )
    if part == 4:
        return _safetensors(
            {f"t{i}": {"dtype": "U8", "shape": [2**20], "data_offsets": [0, 2**20]} for i in range(3000)}, bytes(2**20)
        )
    if part == 5:
        return struct.pack("<Q", rng.choice((2**63, 2**40, 2**32, 100))) + b"{}" + bytes(50)
    if part == 6:
        return _safetensors(b'{"x":' * 10 ** rng.randrange(3, 6))
    if part == 7:
        return _safetensors(b'{"x":' + b"[" * 10 ** rng.randrange(3, 7))
    if part == 8:
        return _safetensors(b'{"x":[' + b"{}," * 10 ** rng.randrange(4, 8) + b"0]}")
    if part == 9:
        one = json.dumps(good)
        return _safetensors(f'{{"x":{one},"x":{one}}}'.encode(), bytes(8))
    if part == 10:
        return _safetensors(
            {"x": good, "y": {**good, "data_offsets": [4, 12]}, "z": {**good, "data_offsets": [16, 24]}}, bytes(24)
        )
    return _safetensors(b'{"x":' + b"9" * rng.choice((4000, 5000, 10**6)) + b"}")


def _structure(rng):
    """What `save` keeps around its tensors, as nobody saved it."""
    n = 1000 if rng.random() < 0.5 else 2**20
    x = {"x": {"dtype": "F32", "shape": [n, 2], "data_offsets": [0, 8 * n]}}
    tensor = {"tensor": "x", "requires_grad": False}
    big = rng.choice((-1, 2**31, 2**62, 2**64, 10**12, "7", None, 1.5))
    root = rng.choice((
        {"list": [{**tensor, "order": [1, 0]}] * 2000}, {"list": [{**tensor, "class": "Parameter"}] * 3000},
        {**tensor, "in": ["x", 0, [big], [0]]}, {**tensor, "in": ["x", big, [1], [1]]}, {**tensor, "in": ["x", 0, [10**6, 10**6], [0, 0]]},
        {**tensor, "in": ["x", 5, [5], [-1]]}, {"array": "x", "in": ["x", 1, [5], [-1]]}, {**tensor, "in": ["y", 0, [1], [1]]}, {**tensor, "in": big},
        {**tensor, "order": [0, 0]}, {**tensor, "order": big}, {**tensor, "requires_grad": True, "class": "Buffer"}, {"tensor": big}, {},
        {"same": big}, {"list": [{"same": 0}]}, {"set": [{"list": []}]}, {"dict": [[{"key": {"list": []}}, {"value": 1}]], "ordered": False},
        {"tuple": [{"value": 1}] * 3000, "fields": ["T", [f"f{i}" for i in range(3000)]]}, {"tuple": [], "fields": ["import os", []]},
        {"tuple": [{"value": 1}], "fields": ["T", ["__class__"]]}, {"tuple": [], "fields": big}, {"int": "f" * 10**6}, {"int": "9" * 5000 + "z"},
        {"value": {"deep": 1}}, {"bytes": "???"}, {"bytes": big}, {"bytearray": 10**12}, {"size": big}, {"size": 10**12}, {"complex": [1, 2, 3]},
        {"timedelta": [10**12, 0, 0]}, {"timedelta": [float("inf"), 0, 0]}, {"date": "99999-99-99"}, {"path": big}, {"device": "cuda"},
        {"dtype": "complex64"}, {"function": "save"}, {"function": "__class__"}, {"module": ["os", "system"], "state": {"dict": [], "ordered": False}},
        {"module": ["minigrad.nn", "Linear"], "state": {"value": 3}}, {"dict": [["a", {"value": 1}, 3]], "ordered": 1}, {"dict": big, "ordered": 0},
        {"dict": [], "of": "defaultdict", "factory": "eval"}, {"dict": [], "of": "Counter", "ordered": True, "metadata": 3}, [], "x", 3, None,
    ))  # fmt: skip
    text = json.dumps(root)
    if rng.random() < 0.1:
        text = rng.choice(
            (
                '{"list":[' * 10**5,
                '{"list":[' + '{"list":[]},' * 10**6 + '{"list":[]}]}',
                "{",
                "NaN",
                '{"value":' + "9" * 5000 + "}",
            )
        )
    return _safetensors({**x, "__metadata__": {"minigrad.structure": text}}, bytes(8 * n))


def _legacy(rng):
    head = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
    count = rng.choice((-1, 3, 2**20, 2**40, 2**63))
    memory = (
        _tuple(
            _text("storage"),
            _name("torch", "FloatStorage"),
            _text("0"),
            _text("cpu"),
            _int(count),
            rng.choice((b"N", b"K\x01")),
        )
        + b"Q"
    )
    keys = rng.choice(
        (pickle.dumps(["0"], 2), pickle.dumps(["0"] * 9, 2), pickle.dumps([7], 2), pickle.dumps(3, 2), b"")
    )
    return (
        head
        + _program(_tensor(_sizes(1), _sizes(rng.choice((0, 1))), memory=memory))
        + keys
        + rng.randbytes(rng.choice((0, 7, 8, 20)))
    )


def _no_such_format(rng):
    begin = rng.choice(
        (
            b"",
            b"\x1f\x8b\x08",
            b"PK\x03\x04",
            b"PK\x05\x06" + bytes(18),
            b"\x80\x02",
            b"\x80\xff",
            b"{",
            b"\x89HDF\r\n",
            b"\x93NUMPY",
            b"BZh9",
        )
    )
    return begin + rng.randbytes(rng.choice((0, 1, 7, 100, 5000)))


_BUILDERS = (
    lambda rng: _zip(_program(_expanded(rng))),
    lambda rng: _zip(_program(_call(_name("torch._utils", "_rebuild_parameter"), _expanded(rng), b"\x88", EMPTY))),
    lambda rng: _zip(_program(_call(_name("torch._utils", "_rebuild_tensor_v3"), _memory(12, "UntypedStorage"), b"K\x00", _sizes(10**9), _sizes(0),
                                    b"\x89", EMPTY, _name("torch", rng.choice(("bfloat16", "float64", "int8")))))),
    lambda rng: _zip(_program(b"](" + b"".join(_call(_name("torch", "Size"), _text("9" * 50)) for _ in range(99)) + b"e")),
    _deep, _key_of_laughs, _text_of_laughs, _copies, _counted, _digits, _wrong_size, _wrong_size, _object_taken_for_another,
    _object_taken_for_another, _spoiled_array, _spoiled_array, _forbidden, _bomb, _bomb, _quoted_bomb, _header, _header, _header, _structure,
    _structure, _structure, _legacy, _no_such_format,
)  # fmt: skip


def hostile(seed):
    """(what it is, the bytes); each builder comes in turn."""
    builder = _BUILDERS[seed % len(_BUILDERS)]
    return f"{getattr(builder, '__name__', '')} {seed}", builder(random.Random(f"hostile {seed}"))


# -- the process that loads them


def digest(value):
    """What tells one content from another: types, shapes, numbers; of large tensors the shape alone."""
    import minigrad

    if isinstance(value, minigrad.Tensor):
        small = value.numel() < 10**5
        found = (
            str(value.dtype),
            tuple(value.shape),
            value.requires_grad,
            value.detach().numpy().tobytes() if small else b"",
        )
    elif isinstance(value, dict):
        found = type(value).__name__, [(repr(k), digest(v)) for k, v in value.items()]
    elif isinstance(value, list | tuple | set):
        found = type(value).__name__, [digest(v) for v in value]
    else:
        found = type(value).__name__, repr(value)
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def main():
    import os
    import resource
    import signal
    from pathlib import Path

    import minigrad

    def late(*_):
        raise TimeoutError("it takes too long")

    signal.signal(signal.SIGALRM, late)
    print("ready", flush=True)
    for line in sys.stdin:
        path, weights_only = json.loads(line)
        own = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (own + MARGIN + os.stat(path).st_size, -1))
        signal.alarm(SECONDS)
        try:
            value = minigrad.load(path, weights_only=weights_only)
            said = ["content", ""]
        except BaseException as error:
            said = [f"{type(error).__module__}.{type(error).__name__}", str(error)]
            del error
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
        if said[0] == "content":
            try:
                said[1] = digest(value)
            except RecursionError:
                said[1] = "deep"
            del value
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
