"""Solution of exercise 12."""

from curriculum.engine import torch


def forward(x, w1, b1, w2, b2):
    h = torch.tanh(x @ w1.T + b1)
    return h @ w2.T + b2, h


def backward(x, h, w2, slope):
    w2_grad = slope.T @ h
    b2_grad = slope.sum(dim=0)
    z_grad = (slope @ w2) * (1 - h**2)
    return z_grad.T @ x, z_grad.sum(dim=0), w2_grad, b2_grad


def corners(w1, b1, w2):
    units = zip(w1[:, 0].tolist(), b1.tolist(), w2[0].tolist(), strict=True)
    return sorted(-b / w for w, b, out in units if w != 0 and out != 0)


def fit(model, x, y, epochs, lr=0.01):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)  # once: its means must outlive a step
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
