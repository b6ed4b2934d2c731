"""A character language model on nn.LSTM. Source: Graves 2013, "Generating sequences with recurrent neural networks"."""

import torch
import torch.nn as nn
from torch.nn.utils import clip_grad_norm_


class RNNLM(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, embed_size)
        self.lstm = nn.LSTM(embed_size, hidden_size, num_layers, batch_first=True, dropout=0.2)
        self.linear = nn.Linear(hidden_size, vocab_size)

    def forward(self, x, h):
        x = self.embed(x)
        out, (h, c) = self.lstm(x, h)
        out = out.reshape(out.size(0) * out.size(1), out.size(2))
        return self.linear(out), (h, c)


def detach(states):
    return [state.detach() for state in states]


torch.manual_seed(0)
text = "the quick brown fox jumps over the lazy dog and runs away from the other dogs " * 4
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
batch_size, seq_length = 4, 10
ids = torch.tensor([stoi[c] for c in text])
num_batches = ids.size(0) // batch_size
ids = ids[: num_batches * batch_size].view(batch_size, -1)
model = RNNLM(len(chars), 8, 16, 2)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
losses = []
for epoch in range(2):
    states = (torch.zeros(2, batch_size, 16), torch.zeros(2, batch_size, 16))
    for i in range(0, ids.size(1) - seq_length, seq_length):
        inputs, targets = ids[:, i : i + seq_length], ids[:, (i + 1) : (i + 1) + seq_length]
        states = detach(states)
        outputs, states = model(inputs, states)
        loss = criterion(outputs, targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        norm = clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        losses += [loss.item(), norm.item()]
model.eval()
with torch.no_grad():
    state = (torch.zeros(2, 1, 16), torch.zeros(2, 1, 16))
    input = torch.multinomial(torch.ones(len(chars)), num_samples=1).unsqueeze(1)
    written = []
    for _ in range(12):
        output, state = model(input, state)
        word_id = torch.multinomial(output.exp(), num_samples=1).item()
        input.fill_(word_id)
        written.append(word_id)
results = {"losses": losses, "written": written}
