"""A convolutional beta-VAE on torch.distributions. Source: Higgins et al. 2017, "beta-VAE"."""

import torch
import torch.nn as nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

torch.manual_seed(2)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(4, 8, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Flatten(),
        )
        self.loc, self.scale = nn.Linear(32, 3), nn.Linear(32, 3)

    def forward(self, x):
        h = self.net(x)
        return Independent(Normal(self.loc(h), nn.functional.softplus(self.scale(h)) + 1e-4), 1)


decoder = nn.Sequential(
    nn.Linear(3, 32), nn.SiLU(), nn.Unflatten(1, (8, 2, 2)), nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.SiLU(),
    nn.ConvTranspose2d(4, 1, 4, 2, 1),
)  # fmt: skip
encoder = Encoder()
optimizer = torch.optim.AdamW([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
x = (torch.rand(12, 1, 8, 8) > 0.6).to(torch.get_default_dtype())
prior = Independent(Normal(torch.zeros(3), torch.ones(3)), 1)
history = []
for _ in range(5):
    posterior = encoder(x)
    z = posterior.rsample()
    likelihood = Independent(Bernoulli(logits=decoder(z)), 3)
    kl = kl_divergence(posterior, prior).mean()
    loss = -likelihood.log_prob(x).mean() + 4.0 * kl
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    history += [loss.item(), kl.item()]
results = {"history": history, "entropy": posterior.entropy(), "mean": likelihood.mean[0]}
