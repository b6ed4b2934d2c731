"""Sequences of unequal length, packed. Source: Hochreiter & Schmidhuber 1997, "Long short-term memory"."""

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)


class Sequences(Dataset):
    def __init__(self, n):
        self.items = [(torch.randint(1, 9, (int(torch.randint(2, 8, (1,))),)), i % 2) for i in range(n)]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, idx):
        return self.items[idx]


def collate(batch):
    batch.sort(key=lambda item: len(item[0]), reverse=True)
    texts, labels = zip(*batch)
    lengths = torch.tensor([len(text) for text in texts])
    return pad_sequence(texts, batch_first=True), lengths, torch.tensor(labels)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(9, 6, padding_idx=0)
        self.lstm = nn.LSTM(6, 8, num_layers=2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(16, 2)

    def forward(self, text, lengths):
        packed = pack_padded_sequence(self.embedding(text), lengths, batch_first=True)
        packed_output, (hidden, cell) = self.lstm(packed)
        output, output_lengths = pad_packed_sequence(packed_output, batch_first=True)
        pooled = output.sum(1) / output_lengths.unsqueeze(1)
        return self.fc(pooled + torch.cat((hidden[-2], hidden[-1]), dim=1))


model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
losses = []
for epoch in range(2):
    for text, lengths, labels in DataLoader(Sequences(12), batch_size=4, shuffle=True, collate_fn=collate):
        loss = nn.CrossEntropyLoss()(model(text, lengths), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
results = {"losses": losses, "embedding": model.embedding.weight, "grad": model.lstm.weight_hh_l0.grad}
