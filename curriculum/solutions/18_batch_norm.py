"""Solution of exercise 18."""

from curriculum.engine import torch


def batch_norm_2d(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    if training:
        mean = x.mean(dim=(0, 2, 3))
        count = x.numel() // x.shape[1]
        var = ((x - mean.reshape(-1, 1, 1)) ** 2).mean(dim=(0, 2, 3))
        with torch.no_grad():
            running_mean += momentum * (mean - running_mean)
            running_var += momentum * (var * count / (count - 1) - running_var)
    else:
        mean, var = running_mean, running_var
    scale = gamma / torch.sqrt(var + eps)
    return (x - mean.reshape(-1, 1, 1)) * scale.reshape(-1, 1, 1) + beta.reshape(-1, 1, 1)


def fold(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / torch.sqrt(running_var + eps)
    return weight * scale.unsqueeze(1), (bias - running_mean) * scale + beta


def answer(model, x):
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    with torch.no_grad():
        found = model(x)
    for part, training in modes:
        part.training = training
    return found
