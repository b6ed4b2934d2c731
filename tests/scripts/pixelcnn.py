"""Masked convolutions, pixel by pixel. Source: van den Oord et al. 2016, "Pixel recurrent neural networks"."""

import torch
import torch.nn.functional as F
from torch import nn, optim


class MaskedConv2d(nn.Conv2d):
    def __init__(self, mask_type, *args, **kwargs):
        super(MaskedConv2d, self).__init__(*args, **kwargs)
        assert mask_type in {"A", "B"}
        self.register_buffer("mask", self.weight.data.clone())
        _, _, kH, kW = self.weight.size()
        self.mask.fill_(1)
        self.mask[:, :, kH // 2, kW // 2 + (mask_type == "B") :] = 0
        self.mask[:, :, kH // 2 + 1 :] = 0

    def forward(self, x):
        self.weight.data *= self.mask
        return super(MaskedConv2d, self).forward(x)


torch.manual_seed(0)
fm = 6
net = nn.Sequential(
    MaskedConv2d("A", 1, fm, 5, 1, 2, bias=False), nn.BatchNorm2d(fm), nn.ReLU(True),
    MaskedConv2d("B", fm, fm, 3, 1, 1, bias=False), nn.BatchNorm2d(fm), nn.ReLU(True),
    nn.Conv2d(fm, 4, 1),
)  # fmt: skip
optimizer = optim.Adam(net.parameters())
input = torch.randint(0, 4, (6, 1, 7, 7)).to(torch.get_default_dtype()) / 3
losses = []
net.train(True)
for epoch in range(3):
    target = (input.data[:, 0] * 3).round().long()
    loss = F.cross_entropy(net(input), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
net.train(False)
sample = torch.zeros(2, 1, 7, 7)
for i in range(3):
    for j in range(7):
        out = net(sample)
        probs = F.softmax(out[:, :, i, j], dim=1).data
        sample[:, :, i, j] = torch.multinomial(probs, 1).to(torch.get_default_dtype()) / 3.0
results = {"losses": losses, "sample": sample, "mask": net[0].mask}
