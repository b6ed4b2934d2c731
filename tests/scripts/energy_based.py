"""An energy-based model with Langevin dynamics. Source: Du & Mordatch 2019, "Implicit generation and modeling"."""

import random

import torch
from torch import nn

torch.manual_seed(0)
random.seed(0)
energy = nn.Sequential(
    nn.Conv2d(1, 4, 3, 2, 1), nn.SiLU(), nn.Conv2d(4, 4, 3, 2, 1), nn.SiLU(), nn.Flatten(), nn.Linear(16, 1)
)
optimizer = torch.optim.Adam(energy.parameters(), lr=1e-3, betas=(0.0, 0.999))
examples = [(torch.rand((1, 1, 8, 8)) * 2 - 1) for _ in range(8)]


def sample_new(size, steps=5, step_size=10):
    n_new = 2
    rand_imgs = torch.rand((n_new, 1, 8, 8)) * 2 - 1
    old_imgs = torch.cat(random.choices(examples, k=size - n_new), dim=0)
    inp_imgs = torch.cat([rand_imgs, old_imgs], dim=0).detach()
    is_training = energy.training
    energy.eval()
    for p in energy.parameters():
        p.requires_grad = False
    inp_imgs.requires_grad = True
    had_gradients_enabled = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    noise = torch.randn(inp_imgs.shape, device=inp_imgs.device)
    for _ in range(steps):
        noise.normal_(0, 0.005)
        inp_imgs.data.add_(noise.data)
        inp_imgs.data.clamp_(min=-1.0, max=1.0)
        out = -energy(inp_imgs)
        out.sum().backward()
        inp_imgs.grad.data.clamp_(-0.03, 0.03)
        inp_imgs.data.add_(-step_size * inp_imgs.grad.data)
        inp_imgs.grad.detach_()
        inp_imgs.grad.zero_()
        inp_imgs.data.clamp_(min=-1.0, max=1.0)
    for p in energy.parameters():
        p.requires_grad = True
    energy.train(is_training)
    torch.set_grad_enabled(had_gradients_enabled)
    examples[:0] = list(inp_imgs.detach().chunk(size, dim=0))
    del examples[16:]
    return inp_imgs.detach()


real = torch.tanh(torch.randn(6, 1, 8, 8))
history = []
for _ in range(3):
    small_noise = torch.randn_like(real) * 0.005
    real.add_(small_noise).clamp_(min=-1.0, max=1.0)
    fake = sample_new(6)
    real_out, fake_out = energy(torch.cat([real, fake], dim=0)).chunk(2, dim=0)
    reg_loss = 0.1 * (real_out**2 + fake_out**2).mean()
    loss = reg_loss + fake_out.mean() - real_out.mean()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(energy.parameters(), 0.1)
    optimizer.step()
    history += [loss.item(), reg_loss.item()]
results = {"history": history, "fake": fake}
