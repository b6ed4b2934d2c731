"""Masked words. Source: Devlin et al. 2018, "BERT"."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
VOCAB, MASK = 24, 3


class Bert(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.token, self.position, self.segment = (
            nn.Embedding(VOCAB, hidden, padding_idx=0),
            nn.Embedding(16, hidden),
            nn.Embedding(3, hidden),
        )
        self.norm = nn.LayerNorm(hidden, eps=1e-12)
        layer = nn.TransformerEncoderLayer(hidden, 4, 32, 0.1, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(hidden), enable_nested_tensor=False)
        self.bias = nn.Parameter(torch.zeros(VOCAB))
        self.pooler = nn.Linear(hidden, 2)
        self.register_buffer("position_ids", torch.arange(16).expand((1, -1)), persistent=False)

    def forward(self, ids, segments):
        x = self.norm(self.token(ids) + self.position(self.position_ids[:, : ids.size(1)]) + self.segment(segments))
        x = self.encoder(x, src_key_padding_mask=ids.eq(0))
        return F.linear(x, self.token.weight, self.bias), self.pooler(torch.tanh(x[:, 0]))


def mask_tokens(inputs):
    labels = inputs.clone()
    probability_matrix = torch.full(labels.shape, 0.3)
    special = inputs < 5
    probability_matrix.masked_fill_(special, value=0.0)
    masked_indices = torch.bernoulli(probability_matrix).bool()
    labels[~masked_indices] = -100
    indices_replaced = torch.bernoulli(torch.full(labels.shape, 0.8)).bool() & masked_indices
    inputs[indices_replaced] = MASK
    indices_random = torch.bernoulli(torch.full(labels.shape, 0.5)).bool() & masked_indices & ~indices_replaced
    random_words = torch.randint(VOCAB, labels.shape, dtype=torch.long)
    inputs[indices_random] = random_words[indices_random]
    return inputs, labels


model = Bert()
no_decay = ["bias", "norm.weight"]
grouped = [
    {"params": [p for n, p in model.named_parameters() if not any(nd in n for nd in no_decay)], "weight_decay": 0.01},
    {"params": [p for n, p in model.named_parameters() if any(nd in n for nd in no_decay)], "weight_decay": 0.0},
]
optimizer = torch.optim.AdamW(grouped, lr=1e-3, eps=1e-8)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / 2, max(0.0, (6 - step) / 4)))
ids = torch.randint(5, VOCAB, (4, 12))
ids[1, 9:], ids[3, 6:] = 0, 0
segments = (torch.arange(12) > 5).long().expand(4, -1)
is_next = torch.tensor([1, 0, 1, 0])
losses = []
for _ in range(4):
    inputs, labels = mask_tokens(ids.clone())
    scores, relation = model(inputs, segments)
    loss = F.cross_entropy(scores.view(-1, VOCAB), labels.view(-1)) + F.cross_entropy(relation, is_next)
    loss.backward()
    optimizer.step()
    scheduler.step()
    model.zero_grad()
    losses.append(loss.item())
results = {"losses": losses, "relation": relation, "lr": scheduler.get_last_lr()}
