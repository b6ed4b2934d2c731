"""Word vectors with negative sampling. Source: Mikolov et al. 2013, "Distributed representations of words and phrases"."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class SkipGramModel(nn.Module):
    def __init__(self, emb_size, emb_dimension):
        super(SkipGramModel, self).__init__()
        self.u_embeddings = nn.Embedding(emb_size, emb_dimension, sparse=True)
        self.v_embeddings = nn.Embedding(emb_size, emb_dimension, sparse=True)
        initrange = 1.0 / emb_dimension
        nn.init.uniform_(self.u_embeddings.weight.data, -initrange, initrange)
        nn.init.constant_(self.v_embeddings.weight.data, 0)

    def forward(self, pos_u, pos_v, neg_v):
        emb_u = self.u_embeddings(pos_u)
        emb_v = self.v_embeddings(pos_v)
        emb_neg_v = self.v_embeddings(neg_v)
        score = torch.sum(torch.mul(emb_u, emb_v), dim=1)
        score = torch.clamp(score, max=10, min=-10)
        score = -F.logsigmoid(score)
        neg_score = torch.bmm(emb_neg_v, emb_u.unsqueeze(2)).squeeze()
        neg_score = torch.clamp(neg_score, max=10, min=-10)
        neg_score = -torch.sum(F.logsigmoid(-neg_score), dim=1)
        return torch.mean(score + neg_score)


torch.manual_seed(0)
rng = np.random.RandomState(0)
model = SkipGramModel(12, 6)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
losses = []
for step in range(6):
    pos_u, pos_v = torch.LongTensor(rng.randint(0, 12, 8)), torch.LongTensor(rng.randint(0, 12, 8))
    neg_v = torch.from_numpy(rng.randint(0, 12, (8, 3)))
    optimizer.zero_grad()
    loss = model(pos_u, pos_v, neg_v)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
similarity = F.cosine_similarity(model.u_embeddings.weight[:1], model.u_embeddings.weight, dim=1)
results = {"losses": losses, "similarity": similarity, "closest": torch.topk(similarity, 3).indices}
