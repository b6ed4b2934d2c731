"""Linear, logistic and support vector regression. Sources: Legendre 1805; Cox 1958; Cortes & Vapnik 1995."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
POLY_DEGREE = 4
W_target = torch.randn(POLY_DEGREE, 1) * 5
b_target = torch.randn(1) * 5


def make_features(x):
    x = x.unsqueeze(1)
    return torch.cat([x**i for i in range(1, POLY_DEGREE + 1)], 1)


fc = torch.nn.Linear(W_target.size(0), 1)
history = []
for batch_idx in range(5):
    batch_x = make_features(torch.randn(16))
    batch_y = batch_x.mm(W_target) + b_target.item()
    fc.zero_grad()
    output = F.smooth_l1_loss(fc(batch_x), batch_y)
    history.append(output.item())
    output.backward()
    for param in fc.parameters():
        param.data.add_(-0.1 * param.grad)
closed = torch.linalg.lstsq(batch_x, batch_y).solution
x = torch.randn(30, 2)
y = torch.sign(x[:, 0] + 0.3 * x[:, 1])
model = nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    for i in torch.randperm(30).split(10):
        optimizer.zero_grad()
        output = model(x[i]).squeeze()
        weight = model.weight.squeeze()
        loss = torch.mean(torch.clamp(1 - y[i] * output, min=0))
        loss += 0.01 * (weight.t() @ weight) / 2.0
        loss.backward()
        optimizer.step()
        history.append(float(loss))
logistic = nn.Linear(2, 1)
optimizer = torch.optim.LBFGS(logistic.parameters(), lr=0.5, max_iter=5)
target = (y > 0).to(x.dtype)[:, None]


def closure():
    optimizer.zero_grad()
    loss = F.binary_cross_entropy_with_logits(logistic(x), target) + 0.01 * logistic.weight.pow(2).sum()
    loss.backward()
    return loss


for _ in range(2):
    history.append(optimizer.step(closure).item())
accuracy = ((torch.sigmoid(logistic(x)) > 0.5) == (target > 0)).to(x.dtype).mean()
hessian = torch.autograd.functional.hessian(
    lambda w: F.binary_cross_entropy_with_logits(x @ w, target[:, 0]), torch.zeros(2)
)
results = {"history": history, "closed": closed, "accuracy": accuracy, "hessian": hessian}
