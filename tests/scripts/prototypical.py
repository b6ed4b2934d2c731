"""Few shots by class means. Source: Snell et al. 2017, "Prototypical networks for few-shot learning"."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def euclidean_dist(x, y):
    n, m, d = x.size(0), y.size(0), x.size(1)
    x = x.unsqueeze(1).expand(n, m, d)
    y = y.unsqueeze(0).expand(n, m, d)
    return torch.pow(x - y, 2).sum(2)


def conv_block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2))


torch.manual_seed(7)
encoder = nn.Sequential(conv_block(1, 4), conv_block(4, 4), nn.Flatten())
optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-2)
n_class, n_support, n_query = 3, 2, 4
history = []
for episode in range(3):
    base = torch.randn(n_class, 1, 1, 8, 8)
    xs, xq = base + 0.5 * torch.randn(n_class, n_support, 1, 8, 8), base + 0.5 * torch.randn(n_class, n_query, 1, 8, 8)
    target_inds = torch.arange(0, n_class).view(n_class, 1, 1).expand(n_class, n_query, 1).long()
    x = torch.cat([xs.view(n_class * n_support, *xs.size()[2:]), xq.view(n_class * n_query, *xq.size()[2:])], 0)
    z = encoder.forward(x)
    z_dim = z.size(-1)
    z_proto = z[: n_class * n_support].view(n_class, n_support, z_dim).mean(1)
    zq = z[n_class * n_support :]
    dists = euclidean_dist(zq, z_proto)
    log_p_y = F.log_softmax(-dists, dim=1).view(n_class, n_query, -1)
    loss_val = -log_p_y.gather(2, target_inds).squeeze().view(-1).mean()
    _, y_hat = log_p_y.max(2)
    acc_val = torch.eq(y_hat, target_inds.squeeze()).to(loss_val.dtype).mean()
    optimizer.zero_grad()
    loss_val.backward()
    optimizer.step()
    history += [loss_val.item(), acc_val.item()]
results = {"history": history, "cdist": torch.cdist(zq, z_proto)[:4]}
