"""A first GAN, in the style of PyTorch 0.3. Source: Goodfellow et al. 2014, "Generative adversarial nets"."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Variable

torch.manual_seed(0)


class G(nn.Module):
    def __init__(self):
        super(G, self).__init__()
        self.map1 = nn.Linear(1, 8)
        self.map2 = nn.Linear(8, 1)

    def forward(self, x):
        return self.map2(F.elu(self.map1(x)))


class D(nn.Module):
    def __init__(self):
        super(D, self).__init__()
        self.map1 = nn.Linear(2, 8)
        self.map2 = nn.Linear(8, 1)

    def forward(self, x):
        x = F.relu(self.map1(x))
        return torch.sigmoid(self.map2(x))


def decorate(data):
    mean = torch.mean(data.data, 0, keepdim=True)
    diffs = torch.pow(data - mean.expand_as(data), 2.0)
    return torch.cat([data, diffs], 1)


g, d = G(), D()
criterion = nn.BCELoss()
d_optimizer = torch.optim.SGD(d.parameters(), lr=0.05, momentum=0.9)
g_optimizer = torch.optim.SGD(g.parameters(), lr=0.05, momentum=0.9)
errors = []
for epoch in range(10):
    d.zero_grad()
    real = Variable(torch.Tensor(16, 1).normal_(4, 1.25))
    d_real = d(decorate(real))
    d_real_error = criterion(d_real, Variable(torch.ones(16, 1)))
    d_real_error.backward()
    fake = g(Variable(torch.Tensor(16, 1).uniform_())).detach()
    d_fake_error = criterion(d(decorate(fake)), Variable(torch.zeros(16, 1)))
    d_fake_error.backward()
    d_optimizer.step()
    g.zero_grad()
    noise = Variable(torch.Tensor(16, 1).uniform_(), requires_grad=False)
    g_error = criterion(d(decorate(g(noise))), Variable(torch.ones(16, 1)))
    g_error.backward()
    g_optimizer.step()
    errors += [d_real_error.data.item(), d_fake_error.data.item(), g_error.data.item()]
results = {"errors": errors}
