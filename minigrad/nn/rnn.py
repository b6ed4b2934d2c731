"""Recurrent layers: a cell applied along a sequence, its output fed back to it. PyTorch: torch.nn.RNN, LSTM, GRU.

The mathematics stands in ops/recurrent.py; here are parameters, layers, directions and checks.
"""

from __future__ import annotations

import math
from typing import Any

from .. import creation
from ..foreign import said
from ..ops.checks import require_argument, type_name
from ..ops.join import cat, stack
from ..ops.recurrent import GruLayer, LstmLayer, RnnLayer, gru_step, lstm_step, parts, require_weights, rnn_step
from ..tensor_options import factory_options
from ..warn import warn
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence


class RNNBase(Module):
    """What RNN, LSTM and GRU share: the parameters weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, ... (for the
    reverse direction with the suffix _reverse), uniform in ±1/√hidden_size at the start, and the walk over the layers.

    Input (L, N, input_size), (N, L, input_size) with batch_first, (L, input_size), or a `PackedSequence`. Returns the
    outputs of the last layer at all times, in the same form, and the last state of each layer, (num_layers · directions,
    N, hidden_size). proj_size (LSTM): the output, and h, are a product W_hr h of that width.
    """

    gates = 1

    def __init__(
        self, input_size: int | Any, hidden_size: int | Any, num_layers: int = 1, bias: bool | Any = True, batch_first: bool | Any = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        options = factory_options(self, device, dtype)
        _check_settings(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size)
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, float(dropout), bidirectional
        self.proj_size = proj_size
        out = proj_size or hidden_size
        for layer in range(num_layers):
            width = input_size if layer == 0 else out * (2 if bidirectional else 1)
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (self.gates * hidden_size, width), "weight_hh": (self.gates * hidden_size, out)
            }  # fmt: skip
            if bias:
                shapes |= dict.fromkeys(("bias_ih", "bias_hh"), (self.gates * hidden_size,))
            if proj_size:
                shapes["weight_hr"] = proj_size, hidden_size
            for suffix in self._suffixes(layer):
                for name, shape in shapes.items():
                    setattr(self, name + suffix, Parameter(creation.empty(shape, **options)))
        self.reset_parameters()

    def _suffixes(self, layer: int) -> list[str]:
        return [f"_l{layer}", f"_l{layer}_reverse"] if self.bidirectional else [f"_l{layer}"]

    def reset_parameters(self) -> None:
        """Draw the initial values anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing to do: PyTorch lays weights out for the GPU here."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        names = ["weight_ih", "weight_hh"] + ["bias_ih", "bias_hh"] * self.bias + ["weight_hr"] * (self.proj_size > 0)
        return [
            [getattr(self, name + suffix) for name in names]
            for layer in range(self.num_layers)
            for suffix in self._suffixes(layer)
        ]

    def _apply_layer(self, x: Any, weights: list, state: tuple, w_hr: Any, *rest: Any) -> Any:
        """One layer in one direction, by its operation. weights: W_ih, b_ih, W_hh, b_hh; rest: sizes and reverse."""
        raise NotImplementedError

    def _run(self, x: Any, state: tuple, suffix: str, sizes: tuple[int, ...] | None) -> tuple[Any, ...]:
        """One layer in one direction over x (L, N, *) or packed (rows, *): the outputs, and the last state's parts."""
        names = "weight_ih", "bias_ih", "weight_hh", "bias_hh", "weight_hr"
        *weights, w_hr = (getattr(self, name + suffix, None) for name in names)
        require_weights(x, weights, state[0], self.gates * state[-1].shape[-1])
        flat = self._apply_layer(x, weights, state, w_hr, sizes, suffix.endswith("_reverse"))
        return parts(flat, x, state, self._count() == 1)

    def _count(self) -> int:
        """How many layers there are, each direction counted."""
        return self.num_layers * (2 if self.bidirectional else 1)

    def _layers(self, input: Any, state: tuple | None) -> tuple[Any, tuple]:
        """All layers over the input; `state` holds what goes from step to step (or is None: zeros)."""
        packed = isinstance(input, PackedSequence)
        sizes = tuple(input.batch_sizes.tolist()) if packed else None
        x = input.data if packed else input
        if not hasattr(x, "array"):
            raise TypeError(f"{type(self).__name__}: input must be a Tensor or a PackedSequence, not {said(x)}")
        if not packed and x.dim() not in (2, 3):
            raise ValueError(f"{type(self).__name__}: Expected input to be 2D or 3D, got {x.dim()}D instead")
        single = not packed and x.dim() == 2
        if single:
            x = x.unsqueeze(1)
        elif self.batch_first and not packed:
            x = x.transpose(0, 1)  # (L, N, *)
        self._check_input(x, packed)
        order = input.sorted_indices if packed else None
        given = state is not None
        state = self._first_state(state, single, sizes[0] if sizes else x.shape[1], order, x)
        last: list[tuple] = []
        for layer in range(self.num_layers):
            outputs = []
            for suffix in self._suffixes(layer):
                first = tuple(s[len(last)] for s in state) if given else state
                out, *end = self._run(x, first, suffix, sizes)
                outputs.append(out)
                last.append(tuple(end))
            x = cat(outputs, -1) if self.bidirectional else outputs[0]
            if self.dropout and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        ends = last[0] if self._count() == 1 else tuple(stack(found) for found in zip(*last, strict=True))
        if packed:
            back = input.unsorted_indices
            ends = ends if back is None else tuple(e.index_select(1, back) for e in ends)
            return PackedSequence(x, input.batch_sizes, order, back), ends
        if single:
            return x.squeeze(1), tuple(e.squeeze(1) for e in ends)
        return (x.transpose(0, 1) if self.batch_first else x), ends

    def _check_input(self, x: Any, packed: bool) -> None:
        if x.array.dtype != self.weight_ih_l0.array.dtype:
            raise ValueError(
                f"RNN input dtype ({x.dtype}) does not match weight dtype ({self.weight_ih_l0.dtype}). Convert input: "
                f"input.to({self.weight_ih_l0.dtype}), or convert model: model.to({x.dtype})"
            )
        if packed and x.dim() != 2:
            raise RuntimeError(f"input must have 2 dimensions, got {x.dim()}")
        if x.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[-1]}"
            )
        if x.shape[0] == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")

    def _widths(self) -> tuple[int, ...]:
        """The width of each part of the state."""
        return (self.hidden_size,)

    def _first_state(self, state: tuple | None, single: bool, n: int, order: Any, x: Any) -> tuple:
        """The given state as a batch, in the order of a packed sequence; where none is given zeros, for each layer the same."""
        wanted = [(self._count(), n, width) for width in self._widths()]
        if state is None:
            return tuple(creation.zeros(shape[1:], dtype=x.dtype) for shape in wanted)
        dims = 2 if single else 3
        if not isinstance(state, tuple | list):
            raise TypeError(
                f"{type(self).__name__}(): argument 'hx' must be a tuple of tensors, not {type(state).__name__}"
            )
        if len(state) < len(wanted):
            raise IndexError(f"{type(self).__name__}(): argument 'hx' must be {len(wanted)} tensors, got {len(state)}")
        if len(state) > len(wanted):
            raise RuntimeError(f"lstm expects two hidden states, got {len(state)}")
        for s in state:
            require_argument(s, type(self).__name__, "hx", 2)
        if any(s.dim() != dims for s in state):
            kind = "unbatched 2-D" if single else "batched 3-D"
            given = ", ".join(f"{s.dim()}-D" for s in state)
            said = f"hx should also be {dims}-D but got {given} tensor"
            if len(wanted) == 2:
                said = f"hx and cx should also be {dims}-D but got ({given}) tensors"
            raise RuntimeError(f"For {kind} input, {said}")
        state = tuple(s.unsqueeze(1) for s in state) if single else tuple(state)
        for i, (s, shape) in enumerate(zip(state, wanted, strict=True)):
            if tuple(s.shape) != shape:
                name = "hidden" if len(state) == 1 else f"hidden[{i}]"
                raise RuntimeError(f"Expected {name} size {shape}, got {list(s.shape)}")
            if s.array.dtype != x.array.dtype:
                raise RuntimeError(
                    f"mat1 and mat2 must have the same dtype, but got {type_name(s)} and {type_name(x)}: of the state and the input"
                )
        return state if order is None else tuple(s.index_select(1, order) for s in state)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name, usual in (
            ("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0),
            ("bidirectional", False),
        ):  # fmt: skip
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        return text


def _check_settings(
    input_size: Any, hidden_size: Any, num_layers: Any, bias: Any, batch_first: Any, dropout: Any, bidirectional: Any,
    proj_size: Any,
) -> None:  # fmt: skip
    """TypeError or ValueError for what a recurrent layer cannot be made of."""
    if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}"
        )
    for name, value, kind in (
        ("bias", bias, bool), ("batch_first", batch_first, bool), ("input_size", input_size, int),
        ("hidden_size", hidden_size, int), ("bidirectional", bidirectional, bool),
    ):  # fmt: skip
        if not isinstance(value, kind):
            raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
    for name, value in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
        if value <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


