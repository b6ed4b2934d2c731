"""Twins and triplets. Sources: Hadsell et al. 2006 (contrastive loss); Schroff et al. 2015, "FaceNet"."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class ContrastiveLoss(torch.nn.Module):
    def __init__(self, margin=2.0):
        super(ContrastiveLoss, self).__init__()
        self.margin = margin

    def forward(self, output1, output2, label):
        euclidean_distance = F.pairwise_distance(output1, output2, keepdim=True)
        return torch.mean(
            (1 - label) * torch.pow(euclidean_distance, 2)
            + label * torch.pow(torch.clamp(self.margin - euclidean_distance, min=0.0), 2)
        )


class Pairs(Dataset):
    def __getitem__(self, index):
        g = torch.Generator().manual_seed(index)
        same = index % 2
        a = torch.randn(10, generator=g)
        b = a + 0.1 * torch.randn(10, generator=g) if same else torch.randn(10, generator=g)
        return a, b, torch.tensor([1.0 - same])

    def __len__(self):
        return 16


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(10, 12), nn.ReLU(inplace=True), nn.Linear(12, 3))
criterion, triplet = ContrastiveLoss(), nn.TripletMarginLoss(margin=1.0, p=2)
optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.9, momentum=0.5, centered=True)
losses = []
for epoch in range(2):
    for i, data in enumerate(DataLoader(Pairs(), shuffle=True, num_workers=0, batch_size=8, drop_last=True)):
        img0, img1, label = data
        optimizer.zero_grad()
        output1, output2 = net(img0), net(img1)
        loss = criterion(output1, output2, label) + triplet(output1, output2, output2.roll(1, 0))
        loss = loss + F.cosine_embedding_loss(output1, output2, 1 - 2 * label.squeeze(1), margin=0.2)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
results = {"losses": losses, "distance": F.pairwise_distance(output1, output2)}
