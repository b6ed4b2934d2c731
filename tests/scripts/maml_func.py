"""Learning to learn with torch.func. Source: Finn et al. 2017, "Model-agnostic meta-learning"."""

import math

import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional as F

torch.manual_seed(0)


class ThreeLayerNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(1, 10), nn.Linear(10, 10), nn.Linear(10, 1)

    def forward(self, x):
        return self.fc3(F.tanh(self.fc2(F.tanh(self.fc1(x)))))


net = ThreeLayerNet()
params = dict(net.named_parameters())
opt = torch.optim.Adam(net.parameters(), lr=1e-3)


def sample_tasks(outer_batch_size, inner_batch_size):
    As, phases = torch.rand(outer_batch_size) * 4.9 + 0.1, torch.rand(outer_batch_size) * math.pi
    xs = torch.rand(outer_batch_size, inner_batch_size, 1) * 10 - 5
    return xs, As.view(-1, 1, 1) * torch.sin(xs + phases.view(-1, 1, 1))


def get_loss_for_task(x1, y1, x2, y2):
    def inner_loss(params, x1, y1):
        return F.mse_loss(functional_call(net, params, (x1,)), y1)

    grads = grad(inner_loss)(params, x1, y1)
    new_params = {k: params[k] - 0.1 * grads[k] for k in params}
    return F.mse_loss(functional_call(net, new_params, (x2,)), y2)


losses = []
for it in range(3):
    x1, y1 = sample_tasks(3, 6)
    x2, y2 = sample_tasks(3, 6)
    inner_losses = vmap(get_loss_for_task)(x1, y1, x2, y2)
    loss2 = sum(inner_losses) / len(inner_losses)
    opt.zero_grad()
    loss2.backward()
    opt.step()
    losses.append(loss2.item())
results = {"losses": losses, "grad": net.fc2.weight.grad}
