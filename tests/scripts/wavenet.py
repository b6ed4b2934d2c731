"""Dilated causal convolutions. Source: van den Oord et al. 2016, "WaveNet"."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class CausalConv1d(nn.Conv1d):
    def __init__(self, in_channels, out_channels, kernel_size, dilation=1):
        self.__padding = (kernel_size - 1) * dilation
        super().__init__(in_channels, out_channels, kernel_size, padding=self.__padding, dilation=dilation)

    def forward(self, input):
        result = super().forward(input)
        if self.__padding != 0:
            return result[:, :, : -self.__padding]
        return result


class WaveNet(nn.Module):
    def __init__(self, quantization=16, channels=8, layers=3):
        super().__init__()
        self.start = nn.utils.weight_norm(nn.Conv1d(quantization, channels, 1))
        self.filters = nn.ModuleList(CausalConv1d(channels, channels, 2, 2**i) for i in range(layers))
        self.gates = nn.ModuleList(CausalConv1d(channels, channels, 2, 2**i) for i in range(layers))
        self.residuals = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in range(layers))
        self.skips = nn.ModuleList(nn.Conv1d(channels, 12, 1) for _ in range(layers))
        self.end = nn.Conv1d(12, quantization, 1)

    def forward(self, x):
        x = self.start(x)
        skip = 0
        for f, g, r, s in zip(self.filters, self.gates, self.residuals, self.skips):
            z = torch.tanh(f(x)) * torch.sigmoid(g(x))
            skip = s(z) + skip
            x = x + r(z)
        return self.end(F.relu(skip))


def mu_law_encode(audio, channels=16):
    mu = float(channels - 1)
    safe = torch.minimum(torch.abs(audio), torch.tensor(1.0))
    signal = torch.sign(audio) * torch.log1p(mu * safe) / torch.log1p(torch.tensor(mu))
    return ((signal + 1) / 2 * mu + 0.5).to(torch.int64)


torch.manual_seed(0)
audio = torch.sin(torch.linspace(0, 12, 41))[None] * torch.tensor([[0.5], [0.9]])
codes = mu_law_encode(audio)
model = WaveNet()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
losses = []
for _ in range(4):
    one_hot = F.one_hot(codes[:, :-1], 16).transpose(1, 2).to(audio.dtype)
    loss = F.cross_entropy(model(one_hot), codes[:, 1:])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
results = {"losses": losses, "codes": codes, "g": model.start.weight_g}
