"""First-order meta-learning. Source: Nichol et al. 2018, "On first-order meta-learning algorithms"."""

from copy import deepcopy

import numpy as np
import torch
from torch import nn

rng = np.random.RandomState(0)
torch.manual_seed(0)
x_all = np.linspace(-5, 5, 20)[:, None]
model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))


def totorch(x):
    return torch.autograd.Variable(torch.Tensor(x))


def train_on_batch(x, y):
    x, y = totorch(x), totorch(y)
    model.zero_grad()
    ypred = model(x)
    loss = (ypred - y).pow(2).mean()
    loss.backward()
    for param in model.parameters():
        param.data -= 0.02 * param.grad.data
    return loss.item()


losses = []
for iteration in range(4):
    weights_before = deepcopy(model.state_dict())
    phase, ampl = rng.uniform(low=0, high=2 * np.pi), rng.uniform(0.1, 5)
    y_all = np.sin(x_all + phase) * ampl
    inds = rng.permutation(len(x_all))
    for start in range(0, len(x_all), 5):
        losses.append(train_on_batch(x_all[inds[start : start + 5]], y_all[inds[start : start + 5]]))
    weights_after = model.state_dict()
    outerstepsize = 0.1 * (1 - iteration / 4)
    model.load_state_dict(
        {
            name: weights_before[name] + (weights_after[name] - weights_before[name]) * outerstepsize
            for name in weights_before
        }
    )
results = {"losses": losses, "predictions": model(totorch(x_all)).data.numpy()[:, 0]}
