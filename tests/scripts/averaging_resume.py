"""Averaged weights, a one-cycle rate, and a training stopped and resumed. Sources: Izmailov et al. 2018; Smith & Topin 2017."""

import os

import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset, random_split


def build():
    model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Hardtanh(), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return model, optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=12, pct_start=0.3)


torch.manual_seed(0)
x = torch.randn(40, 5)
y = x[:, :1] * 2 - x[:, 1:2] ** 2
train, valid = random_split(TensorDataset(x, y), [32, 8], generator=torch.Generator().manual_seed(42))
loader = DataLoader(train, batch_size=8, shuffle=True, generator=torch.Generator().manual_seed(1))
model, optimizer, scheduler = build()
history, best = [], float("inf")
for epoch in range(3):
    if epoch == 1:
        torch.save(
            {"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
             "rng": torch.get_rng_state()},
            "checkpoint.pt",
        )  # fmt: skip
        model, optimizer, scheduler = build()
        checkpoint = torch.load("checkpoint.pt", map_location="cpu", weights_only=True)
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        scheduler.load_state_dict(checkpoint["scheduler"])
        torch.set_rng_state(checkpoint["rng"])
    for xb, yb in loader:
        loss = nn.functional.huber_loss(model(xb), yb, delta=0.5)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        history += [loss.item(), scheduler.get_last_lr()[0]]
swa_model = AveragedModel(model)
swa_scheduler = SWALR(optimizer, swa_lr=0.05, anneal_epochs=2)
for epoch in range(3):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = nn.functional.l1_loss(model(xb), yb)
        loss.backward()
        optimizer.step()
    swa_model.update_parameters(model)
    swa_scheduler.step()
    history.append(optimizer.param_groups[0]["lr"])
update_bn(loader, swa_model)
swa_model.eval()
assert os.path.exists("checkpoint.pt")
results = {"history": history, "swa": swa_model(x[:4]), "valid": [swa_model(a[None]) for a, b in valid]}
