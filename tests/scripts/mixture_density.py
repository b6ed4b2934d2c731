"""A network that gives a distribution. Source: Bishop 1994, "Mixture density networks"."""

import torch
import torch.nn as nn
import torch.distributions as D


class MDN(nn.Module):
    def __init__(self, n_hidden, n_gaussians):
        super(MDN, self).__init__()
        self.z_h = nn.Sequential(nn.Linear(1, n_hidden), nn.Tanh())
        self.z_pi, self.z_mu, self.z_sigma = (nn.Linear(n_hidden, n_gaussians) for _ in range(3))

    def forward(self, x):
        z_h = self.z_h(x)
        pi = nn.functional.softmax(self.z_pi(z_h), -1)
        return D.MixtureSameFamily(D.Categorical(probs=pi), D.Normal(self.z_mu(z_h), torch.exp(self.z_sigma(z_h))))


torch.manual_seed(0)
y = torch.linspace(-1, 1, 24)[:, None]
x = 0.7 * torch.sin(4 * y) + y / 2 + 0.05 * torch.randn(24, 1)
network = MDN(10, 3)
optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
losses = []
for epoch in range(5):
    loss = torch.mean(-network(x).log_prob(y[:, 0]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
mixture = network(x[:5])
results = {"losses": losses, "mean": mixture.mean, "variance": mixture.variance, "sample": mixture.sample()}
