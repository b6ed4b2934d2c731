"""Burgers' equation as a loss. Source: Raissi et al. 2019, "Physics-informed neural networks"."""

import numpy as np
import torch
import torch.nn as nn
from torch.autograd import grad

torch.manual_seed(1234)
rng = np.random.RandomState(1234)


class DNN(torch.nn.Module):
    def __init__(self, layers):
        super().__init__()
        modules = []
        for i in range(len(layers) - 2):
            modules += [nn.Linear(layers[i], layers[i + 1]), nn.Tanh()]
        self.layers = nn.Sequential(*modules, nn.Linear(layers[-2], layers[-1]))
        for m in self.layers:
            if isinstance(m, nn.Linear):
                nn.init.xavier_normal_(m.weight, gain=nn.init.calculate_gain("tanh"))

    def forward(self, x):
        return self.layers(x)


d = torch.get_default_dtype()
dnn = DNN([2, 10, 10, 1])
lambda_1 = nn.Parameter(torch.tensor([0.5]))
dnn.register_parameter("lambda_1", lambda_1)
x = torch.tensor(rng.uniform(-1, 1, (20, 1)), requires_grad=True, dtype=d)
t = torch.tensor(rng.uniform(0, 1, (20, 1)), requires_grad=True, dtype=d)
u = -torch.sin(np.pi * x.detach())


def net_f(x, t):
    u = dnn(torch.cat([x, t], dim=1))
    u_t = torch.autograd.grad(u, t, grad_outputs=torch.ones_like(u), retain_graph=True, create_graph=True)[0]
    u_x = torch.autograd.grad(u, x, grad_outputs=torch.ones_like(u), retain_graph=True, create_graph=True)[0]
    u_xx = grad(u_x, x, torch.ones_like(u_x), True, True)[0]
    return u_t + lambda_1 * u * u_x - (0.01 / np.pi) * u_xx


losses = []
optimizer_Adam = torch.optim.Adam(dnn.parameters())
for epoch in range(4):
    loss = torch.mean((u - dnn(torch.cat([x, t], 1))) ** 2) + torch.mean(net_f(x, t) ** 2)
    optimizer_Adam.zero_grad()
    loss.backward()
    optimizer_Adam.step()
    losses.append(loss.item())
optimizer = torch.optim.LBFGS(
    dnn.parameters(),
    lr=1.0,
    max_iter=4,
    max_eval=8,
    history_size=50,
    tolerance_grad=1e-5,
    line_search_fn="strong_wolfe",
)


def loss_func():
    optimizer.zero_grad()
    loss = torch.mean((u - dnn(torch.cat([x, t], 1))) ** 2) + torch.mean(net_f(x, t) ** 2)
    loss.backward()
    losses.append(loss.item())
    return loss


optimizer.step(loss_func)
results = {"losses": losses, "lambda": lambda_1}
