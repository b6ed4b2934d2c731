"""Blended examples. Sources: Zhang et al. 2017, "mixup"; Yun et al. 2019, "CutMix"."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Variable


def mixup_data(x, y, alpha=1.0):
    lam = np.random.beta(alpha, alpha) if alpha > 0 else 1
    index = torch.randperm(x.size()[0])
    mixed_x = lam * x + (1 - lam) * x[index, :]
    return mixed_x, y, y[index], lam


def rand_bbox(size, lam):
    W, H = size[2], size[3]
    cut_rat = np.sqrt(1.0 - lam)
    cut_w, cut_h = int(W * cut_rat), int(H * cut_rat)
    cx, cy = np.random.randint(W), np.random.randint(H)
    return (
        np.clip(cx - cut_w // 2, 0, W),
        np.clip(cy - cut_h // 2, 0, H),
        np.clip(cx + cut_w // 2, 0, W),
        np.clip(cy + cut_h // 2, 0, H),
    )


np.random.seed(0)
torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU6(True), nn.Flatten(), nn.Linear(144, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, dampening=0.1)
inputs, targets = torch.randn(8, 1, 8, 8), torch.randint(0, 3, (8,))
history = []
for step in range(3):
    x, targets_a, targets_b, lam = mixup_data(inputs, targets)
    x, targets_a, targets_b = map(Variable, (x, targets_a, targets_b))
    outputs = net(x)
    loss = lam * criterion(outputs, targets_a) + (1 - lam) * criterion(outputs, targets_b)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    _, predicted = torch.max(outputs.data, 1)
    correct = (
        lam * predicted.eq(targets_a.data).cpu().sum().item()
        + (1 - lam) * predicted.eq(targets_b.data).cpu().sum().item()
    )
    history += [loss.item(), correct]
for step in range(2):
    input = inputs.clone()
    lam = np.random.beta(1.0, 1.0)
    rand_index = torch.randperm(input.size()[0])
    bbx1, bby1, bbx2, bby2 = rand_bbox(input.size(), lam)
    input[:, :, bbx1:bbx2, bby1:bby2] = input[rand_index, :, bbx1:bbx2, bby1:bby2]
    lam = 1 - ((bbx2 - bbx1) * (bby2 - bby1) / (input.size()[-1] * input.size()[-2]))
    output = net(input)
    loss = F.cross_entropy(output, targets) * lam + F.cross_entropy(output, targets[rand_index]) * (1.0 - lam)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    history.append(loss.item())
results = {"history": history, "bias": net[4].bias}
