"""Sequences of different lengths: padded in one tensor, or packed without padding. PyTorch: torch.nn.utils.rnn.

    lengths 3, 2, 1          padded (L, N)         packed
    a b c                    a d f                 data         a d f  b e  c      step by step, padding left out
    d e                      b e .                 batch_sizes  3      2    1      how many sequences still run
    f                        c . .

A recurrent layer walks a packed batch without computing on padding; it wants the longest first, so `sorted_indices` says
where each sequence was taken from, and `unsorted_indices` where it went.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...autograd.variable import Variable, wrap
from ...dtypes import element
from ...missing import error as _missing
from ...ops.checks import require_argument
from ...ops.join import cat, stack
from ...ops.operands import Number, cast
from ...signature import add_kind

if TYPE_CHECKING:
    from ...tensor import Tensor


class _Fields(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


class PackedSequence(_Fields):
    """A batch of sequences without padding. Made by `pack_padded_sequence` and `pack_sequence`. PyTorch: PackedSequence.

    data: the elements, step by step; batch_sizes: int64, how many sequences have each step; sorted_indices,
    unsorted_indices: the order in which they lie and its inverse, None where it is the given order.
    """

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> PackedSequence:
        if batch_sizes is None:  # the old form: both in one pair
            if not (isinstance(data, list | tuple) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With the data in another dtype; itself where that changes nothing."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        return PackedSequence(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def cpu(self) -> PackedSequence:
        """Itself."""
        return self

    def _as(self, name: str) -> PackedSequence:
        return self.to(getattr(self.data, name)().dtype)

    def double(self) -> PackedSequence:
        """The data as float64."""
        return self._as("double")

    def float(self) -> PackedSequence:
        """The data as float32."""
        return self._as("float")

    def half(self) -> PackedSequence:
        """The data as float16."""
        return self._as("half")

    def long(self) -> PackedSequence:
        """The data as int64."""
        return self._as("long")

    def int(self) -> PackedSequence:
        """The data as int32."""
        return self._as("int")

    def short(self) -> PackedSequence:
        """The data as int16."""
        return self._as("short")

    def char(self) -> PackedSequence:
        """The data as int8."""
        return self._as("char")

    def byte(self) -> PackedSequence:
        """The data as uint8."""
        return self._as("byte")

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a GPU: never."""
        return False


add_kind(PackedSequence)


