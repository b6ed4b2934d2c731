"""An autoregressive autoencoder. Source: Germain et al. 2015, "MADE"."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class MaskedLinear(nn.Linear):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__(in_features, out_features, bias)
        self.register_buffer("mask", torch.ones(out_features, in_features))

    def set_mask(self, mask):
        self.mask.data.copy_(torch.from_numpy(mask.astype(np.uint8).T))

    def forward(self, input):
        return F.linear(input, self.mask * self.weight, self.bias)


torch.manual_seed(42)
rng = np.random.RandomState(0)
D, H = 10, 16
net = nn.Sequential(MaskedLinear(D, H), nn.ReLU(), MaskedLinear(H, H), nn.ReLU(), MaskedLinear(H, D))
m = {-1: np.arange(D), 0: rng.randint(0, D - 1, size=H)}
m[1] = rng.randint(m[0].min(), D - 1, size=H)
masks = [m[l - 1][:, None] <= m[l][None, :] for l in range(2)]
masks.append(m[1][:, None] < m[-1][None, :])
for layer, mask in zip([l for l in net.modules() if isinstance(l, MaskedLinear)], masks):
    layer.set_mask(mask)
opt = torch.optim.Adam(net.parameters(), 1e-3, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.1)
x = (torch.rand(20, D) > 0.5).to(torch.get_default_dtype())
losses = []
for epoch in range(5):
    loss = F.binary_cross_entropy_with_logits(net(x), x, size_average=False) / x.size(0)
    opt.zero_grad()
    loss.backward()
    opt.step()
    scheduler.step()
    losses.append(loss.item())
probe = torch.zeros(1, D, requires_grad=True)
jacobian = torch.stack([torch.autograd.grad(net(probe)[0, i], probe)[0][0] for i in range(D)])
assert (jacobian.triu() == 0).all()  # output i sees only inputs before i
results = {"losses": losses, "jacobian": jacobian, "lr": scheduler.get_last_lr()}
