"""Normalising flow of affine couplings. Source: Dinh et al. 2016, "Density estimation using Real NVP"."""

import numpy as np
import torch
from torch import distributions, nn
from torch.nn.parameter import Parameter

nets = lambda: nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 2), nn.Tanh())
nett = lambda: nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 2))


class RealNVP(nn.Module):
    def __init__(self, mask, prior):
        super(RealNVP, self).__init__()
        self.prior = prior
        self.mask = Parameter(mask, requires_grad=False)
        self.t = torch.nn.ModuleList([nett() for _ in range(len(mask))])
        self.s = torch.nn.ModuleList([nets() for _ in range(len(mask))])

    def g(self, z):
        x = z
        for i in range(len(self.t)):
            x_ = x * self.mask[i]
            s = self.s[i](x_) * (1 - self.mask[i])
            t = self.t[i](x_) * (1 - self.mask[i])
            x = x_ + (1 - self.mask[i]) * (x * torch.exp(s) + t)
        return x

    def f(self, x):
        log_det_J, z = x.new_zeros(x.shape[0]), x
        for i in reversed(range(len(self.t))):
            z_ = self.mask[i] * z
            s = self.s[i](z_) * (1 - self.mask[i])
            t = self.t[i](z_) * (1 - self.mask[i])
            z = (1 - self.mask[i]) * (z - t) * torch.exp(-s) + z_
            log_det_J -= s.sum(dim=1)
        return z, log_det_J

    def log_prob(self, x):
        z, logp = self.f(x)
        return self.prior.log_prob(z) + logp

    def sample(self, batchSize):
        return self.g(self.prior.sample((batchSize, 1)))


torch.manual_seed(7)
masks = torch.from_numpy(np.array([[0, 1], [1, 0]] * 2)).to(torch.get_default_dtype())
prior = distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))
flow = RealNVP(masks, prior)
optimizer = torch.optim.Adam([p for p in flow.parameters() if p.requires_grad], lr=1e-3)
rng = np.random.RandomState(0)
losses = []
for t in range(6):
    angle = np.pi * rng.rand(32)
    moon = np.stack([np.cos(angle), np.sin(angle)], 1) + 0.05 * rng.randn(32, 2)
    loss = -flow.log_prob(torch.as_tensor(moon, dtype=torch.get_default_dtype())).mean()
    optimizer.zero_grad()
    loss.backward(retain_graph=True)
    optimizer.step()
    losses.append(loss.item())
results = {"losses": losses, "samples": flow.sample(4)}
