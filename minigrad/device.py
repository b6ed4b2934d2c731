"""Devices: minigrad computes on the CPU, and says so where a program asks for something else."""

from __future__ import annotations

from typing import Any

from .foreign import said


class device:
    """Where a tensor lives. `device("cpu")`; other kinds can be named, but no tensor can be put there."""

    __slots__ = ("index", "type")
    _kinds = ("cpu", "cuda", "mps", "xpu", "meta")

    def __init__(self, type: Any, index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        elif isinstance(type, bool) or not isinstance(type, int | str):
            raise TypeError(f"argument 'device' must be a minigrad.device, a str or an int, not {said(type)}")
        elif isinstance(type, int):
            type, index = "cuda", type
        elif isinstance(type, str) and ":" in type:
            type, _, number = type.partition(":")
            if not number.isdigit():
                raise RuntimeError(f"Invalid device string: '{type}:{number}'; write it as 'cpu' or 'cuda:0'")
            index = int(number)
        if type not in self._kinds:
            raise RuntimeError(
                f"Expected one of {', '.join(self._kinds)} device type at start of device string: {type}"
            )
        self.type: str = type
        self.index: int | None = index

    def __enter__(self) -> device:
        """`with device("cpu"):` new tensors are there, as everywhere here."""
        require_cpu(self, "device")
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (f", index={self.index})" if self.index is not None else ")")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))


def require_cpu(place: Any, function: str | None = None) -> None:
    """RuntimeError unless `place` is the CPU (or None). function: who was asked, for the message."""
    if place is None or (isinstance(place, str) and place == "cpu"):
        return
    if (d := device(place)).type != "cpu":
        raise RuntimeError(
            f"{f'{function}(): ' if function else ''}minigrad computes on the CPU only and has no device '{d}'. Choose with "
            "device = 'cuda' if torch.cuda.is_available() else 'cpu' (here it is not), or run this program on PyTorch."
        )
