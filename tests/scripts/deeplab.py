"""Atrous pyramid and bilinear upsampling. Source: Chen et al. 2017, "Rethinking atrous convolution (DeepLabv3)"."""

import torch
from torch import nn
from torch.nn import functional as F


class ASPPPooling(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.ReLU())

    def forward(self, x):
        size = x.shape[-2:]
        for mod in self:
            x = mod(x)
        return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class ASPP(nn.Module):
    def __init__(self, in_channels, rates, out_channels):
        super().__init__()
        modules = [
            nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.GroupNorm(2, out_channels), nn.ReLU())
        ]
        for rate in rates:
            modules.append(
                nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 3, padding=rate, dilation=rate, bias=False), nn.ReLU()
                )
            )
        modules.append(ASPPPooling(in_channels, out_channels))
        self.convs = nn.ModuleList(modules)
        self.project = nn.Sequential(nn.Conv2d(len(self.convs) * out_channels, out_channels, 1), nn.Dropout(0.5))

    def forward(self, x):
        return self.project(torch.cat([conv(x) for conv in self.convs], dim=1))


class PolyLR(torch.optim.lr_scheduler._LRScheduler):
    def __init__(self, optimizer, max_iters, power=0.9, last_epoch=-1, min_lr=1e-6):
        self.power, self.max_iters, self.min_lr = power, max_iters, min_lr
        super(PolyLR, self).__init__(optimizer, last_epoch)

    def get_lr(self):
        return [
            max(base_lr * (1 - self.last_epoch / self.max_iters) ** self.power, self.min_lr)
            for base_lr in self.base_lrs
        ]


class FocalLoss(nn.Module):
    def __init__(self, alpha=1, gamma=2, ignore_index=255):
        super().__init__()
        self.alpha, self.gamma, self.ignore_index = alpha, gamma, ignore_index

    def forward(self, inputs, targets):
        ce_loss = F.cross_entropy(inputs, targets, reduction="none", ignore_index=self.ignore_index)
        pt = torch.exp(-ce_loss)
        return (self.alpha * (1 - pt) ** self.gamma * ce_loss).mean()


def fast_hist(label_true, label_pred, n):
    mask = (label_true >= 0) & (label_true < n)
    return torch.bincount(n * label_true[mask] + label_pred[mask], minlength=n * n).reshape(n, n)


torch.manual_seed(1)
backbone = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(), nn.Conv2d(6, 6, 3, 2, 1), nn.ReLU())
classifier = nn.Sequential(ASPP(6, [1, 2], 4), nn.Conv2d(4, 3, 1))
params = [{"params": backbone.parameters(), "lr": 0.01}, {"params": classifier.parameters(), "lr": 0.1}]
optimizer = torch.optim.SGD(params=params, lr=0.1, momentum=0.9, weight_decay=1e-4)
scheduler = PolyLR(optimizer, 10)
images, labels = torch.rand(2, 3, 16, 20), torch.randint(0, 3, (2, 16, 20))
labels[:, :2] = 255
losses = []
for _ in range(4):
    outputs = F.interpolate(classifier(backbone(images)), size=images.shape[-2:], mode="bilinear", align_corners=True)
    loss = FocalLoss()(outputs, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    losses.append(loss.item())
hist = fast_hist(labels.flatten(), outputs.detach().max(dim=1)[1].flatten(), 3)
iou = hist.diag() / (hist.sum(axis=1) + hist.sum(axis=0) - hist.diag() + 1)
results = {"losses": losses, "lr": scheduler.get_last_lr(), "iou": iou}
