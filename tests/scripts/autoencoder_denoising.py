"""A denoising autoencoder. Source: Vincent et al. 2008, "Extracting and composing robust features"."""

import torch
import torch.nn as nn
import torch.optim as optim


class Autoencoder(nn.Module):
    def __init__(self):
        super(Autoencoder, self).__init__()
        self.encoder = nn.Sequential(nn.Linear(36, 18), nn.ReLU(True), nn.Linear(18, 6))
        self.decoder = nn.Sequential(nn.Linear(6, 18), nn.ReLU(True), nn.Linear(18, 36), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


torch.manual_seed(1)
data = torch.rand(64, 6, 1) * torch.rand(64, 1, 6)
model = Autoencoder()
criterion = nn.MSELoss()
optimizer = optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-5)
losses = []
for epoch in range(8):
    for batch in torch.split(data, 16):
        batch = batch.view(batch.size(0), -1)
        noisy = torch.clamp(batch + 0.3 * torch.randn_like(batch), 0.0, 1.0)
        output = model(noisy)
        loss = criterion(output, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    losses.append(loss.item())
results = {"losses": losses, "code": model.encoder(data[:2].flatten(1))}
