"""Actor and critic. Source: Konda & Tsitsiklis 2000, "Actor-critic algorithms". Environment: a small control problem."""

from collections import namedtuple

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical

SavedAction = namedtuple("SavedAction", ["log_prob", "value"])


class Policy(nn.Module):
    def __init__(self):
        super(Policy, self).__init__()
        self.affine1 = nn.Linear(2, 16)
        self.action_head = nn.Linear(16, 3)
        self.value_head = nn.Linear(16, 1)
        self.saved_actions, self.rewards = [], []

    def forward(self, x):
        x = F.relu(self.affine1(x))
        return F.softmax(self.action_head(x), dim=-1), self.value_head(x)


torch.manual_seed(1)
rng = np.random.RandomState(1)
model = Policy()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-2)
losses = []
for episode in range(4):
    state = rng.randn(2)
    for t in range(8):
        probs, state_value = model(torch.from_numpy(state).to(torch.get_default_dtype()))
        m = Categorical(probs)
        action = m.sample()
        model.saved_actions.append(SavedAction(m.log_prob(action), state_value))
        state = np.array([state[0] + 0.1 * state[1], 0.9 * state[1] + 0.5 * (action.item() - 1)])
        model.rewards.append(-float(state[0] ** 2))
    R, policy_losses, value_losses, returns = 0, [], [], []
    for r in model.rewards[::-1]:
        R = r + 0.9 * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    for (log_prob, value), R in zip(model.saved_actions, returns):
        advantage = R - value.item()
        policy_losses.append(-log_prob * advantage)
        value_losses.append(F.smooth_l1_loss(value, torch.tensor([R])))
    optimizer.zero_grad()
    loss = torch.stack(policy_losses).sum() + torch.stack(value_losses).sum()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    del model.rewards[:], model.saved_actions[:]
results = {"losses": losses, "entropy": m.entropy()}
