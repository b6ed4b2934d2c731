"""Learning to learn, with functional weights. Source: Finn et al. 2017, "Model-agnostic meta-learning"."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Learner(nn.Module):
    def __init__(self):
        super(Learner, self).__init__()
        self.vars = nn.ParameterList()
        for shape in [(16, 1), (16, 16), (1, 16)]:
            w = nn.Parameter(torch.ones(*shape))
            torch.nn.init.kaiming_normal_(w)
            self.vars.append(w)
            self.vars.append(nn.Parameter(torch.zeros(shape[0])))

    def forward(self, x, vars=None):
        if vars is None:
            vars = self.vars
        for i in range(0, len(vars), 2):
            x = F.linear(x, vars[i], vars[i + 1])
            if i < len(vars) - 2:
                x = F.relu(x, inplace=[True][0])
        return x

    def zero_grad(self, vars=None):
        with torch.no_grad():
            for p in self.vars if vars is None else vars:
                if p.grad is not None:
                    p.grad.zero_()

    def parameters(self):
        return self.vars


torch.manual_seed(222)
rng = np.random.RandomState(222)
net = Learner()
meta_optim = torch.optim.Adam(net.parameters(), lr=1e-3)
losses = []
for step in range(3):
    losses_q = [0 for _ in range(3)]
    for task in range(2):
        amplitude, phase = rng.uniform(0.1, 5.0), rng.uniform(0, np.pi)
        x = torch.from_numpy(rng.uniform(-5, 5, (20, 1))).to(torch.get_default_dtype())
        y = amplitude * torch.sin(x + phase)
        x_spt, y_spt, x_qry, y_qry = x[:10], y[:10], x[10:], y[10:]
        fast_weights = list(net.parameters())
        for k in range(2):
            loss = F.mse_loss(net(x_spt, fast_weights), y_spt)
            grad = torch.autograd.grad(loss, fast_weights, create_graph=True)
            fast_weights = list(map(lambda p: p[1] - 0.01 * p[0], zip(grad, fast_weights)))
            losses_q[k + 1] += F.mse_loss(net(x_qry, fast_weights), y_qry)
    loss_q = losses_q[-1] / 2
    meta_optim.zero_grad()
    loss_q.backward()
    meta_optim.step()
    losses.append(loss_q.item())
results = {"losses": losses, "meta_grad": net.vars[2].grad}
