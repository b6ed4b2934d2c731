"""A small network taught by a large one. Source: Hinton et al. 2015, "Distilling the knowledge in a neural network"."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def loss_fn_kd(outputs, labels, teacher_outputs, alpha=0.9, T=4.0):
    return nn.KLDivLoss(reduction="batchmean")(
        F.log_softmax(outputs / T, dim=1), F.softmax(teacher_outputs / T, dim=1)
    ) * (alpha * T * T) + F.cross_entropy(outputs, labels) * (1.0 - alpha)


torch.manual_seed(230)
x = torch.randn(64, 8)
labels = (x[:, :4].sum(1) > 0).long() + (x[:, 4:].sum(1) > 0).long()
teacher = nn.Sequential(nn.Linear(8, 32), nn.PReLU(), nn.BatchNorm1d(32), nn.Linear(32, 3))
student = nn.Sequential(nn.Linear(8, 6), nn.ReLU6(), nn.Linear(6, 3))
optimizer = torch.optim.SGD(teacher.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
losses = []
for epoch in range(5):
    loss = F.cross_entropy(teacher(x), labels, weight=torch.tensor([1.0, 0.5, 1.0]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
teacher.eval()
for param in teacher.parameters():
    param.requires_grad_(False)
optimizer = torch.optim.NAdam(student.parameters(), lr=1e-2)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "min", factor=0.5, patience=0)
for epoch in range(5):
    with torch.no_grad():
        output_teacher = teacher(x)
    loss = loss_fn_kd(student(x), labels, output_teacher)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step(loss)
    losses.append(loss.item())
results = {"losses": losses, "lr": optimizer.param_groups[0]["lr"], "student": student(x[:3])}
