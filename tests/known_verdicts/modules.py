"""Modules, of each engine, as they are and held by functions: floating and integer inputs, state, parameters."""

import numpy as np
import torch

import minigrad

from .handwritten import keeping
from .table import NONE, RIGHT, WRONG, M, X, function, known

for T in (torch, minigrad):
    name, nn = T.__name__, T.nn
    T.manual_seed(0)
    known(f"{name}: Linear", nn.Linear(3, 2), M, RIGHT, says="parameter weight")
    known(f"{name}: Linear in float64", nn.Linear(3, 2).double(), M, RIGHT)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.LayerNorm(4), nn.Linear(4, 1))
    known(f"{name}: a network", net, M, RIGHT, says="parameter 0.weight")
    known(f"{name}: a network that is held", lambda x, net=net: net(x) ** 2, M, RIGHT)
    known(f"{name}: Embedding", nn.Embedding(4, 3), np.array([1, 2, 1]), RIGHT, says="parameter weight")
    embed = nn.Embedding(4, 3)
    known(f"{name}: an embedding that is held", lambda i, embed=embed: embed(i).sin(), np.array([1, 2, 1]), RIGHT)
    known(f"{name}: BatchNorm in training", nn.BatchNorm1d(3), np.vstack([M, M + 0.3, M**2]), RIGHT)
    known(f"{name}: BatchNorm in eval", nn.BatchNorm1d(3).eval(), M, RIGHT)
    norm = nn.BatchNorm1d(3)
    known(
        f"{name}: a BatchNorm that is held",
        lambda x, norm=norm: norm(x) * x,
        np.vstack([M, M + 0.3, M**2]),
        RIGHT,
    )
    known(f"{name}: Dropout in training", nn.Dropout(0.5), np.ones(20), NONE, says=".eval()")
    known(f"{name}: Dropout in eval", nn.Dropout(0.5).eval(), X, RIGHT)
    known(f"{name}: GRU", nn.GRU(3, 2), M[:, None], RIGHT)
    known(f"{name}: Conv2d", nn.Conv2d(1, 2, 2), np.arange(9.0).reshape(1, 1, 3, 3) / 7, RIGHT)
    known(f"{name}: MultiheadAttention", nn.MultiheadAttention(4, 2), (M.reshape(3, 1, 2).repeat(2, -1),) * 3, RIGHT)
    known(f"{name}: a loss", nn.CrossEntropyLoss(), (M, np.array([0, 2])), RIGHT)
    frozen = nn.Linear(3, 2)
    frozen.weight.requires_grad_(False)
    known(f"{name}: a frozen weight", frozen, M, RIGHT)

    def with_a_wrong_function(T=T):
        wrong = function(
            T, keeping(lambda x, w: x * w), lambda ctx, g: (g * ctx.saved_tensors[1], 2 * g * ctx.saved_tensors[0])
        )

        class Scale(T.nn.Module):
            def __init__(self):
                super().__init__()
                self.w = T.nn.Parameter(T.tensor([1.0, 2.0, 3.0]))

            def forward(self, x):
                return wrong(x, self.w)

        return Scale()

    known(
        f"{name}: a parameter's gradient is doubled",
        with_a_wrong_function(),
        X,
        WRONG,
        at=("parameter w", (0,)),
        says="2 times",
    )

    def with_constants(T=T):
        class Standardized(T.nn.Module):
            def __init__(self):
                super().__init__()
                self.mean, self.calls = T.tensor([0.1, 0.2, 0.3]), 0
                self.register_buffer("scale", T.tensor([1.0, 2.0, 3.0]))
                self.linear = T.nn.Linear(3, 2)

            def forward(self, x):
                self.calls += 1
                return self.linear((x - self.mean) / self.scale)

        return Standardized()

    known(f"{name}: constants that are no buffers", with_constants(), M, RIGHT)

    def asking(T=T):
        class Asking(T.nn.Linear):
            def forward(self, x):
                assert x.dtype == T.float32
                return super().forward(x)

        return Asking(3, 2)

    known(f"{name}: takes float32 alone", asking(), M, RIGHT, factor=1.5, says="Compared in float32")
