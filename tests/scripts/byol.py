"""Self-supervision without negatives. Source: Grill et al. 2020, "Bootstrap your own latent"."""

import copy

import torch
import torch.nn.functional as F
from torch import nn


def loss_fn(x, y):
    x = F.normalize(x, dim=-1, p=2)
    y = F.normalize(y, dim=-1, p=2)
    return 2 - 2 * (x * y).sum(dim=-1)


class EMA:
    def __init__(self, beta):
        self.beta = beta

    def update_average(self, old, new):
        return new if old is None else old * self.beta + (1 - self.beta) * new


hidden = {}


def hook(module, input, output):
    hidden[0] = output.reshape(output.shape[0], -1)


def mlp(dim, projection):
    return nn.Sequential(nn.Linear(dim, 12), nn.BatchNorm1d(12), nn.ReLU(inplace=True), nn.Linear(12, projection))


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(10, 8), nn.Tanh())
online = nn.Sequential(net, mlp(8, 6))
target = copy.deepcopy(online)
for p in target.parameters():
    p.requires_grad = False
handle = net.register_forward_hook(hook)
predictor = mlp(6, 6)
opt = torch.optim.Adam([*online.parameters(), *predictor.parameters()], lr=3e-4)
ema = EMA(0.9)
losses = []
for _ in range(4):
    x = torch.randn(8, 10)
    one, two = x + 0.1 * torch.randn_like(x), x + 0.1 * torch.randn_like(x)
    with torch.no_grad():
        t1, t2 = target(one), target(two)
        t1.detach_()
    loss = (loss_fn(predictor(online(one)), t2.detach()) + loss_fn(predictor(online(two)), t1)).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    for current_params, ma_params in zip(online.parameters(), target.parameters()):
        old_weight, up_weight = ma_params.data, current_params.data
        ma_params.data = ema.update_average(old_weight, up_weight)
    losses.append(loss.item())
handle.remove()
results = {"losses": losses, "hidden": hidden[0], "target": target[1][3].weight}
