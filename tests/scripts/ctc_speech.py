"""Sequences without alignment. Source: Graves et al. 2006, "Connectionist temporal classification"."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Recognizer(nn.Module):
    def __init__(self, n_feats=6, n_class=5):
        super().__init__()
        self.cnn = nn.Conv1d(n_feats, 8, 3, padding=1)
        self.layer_norm = nn.LayerNorm(8)
        self.birnn = nn.GRU(8, 8, bidirectional=True, batch_first=True)
        self.classifier = nn.Sequential(nn.Linear(16, 8), nn.GELU(), nn.Linear(8, n_class))

    def forward(self, x):
        x = self.layer_norm(self.cnn(x).transpose(1, 2).contiguous())
        x, _ = self.birnn(F.gelu(x))
        return self.classifier(x)


model = Recognizer()
criterion = nn.CTCLoss(blank=0)
optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
scheduler = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=5e-3, steps_per_epoch=5, epochs=1, anneal_strategy="linear"
)
spectrograms = torch.randn(3, 6, 12)
labels = torch.tensor([[1, 2, 2, 3], [4, 1, 0, 0], [2, 0, 0, 0]])
input_lengths, label_lengths = [12, 10, 8], [4, 2, 1]
losses = []
for _ in range(5):
    optimizer.zero_grad()
    output = F.log_softmax(model(spectrograms), dim=2).transpose(0, 1)
    loss = criterion(output, labels, input_lengths, label_lengths)
    loss.backward()
    optimizer.step()
    scheduler.step()
    losses.append(loss.item())
arg_maxes = torch.argmax(output, dim=2).t()
decoded = [torch.unique_consecutive(row) for row in arg_maxes]
results = {"losses": losses, "best": arg_maxes, "decoded": decoded, "lr": scheduler.get_last_lr()}
