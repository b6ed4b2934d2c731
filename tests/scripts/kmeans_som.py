"""Clusters and maps without a loss. Sources: Lloyd 1982, "Least squares quantization"; Kohonen 1982, self-organising maps."""

import torch

torch.manual_seed(0)
x = torch.cat([torch.randn(15, 2) + centre for centre in torch.tensor([[4.0, 0.0], [-4.0, 1.0], [0.0, 5.0]])])
N, D, K = 45, 2, 3
c = x[torch.randperm(N)[:K]].clone()
for i in range(5):
    D_ij = ((x[:, None, :] - c[None, :, :]) ** 2).sum(-1)
    cl = D_ij.argmin(dim=1).long().view(-1)
    c.zero_()
    c.scatter_add_(0, cl[:, None].repeat(1, D), x)
    Ncl = torch.bincount(cl, minlength=K).type_as(c).view(K, 1)
    c /= Ncl
inertia = D_ij.min(dim=1).values.sum()
weights = torch.rand(16, 2)
locations = torch.LongTensor([[i, j] for i in range(4) for j in range(4)])
for step, sample in enumerate(x):
    pdist = torch.nn.PairwiseDistance(p=2)
    dists = pdist(torch.stack([sample for _ in range(16)]), weights)
    _, bmu_index = torch.min(dists, 0)
    bmu_loc = locations[bmu_index, :].squeeze()
    learning_rate_op = 1.0 - step / 45
    bmu_distance_squares = torch.sum(
        torch.pow(locations.to(x.dtype) - torch.stack([bmu_loc for _ in range(16)]).to(x.dtype), 2), 1
    )
    neighbourhood_func = torch.exp(torch.neg(torch.div(bmu_distance_squares, (2 * learning_rate_op) ** 2)))
    learning_rate_op = 0.3 * learning_rate_op * neighbourhood_func
    multiplier = torch.stack([learning_rate_op[i : i + 1].repeat(2) for i in range(16)])
    weights = torch.add(weights, torch.mul(multiplier, (torch.stack([sample for _ in range(16)]) - weights)))
centred = x - x.mean(0, keepdim=True)
U, S, V = torch.svd(centred)
explained = S**2 / (S**2).sum()
covariance = torch.cov(centred.T)
results = {
    "centres": c,
    "sizes": Ncl,
    "inertia": inertia,
    "map": weights,
    "explained": explained,
    "covariance": covariance,
}
