"""Reading what torch.save wrote: a zip archive with a pickle of the structure and a file for each block of memory, or, before
version 1.6, one pickle after another with the blocks behind them.

Tensors look into the blocks that they looked into when they were saved: those that shared memory share it again.
"""

from __future__ import annotations

import io
import pickle
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes
from .torch_pickle import Memory, Unpickler, shown

if TYPE_CHECKING:
    import zipfile

_MAGIC = 0x1950A86A20F9469CFC6C  # what a file of torch.save before version 1.6 begins with


def reader(data: bytes) -> Callable[[bytes, bool], Any] | None:
    """The function that reads a file of torch.save with this content, `read(data, weights_only)`; None where it is none."""
    if data[:4] == b"PK\x03\x04":
        return _read_zip
    if data[:1] == b"\x80" and data[1:2] in {bytes([n]) for n in range(2, pickle.HIGHEST_PROTOCOL + 1)}:
        return _read_stream
    return None


def _stored_type(kind: dtypes.dtype | None) -> np.dtype:
    """The type of a block's elements; bfloat16, which NumPy has not, as its bits; what has no type as bytes."""
    if not (kind is None or isinstance(kind, dtypes.dtype)):
        raise ValueError(f"a block of elements of the type {shown(kind)}")
    return np.dtype(np.uint8) if kind is None else kind.numpy or np.dtype(np.uint16)


def _memory(raw: Any, kind: dtypes.dtype | None, count: int, order: Any = "<") -> Memory:
    stored = _stored_type(kind)
    if type(count) is not int or not 0 <= count * stored.itemsize <= len(raw):
        raise ValueError(f"a block of {shown(count)} elements in {len(raw)} bytes")
    values = np.frombuffer(raw, stored.newbyteorder(order), count).astype(stored)
    return dtypes.widened(values) if kind is dtypes.bfloat16 else values


class _Archive:
    """The blocks of memory of a zip archive."""

    def __init__(self, archive: zipfile.ZipFile, root: str, size: int) -> None:
        self.archive, self.root = archive, root
        self.left = size  # how many bytes may still be read: not more than the file has
        name = f"{root}/byteorder"
        self.order: Any = ">" if name in archive.namelist() and self.read(name) == b"big" else "<"
        self.memories: dict[str, Memory] = {}

    def read(self, name: str) -> bytes:
        entry = self.archive.getinfo(name)
        self.left -= entry.file_size
        if self.left < 0:  # entries that are packed, or that overlap
            raise ValueError(
                f"with {shown(name)} it would take more bytes than it has; unpack it and pack it without compression"
            )
        if entry.compress_type not in (0, 8):  # others unpack more than is asked for
            raise ValueError(f"{shown(name)} is packed by method {entry.compress_type}")
        if entry.CRC == 0:  # as torch.serialization.set_crc32_options(False) writes it
            entry.CRC = None  # type: ignore[assignment]
        with self.archive.open(entry) as file:
            content = file.read(entry.file_size)  # without a number it would unpack what there is
        if len(content) != entry.file_size:
            raise ValueError(f"{shown(name)} has {len(content)} bytes of {entry.file_size}")
        return content

    def memory(self, pid: tuple) -> Memory:
        kind, key, _, count = pid
        if not isinstance(key, str):
            raise ValueError(f"a block of memory with the name {shown(key)}")
        if key not in self.memories:
            self.memories[key] = _memory(self.read(f"{self.root}/data/{key}"), kind, count, self.order)
        return self.memories[key]


def _read_zip(data: bytes, weights_only: bool) -> Any:
    """A file of torch.save: the tensors, containers and plain values."""
    import zipfile  # here, as it takes its time to import

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            roots = [n.removesuffix("/data.pkl") for n in archive.namelist() if n.endswith("/data.pkl")]
            if not roots:
                raise ValueError("a zip archive, but not one of torch.save: it has no data.pkl")
            blocks = _Archive(archive, roots[0], len(data))
            program = io.BytesIO(blocks.read(f"{roots[0]}/data.pkl"))
            return Unpickler(program, blocks.memory, weights_only).load()
    except (zipfile.BadZipFile, pickle.UnpicklingError, zlib.error) as error:
        raise ValueError(str(error)) from None


def _read_stream(data: bytes, weights_only: bool) -> Any:
    """A file from before version 1.6: the tensors are made first, and their blocks of memory filled at last."""
    stream = io.BytesIO(data)
    memories: dict[str, tuple[Memory, dtypes.dtype | None]] = {}
    left = len(data)

    def memory(pid: tuple) -> Memory:
        nonlocal left
        kind, key, _, count, view = pid
        if not isinstance(key, str):
            raise ValueError(f"a block of memory with the name {shown(key)}")
        if view is not None:
            raise ValueError("it holds a part of a block of memory as a block of its own")
        if key not in memories:
            left -= count * _stored_type(kind).itemsize if type(count) is int else len(data) + 1
            if count < 0 or left < 0:
                raise ValueError(f"a block of {shown(count)} elements in a file of {len(data)} bytes")
            memories[key] = (_memory(bytes(count * _stored_type(kind).itemsize), kind, count), kind)
        return memories[key][0]

    def plain(pid: tuple) -> Memory:
        raise ValueError("a block of memory before its place")

    try:
        first = Unpickler(stream, plain).load()
    except Exception:  # whatever it holds
        first = None
    if first != _MAGIC:
        raise ValueError("a pickle, but not one of torch.save; to load one may run any code")
    try:
        for _ in ("the version of the format", "the machine"):
            Unpickler(stream, plain).load()
        value = Unpickler(stream, memory, weights_only).load()
        for key in Unpickler(stream, plain).load():
            block, kind = memories[key]
            count = int.from_bytes(stream.read(8), "little")
            if count != block.size:
                raise ValueError(f"a block of {count} elements where {block.size} were announced")
            block[...] = _memory(stream.read(count * _stored_type(kind).itemsize), kind, count)
    except pickle.UnpicklingError as error:
        raise ValueError(str(error)) from None
    return value
