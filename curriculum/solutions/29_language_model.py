"""Solutions of exercises 29."""

from curriculum.engine import torch


def pieces(data, starts, context):
    x = torch.stack([data[s : s + context] for s in starts])
    y = torch.stack([data[s + 1 : s + context + 1] for s in starts])
    return x, y


def next_probabilities(logits, temperature):
    return torch.softmax(logits[:, -1] / temperature, dim=1)


def perplexity(losses):
    return torch.exp(losses.mean())


def top_k(probabilities, k):
    chosen = probabilities.topk(k, dim=1)
    kept = torch.zeros_like(probabilities).scatter(1, chosen.indices, chosen.values)
    return kept / kept.sum(dim=1, keepdim=True)
