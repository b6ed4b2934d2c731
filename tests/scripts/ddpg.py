"""Continuous control. Source: Lillicrap et al. 2015, "Continuous control with deep reinforcement learning"."""

import copy

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class Actor(nn.Module):
    def __init__(self, state_dim, action_dim, max_action):
        super(Actor, self).__init__()
        self.l1, self.l2 = nn.Linear(state_dim, 16), nn.Linear(16, action_dim)
        self.max_action = max_action

    def forward(self, state):
        return self.max_action * torch.tanh(self.l2(F.relu(self.l1(state))))


class Critic(nn.Module):
    def __init__(self, state_dim, action_dim):
        super(Critic, self).__init__()
        self.l1, self.l2 = nn.Linear(state_dim, 16), nn.Linear(16 + action_dim, 1)

    def forward(self, state, action):
        return self.l2(torch.cat([F.relu(self.l1(state)), action], 1))


torch.manual_seed(0)
np.random.seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
actor, critic = Actor(3, 1, 2.0).to(device), Critic(3, 1).to(device)
actor_target, critic_target = copy.deepcopy(actor), copy.deepcopy(critic)
actor_optimizer = torch.optim.Adam(actor.parameters(), lr=1e-3)
critic_optimizer = torch.optim.Adam(critic.parameters(), lr=1e-3, weight_decay=1e-2)
losses = []
for it in range(5):
    state, action, next_state, reward, not_done = (
        torch.tensor(np.random.randn(8, k), dtype=torch.get_default_dtype()).to(device) for k in (3, 1, 3, 1, 1)
    )
    target_Q = critic_target(next_state, actor_target(next_state))
    target_Q = reward + (not_done * 0.99 * target_Q).detach()
    critic_loss = F.mse_loss(critic(state, action), target_Q)
    critic_optimizer.zero_grad()
    critic_loss.backward()
    critic_optimizer.step()
    actor_loss = -critic(state, actor(state)).mean()
    actor_optimizer.zero_grad()
    actor_loss.backward()
    actor_optimizer.step()
    for param, target_param in zip(critic.parameters(), critic_target.parameters()):
        target_param.data.copy_(0.05 * param.data + (1 - 0.05) * target_param.data)
    for param, target_param in zip(actor.parameters(), actor_target.parameters()):
        target_param.data.mul_(0.95).add_(param.data, alpha=0.05)
    losses += [critic_loss.item(), actor_loss.item()]
action = actor(torch.FloatTensor([[0.1, 0.2, 0.3]]).to(next(actor.parameters()).dtype)).cpu().data.numpy().flatten()
torch.save(critic.state_dict(), "critic")
critic_target.load_state_dict(torch.load("critic"))
results = {"losses": losses, "action": action, "restored": critic_target(state, torch.zeros(8, 1))}
