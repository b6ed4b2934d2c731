"""A GAN with a gradient penalty. Source: Gulrajani et al. 2017, "Improved training of Wasserstein GANs"."""

import numpy as np
import torch
from torch import autograd, nn


def calc_gradient_penalty(netD, real, fake, lambda_=10):
    alpha = torch.rand(real.size(0), 1)
    alpha = alpha.expand(real.size())
    interpolates = alpha * real + ((1 - alpha) * fake)
    interpolates.requires_grad_(True)
    disc_interpolates = netD(interpolates)
    gradients = autograd.grad(
        outputs=disc_interpolates,
        inputs=interpolates,
        grad_outputs=torch.ones(disc_interpolates.size()),
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean() * lambda_


torch.manual_seed(3)
netG = nn.Sequential(nn.Linear(2, 16), nn.ReLU(True), nn.Linear(16, 2))
netD = nn.Sequential(nn.Linear(2, 16), nn.ReLU(True), nn.Linear(16, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
optimizerD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.9))
optimizerG = torch.optim.RMSprop(netG.parameters(), lr=1e-3)
one = torch.tensor(1.0)
mone = one * -1
rng = np.random.RandomState(0)
centers = [(1, 0), (-1, 0), (0, 1), (0, -1)]
costs = []
for iteration in range(5):
    for p in netD.parameters():
        p.requires_grad = True
    for _ in range(3):
        real = torch.Tensor(np.array([centers[i] for i in rng.randint(4, size=16)]) + 0.05 * rng.randn(16, 2))
        netD.zero_grad()
        D_real = netD(real).mean()
        D_real.backward(mone)
        with torch.no_grad():
            noise = torch.randn(16, 2)
        fake = netG(noise).data
        D_fake = netD(fake).mean()
        D_fake.backward(one)
        gradient_penalty = calc_gradient_penalty(netD, real.data, fake)
        gradient_penalty.backward()
        optimizerD.step()
    for p in netD.parameters():
        p.requires_grad = False
    netG.zero_grad()
    G = netD(netG(torch.randn(16, 2))).mean()
    G.backward(mone)
    optimizerG.step()
    costs += [(D_fake - D_real + gradient_penalty).item(), (D_real - D_fake).item(), -G.item()]
results = {"costs": costs, "weights": [p for p in netG.parameters()]}
