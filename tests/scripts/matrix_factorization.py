"""Recommendations. Source: Koren et al. 2009, "Matrix factorization techniques for recommender systems"."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler


class Ratings(Dataset):
    def __init__(self, users, items, ratings):
        self.users, self.items, self.ratings = users, items, ratings

    def __getitem__(self, index):
        return {"user": self.users[index], "item": self.items[index], "rating": self.ratings[index]}

    def __len__(self):
        return len(self.ratings)


class MF(nn.Module):
    def __init__(self, num_users, num_items, emb_size=4):
        super(MF, self).__init__()
        self.user_emb, self.user_bias = nn.Embedding(num_users, emb_size), nn.Embedding(num_users, 1)
        self.item_emb, self.item_bias = nn.Embedding(num_items, emb_size), nn.Embedding(num_items, 1)
        self.user_emb.weight.data.uniform_(0, 0.05)
        self.item_emb.weight.data.uniform_(0, 0.05)
        self.user_bias.weight.data.uniform_(-0.01, 0.01)
        self.item_bias.weight.data.uniform_(-0.01, 0.01)

    def forward(self, u, v):
        U, V = self.user_emb(u), self.item_emb(v)
        return (U * V).sum(1) + self.user_bias(u).squeeze() + self.item_bias(v).squeeze()


torch.manual_seed(0)
rng = np.random.RandomState(0)
data = Ratings(rng.randint(0, 6, 40), rng.randint(0, 5, 40), rng.randint(1, 6, 40))
loader = DataLoader(data, batch_size=10, sampler=SubsetRandomSampler(range(32)))
model = MF(6, 5)
optimizer = torch.optim.Adam(model.parameters(), lr=0.05, weight_decay=1e-5)
losses = []
for epoch in range(2):
    for batch in loader:
        y_hat = model(batch["user"], batch["item"])
        loss = F.mse_loss(y_hat, batch["rating"].to(y_hat.dtype))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
scores = model.user_emb.weight @ model.item_emb.weight.T + model.user_bias.weight + model.item_bias.weight.squeeze()
values, indices = scores.topk(2, dim=1)
results = {"losses": losses, "best": indices, "scores": values}
