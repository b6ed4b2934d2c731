"""Mixing by transposition. Source: Tolstikhin et al. 2021, "MLP-Mixer"."""

from functools import partial

import torch
from torch import nn


class PreNormResidual(nn.Module):
    def __init__(self, dim, fn):
        super().__init__()
        self.fn, self.norm = fn, nn.LayerNorm(dim)

    def forward(self, x):
        return self.fn(self.norm(x)) + x


def FeedForward(dim, expansion_factor=4, dropout=0.0, dense=nn.Linear):
    inner_dim = int(dim * expansion_factor)
    return nn.Sequential(
        dense(dim, inner_dim), nn.GELU(), nn.Dropout(dropout), dense(inner_dim, dim), nn.Dropout(dropout)
    )


class Rearrange(nn.Module):
    def forward(self, x):
        b, c, h, w = x.shape
        return x.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)


torch.manual_seed(0)
chan_first, chan_last = partial(nn.Conv1d, kernel_size=1), nn.Linear
dim, num_patches = 8, 16
model = nn.Sequential(
    Rearrange(),
    nn.Linear(12, dim),
    *[
        nn.Sequential(
            PreNormResidual(dim, FeedForward(num_patches, 2, 0.1, chan_first)),
            PreNormResidual(dim, FeedForward(dim, 0.5, 0.1, chan_last)),
        )
        for _ in range(2)
    ],
    nn.LayerNorm(dim),
)
head = nn.Linear(dim, 2)
optimizer = torch.optim.RAdam([*model.parameters(), *head.parameters()], lr=1e-2)
x, y = torch.randn(4, 3, 8, 8), torch.tensor([0.0, 1.0, 1.0, 0.0])
losses = []
for _ in range(7):
    logits = head(model(x).mean(dim=1))[:, 0]
    loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0))(logits, y.to(logits.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
results = {"losses": losses, "logits": logits}
