"""Score matching, by the trace and by noise. Sources: Hyvarinen 2005; Song & Ermon 2019, Langevin sampling."""

import torch
import torch.autograd as autograd
import torch.nn as nn

torch.manual_seed(11)
score = nn.Sequential(nn.Linear(2, 24), nn.Softplus(), nn.Linear(24, 24), nn.Softplus(), nn.Linear(24, 2))
optimizer = torch.optim.Adam(score.parameters(), lr=1e-2)
data = torch.randn(32, 2) @ torch.tensor([[1.0, 0.3], [0.0, 0.5]])
history = []
for step in range(4):
    samples = data.clone().requires_grad_(True)
    grad1 = score(samples)
    loss1 = torch.norm(grad1, dim=-1) ** 2 / 2.0
    loss2 = torch.zeros(32)
    for i in range(2):
        grad = autograd.grad(grad1[:, i].sum(), samples, create_graph=True, retain_graph=True)[0][:, i]
        loss2 += grad
    loss = (loss1 + loss2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    history.append(loss.item())
sigma = 0.1
for step in range(3):
    perturbed = data + torch.randn_like(data) * sigma
    target = -1 / (sigma**2) * (perturbed - data)
    loss = 1 / 2.0 * ((score(perturbed) - target) ** 2).sum(dim=-1).mean(dim=0) * sigma**2
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(score.parameters(), 1.0)
    optimizer.step()
    history.append(loss.item())
x = torch.rand(3, 2)
with torch.no_grad():
    for _ in range(10):
        x.add_(score(x), alpha=0.01 / 2).add_(torch.randn_like(x) * 0.1)
results = {"history": history, "samples": x}
