"""Contrastive self-supervision. Source: Chen et al. 2020, "A simple framework for contrastive learning (SimCLR)"."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def info_nce_loss(features, batch_size, n_views=2, temperature=0.07):
    labels = torch.cat([torch.arange(batch_size) for i in range(n_views)], dim=0)
    labels = (labels.unsqueeze(0) == labels.unsqueeze(1)).to(features.dtype)
    features = F.normalize(features, dim=1)
    similarity_matrix = torch.matmul(features, features.T)
    mask = torch.eye(labels.shape[0], dtype=torch.bool)
    labels = labels[~mask].view(labels.shape[0], -1)
    similarity_matrix = similarity_matrix[~mask].view(similarity_matrix.shape[0], -1)
    positives = similarity_matrix[labels.bool()].view(labels.shape[0], -1)
    negatives = similarity_matrix[~labels.bool()].view(similarity_matrix.shape[0], -1)
    logits = torch.cat([positives, negatives], dim=1)
    return logits / temperature, torch.zeros(logits.shape[0], dtype=torch.long)


torch.manual_seed(0)
backbone = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())
head = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 4))
model = nn.Sequential(backbone, head)
optimizer = torch.optim.Adam(model.parameters(), 3e-3, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4, eta_min=0, last_epoch=-1)
criterion = torch.nn.CrossEntropyLoss()
images = torch.rand(6, 3, 8, 8)
losses = []
for epoch in range(4):
    flips = torch.rand(12) < 0.5
    views = torch.cat([images, images]) * (0.8 + 0.4 * torch.rand(12, 3, 1, 1))
    views = torch.where(flips.view(-1, 1, 1, 1), views.flip(-1), views)
    logits, labels = info_nce_loss(model(views), 6)
    loss = criterion(logits, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    losses.append(loss.item())
logits, labels = info_nce_loss(model(views), 6)
_, pred = logits.topk(3, 1, True, True)
correct = pred.t().eq(labels.view(1, -1).expand_as(pred.t()))
accuracy = [correct[:k].reshape(-1).to(logits.dtype).sum(0, keepdim=True).mul_(100.0 / 12) for k in (1, 3)]
results = {"losses": losses, "accuracy": accuracy}