def _no_projection(proj_size: int) -> None:
    if proj_size:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNN(RNNBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu. Elman 1990. PyTorch: torch.nn.RNN."""

    def __init__(
        self, input_size: int | Any, hidden_size: int | Any, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool | Any = True,
        batch_first: bool | Any = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        _no_projection(proj_size)
        _nonlinearity(nonlinearity)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )
        self.nonlinearity = nonlinearity

    @property
    def mode(self) -> str:
        """PyTorch's name of the kind: RNN_TANH or RNN_RELU."""
        return f"RNN_{self.nonlinearity.upper()}"

    def _apply_layer(self, x: Any, weights: list, state: tuple, w_hr: Any, *rest: Any) -> Any:
        return RnnLayer.apply(x, *weights, *state, self.nonlinearity, *rest)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        output, (h,) = self._layers(input, None if hx is None else (hx,))
        return output, h


class GRU(RNNBase):
    """Gated recurrent units. Cho et al. 2014. PyTorch: torch.nn.GRU."""

    gates = 3
    mode = "GRU"

    def __init__(
        self, input_size: int | Any, hidden_size: int | Any, num_layers: int = 1, bias: bool | Any = True, batch_first: bool | Any = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        _no_projection(proj_size)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )

    def _apply_layer(self, x: Any, weights: list, state: tuple, w_hr: Any, *rest: Any) -> Any:
        return GruLayer.apply(x, *weights, *state, *rest)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        output, (h,) = self._layers(input, None if hx is None else (hx,))
        return output, h


class LSTM(RNNBase):
    """Long short-term memory; the state is the pair (h, c). Hochreiter & Schmidhuber 1997. PyTorch: torch.nn.LSTM."""

    gates = 4
    mode = "LSTM"

    def __init__(
        self, input_size: int | Any, hidden_size: int | Any, num_layers: int = 1, bias: bool | Any = True, batch_first: bool | Any = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype
        )

    def _widths(self) -> tuple[int, ...]:
        return self.proj_size or self.hidden_size, self.hidden_size

    def _apply_layer(self, x: Any, weights: list, state: tuple, w_hr: Any, *rest: Any) -> Any:
        return LstmLayer.apply(x, *weights, *state, w_hr, *rest)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, tuple[Any, Any]]:
        output, (h, c) = self._layers(input, hx)
        return output, (h, c)


