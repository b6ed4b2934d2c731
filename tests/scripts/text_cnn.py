"""Sentences read by convolutions. Source: Kim 2014, "Convolutional neural networks for sentence classification"."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Variable


class CNN_Text(nn.Module):
    def __init__(self, V, D, C, Ci, Co, Ks, dropout, static):
        super(CNN_Text, self).__init__()
        self.embed = nn.Embedding(V, D)
        self.convs = nn.ModuleList([nn.Conv2d(Ci, Co, (K, D)) for K in Ks])
        self.dropout = nn.Dropout(dropout)
        self.fc1 = nn.Linear(len(Ks) * Co, C)
        if static:
            self.embed.weight.requires_grad = False

    def forward(self, x):
        x = self.embed(x)
        x = x.unsqueeze(1)
        x = [F.relu(conv(x)).squeeze(3) for conv in self.convs]
        x = [F.max_pool1d(i, i.size(2)).squeeze(2) for i in x]
        x = torch.cat(x, 1)
        x = self.dropout(x)
        return self.fc1(x)


torch.manual_seed(3)
model = CNN_Text(V=20, D=8, C=2, Ci=1, Co=4, Ks=[3, 4, 5], dropout=0.5, static=False)
optimizer = torch.optim.Adadelta(model.parameters(), rho=0.95)
feature = torch.LongTensor(8, 9).random_(0, 20)
target = (feature.sum(1) % 2).long()
history = []
model.train()
for step in range(4):
    optimizer.zero_grad()
    logit = model(Variable(feature))
    loss = F.cross_entropy(logit, target)
    loss.backward()
    optimizer.step()
    corrects = (torch.max(logit, 1)[1].view(target.size()).data == target.data).sum()
    history += [loss.data.item(), 100.0 * corrects.item() / 8]
results = {"history": history, "fc": model.fc1.weight}
