"""Solution of exercise 10."""

from curriculum.engine import torch


def softmax(z):
    shifted = torch.exp(z - z.max(dim=1, keepdim=True).values)
    return shifted / shifted.sum(dim=1, keepdim=True)


def slope(z, y):
    one_hot = torch.nn.functional.one_hot(y, z.shape[1])
    return (softmax(z) - one_hot) / len(y)


def softmax_slope(p):
    # p_k = e_k / s: by its own logit p_k - p_k², by another one -p_k p_j
    return torch.diag(p) - p.unsqueeze(1) * p


def loss(z, y):
    shifted = z - z.max(dim=1, keepdim=True).values
    log_p = shifted - torch.log(torch.exp(shifted).sum(dim=1, keepdim=True))
    return -log_p[torch.arange(len(y)), y].mean()  # [:, y] is a whole table: every row at every class that occurs
