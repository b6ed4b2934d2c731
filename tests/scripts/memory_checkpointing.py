"""Activations computed twice instead of kept. Source: Chen et al. 2016, "Training deep nets with sublinear memory cost"."""

import torch
import torch.nn as nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.net = nn.Sequential(
            nn.LayerNorm(dim),
            nn.Linear(dim, 2 * dim),
            nn.GELU(approximate="tanh"),
            nn.Dropout(0.2),
            nn.Linear(2 * dim, dim),
        )

    def forward(self, x):
        return x + self.net(x)


class Net(nn.Module):
    def __init__(self, gradient_checkpointing):
        super().__init__()
        self.blocks = nn.ModuleList(Block(6) for _ in range(4))
        self.gradient_checkpointing = gradient_checkpointing

    def forward(self, x):
        for block in self.blocks:
            if self.gradient_checkpointing and self.training:
                x = checkpoint(block, x, use_reentrant=False)
            else:
                x = block(x)
        return x


torch.manual_seed(0)
x, y = torch.randn(5, 6), torch.randn(5, 6)
plain, saving = Net(False), Net(True)
saving.load_state_dict(plain.state_dict())
gradients = []
for net in (plain, saving):
    torch.manual_seed(1)
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    gradients.append([p.grad.flatten() for p in net.parameters()])
assert all(torch.allclose(a, b) for a, b in zip(*gradients))
layers = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6), nn.Sigmoid(), nn.Linear(6, 1))
input = x.clone().requires_grad_()
checkpoint_sequential(layers, 2, input, use_reentrant=True).sum().backward()
results = {"loss": loss, "gradients": gradients[1], "input": input.grad}
