"""Recurrent layers: a cell applied along a sequence, its output fed back to it. PyTorch: torch.nn.RNN, LSTM, GRU."""

from __future__ import annotations

import math
import warnings
from typing import Any

from .. import creation
from ..ops.join import cat, stack
from ..tensor_options import factory_options
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


def rnn_step(x: Any, h: Any, w_hh: Any, b_hh: Any, activation: Any) -> Any:
    """One step of a plain network, x being W_ih·input + b_ih: h' = tanh(x + W_hh h + b_hh). Elman 1990."""
    return activation(x + F.linear(h, w_hh, b_hh))


def lstm_step(x: Any, h: Any, c: Any, w_hh: Any, b_hh: Any) -> tuple[Any, Any]:
    """One step of long short-term memory; x and W_hh hold the input, forget, cell and output gate in this order.

    c' = f·c + i·g,  h' = o·tanh(c'). Hochreiter & Schmidhuber 1997; Gers et al. 2000 (the forget gate).
    """
    i, f, g, o = (x + F.linear(h, w_hh, b_hh)).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def gru_step(x: Any, h: Any, w_hh: Any, b_hh: Any) -> Any:
    """One step of a gated recurrent unit; x and W_hh hold the reset, update and new gate in this order.

    h' = (1 - z)·n + z·h. Cho et al. 2014; r gates W_hn h after the product, as in PyTorch.
    """
    xr, xz, xn = x.chunk(3, -1)
    hr, hz, hn = F.linear(h, w_hh, b_hh).chunk(3, -1)
    r, z = (xr + hr).sigmoid(), (xz + hz).sigmoid()
    n = (xn + r * hn).tanh()
    return (h - n) * z + n


