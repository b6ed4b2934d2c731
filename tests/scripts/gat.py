"""Attention over neighbours. Source: Velickovic et al. 2017, "Graph attention networks"."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class GraphAttentionLayer(nn.Module):
    def __init__(self, in_features, out_features, dropout, alpha, concat=True):
        super(GraphAttentionLayer, self).__init__()
        self.dropout, self.out_features, self.concat = dropout, out_features, concat
        self.W = nn.Parameter(torch.empty(size=(in_features, out_features)))
        nn.init.xavier_uniform_(self.W.data, gain=1.414)
        self.a = nn.Parameter(torch.empty(size=(2 * out_features, 1)))
        nn.init.xavier_uniform_(self.a.data, gain=1.414)
        self.leakyrelu = nn.LeakyReLU(alpha)

    def forward(self, h, adj):
        Wh = torch.mm(h, self.W)
        Wh1 = torch.matmul(Wh, self.a[: self.out_features, :])
        Wh2 = torch.matmul(Wh, self.a[self.out_features :, :])
        e = self.leakyrelu(Wh1 + Wh2.T)
        zero_vec = -9e15 * torch.ones_like(e)
        attention = torch.where(adj > 0, e, zero_vec)
        attention = F.softmax(attention, dim=1)
        attention = F.dropout(attention, self.dropout, training=self.training)
        h_prime = torch.matmul(attention, Wh)
        return F.elu(h_prime) if self.concat else h_prime


class GAT(nn.Module):
    def __init__(self, nfeat, nhid, nclass, dropout, alpha, nheads):
        super(GAT, self).__init__()
        self.dropout = dropout
        self.attentions = [GraphAttentionLayer(nfeat, nhid, dropout=dropout, alpha=alpha) for _ in range(nheads)]
        for i, attention in enumerate(self.attentions):
            self.add_module("attention_{}".format(i), attention)
        self.out_att = GraphAttentionLayer(nhid * nheads, nclass, dropout=dropout, alpha=alpha, concat=False)

    def forward(self, x, adj):
        x = F.dropout(x, self.dropout, training=self.training)
        x = torch.cat([att(x, adj) for att in self.attentions], dim=1)
        x = F.dropout(x, self.dropout, training=self.training)
        return F.log_softmax(F.elu(self.out_att(x, adj)), dim=1)


torch.manual_seed(72)
model = GAT(6, 4, 3, 0.3, 0.2, 2)
adj = (torch.rand(10, 10) > 0.6) | torch.eye(10, dtype=torch.bool)
adj = adj.to(torch.int64)
x, y = torch.randn(10, 6), torch.arange(10) % 3
optimizer = torch.optim.Adam(model.parameters(), lr=0.005, weight_decay=5e-4)
losses = []
for epoch in range(4):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(x, adj)[:6], y[:6])
    loss.backward()
    optimizer.step()
    losses.append(loss.data.item())
edges = adj.nonzero(as_tuple=False).t()
messages = torch.zeros(10, 6).scatter_add_(0, edges[1].unsqueeze(1).expand(-1, 6), x[edges[0]])
messages_index = torch.zeros(10, 6).index_add_(0, edges[1], x[edges[0]])
results = {"losses": losses, "messages": messages, "again": messages_index, "a": model.attentions[0].a.grad}
