"""Texts as bags of words. Source: Joulin et al. 2016, "Bag of tricks for efficient text classification"."""

import torch
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.data.dataset import random_split

torch.manual_seed(0)
texts = [(i % 3, torch.randint(0, 30, (3 + i % 4,))) for i in range(20)]


def collate_batch(batch):
    label_list, text_list, offsets = [], [], [0]
    for label, text in batch:
        label_list.append(label)
        text_list.append(text)
        offsets.append(text.size(0))
    return torch.tensor(label_list, dtype=torch.int64), torch.cat(text_list), torch.tensor(offsets[:-1]).cumsum(dim=0)


class TextClassificationModel(nn.Module):
    def __init__(self, vocab_size, embed_dim, num_class):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocab_size, embed_dim, sparse=False)
        self.fc = nn.Linear(embed_dim, num_class)
        initrange = 0.5
        self.embedding.weight.data.uniform_(-initrange, initrange)
        self.fc.weight.data.uniform_(-initrange, initrange)
        self.fc.bias.data.zero_()

    def forward(self, text, offsets):
        return self.fc(self.embedding(text, offsets))


model = TextClassificationModel(30, 6, 3)
criterion = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=2.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1.0, gamma=0.1)
train, valid = random_split(texts, [16, 4])
losses, correct = [], 0
for epoch in range(2):
    model.train()
    for label, text, offsets in DataLoader(train, batch_size=8, shuffle=True, collate_fn=collate_batch):
        optimizer.zero_grad()
        loss = criterion(model(text, offsets), label)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        for label, text, offsets in DataLoader(valid, batch_size=4, collate_fn=collate_batch):
            correct += (model(text, offsets).argmax(1) == label).sum().item()
    scheduler.step()
results = {"losses": losses, "correct": correct, "embedding": model.embedding.weight}
