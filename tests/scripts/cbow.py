"""A word from its context. Source: Mikolov et al. 2013, "Efficient estimation of word representations in vector space"."""

import torch
import torch.autograd as autograd
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

torch.manual_seed(1)
raw_text = """We are about to study the idea of a computational process.
Computational processes are abstract beings that inhabit computers.""".split()
vocab = sorted(set(raw_text))
word_to_ix = {word: i for i, word in enumerate(vocab)}
data = [
    ([raw_text[i - 2], raw_text[i - 1], raw_text[i + 1], raw_text[i + 2]], raw_text[i])
    for i in range(2, len(raw_text) - 2)
]


class CBOW(nn.Module):
    def __init__(self, vocab_size, embedding_dim):
        super().__init__()
        self.embeddings = nn.Embedding(vocab_size, embedding_dim)
        self.linear1 = nn.Linear(embedding_dim, 16)
        self.linear2 = nn.Linear(16, vocab_size)

    def forward(self, inputs):
        embeds = self.embeddings(inputs).sum(0).view(1, -1)
        return F.log_softmax(self.linear2(torch.tanh(self.linear1(embeds))))


def make_context_vector(context):
    return autograd.Variable(torch.tensor([word_to_ix[w] for w in context], dtype=torch.long))


model = CBOW(len(vocab), 6)
loss_function = nn.NLLLoss()
optimizer = optim.Adagrad(model.parameters(), lr=0.1)
losses = []
for epoch in range(3):
    total_loss = torch.Tensor([0])
    for context, target in data:
        model.zero_grad()
        log_probs = model(make_context_vector(context))
        loss = loss_function(log_probs, torch.tensor([word_to_ix[target]]))
        loss.backward()
        optimizer.step()
        total_loss += loss.data
    losses.append(total_loss.item())
results = {"losses": losses}