def invert_permutation(permutation: Tensor | None) -> Any:
    """The permutation that undoes one; None of None. PyTorch: torch.nn.utils.rnn.invert_permutation."""
    if permutation is None:
        return None
    if permutation.array.dtype != np.int64:
        raise RuntimeError(f"invert_permutation(): Expected dtype int64 for index, got {permutation.dtype}")
    if permutation.array.ndim > 1:
        raise IndexError(f"invert_permutation(): a vector is wanted, got shape {list(permutation.array.shape)}")
    out = np.empty_like(permutation.array)
    places = np.atleast_1d(permutation.array)  # a number is the permutation of one element
    n = len(places)
    if ((places < 0) | (places >= n)).any():
        raise RuntimeError(f"invert_permutation(): an index is out of bounds for dimension 0 with size {n}")
    np.atleast_1d(out)[places] = np.arange(n)
    return wrap(out)


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[Number], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Leave the padding of input (L, N, *), or (N, L, *) with batch_first, out, given each sequence's length.

    enforce_sorted: the longest must come first; with False they are put into that order. PyTorch: pack_padded_sequence.
    """
    require_argument(input, "_pack_padded_sequence")
    if input.array.ndim < 2:
        raise IndexError(f"a batch of sequences has at least 2 dimensions, got {input.array.ndim}")
    given = lengths.array if isinstance(lengths, Variable) else np.asarray(lengths)
    given = given.astype(np.int64)
    if given.ndim != 1:
        raise RuntimeError(f"'lengths' argument should be a 1D CPU int64 tensor, but got {given.ndim}D cpu Long tensor")
    if input.array.size == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    if batch_first:
        input = input.transpose(0, 1)
    if len(given) != input.shape[1]:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(given)} (batch_size={input.shape[1]})"
        )
    order = None
    if not enforce_sorted:
        places = np.argsort(-given, kind="stable")
        given, order = given[places], wrap(places)
        input = input.index_select(1, order)
    if given.min() <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if (given[1:] > given[:-1]).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not "
            "need ONNX exportability."
        )
    if given[0] > input.shape[0]:
        raise RuntimeError(f"a length of {given[0]} is more than the {input.shape[0]} steps of the input")
    runs = np.arange(given[0])[:, None] < given  # (L, N): whether a sequence has that step
    rows = input.reshape(-1, *input.shape[2:]).index_select(0, wrap(_places(runs)))
    return PackedSequence(rows, wrap(runs.sum(1)), order)


def _places(runs: np.ndarray) -> np.ndarray:
    """Where the packed rows lie among those of the padded tensor, step by step."""
    return np.flatnonzero(runs)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Any, Any]:
    """The padded tensor (L, N, *), or (N, L, *) with batch_first, and each sequence's length: the inverse of
    `pack_padded_sequence`. total_length: L, at least that of the longest. PyTorch: pad_packed_sequence."""
    sizes = sequence.batch_sizes.array
    length = len(sizes)
    if total_length is not None:
        if total_length < length:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {length}"
            )
        length = total_length
    runs = np.zeros((length, sizes[0]), bool)
    runs[: len(sizes)] = np.arange(sizes[0]) < sizes[:, None]
    data = sequence.data
    # A row of padding behind the data: every place of the padded tensor takes a row of these.
    padding = wrap(np.full((1, *data.shape[1:]), padding_value, data.array.dtype))
    source = np.full(runs.size, len(data.array))
    source[_places(runs)] = np.arange(len(data.array))
    order = source.reshape(runs.shape)
    lengths = runs.sum(0)
    if sequence.unsorted_indices is not None:
        order, lengths = order[:, sequence.unsorted_indices.array], lengths[sequence.unsorted_indices.array]
    padded = cat([data, padding]).index_select(0, wrap(np.ascontiguousarray(order.reshape(-1))))
    padded = padded.reshape(*order.shape, *data.shape[1:])
    return (padded.transpose(0, 1) if batch_first else padded), wrap(lengths)


def pack_sequence(sequences: Iterable[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Pack a list of sequences (L_i, *). PyTorch: torch.nn.utils.rnn.pack_sequence."""
    for x in sequences:
        require_argument(x, "pack_sequence", "sequences")
    return pack_padded_sequence(pad_sequence(sequences), [x.shape[0] for x in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """The sequences of a packed batch, in their first order. PyTorch: torch.nn.utils.rnn.unpack_sequence."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Any]:
    """The sequences of a padded tensor without their padding. PyTorch: torch.nn.utils.rnn.unpad_sequence."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    if not lengths.array.ndim or len(lengths) != len(rows):
        raise ValueError(f"there are {len(rows)} sequences, and lengths has the shape {list(lengths.array.shape)}")
    places: Any = wrap(np.arange(rows.shape[1]))
    return [row[places < n] for row, n in zip(rows, lengths, strict=True)]


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Any:
    """Sequences (L_i, *) of different lengths in one tensor (L, N, *), or (N, L, *) with batch_first, the rest filled up."""
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"expected padding_side to be one of 'left' or 'right' but got '{padding_side}'")
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences).__name__}"
        )
    sequences = list(sequences)
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    for x in sequences:
        require_argument(x, "pad_sequence", "sequences")
        if not x.array.ndim:
            raise IndexError("pad_sequence: a sequence has a dimension of steps, but one of the tensors has none")
    padding_value = element(padding_value, sequences[0].array.dtype)
    longest = max(x.shape[0] for x in sequences)
    padded = []
    for x in sequences:
        x = cast(x, sequences[0].array.dtype)  # of the first one's type, as in PyTorch
        rest = wrap(np.full((longest - x.shape[0], *x.array.shape[1:]), padding_value, x.array.dtype))
        padded.append(cat([x, rest] if padding_side == "right" else [rest, x], 0))
    return stack(padded, 0 if batch_first else 1)


def __getattr__(name: str) -> object:
    raise _missing(__name__, name, globals())
