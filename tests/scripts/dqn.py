"""Deep Q-learning. Source: Mnih et al. 2015, "Human-level control through deep reinforcement learning"."""

import math
import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))


class ReplayMemory(object):
    def __init__(self, capacity):
        self.memory = deque([], maxlen=capacity)

    def push(self, *args):
        self.memory.append(Transition(*args))

    def sample(self, batch_size):
        return random.sample(self.memory, batch_size)

    def __len__(self):
        return len(self.memory)


class DQN(nn.Module):
    def __init__(self, n_observations, n_actions):
        super().__init__()
        self.layer1, self.layer2, self.layer3 = (
            nn.Linear(n_observations, 16),
            nn.Linear(16, 16),
            nn.Linear(16, n_actions),
        )

    def forward(self, x):
        return self.layer3(F.relu(self.layer2(F.relu(self.layer1(x)))))


random.seed(2)
torch.manual_seed(2)
device = torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
policy_net, target_net = DQN(2, 2).to(device), DQN(2, 2).to(device)
target_net.load_state_dict(policy_net.state_dict())
optimizer = optim.AdamW(policy_net.parameters(), lr=1e-2, amsgrad=True)
memory = ReplayMemory(100)
state = torch.tensor([0.0, 1.0], device=device).unsqueeze(0)
losses = []
for step in range(24):
    eps_threshold = 0.05 + 0.85 * math.exp(-1.0 * step / 10)
    if random.random() > eps_threshold:
        with torch.no_grad():
            action = policy_net(state).max(1).indices.view(1, 1)
    else:
        action = torch.tensor([[random.randrange(2)]], device=device, dtype=torch.long)
    position = state[0, 0].item() + (action.item() * 2 - 1) * 0.4
    reward = torch.tensor([1.0 - abs(position)], device=device)
    next_state = None if abs(position) > 1 else torch.tensor([[position, 1.0]], device=device)
    memory.push(state, action, next_state, reward)
    state = next_state if next_state is not None else torch.tensor([[0.0, 1.0]])
    if len(memory) < 8:
        continue
    batch = Transition(*zip(*memory.sample(8)))
    non_final_mask = torch.tensor(
        tuple(map(lambda s: s is not None, batch.next_state)), device=device, dtype=torch.bool
    )
    non_final_next_states = torch.cat([s for s in batch.next_state if s is not None])
    state_action_values = policy_net(torch.cat(batch.state)).gather(1, torch.cat(batch.action))
    next_state_values = torch.zeros(8, device=device)
    with torch.no_grad():
        next_state_values[non_final_mask] = target_net(non_final_next_states).max(1).values
    expected = (next_state_values * 0.9) + torch.cat(batch.reward)
    criterion = nn.SmoothL1Loss()
    loss = criterion(state_action_values, expected.unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()
    target_state, policy_state = target_net.state_dict(), policy_net.state_dict()
    for key in policy_state:
        target_state[key] = policy_state[key] * 0.05 + target_state[key] * (1 - 0.05)
    target_net.load_state_dict(target_state)
    losses.append(loss.item())
results = {"losses": losses, "target": target_net.layer3.weight}
