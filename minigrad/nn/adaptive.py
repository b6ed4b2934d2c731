"""A softmax over very many classes, the rare ones in groups."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from ..autograd.variable import wrap
from ..ops.along import index_add
from ..ops.checks import require_argument
from ..ops.join import cat
from . import functional as F
from .containers import ModuleList, Sequential
from .linear import Linear
from .module import Module


class _ASMoutput(NamedTuple):
    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of frequent classes, and of groups of rare ones, each with a smaller layer of its own.

    The classes are sorted by frequency; `cutoffs` says where the groups begin, and each group's layer is div_value times as
    narrow as the one before. Source: Grave et al. 2017, "Efficient softmax approximation for GPUs".
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0, head_bias: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if cutoffs != sorted({int(c) for c in cutoffs}) or cutoffs[0] <= 0 or cutoffs[-1] > n_classes - 1:
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is "
                "between 1 and n_classes-1"
            )
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, [*cutoffs, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        options = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, head_bias, **options)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            narrow = int(in_features // div_value ** (i + 1))
            first, second = (
                Linear(in_features, narrow, bias=False, **options), Linear(narrow, high - low, bias=False, **options)
            )  # fmt: skip
            self.tail.append(Sequential(first, second))

    def reset_parameters(self) -> None:
        """Draw the initial values anew."""
        self.head.reset_parameters()
        for narrow, wide in self.tail:
            narrow.reset_parameters()
            wide.reset_parameters()

    def forward(self, input_: Any, target_: Any) -> _ASMoutput:
        require_argument(target_, "AdaptiveLogSoftmaxWithLoss", "target_", 2)
        require_argument(input_, "AdaptiveLogSoftmaxWithLoss", "input_")
        dims = target_.dim()
        if dims > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if dims == 1 and not input_.dim():
            raise IndexError("Dimension specified as 0 but input_ has no dimensions")
        if dims == 1 and input_.shape[0] != target_.shape[0]:
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        if input_.dim() != dims + 1:
            raise RuntimeError(
                f"{dims}D target tensor expects {dims + 1}D input tensors, but found inputs with size {input_.shape}"
            )
        input, target = (input_, target_) if dims else (input_.unsqueeze(0), target_.unsqueeze(0))
        classes = target.array
        if classes.size and not 0 <= classes.min() <= classes.max() < self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{classes.min()}, {classes.max()}] "
                "were found. "
            )
        place = classes.copy()  # in the head: of the class, or of its group
        inner = input.new_zeros(classes.shape[0])  # log-probability within the group
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            (rows,) = ((classes >= low) & (classes < high)).nonzero()
            if rows.size:
                place[rows] = self.shortlist_size + i
                log_probs = F.log_softmax(self.tail[i](input.index_select(0, wrap(rows))), 1)
                chosen = log_probs.gather(1, wrap((classes[rows] - low)[:, None])).squeeze(1)
                inner = index_add(inner, 0, wrap(rows), chosen)
        output = F.log_softmax(self.head(input), 1).gather(1, wrap(place[:, None])).squeeze(1) + inner
        loss = (-output).mean()
        return _ASMoutput(output if dims else output.squeeze(0), loss)

    def log_prob(self, input: Any) -> Any:
        """The log-probabilities of all classes, (N, n_classes)."""
        head = F.log_softmax(self.head(input), 1)
        groups = [
            F.log_softmax(tail(input), 1) + head[:, self.shortlist_size + i].unsqueeze(1)
            for i, tail in enumerate(self.tail)
        ]
        return cat([head[:, : self.shortlist_size], *groups], 1)

    def predict(self, input: Any) -> Any:
        """The likeliest class; a rare one only if its group is likelier than every frequent class."""
        output = self.head(input).argmax(1)
        rare = output >= self.shortlist_size
        if rare.any():
            output[rare] = self.log_prob(input[rare]).argmax(1)
        return output
