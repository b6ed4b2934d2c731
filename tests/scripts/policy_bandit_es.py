"""Without gradients: evolution strategies, Thompson sampling. Sources: Salimans et al. 2017; Thompson 1933."""

import numpy as np
import torch
from torch import nn
from torch.distributions import Beta, Bernoulli
from torch.nn.utils import parameters_to_vector, vector_to_parameters

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1))
x = torch.randn(20, 2)
y = torch.sin(x[:, :1]) * x[:, 1:]


def reward(vector):
    vector_to_parameters(vector, model.parameters())
    with torch.no_grad():
        return -((model(x) - y) ** 2).mean()


theta = parameters_to_vector(model.parameters()).detach().clone()
rewards = []
for generation in range(5):
    eps = torch.randn(10, theta.numel())
    eps = torch.cat([eps, -eps])
    R = torch.stack([reward(theta + 0.1 * e) for e in eps])
    ranks = torch.empty_like(R)
    ranks[R.argsort()] = torch.linspace(-0.5, 0.5, len(R))
    theta += 0.05 / (len(R) * 0.1) * (eps.T @ ranks)
    rewards.append(reward(theta).item())
arms = torch.tensor([0.2, 0.5, 0.7])
alpha, beta = torch.ones(3), torch.ones(3)
chosen = []
for t in range(25):
    arm = Beta(alpha, beta).sample().argmax()
    win = Bernoulli(probs=arms[arm]).sample()
    alpha[arm] += win
    beta[arm] += 1 - win
    chosen.append(arm.item())
results = {
    "rewards": rewards,
    "theta": theta,
    "chosen": chosen,
    "posterior": Beta(alpha, beta).mean,
    "kinds": len(np.unique(chosen)),
}
