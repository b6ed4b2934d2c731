"""Denoising diffusion. Source: Ho et al. 2020, "Denoising diffusion probabilistic models"."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F


def linear_beta_schedule(timesteps):
    scale = 1000 / timesteps
    return torch.linspace(scale * 0.0001, scale * 0.02, timesteps)


class SinusoidalPositionEmbeddings(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, time):
        half_dim = self.dim // 2
        embeddings = math.log(10000) / (half_dim - 1)
        embeddings = torch.exp(torch.arange(half_dim, device=time.device) * -embeddings)
        embeddings = time[:, None] * embeddings[None, :]
        return torch.cat((embeddings.sin(), embeddings.cos()), dim=-1)


class Net(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.time_mlp = nn.Sequential(
            SinusoidalPositionEmbeddings(dim), nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim)
        )
        self.init_conv, self.norm = nn.Conv2d(1, dim, 3, padding=1), nn.GroupNorm(2, dim)
        self.final_conv = nn.Conv2d(dim, 1, 1)

    def forward(self, x, time):
        h = F.silu(self.norm(self.init_conv(x)))
        return self.final_conv(h + self.time_mlp(time)[:, :, None, None])


def extract(a, t, x_shape):
    batch_size = t.shape[0]
    out = a.gather(-1, t.cpu())
    return out.reshape(batch_size, *((1,) * (len(x_shape) - 1))).to(t.device)


torch.manual_seed(0)
timesteps = 40
betas = linear_beta_schedule(timesteps)
alphas = 1.0 - betas
alphas_cumprod = torch.cumprod(alphas, axis=0)
alphas_cumprod_prev = F.pad(alphas_cumprod[:-1], (1, 0), value=1.0)
sqrt_recip_alphas = torch.sqrt(1.0 / alphas)
posterior_variance = betas * (1.0 - alphas_cumprod_prev) / (1.0 - alphas_cumprod)
model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
x_start = torch.randn(4, 1, 8, 8).clamp(-1, 1)
losses = []
for step in range(5):
    t = torch.randint(0, timesteps, (4,)).long()
    noise = torch.randn_like(x_start)
    x_noisy = (
        extract(alphas_cumprod.sqrt(), t, x_start.shape) * x_start
        + extract((1.0 - alphas_cumprod).sqrt(), t, x_start.shape) * noise
    )
    loss = F.smooth_l1_loss(noise, model(x_noisy, t))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())


@torch.no_grad()
def p_sample(x, t_index):
    t = torch.full((x.shape[0],), t_index, dtype=torch.long)
    model_mean = extract(sqrt_recip_alphas, t, x.shape) * (
        x - extract(betas, t, x.shape) * model(x, t) / extract((1.0 - alphas_cumprod).sqrt(), t, x.shape)
    )
    if t_index == 0:
        return model_mean
    return model_mean + torch.sqrt(extract(posterior_variance, t, x.shape)) * torch.randn_like(x)


image = torch.randn(1, 1, 8, 8)
for i in reversed(range(timesteps)):
    image = p_sample(image, i)
results = {"losses": losses, "image": image}
