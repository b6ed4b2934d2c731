"""Typical mistakes in exercise 10: what is changed in the solution, and what the hint must say."""

MISTAKES = [
    ([("shifted.sum(dim=1, keepdim=True)", "shifted.sum()")], "each row must"),
    ([("shifted.sum(dim=1, keepdim=True)", "shifted.sum(dim=0)")], "along dim=1"),
    ([("torch.exp(z - z.max(dim=1, keepdim=True).values)", "torch.exp(z)")], "overflows"),
    ([(") / len(y)", ")")], "number of samples"),
    ([("softmax(z) - one_hot", "one_hot - softmax(z)")], "sign is turned"),
    ([("z.max(dim=1, keepdim=True).values", "z.max()")], "With the largest of the whole batch"),
    (
        [("    shifted = torch", "    return torch.softmax(z, dim=1)\n    shifted = torch")],
        "`softmax` is not to be called",
    ),
    (
        [("    shifted = torch", "    return torch.nn.Softmax(dim=1)(z)\n    shifted = torch")],
        "`softmax` is not to be called",
    ),
    (
        [("    shifted = torch", "    return z.log_softmax(1).exp()\n    shifted = torch")],
        "`log_softmax` is not to be called",
    ),
    ([("    shifted = torch", "    z = z.numpy()\n    shifted = torch")], ""),
    ([(") / len(y)", ") / z.shape[1]")], "number of classes"),
    ([("z.max(dim=1", "z.max(dim=0")], "wanted is"),
    ([("z.shape[1])\n", "3)\n")], ""),
    ([("torch.diag(p) - p.unsqueeze(1) * p", "torch.diag(p - p * p)")], "not 0: every logit"),
    ([("torch.diag(p) - p.unsqueeze(1) * p", "-p.unsqueeze(1) * p")], "numerator has a slope"),
    ([("torch.diag(p) - p.unsqueeze(1) * p", "torch.diag(p) + p.unsqueeze(1) * p")], "add up to 0"),
    ([("torch.diag(p) - p.unsqueeze(1) * p", "p * (1 - p)")], "has the shape"),
    ([("torch.diag(p) - p.unsqueeze(1) * p", "torch.autograd.functional.jacobian(softmax, p)")], "is not to be called"),
    ([("log_p[torch.arange(len(y)), y]", "log_p[:, y]")], "how many numbers"),
    ([("-log_p[torch.arange(len(y)), y]", "log_p[torch.arange(len(y)), y]")], "wanted is"),
    ([("-log_p[torch.arange(len(y)), y].mean()", "-log_p[torch.arange(len(y)), y]")], "has the shape"),
    ([("-log_p[torch.arange(len(y)), y].mean()", "-log_p[torch.arange(len(y)), y].detach().mean()")], "no graph"),
    ([("return -log_p", "log_p = shifted\n    return -log_p")], "wanted is"),
]
