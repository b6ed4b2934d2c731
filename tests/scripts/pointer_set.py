"""Sets: sums and attention over elements. Sources: Zaheer et al. 2017, "Deep sets"; Lee et al. 2018, "Set transformer"."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class MAB(nn.Module):
    def __init__(self, dim_Q, dim_K, dim_V, num_heads, ln=False):
        super(MAB, self).__init__()
        self.dim_V, self.num_heads = dim_V, num_heads
        self.fc_q, self.fc_k, self.fc_v = nn.Linear(dim_Q, dim_V), nn.Linear(dim_K, dim_V), nn.Linear(dim_K, dim_V)
        if ln:
            self.ln0, self.ln1 = nn.LayerNorm(dim_V), nn.LayerNorm(dim_V)
        self.fc_o = nn.Linear(dim_V, dim_V)

    def forward(self, Q, K):
        Q = self.fc_q(Q)
        K, V = self.fc_k(K), self.fc_v(K)
        dim_split = self.dim_V // self.num_heads
        Q_ = torch.cat(Q.split(dim_split, 2), 0)
        K_ = torch.cat(K.split(dim_split, 2), 0)
        V_ = torch.cat(V.split(dim_split, 2), 0)
        A = torch.softmax(Q_.bmm(K_.transpose(1, 2)) / math.sqrt(self.dim_V), 2)
        O = torch.cat((Q_ + A.bmm(V_)).split(Q.size(0), 0), 2)
        O = O if getattr(self, "ln0", None) is None else self.ln0(O)
        O = O + F.relu(self.fc_o(O))
        return O if getattr(self, "ln1", None) is None else self.ln1(O)


class SetTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = MAB(1, 1, 8, 2, ln=True)
        self.S = nn.Parameter(torch.Tensor(1, 1, 8))
        nn.init.xavier_uniform_(self.S)
        self.pool, self.out = MAB(8, 8, 8, 2), nn.Linear(8, 1)

    def forward(self, X):
        H = self.encoder(X, X)
        return self.out(self.pool(self.S.repeat(X.size(0), 1, 1), H)).squeeze()


torch.manual_seed(0)
model = SetTransformer()
deepset = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 8))
rho = nn.Sequential(nn.ELU(inplace=True), nn.Linear(8, 1))
optimizer = torch.optim.Adam([*model.parameters(), *deepset.parameters(), *rho.parameters()], lr=1e-3)
losses = []
for step in range(4):
    x = torch.randint(1, 20, (6, 5, 1)).to(torch.get_default_dtype()) / 20
    y = torch.amax(x, dim=1).squeeze()
    loss = (model(x) - y).abs().mean() + F.l1_loss(rho(deepset(x).sum(1)).squeeze(), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
order = torch.randperm(5)
results = {"losses": losses, "seed": model.S.grad, "same": model(x[:, order]) - model(x) + 1}
