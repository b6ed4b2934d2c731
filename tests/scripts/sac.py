"""Soft actor-critic. Source: Haarnoja et al. 2018, "Soft actor-critic"."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform

LOG_SIG_MAX, LOG_SIG_MIN = 2, -20
torch.manual_seed(0)


class GaussianPolicy(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 16)
        self.mean_linear, self.log_std_linear = nn.Linear(16, 2), nn.Linear(16, 2)

    def sample(self, state):
        x = F.relu(self.linear(state))
        mean = self.mean_linear(x)
        log_std = torch.clamp(self.log_std_linear(x), min=LOG_SIG_MIN, max=LOG_SIG_MAX)
        normal = Normal(mean, log_std.exp())
        x_t = normal.rsample()
        y_t = torch.tanh(x_t)
        log_prob = normal.log_prob(x_t)
        log_prob -= torch.log((1 - y_t.pow(2)) + 1e-6)
        return y_t, log_prob.sum(1, keepdim=True), mean


policy = GaussianPolicy()
q1, q2 = (nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1)) for _ in range(2))
log_alpha = torch.zeros(1, requires_grad=True)
optimizers = [
    torch.optim.Adam(p, lr=3e-3) for p in (policy.parameters(), [*q1.parameters(), *q2.parameters()], [log_alpha])
]
history = []
for _ in range(4):
    state, action, reward, next_state = (
        torch.randn(8, 3),
        torch.rand(8, 2) * 2 - 1,
        torch.randn(8, 1),
        torch.randn(8, 3),
    )
    with torch.no_grad():
        next_action, next_log_pi, _ = policy.sample(next_state)
        sa = torch.cat([next_state, next_action], 1)
        target = reward + 0.99 * (torch.min(q1(sa), q2(sa)) - log_alpha.exp() * next_log_pi)
    sa = torch.cat([state, action], 1)
    q_loss = F.mse_loss(q1(sa), target) + F.mse_loss(q2(sa), target)
    optimizers[1].zero_grad()
    q_loss.backward()
    optimizers[1].step()
    pi, log_pi, _ = policy.sample(state)
    sa = torch.cat([state, pi], 1)
    policy_loss = ((log_alpha.exp().detach() * log_pi) - torch.min(q1(sa), q2(sa))).mean()
    optimizers[0].zero_grad()
    policy_loss.backward()
    optimizers[0].step()
    alpha_loss = -(log_alpha * (log_pi - 2).detach()).mean()
    optimizers[2].zero_grad()
    alpha_loss.backward()
    optimizers[2].step()
    history += [q_loss.item(), policy_loss.item(), alpha_loss.item(), log_alpha.exp().item()]
squashed = TransformedDistribution(Normal(torch.zeros(2), torch.ones(2)), [TanhTransform(cache_size=1)])
a = squashed.rsample()
results = {"history": history, "squashed": a, "log_prob": squashed.log_prob(a)}
