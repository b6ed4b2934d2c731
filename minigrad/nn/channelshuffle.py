"""Channels in another order."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .module import Module


class ChannelShuffle(Module):
    """Channels of `groups` groups, in turn one of each. Source: Zhang et al. 2018, "ShuffleNet"."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Any) -> Any:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
