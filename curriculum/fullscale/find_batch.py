"""The largest batch whose training step fits a GPU's memory: what --find-batch finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from . import cuda, reviews
from .settings import Settings

HEADROOM = 0.94  # share of the memory that is used: allocations of other sizes leave gaps, lengths and batches differ


@dataclass(frozen=True)
class Fits:
    """A batch that fits, and what its step took."""

    batch: int
    peak: int  # bytes that tensors took at most in its step
    reserved: int  # bytes that PyTorch held for it
    total: int  # bytes that the GPU has
    refused: int | None  # the smallest batch that was tried and did not fit
    predicted: int  # bytes that the two smallest steps had promised for it

    def line(self, length: int, device: str) -> str:
        gib = 2**30
        if not self.batch:
            return f"not even {self.refused} samples of {length} tokens fit the {self.total / gib:.1f} GiB of {device}"
        return (
            f"a batch of {self.batch} samples of {length} tokens fits {device}: its step takes {self.peak / gib:.1f} GiB, "
            f"{self.reserved / gib:.1f} of {self.total / gib:.1f} with what PyTorch holds"
        )


def largest(fits: Callable[[int], bool], first: int = 8, most: int = 65536) -> tuple[int, int | None]:
    """(the largest that fits, the smallest that was tried and does not): doubling, then halving the gap to an eighth."""
    good, bad, size = 0, None, first
    while size <= most and fits(size):
        good, size = size, 2 * size
    if size <= most:
        bad = size
    while bad is not None and bad - good > max(1, good // 8):
        middle = (good + bad) // 2
        if fits(middle):
            good = middle
        else:
            bad = middle
    return good, bad


def largest_batch(
    model: nn.Module, settings: Settings, length: int, vocabulary: int, most: int = 65536,
    tried: Callable[[int, bool], None] = lambda size, fitted: None,
) -> Fits | None:  # fmt: skip
    """The largest batch of samples of `length` tokens whose whole step, with the optimizer's state, fits; None on a CPU.

    Weights and gradients are as they were afterwards. The state is AdamW's, two numbers a weight. tried: is told of each size.
    """
    device = torch.device(settings.device)
    if device.type != "cuda":
        return None
    model = model.to(device, settings.dtype).train()
    learning = [p for p in model.parameters() if p.requires_grad]
    kept = 2 * sum(p.numel() * p.element_size() for p in learning)  # AdamW's moments
    total = torch.cuda.mem_get_info(device)[1]
    taken: dict[int, tuple[int, int]] = {}

    def fits(size: int) -> bool:
        """Whether a step with this many fits; what fails is let go before this returns."""
        cuda.forget(device)
        cuda.begin_peak(device)
        failed = False
        try:
            _step(model, settings, size, length, vocabulary, kept, device)
            cuda.finish(device)
        except (RuntimeError, MemoryError) as error:
            if not cuda.memory_ended(error):
                raise
            failed = True
        model.zero_grad(set_to_none=True)
        if failed:
            tried(size, False)
            return False
        taken[size] = torch.cuda.max_memory_allocated(device), torch.cuda.max_memory_reserved(device)
        fitted = taken[size][1] <= HEADROOM * total
        tried(size, fitted)
        return fitted

    batch, refused = largest(fits, most=most)
    cuda.forget(device)
    if not batch:
        return Fits(0, 0, 0, total, refused, 0)
    small = sorted(taken)[:2]
    slope = (taken[small[1]][0] - taken[small[0]][0]) / (small[1] - small[0]) if len(small) > 1 else 0.0
    predicted = round(taken[small[0]][0] + slope * (batch - small[0]))
    return Fits(batch, *taken[batch], total, refused, predicted)


def _step(
    model: nn.Module, settings: Settings, size: int, length: int, vocabulary: int, kept: int, device: torch.device
) -> None:
    """Forward, backward and the room that the optimizer's state takes, on random tokens of full length."""
    state = torch.empty(kept, dtype=torch.uint8, device=device)
    ids = torch.randint(0, vocabulary, (size, length), device=device)
    mask = torch.ones_like(ids)
    mask[0, -1] = 0  # as in real batches: without padding another, smaller kernel computes the attention
    with settings.autocast():
        loss = reviews.logits_of(model, ids, mask).float().square().sum()
    loss.backward()
    del state
