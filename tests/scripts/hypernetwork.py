"""One network writes the weights of another. Source: Ha et al. 2016, "HyperNetworks"."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parameter import Parameter


class HyperNetwork(nn.Module):
    def __init__(self, f_size=3, z_dim=4, out_size=4, in_size=4):
        super(HyperNetwork, self).__init__()
        self.z_dim, self.f_size, self.out_size, self.in_size = z_dim, f_size, out_size, in_size
        self.w1 = Parameter(torch.fmod(torch.randn((self.z_dim, self.out_size * self.f_size * self.f_size)), 2))
        self.b1 = Parameter(torch.fmod(torch.randn((self.out_size * self.f_size * self.f_size)), 2))
        self.w2 = Parameter(torch.fmod(torch.randn((self.z_dim, self.in_size * self.z_dim)), 2))
        self.b2 = Parameter(torch.fmod(torch.randn((self.in_size * self.z_dim)), 2))

    def forward(self, z):
        h_in = torch.matmul(z, self.w2) + self.b2
        h_in = h_in.view(self.in_size, self.z_dim)
        h_final = torch.matmul(h_in, self.w1) + self.b1
        return h_final.view(self.out_size, self.in_size, self.f_size, self.f_size)


torch.manual_seed(0)
hope = HyperNetwork()
zs = nn.ParameterList([Parameter(torch.fmod(torch.randn(4), 2)) for _ in range(2)])
first, last = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4, 3)
parameters = [*hope.parameters(), *zs.parameters(), *first.parameters(), *last.parameters()]
optimizer = torch.optim.Adamax(parameters, lr=2e-3)
x, y = torch.randn(6, 1, 6, 6), torch.tensor([0, 1, 2, 0, 1, 2])
losses = []
for _ in range(4):
    h = F.relu(first(x))
    for z in zs:
        h = h + F.relu(F.conv2d(h, hope(z), padding=1)) * 0.1
    loss = F.nll_loss(F.log_softmax(last(h.mean((2, 3))), dim=1), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
results = {"losses": losses, "z": zs[1], "grad": hope.w2.grad}
