"""Kullback-Leibler divergences of pairs of distributions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..autograd import grad
from ..linalg import solve_triangular
from ..ops import digamma, erf, exp, lgamma, log, log1p, where, xlogy
from ..tensor import Tensor
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .cauchy import Cauchy
from .continuous_bernoulli import ContinuousBernoulli
from .dirichlet import Dirichlet
from .distribution import Distribution
from .exp_family import ExponentialFamily
from .exponential import Exponential
from .gamma import Gamma
from .geometric import Geometric
from .gumbel import Gumbel
from .half_normal import HalfNormal
from .independent import Independent, sum_rightmost
from .laplace import Laplace
from .lowrank_multivariate_normal import LowRankMultivariateNormal
from .multivariate_normal import MultivariateNormal, half_log_det, mahalanobis
from .normal import Normal
from .one_hot_categorical import OneHotCategorical
from .pareto import Pareto
from .poisson import Poisson
from .transformed_distribution import TransformedDistribution
from .uniform import Uniform
from .utils import euler_constant

__all__ = ["kl_divergence", "register_kl"]

_REGISTRY: dict[tuple[type, type], Callable] = {}


def register_kl(type_p: type, type_q: type) -> Callable:
    """A decorator: the function gives the divergence of a p of the one class from a q of the other. PyTorch: the same name."""
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"Expected type_p and type_q to be Distribution subclasses but got {kind}")

    def mark(function: Callable) -> Callable:
        _REGISTRY[type_p, type_q] = function
        return function

    return mark


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """E[ln p(x) - ln q(x)], x of p: of the shape of the batch. PyTorch: torch.distributions.kl_divergence.

    Errors: NotImplementedError where no function is registered for the two classes, or for classes they derive from.
    """
    matches = [
        (type(p).__mro__.index(a) + type(q).__mro__.index(b), function)
        for (a, b), function in _REGISTRY.items()
        if isinstance(p, a) and isinstance(q, b)
    ]
    if not matches:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}"
        )
    return min(matches, key=lambda m: m[0])[1](p, q)


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_families(p: Any, q: Any) -> Tensor:
    """Of two of one family, of the user's own: F(θq) - F(θp) - ⟨θq - θp, ∇F(θp)⟩, a Bregman divergence."""
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot be computed using Bregman divergences"
        )
    ours = [x.detach().requires_grad_() for x in p._natural_params]
    theirs = q._natural_params
    normalizer = p._log_normalizer(*ours)
    result = q._log_normalizer(*theirs) - normalizer
    for a, b, mean in zip(ours, theirs, grad(normalizer.sum(), ours, create_graph=True), strict=True):
        result = result - sum_rightmost((b - a) * mean, len(q.event_shape))
    return result


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Tensor:
    yes = xlogy(p.probs, p.probs) - xlogy(p.probs, q.probs)
    no = xlogy(1 - p.probs, 1 - p.probs) - xlogy(1 - p.probs, 1 - q.probs)
    return yes + no


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Tensor:
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    kl = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return where(p.total_count > q.total_count, math.inf, kl)


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Tensor:
    t = p.probs * (p.logits - q.logits)
    t = where(q.probs == 0, math.inf, t)
    t = where((p.probs == 0) & (q.probs == q.probs), 0.0, t)
    return t.sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(Geometric, Geometric)
def _geometric(p: Any, q: Any) -> Tensor:
    return -p.entropy() - log1p(-q.probs) / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _poisson(p: Any, q: Any) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Normal, Normal)
def _normal(p: Any, q: Any) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    distance = ((p.loc - q.loc) / q.scale).pow(2)
    return 0.5 * (ratio + distance - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: Any, q: Any) -> Tensor:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Any, q: Any) -> Tensor:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * exp(-distance / p.scale) - 1


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Tensor:
    d = p.loc - q.loc
    ratio = p.scale / q.scale
    t1 = log(ratio)
    t2 = math.sqrt(2 / math.pi) * p.scale * exp(-0.5 * (d / p.scale).pow(2))
    t3 = d * erf(math.sqrt(0.5) * d / p.scale)
    return -t1 + (t2 + t3) / q.scale - 0.5 * (1.0 + math.log(0.5 * math.pi))


