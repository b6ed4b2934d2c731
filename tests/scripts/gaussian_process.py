"""Regression with a kernel. Source: Rasmussen & Williams 2006, "Gaussian processes for machine learning", algorithm 2.1."""

import math

import torch
from torch import nn


class GP(nn.Module):
    def __init__(self):
        super().__init__()
        self.length_scale_, self.sigma_f_, self.sigma_n_ = (
            nn.Parameter(torch.tensor(math.log(v))) for v in (0.8, 1.0, 0.2)
        )

    def kernel(self, A, B):
        sqdist = (A**2).sum(1).view(-1, 1) + (B**2).sum(1) - 2 * A @ B.T
        return self.sigma_f_.exp() ** 2 * torch.exp(-0.5 * sqdist / self.length_scale_.exp() ** 2)

    def nll(self, X, y):
        K = self.kernel(X, X) + self.sigma_n_.exp() ** 2 * torch.eye(len(X))
        L = torch.linalg.cholesky(K)
        alpha = torch.cholesky_solve(y, L)
        return (0.5 * y.T @ alpha + torch.log(torch.diag(L)).sum() + len(X) / 2 * math.log(2 * math.pi))[0, 0]

    def predict(self, X, y, Xs):
        K = self.kernel(X, X) + self.sigma_n_.exp() ** 2 * torch.eye(len(X))
        L = torch.linalg.cholesky(K)
        k = self.kernel(X, Xs)
        v = torch.linalg.solve_triangular(L, k, upper=False)
        mu = k.T.mm(torch.cholesky_solve(y, L))
        return mu, self.kernel(Xs, Xs).diagonal() - (v**2).sum(0)


torch.manual_seed(0)
X = torch.rand(12, 1) * 4
y = torch.sin(X) + 0.1 * torch.randn(12, 1)
gp = GP()
opt = torch.optim.Rprop(gp.parameters(), lr=0.05)
losses = []
for _ in range(5):
    opt.zero_grad()
    loss = gp.nll(X, y)
    loss.backward()
    opt.step()
    losses.append(loss.item())
with torch.no_grad():
    mu, variance = gp.predict(X, y, torch.linspace(0, 4, 7)[:, None])
sign, logdet = torch.slogdet(gp.kernel(X, X) + 0.1 * torch.eye(12))
results = {"losses": losses, "mean": mu, "variance": variance, "logdet": logdet, "lengths": gp.length_scale_.exp()}
