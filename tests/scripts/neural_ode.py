"""A differential equation learned through its adjoint. Source: Chen et al. 2018, "Neural ordinary differential equations"."""

import torch
import torch.nn as nn


def rk4(func, t, dt, y):
    k1 = func(t, y)
    k2 = func(t + dt / 2, y + dt * k1 / 2)
    k3 = func(t + dt / 2, y + dt * k2 / 2)
    k4 = func(t + dt, y + dt * k3)
    return (k1 + 2 * k2 + 2 * k3 + k4) * (dt / 6)


def odeint(func, y0, t):
    solution = torch.empty(len(t), *y0.shape, dtype=y0.dtype)
    solution[0] = y0
    for j, (t0, t1) in enumerate(zip(t[:-1], t[1:])):
        y0 = y0 + rk4(func, t0, t1 - t0, y0)
        solution[j + 1] = y0
    return solution


class OdeintAdjoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx, func, y0, t, *params):
        ctx.func = func
        with torch.no_grad():
            y = odeint(func, y0, t)
        ctx.save_for_backward(t, y, *params)
        return y

    @staticmethod
    def backward(ctx, grad_y):
        with torch.no_grad():
            t, y, *params = ctx.saved_tensors
            params, func = tuple(params), ctx.func
            adj_y, adj_params = grad_y[-1], [torch.zeros_like(p) for p in params]
            for i in range(len(t) - 1, 0, -1):
                with torch.enable_grad():
                    y_ = y[i - 1].detach().requires_grad_(True)
                    step = y_ + rk4(func, t[i - 1], t[i] - t[i - 1], y_)
                    vjp = torch.autograd.grad(step, (y_, *params), adj_y, allow_unused=True)
                adj_y = vjp[0] + grad_y[i - 1]
                adj_params = [a + g for a, g in zip(adj_params, vjp[1:])]
        return (None, adj_y, None, *adj_params)


class ODEFunc(nn.Module):
    def __init__(self):
        super(ODEFunc, self).__init__()
        self.net = nn.Sequential(nn.Linear(2, 12), nn.Tanh(), nn.Linear(12, 2))
        for m in self.net.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, mean=0, std=0.1)
                nn.init.constant_(m.bias, val=0)

    def forward(self, t, y):
        return self.net(y**3)


class Lambda(nn.Module):
    def forward(self, t, y):
        return torch.mm(y**3, true_A)


torch.manual_seed(0)
true_y0, t = torch.tensor([[2.0, 0.0]]), torch.linspace(0.0, 1.0, 9)
true_A = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])
with torch.no_grad():
    true_y = odeint(Lambda(), true_y0, t)
func = ODEFunc()
optimizer = torch.optim.RMSprop(func.parameters(), lr=1e-3)
losses = []
for itr in range(4):
    optimizer.zero_grad()
    pred_y = OdeintAdjoint.apply(func, true_y0, t, *func.parameters())
    loss = torch.mean(torch.abs(pred_y - true_y))
    loss.backward()
    adjoint = [p.grad.clone() for p in func.parameters()]
    direct = torch.autograd.grad(torch.mean(torch.abs(odeint(func, true_y0, t) - true_y)), list(func.parameters()))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(adjoint, direct))
    optimizer.step()
    losses.append(loss.item())
results = {"losses": losses, "adjoint": adjoint}
