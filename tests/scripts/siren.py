"""Sine networks and their derivatives. Source: Sitzmann et al. 2020, "Implicit neural representations"."""

import numpy as np
import torch
from torch import nn


class SineLayer(nn.Module):
    def __init__(self, in_features, out_features, bias=True, is_first=False, omega_0=30):
        super().__init__()
        self.omega_0, self.is_first, self.in_features = omega_0, is_first, in_features
        self.linear = nn.Linear(in_features, out_features, bias=bias)
        self.init_weights()

    def init_weights(self):
        with torch.no_grad():
            if self.is_first:
                self.linear.weight.uniform_(-1 / self.in_features, 1 / self.in_features)
            else:
                bound = np.sqrt(6 / self.in_features) / self.omega_0
                self.linear.weight.uniform_(-bound, bound)

    def forward(self, input):
        return torch.sin(self.omega_0 * self.linear(input))


def get_mgrid(sidelen, dim=2):
    tensors = tuple(dim * [torch.linspace(-1, 1, steps=sidelen)])
    mgrid = torch.stack(torch.meshgrid(*tensors, indexing="ij"), dim=-1)
    return mgrid.reshape(-1, dim)


def gradient(y, x, grad_outputs=None):
    if grad_outputs is None:
        grad_outputs = torch.ones_like(y)
    return torch.autograd.grad(y, [x], grad_outputs=grad_outputs, create_graph=True)[0]


def divergence(y, x):
    div = 0.0
    for i in range(y.shape[-1]):
        div += torch.autograd.grad(y[..., i], x, torch.ones_like(y[..., i]), create_graph=True)[0][..., i : i + 1]
    return div


def laplace(y, x):
    return divergence(gradient(y, x), x)


torch.manual_seed(0)
net = nn.Sequential(SineLayer(2, 12, is_first=True, omega_0=5), SineLayer(12, 12, omega_0=5), nn.Linear(12, 1))
coords = get_mgrid(5).clone().detach().requires_grad_(True)
target = (coords.detach() ** 2).sum(-1, keepdim=True).cos()
optim = torch.optim.Adam(lr=1e-3, params=net.parameters())
losses = []
for step in range(3):
    output = net(coords)
    loss = ((output - target) ** 2).mean() + 1e-3 * (gradient(output, coords) ** 2).mean()
    optim.zero_grad()
    loss.backward()
    optim.step()
    losses.append(loss.item())
results = {"losses": losses, "laplace": laplace(net(coords), coords)}
