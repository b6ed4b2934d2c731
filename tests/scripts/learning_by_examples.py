"""The classical tour: NumPy, tensors, autograd, a Function, nn, optim, a network of changing depth. Every form fits one curve."""

import math
import random

import numpy as np
import torch


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input < 0] = 0
        return grad_input


class LegendrePolynomial3(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


class DynamicNet(torch.nn.Module):
    def __init__(self, D_in, H, D_out):
        super(DynamicNet, self).__init__()
        self.input_linear = torch.nn.Linear(D_in, H)
        self.middle_linear = torch.nn.Linear(H, H)
        self.output_linear = torch.nn.Linear(H, D_out)

    def forward(self, x):
        h_relu = self.input_linear(x).clamp(min=0)
        for _ in range(random.randint(0, 3)):
            h_relu = self.middle_linear(h_relu).clamp(min=0)
        return self.output_linear(h_relu)


results = {}
torch.manual_seed(0)
random.seed(0)
N, D_in, H, D_out = 8, 6, 10, 3
dtype = torch.get_default_dtype()
x, y = torch.randn(N, D_in).type(dtype), torch.randn(N, D_out).type(dtype)
w1, w2 = torch.randn(D_in, H).type(dtype), torch.randn(H, D_out).type(dtype)
learning_rate = 1e-4
for t in range(5):
    h = x.mm(w1)
    h_relu = h.clamp(min=0)
    y_pred = h_relu.mm(w2)
    loss = (y_pred - y).pow(2).sum()
    grad_y_pred = 2.0 * (y_pred - y)
    grad_w2 = h_relu.t().mm(grad_y_pred)
    grad_h_relu = grad_y_pred.mm(w2.t())
    grad_h = grad_h_relu.clone()
    grad_h[h < 0] = 0
    w1 -= learning_rate * x.t().mm(grad_h)
    w2 -= learning_rate * grad_w2
results["by hand"] = [loss.item(), w1.sum().item()]
w1, w2 = (torch.autograd.Variable(torch.randn(*s).type(dtype), requires_grad=True) for s in ((D_in, H), (H, D_out)))
for t in range(5):
    y_pred = MyReLU.apply(x.mm(w1)).mm(w2)
    loss = (y_pred - y).pow(2).sum()
    loss.backward()
    w1.data -= learning_rate * w1.grad.data
    w2.data -= learning_rate * w2.grad.data
    w1.grad.data.zero_()
    w2.grad.data.zero_()
results["autograd"] = [loss.data.item(), w2.data.mean().item()]
model = torch.nn.Sequential(torch.nn.Linear(D_in, H), torch.nn.ReLU(), torch.nn.Linear(H, D_out))
loss_fn = torch.nn.MSELoss(size_average=False)
for t in range(5):
    loss = loss_fn(model(x), y)
    model.zero_grad()
    loss.backward()
    with torch.no_grad():
        for param in model.parameters():
            param -= 1e-3 * param.grad
results["nn"] = loss.item()
model = DynamicNet(D_in, H, D_out)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
for t in range(5):
    loss = torch.nn.MSELoss(reduction="sum")(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
results["dynamic"] = loss.item()
t = torch.linspace(-math.pi, math.pi, 50)
a, b, c, d = (torch.full((), v, requires_grad=True) for v in (0.0, -1.0, 0.0, 0.3))
for _ in range(5):
    loss = (a + b * LegendrePolynomial3.apply(c + d * t) - torch.sin(t)).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        for p in (a, b, c, d):
            p -= 5e-4 * p.grad
            p.grad = None
results["legendre"] = [v.item() for v in (a, b, c, d)]
xx = t.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
for _ in range(5):
    loss = torch.nn.MSELoss(reduction="sum")(model(xx), torch.sin(t))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
results["polynomial"] = [loss.item(), model[0].bias.item()]
W = np.random.RandomState(0).randn(3, 3)
results["numpy"] = torch.from_numpy(W) @ torch.from_numpy(np.linalg.inv(W))