class RNNBase(Module):
    """What RNN, LSTM and GRU share: the parameters weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, ... (for the
    reverse direction with the suffix _reverse), uniform in ±1/√hidden_size at the start, and the walk over the sequence.

    Input (L, N, input_size), (N, L, input_size) with batch_first, or (L, input_size). Returns the outputs of the last
    layer at all times, and the last state of each layer, (num_layers · directions, N, hidden_size).
    """

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        options = factory_options(self, device, dtype)
        if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
                f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
                stacklevel=3,
            )
        if not isinstance(hidden_size, int):
            raise TypeError(f"hidden_size should be of type int, got: {type(hidden_size).__name__}")
        if hidden_size <= 0:
            raise ValueError("hidden_size must be greater than zero")
        if num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if proj_size:
            raise NotImplementedError(
                f"{type(self).__name__}: proj_size={proj_size} is not supported by minigrad; put an nn.Linear behind it"
            )
        if not input_size > 0:
            raise ValueError(f"input_size must be greater than zero, got {input_size}")
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, float(dropout), bidirectional
        directions = 2 if bidirectional else 1
        for layer in range(num_layers):
            width = input_size if layer == 0 else hidden_size * directions
            for suffix in self._suffixes(layer):
                for name, shape in (
                    ("weight_ih", (width,)),
                    ("weight_hh", (hidden_size,)),
                    ("bias_ih", ()),
                    ("bias_hh", ()),
                ):
                    if shape or bias:
                        value = creation.empty(self.gates * hidden_size, *shape, **options)
                        setattr(self, name + suffix, Parameter(value))
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
        names = ["weight_ih", "weight_hh"] + ["bias_ih", "bias_hh"] * self.bias
        return [
            [getattr(self, name + suffix) for name in names]
            for layer in range(self.num_layers)
            for suffix in self._suffixes(layer)
        ]

    def _step(self, x: Any, state: tuple, w_hh: Any, b_hh: Any) -> tuple:
        """The state after one step; its first part is the output."""
        raise NotImplementedError

    def _run(self, x: Any, state: tuple, suffix: str) -> tuple[Any, tuple]:
        """One layer in one direction over x (L, N, *): the outputs (L, N, H) and the last state."""
        w_hh, b_hh = getattr(self, "weight_hh" + suffix), getattr(self, "bias_hh" + suffix) if self.bias else None
        b_ih = getattr(self, "bias_ih" + suffix) if self.bias else None
        steps = F.linear(x, getattr(self, "weight_ih" + suffix), b_ih).unbind(0)  # all times in one product
        backwards = suffix.endswith("_reverse")
        outputs = []
        for step in reversed(steps) if backwards else steps:
            state = self._step(step, state, w_hh, b_hh)
            outputs.append(state[0])
        return stack(outputs[::-1] if backwards else outputs), state

    def _layers(self, input: Any, state: tuple | None, n_states: int) -> tuple[Any, tuple]:
        """All layers over the input; `state` holds n_states tensors (or is None: zeros)."""
        if not hasattr(input, "array"):
            raise NotImplementedError(
                f"{type(self).__name__}: input must be a Tensor, got {type(input).__name__}; PyTorch's PackedSequence is not "
                "supported: give the padded tensor"
            )
        if input.dim() not in (2, 3):
            raise ValueError(f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        single = input.dim() == 2
        x = input.unsqueeze(1) if single else input.transpose(0, 1) if self.batch_first else input  # (L, N, *)
        if x.shape[0] == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        if x.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[-1]}"
            )
        if x.array.dtype != self.weight_ih_l0.array.dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({self.weight_ih_l0.dtype}). Convert input: "
                f"input.to({self.weight_ih_l0.dtype}), or convert model: model.to({input.dtype})"
            )
        directions = 2 if self.bidirectional else 1
        wanted = (self.num_layers * directions, x.shape[1], self.hidden_size)
        if state is None:
            state = (creation.zeros(wanted, dtype=x.dtype),) * n_states
        else:
            state = self._checked_state(state, single, wanted)
        last: list[tuple] = []
        for layer in range(self.num_layers):
            outputs = []
            for i, suffix in enumerate(self._suffixes(layer), layer * directions):
                out, end = self._run(x, tuple(s[i] for s in state), suffix)
                outputs.append(out)
                last.append(end)
            x = cat(outputs, -1) if self.bidirectional else outputs[0]
            if self.dropout and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        ends = tuple(stack(parts) for parts in zip(*last, strict=True))
        if single:
            return x.squeeze(1), tuple(e.squeeze(1) for e in ends)
        return (x.transpose(0, 1) if self.batch_first else x), ends

    def _checked_state(self, state: tuple, single: bool, wanted: tuple[int, ...]) -> tuple:
        """The given state, as a batch."""
        n = 2 if single else 3
        dims = ", ".join(f"{s.dim()}-D" for s in state)
        if any(s.dim() != n for s in state):
            kind = "unbatched 2-D" if single else "batched 3-D"
            given = f"hx should also be {n}-D but got {dims} tensor"
            if len(state) == 2:
                given = f"hx and cx should also be {n}-D but got ({dims}) tensors"
            raise RuntimeError(f"For {kind} input, {given}")
        state = tuple(s.unsqueeze(1) for s in state) if single else tuple(state)
        for i, s in enumerate(state):
            if tuple(s.shape) != wanted:
                name = "hidden" if len(state) == 1 else f"hidden[{i}]"
                raise RuntimeError(f"Expected {name} size {wanted}, got {list(s.shape)}")
        return state

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        for name, usual in (("bias", True), ("batch_first", False), ("dropout", 0), ("bidirectional", False)):
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(RNNBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu. Elman 1990. PyTorch: torch.nn.RNN."""

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        _nonlinearity(nonlinearity)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )
        self.nonlinearity = nonlinearity

    def _step(self, x: Any, state: tuple, w_hh: Any, b_hh: Any) -> tuple:
        return (rnn_step(x, state[0], w_hh, b_hh, _nonlinearity(self.nonlinearity)),)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        output, (h,) = self._layers(input, None if hx is None else (hx,), 1)
        return output, h


class GRU(RNNBase):
    """Gated recurrent units. Cho et al. 2014. PyTorch: torch.nn.GRU."""

    gates = 3

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )

    def _step(self, x: Any, state: tuple, w_hh: Any, b_hh: Any) -> tuple:
        return (gru_step(x, state[0], w_hh, b_hh),)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        output, (h,) = self._layers(input, None if hx is None else (hx,), 1)
        return output, h


class LSTM(RNNBase):
    """Long short-term memory; the state is the pair (h, c). Hochreiter & Schmidhuber 1997. PyTorch: torch.nn.LSTM."""

    gates = 4

    def _step(self, x: Any, state: tuple, w_hh: Any, b_hh: Any) -> tuple:
        h, c = state
        return lstm_step(x, h, c, w_hh, b_hh)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, tuple[Any, Any]]:
        output, (h, c) = self._layers(input, hx, 2)
        return output, (h, c)


def _nonlinearity(name: str) -> Any:
    if name not in ("tanh", "relu"):
        raise ValueError(f"Unknown nonlinearity '{name}'. Select from 'tanh' or 'relu'.")
    return F.tanh if name == "tanh" else F.relu


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
        activation = _nonlinearity(self.nonlinearity)
        x, (h,) = self._entered(input, None if hx is None else (hx,), 1)
        return rnn_step(x, h, self.weight_hh, self.bias_hh, activation)

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
