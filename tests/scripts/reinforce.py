"""Policy gradient. Source: Williams 1992, "Simple statistical gradient-following algorithms". A corridor in place of a gym."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Categorical


class Corridor:
    def reset(self):
        self.x, self.t = 0.0, 0
        return np.array([self.x, 1.0, 0.0, 0.0])

    def step(self, action):
        self.x += (action * 2 - 1) * 0.5
        self.t += 1
        done = abs(self.x) >= 2 or self.t >= 12
        return np.array([self.x, 1.0, self.t / 12, self.x**2]), float(self.x >= 2) - 0.05, done


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(4, 16)
        self.dropout = nn.Dropout(p=0.6)
        self.affine2 = nn.Linear(16, 2)
        self.saved_log_probs, self.rewards = [], []

    def forward(self, x):
        x = F.relu(self.dropout(self.affine1(x)))
        return F.softmax(self.affine2(x), dim=1)


torch.manual_seed(543)
policy, env = Policy(), Corridor()
optimizer = optim.Adam(policy.parameters(), lr=1e-2)
eps = np.finfo(np.float32).eps.item()
history = []
for i_episode in range(4):
    state, ep_reward = env.reset(), 0
    for t in range(1, 50):
        probs = policy(torch.from_numpy(state).to(torch.get_default_dtype()).unsqueeze(0))
        m = Categorical(probs)
        action = m.sample()
        policy.saved_log_probs.append(m.log_prob(action))
        state, reward, done = env.step(action.item())
        policy.rewards.append(reward)
        ep_reward += reward
        if done:
            break
    R, policy_loss, returns = 0, [], []
    for r in policy.rewards[::-1]:
        R = r + 0.99 * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + eps)
    for log_prob, R in zip(policy.saved_log_probs, returns):
        policy_loss.append(-log_prob * R)
    optimizer.zero_grad()
    policy_loss = torch.cat(policy_loss).sum()
    policy_loss.backward()
    optimizer.step()
    del policy.rewards[:]
    del policy.saved_log_probs[:]
    history += [ep_reward, policy_loss.item(), t]
results = {"history": history}
