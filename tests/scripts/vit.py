"""Pictures as sequences of patches. Source: Dosovitskiy et al. 2020, "An image is worth 16x16 words"."""

import torch
from torch import nn


def pair(t):
    return t if isinstance(t, tuple) else (t, t)


class Attention(nn.Module):
    def __init__(self, dim, heads=2, dim_head=4, dropout=0.1):
        super().__init__()
        inner_dim = dim_head * heads
        self.heads, self.scale = heads, dim_head**-0.5
        self.norm, self.attend, self.dropout = nn.LayerNorm(dim), nn.Softmax(dim=-1), nn.Dropout(dropout)
        self.to_qkv = nn.Linear(dim, inner_dim * 3, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner_dim, dim), nn.Dropout(dropout))

    def forward(self, x):
        x = self.norm(x)
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in self.to_qkv(x).chunk(3, dim=-1))
        dots = torch.matmul(q, k.transpose(-1, -2)) * self.scale
        out = torch.matmul(self.dropout(self.attend(dots)), v)
        return self.to_out(out.transpose(1, 2).flatten(2))


class ViT(nn.Module):
    def __init__(self, image_size, patch_size, num_classes, dim, depth):
        super().__init__()
        (h, w), (ph, pw) = pair(image_size), pair(patch_size)
        self.patch = (ph, pw)
        self.to_patch = nn.Sequential(nn.LayerNorm(ph * pw), nn.Linear(ph * pw, dim), nn.LayerNorm(dim))
        self.pos_embedding = nn.Parameter(torch.randn(1, (h // ph) * (w // pw) + 1, dim))
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim))
        self.layers = nn.ModuleList([])
        for _ in range(depth):
            feed_forward = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 16), nn.GELU(), nn.Linear(16, dim))
            self.layers.append(nn.ModuleList([Attention(dim), feed_forward]))
        self.head = nn.Linear(dim, num_classes)

    def forward(self, img):
        b, c, h, w = img.shape
        ph, pw = self.patch
        x = img.unfold(2, ph, ph).unfold(3, pw, pw).permute(0, 2, 3, 4, 5, 1).reshape(b, -1, ph * pw * c)
        x = self.to_patch(x)
        cls_tokens = self.cls_token.expand(b, -1, -1)
        x = torch.cat((cls_tokens, x), dim=1)
        x += self.pos_embedding[:, : x.shape[1]]
        for attn, ff in self.layers:
            x = attn(x) + x
            x = ff(x) + x
        return self.head(x[:, 0])


torch.manual_seed(42)
model = ViT((8, 12), 4, 3, 8, 2)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
warmup = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=2)
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)
scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, cosine], milestones=[2])
x, y = torch.rand(5, 1, 8, 12), torch.tensor([0, 1, 2, 1, 0])
losses, rates = [], []
for _ in range(5):
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    losses.append(loss.item())
    rates.append(optimizer.param_groups[0]["lr"])
results = {"losses": losses, "rates": rates, "cls": model.cls_token.grad}
