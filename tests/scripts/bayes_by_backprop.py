"""Weights as distributions, and dropout as a sampler. Sources: Blundell et al. 2015; Gal & Ghahramani 2015."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Normal


class BayesianLinear(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight_mu = nn.Parameter(torch.Tensor(out_features, in_features).uniform_(-0.2, 0.2))
        self.weight_rho = nn.Parameter(torch.Tensor(out_features, in_features).uniform_(-5, -4))
        self.bias = nn.Parameter(torch.zeros(out_features))
        self.normal = torch.distributions.Normal(0, 1)

    def forward(self, input):
        sigma = torch.log1p(torch.exp(self.weight_rho))
        epsilon = self.normal.sample(self.weight_rho.size()).to(input.dtype)
        weight = self.weight_mu + sigma * epsilon
        prior1, prior2 = Normal(0.0, math.exp(-0.0)), Normal(0.0, math.exp(-6))
        self.log_prior = (torch.log(0.5 * prior1.log_prob(weight).exp() + 0.5 * prior2.log_prob(weight).exp())).sum()
        self.log_posterior = Normal(self.weight_mu, sigma).log_prob(weight).sum()
        return F.linear(input, weight, self.bias)


torch.manual_seed(42)
net = nn.Sequential(BayesianLinear(1, 8), nn.ReLU(), BayesianLinear(8, 1))
optimizer = torch.optim.ASGD(net.parameters(), lr=1e-4)
x = torch.linspace(-1, 1, 12)[:, None]
y = torch.sin(3 * x)
history = []
for _ in range(4):
    nll = kl = 0
    for sample in range(2):
        out = net(x)
        nll = nll - Normal(y, 0.1).log_prob(out).sum() / 2
        kl = kl + sum(m.log_posterior - m.log_prior for m in net if isinstance(m, BayesianLinear)) / 2
    loss = kl / 4 + nll
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    history += [loss.item(), kl.item()]
dropped = nn.Sequential(nn.Linear(1, 16), nn.AlphaDropout(0.1), nn.SELU(), nn.Dropout(0.2), nn.Linear(16, 2))
dropped.train()
samples = torch.stack([dropped(x) for _ in range(5)])
mean, log_variance = samples.chunk(2, -1)
loss = F.gaussian_nll_loss(mean, y.expand_as(mean), log_variance.exp())
loss.backward()
results = {"history": history, "spread": mean.std(0), "loss": loss, "grad": dropped[0].weight.grad}