@register_kl(Laplace, Normal)
def _laplace_normal(p: Any, q: Any) -> Tensor:
    squared = q.scale.pow(2)
    ratio = p.scale.pow(2) / squared
    return -0.5 * log(2 * ratio) + ratio + 0.5 * (p.loc - q.loc).pow(2) / squared - 1 + 0.5 * math.log(math.pi)


@register_kl(Exponential, Exponential)
def _exponential(p: Any, q: Any) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Any, q: Any) -> Tensor:
    ratio = q.rate / p.rate
    return (
        -q.concentration * log(ratio)
        + ratio
        + lgamma(q.concentration)
        + q.concentration * euler_constant
        - (1 + euler_constant)
    )


@register_kl(Exponential, Normal)
def _exponential_normal(p: Any, q: Any) -> Tensor:
    squared = q.scale.pow(2)
    rate = p.rate.pow(2)
    return (
        0.5 * log(rate * squared * 2 * math.pi)
        - 1
        + (p.rate.reciprocal().pow(2) - q.loc / p.rate + q.loc.pow(2) / 2) / squared
    )


@register_kl(Gamma, Gamma)
def _gamma(p: Any, q: Any) -> Tensor:
    a, b = p.concentration, q.concentration
    return b * (p.rate / q.rate).log() + lgamma(b) - lgamma(a) + (a - b) * digamma(a) + (q.rate - p.rate) * (a / p.rate)


@register_kl(Gamma, Exponential)
def _gamma_exponential(p: Any, q: Any) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.concentration / p.rate


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Any, q: Any) -> Tensor:
    c1, c2, c3 = p.scale / q.scale, q.loc / q.scale, p.loc / q.scale
    t1 = -c1.log() - c2 + c3
    return t1 + c1 * euler_constant + exp(c2 + lgamma(1 + c1) - c3) - (1 + euler_constant)


@register_kl(Beta, Beta)
def _beta(p: Any, q: Any) -> Tensor:
    a, b, c, d = p.concentration1, p.concentration0, q.concentration1, q.concentration0
    total = a + b
    t1 = lgamma(c) + lgamma(d) + lgamma(total)
    t2 = lgamma(a) + lgamma(b) + lgamma(c + d)
    return t1 - t2 + (a - c) * digamma(a) + (b - d) * digamma(b) + (c + d - total) * digamma(total)


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Any, q: Any) -> Tensor:
    a, b = p.concentration, q.concentration
    t1 = lgamma(a.sum(-1)) - lgamma(b.sum(-1))
    t2 = (lgamma(a) - lgamma(b)).sum(-1)
    t4 = digamma(a) - digamma(a.sum(-1)).unsqueeze(-1)
    return t1 - t2 + ((a - b) * t4).sum(-1)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Any, q: Any) -> Tensor:
    t1 = ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log()
    return t1 - (4 * p.scale * q.scale).log()


@register_kl(Uniform, Uniform)
def _uniform(p: Any, q: Any) -> Tensor:
    return where((q.low > p.low) | (q.high < p.high), math.inf, ((q.high - q.low) / (p.high - p.low)).log())


@register_kl(Uniform, Normal)
def _uniform_normal(p: Any, q: Any) -> Tensor:
    width = p.high - p.low
    spread = (width.pow(2) / 12 + ((p.high + p.low - 2 * q.loc) / 2).pow(2)) / q.scale.pow(2)
    return (math.sqrt(math.pi * 2) * q.scale / width).log() + 0.5 * spread


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate(p: Any, q: Any) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event shapes cannot be computed"
        )
    L, M = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    halves = half_log_det(M) - half_log_det(L)
    trace = solve_triangular(M, L, upper=False).pow(2).sum((-2, -1))
    return halves + 0.5 * (trace + mahalanobis(M, q.loc - p.loc) - p.event_shape[0])


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _low_rank(p: Any, q: Any) -> Tensor:
    P, Q = (MultivariateNormal(x.loc, scale_tril=x.scale_tril, validate_args=False) for x in (p, q))
    return _multivariate(P, Q)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: Any, q: Any) -> Tensor:
    along = p.mean * (p.logits - q.logits)
    return along + p._log_norm + log1p(-p.probs) - q._log_norm - log1p(-q.probs)


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Tensor:
    ratio, scales = q.alpha / p.alpha, p.scale / q.scale
    return where(p.scale < q.scale, math.inf, q.alpha * log(scales) - log(ratio) + ratio - 1)


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)