def _nonlinearity(name: str) -> str:
    if name not in ("tanh", "relu"):
        raise ValueError(f"Unknown nonlinearity '{name}'. Select from 'tanh' or 'relu'.")
    return name


class RNNCellBase(Module):
    """One step: input (N, input_size) or (input_size,); parameters weight_ih, weight_hh, bias_ih, bias_hh."""

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        options = factory_options(self, device, dtype)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        self.weight_ih = Parameter(creation.empty(self.gates * hidden_size, input_size, **options))
        self.weight_hh = Parameter(creation.empty(self.gates * hidden_size, hidden_size, **options))
        for name in ("bias_ih", "bias_hh"):
            value = Parameter(creation.empty(self.gates * hidden_size, **options)) if bias else None
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial values anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def _entered(self, input: Any, states: tuple | None, n_states: int) -> tuple[Any, tuple]:
        """W_ih·input + b_ih, and the state (zeros if None)."""
        kind = type(self).__name__
        if states is not None and not (isinstance(states, tuple | list) and len(states) == n_states):
            raise TypeError(f"{kind}: hx must be a pair of Tensors, (h, c), got {type(states).__name__}")
        for i, x in enumerate((input, *(states or ()))):
            require_argument(x, kind, "hx" if i else "input", 1 + (i > 0))
        if input.dim() not in (1, 2):
            raise ValueError(f"{kind}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {input.shape[-1]} expected {self.input_size}")
        if states is None:
            states = (creation.zeros((*input.shape[:-1], self.hidden_size), dtype=input.dtype),) * n_states
        for i, state in enumerate(states):
            if state.dim() not in (1, 2):
                name = "hidden" if n_states == 1 else f"hx[{i}]"
                raise ValueError(f"{kind}: Expected {name} to be 1D or 2D, got {state.dim()}D instead")
            if state.shape[-1] != self.hidden_size:
                raise RuntimeError(
                    f"hidden{i} has inconsistent hidden_size: got {state.shape[-1]}, expected {self.hidden_size}"
                )
            if state.shape[:-1] != input.shape[:-1]:
                raise RuntimeError(
                    f"Input batch size {input.shape[0]} doesn't match hidden{i} batch size {state.shape[0]}"
                )
        return F.linear(input, self.weight_ih, self.bias_ih), states

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        return text if self.bias else f"{text}, bias={self.bias}"


class RNNCell(RNNCellBase):
    """One step of `RNN`. PyTorch: torch.nn.RNNCell."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        x, (h,) = self._entered(input, None if hx is None else (hx,), 1)
        return rnn_step(x, h, self.weight_hh, self.bias_hh, _nonlinearity(self.nonlinearity))

    def extra_repr(self) -> str:
        text = super().extra_repr()
        return text if self.nonlinearity == "tanh" else f"{text}, nonlinearity={self.nonlinearity}"


class LSTMCell(RNNCellBase):
    """One step of `LSTM`: gives (h, c). PyTorch: torch.nn.LSTMCell."""

    gates = 4

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        x, (h, c) = self._entered(input, hx, 2)
        return lstm_step(x, h, c, self.weight_hh, self.bias_hh)


class GRUCell(RNNCellBase):
    """One step of `GRU`. PyTorch: torch.nn.GRUCell."""

    gates = 3

    def forward(self, input: Any, hx: Any = None) -> Any:
        x, (h,) = self._entered(input, None if hx is None else (hx,), 1)
        return gru_step(x, h, self.weight_hh, self.bias_hh)
