"""Depthwise convolutions and squeeze-and-excitation. Source: Howard et al. 2019, "Searching for MobileNetV3"."""

import torch
import torch.nn as nn


def _make_divisible(v, divisor, min_value=None):
    if min_value is None:
        min_value = divisor
    new_v = max(min_value, int(v + divisor / 2) // divisor * divisor)
    return new_v + divisor if new_v < 0.9 * v else new_v


class SELayer(nn.Module):
    def __init__(self, channel, reduction=4):
        super(SELayer, self).__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        squeezed = _make_divisible(channel // reduction, 2)
        self.fc = nn.Sequential(
            nn.Linear(channel, squeezed), nn.ReLU(inplace=True), nn.Linear(squeezed, channel), nn.Hardsigmoid()
        )

    def forward(self, x):
        b, c, _, _ = x.size()
        y = self.avg_pool(x).view(b, c)
        return x * self.fc(y).view(b, c, 1, 1)


class InvertedResidual(nn.Module):
    def __init__(self, inp, hidden_dim, oup, kernel_size, stride, use_se, use_hs):
        super(InvertedResidual, self).__init__()
        self.identity = stride == 1 and inp == oup
        self.conv = nn.Sequential(
            nn.Conv2d(inp, hidden_dim, 1, 1, 0, bias=False),
            nn.BatchNorm2d(hidden_dim),
            nn.Hardswish() if use_hs else nn.ReLU(inplace=True),
            nn.Conv2d(
                hidden_dim, hidden_dim, kernel_size, stride, (kernel_size - 1) // 2, groups=hidden_dim, bias=False
            ),
            nn.BatchNorm2d(hidden_dim),
            SELayer(hidden_dim) if use_se else nn.Identity(),
            nn.Hardswish() if use_hs else nn.ReLU(inplace=True),
            nn.Conv2d(hidden_dim, oup, 1, 1, 0, bias=False),
            nn.BatchNorm2d(oup),
        )

    def forward(self, x):
        return x + self.conv(x) if self.identity else self.conv(x)


torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.Hardswish(inplace=True),
    InvertedResidual(4, 8, 4, 3, 1, True, False), InvertedResidual(4, 12, 6, 5, 2, False, True),
    nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Dropout(0.2), nn.Linear(6, 3),
)  # fmt: skip
for m in net.modules():
    if isinstance(m, nn.Conv2d):
        n = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
        m.weight.data.normal_(0, (2.0 / n) ** 0.5)
        if m.bias is not None:
            m.bias.data.zero_()
    elif isinstance(m, nn.Linear):
        m.weight.data.normal_(0, 0.01)
        m.bias.data.zero_()
optimizer = torch.optim.RMSprop(net.parameters(), 1e-3, alpha=0.9, eps=1e-3, momentum=0.9)
avg = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
x, y = torch.randn(8, 3, 16, 16), torch.randint(0, 3, (8,))
losses = []
for _ in range(4):
    loss = nn.functional.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    avg.update_parameters(net)
    losses.append(loss.item())
torch.optim.swa_utils.update_bn([(x, y)], avg)
avg.eval()
results = {"losses": losses, "average": avg(x[:2]), "count": avg.n_averaged}
