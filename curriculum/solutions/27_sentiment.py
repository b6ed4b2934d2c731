"""Solutions of exercises 27."""

from curriculum.engine import torch  # noqa: F401


def layer_norm(x, weight, bias, eps=1e-5):
    mean = x.mean(dim=-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(dim=-1, keepdim=True)
    return (x - mean) / (variance + eps).sqrt() * weight + bias


def stop_at(losses, patience):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best >= patience:
            return epoch, best
    return len(losses) - 1, best


def block_parameters(width, hidden):
    attention = 4 * (width * width + width)
    network = (width + 1) * hidden + (hidden + 1) * width
    return attention + network + 4 * width


def held_out_loss(losses, sizes):
    total = sum(loss * size for loss, size in zip(losses, sizes, strict=True))
    return total / sum(sizes)
