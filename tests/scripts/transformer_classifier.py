"""An encoder with padding masks. Source: Vaswani et al. 2017, "Attention is all you need"."""

import math

import torch
import torch.nn as nn


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.1, max_len=50):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        pe = torch.zeros(max_len, d_model)
        position = torch.arange(0, max_len, dtype=torch.get_default_dtype()).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2).to(pe.dtype) * (-math.log(10000.0) / d_model))
        pe[:, 0::2] = torch.sin(position * div_term)
        pe[:, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe.unsqueeze(0).transpose(0, 1))

    def forward(self, x):
        return self.dropout(x + self.pe[: x.size(0), :])


class TransformerModel(nn.Module):
    def __init__(self, ntoken, ninp, nhead, nhid, nlayers, dropout=0.1):
        super().__init__()
        self.pos_encoder = PositionalEncoding(ninp, dropout)
        encoder_layers = nn.TransformerEncoderLayer(ninp, nhead, nhid, dropout)
        self.transformer_encoder = nn.TransformerEncoder(encoder_layers, nlayers, enable_nested_tensor=False)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.ninp = ninp
        self.decoder = nn.Linear(ninp, 3)
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)

    def forward(self, src, mask):
        x = self.pos_encoder(self.encoder(src) * math.sqrt(self.ninp))
        x = self.transformer_encoder(x, src_key_padding_mask=mask)
        keep = (~mask).t().unsqueeze(-1)
        return self.decoder((x * keep).sum(0) / keep.sum(0))


torch.manual_seed(0)
model = TransformerModel(15, 8, 2, 16, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
src = torch.randint(1, 15, (7, 5))
lengths = torch.tensor([7, 5, 6, 3, 4])
mask = torch.arange(7)[None, :] >= lengths[:, None]
target = src[0] % 3
losses = []
for _ in range(4):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(src, mask), target, label_smoothing=0.1)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step()
    losses.append(loss.item())
model.eval()
results = {"losses": losses, "logits": model(src, mask)}
