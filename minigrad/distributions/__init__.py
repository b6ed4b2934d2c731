"""Probability distributions: samples from PyTorch's random stream, densities, entropies, divergences.

    import minigrad as torch
    policy = torch.distributions.Categorical(logits=scores)
    action = policy.sample()
    loss = -policy.log_prob(action) * reward

Each family is a file; `distribution.py` is what they have in common, `constraints.py` what values are allowed, `transforms.py`
maps of variables, `kl.py` divergences. Gradients flow through samples as in PyTorch, also to the shape of a gamma variable
(`minigrad/pathwise.py`). PyTorch: torch.distributions.
"""

from .. import missing
from ..signature import publish_constructor, publish_members
from . import constraints, joined_transforms, kl, matrix_transforms, transforms
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .cauchy import Cauchy
from .chi2 import Chi2
from .constraint_registry import biject_to, transform_to
from .continuous_bernoulli import ContinuousBernoulli
from .dirichlet import Dirichlet
from .distribution import Distribution
from .exp_family import ExponentialFamily
from .exponential import Exponential
from .fishersnedecor import FisherSnedecor
from .gamma import Gamma
from .generalized_pareto import GeneralizedPareto
from .geometric import Geometric
from .gumbel import Gumbel
from .half_cauchy import HalfCauchy
from .half_normal import HalfNormal
from .independent import Independent
from .inverse_gamma import InverseGamma
from .joined_transforms import CatTransform, CumulativeDistributionTransform, StackTransform
from .kl import kl_divergence, register_kl
from .kumaraswamy import Kumaraswamy
from .laplace import Laplace
from .lkj_cholesky import LKJCholesky
from .log_normal import LogNormal
from .logistic_normal import LogisticNormal
from .lowrank_multivariate_normal import LowRankMultivariateNormal
from .matrix_transforms import CorrCholeskyTransform, LowerCholeskyTransform, PositiveDefiniteTransform
from .mixture_same_family import MixtureSameFamily
from .multinomial import Multinomial
from .multivariate_normal import MultivariateNormal
from .negative_binomial import NegativeBinomial
from .normal import Normal
from .one_hot_categorical import OneHotCategorical, OneHotCategoricalStraightThrough
from .pareto import Pareto
from .poisson import Poisson
from .relaxed_bernoulli import RelaxedBernoulli
from .relaxed_categorical import RelaxedOneHotCategorical
from .studentT import StudentT
from .transformed_distribution import TransformedDistribution
from .transforms import (
    AbsTransform,
    AffineTransform,
    ComposeTransform,
    ExpTransform,
    IndependentTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)  # fmt: skip
from .uniform import Uniform
from .von_mises import VonMises
from .weibull import Weibull
from .wishart import Wishart

# PyTorch has all maps in one module.
for _room in (joined_transforms, matrix_transforms):
    vars(transforms).update({name: vars(_room)[name] for name in _room.__all__})
    transforms.__all__ += _room.__all__

_family: type
for _family in (
    CatTransform, Categorical, Dirichlet, Independent, IndependentTransform,
    LowRankMultivariateNormal, Multinomial, MultivariateNormal, OneHotCategorical, RelaxedOneHotCategorical, TransformedDistribution,
    Wishart, joined_transforms.Joined,
):  # fmt: skip
    publish_constructor(_family)  # the others read numbers and tensors themselves, with PyTorch's ValueError
for _family in dict.fromkeys(
    base for value in tuple(vars().values()) if isinstance(value, type) for base in value.__mro__[:-1]
):
    # The shapes they look at themselves: PyTorch takes whatever the arithmetic of sizes takes.
    publish_members(_family, "__call__", but=("forward_shape", "inverse_shape"))

__all__ = [
    "AbsTransform", "AffineTransform", "Bernoulli", "Beta", "Binomial", "CatTransform", "Categorical", "Cauchy", "Chi2",
    "ComposeTransform", "ContinuousBernoulli", "CorrCholeskyTransform", "CumulativeDistributionTransform", "Dirichlet",
    "Distribution", "ExpTransform", "Exponential", "ExponentialFamily", "FisherSnedecor", "Gamma", "GeneralizedPareto",
    "Geometric", "Gumbel", "HalfCauchy", "HalfNormal", "Independent", "IndependentTransform", "InverseGamma",
    "Kumaraswamy", "LKJCholesky", "Laplace", "LogNormal", "LogisticNormal", "LowRankMultivariateNormal",
    "LowerCholeskyTransform", "MixtureSameFamily", "Multinomial", "MultivariateNormal", "NegativeBinomial", "Normal",
    "OneHotCategorical", "OneHotCategoricalStraightThrough", "Pareto", "Poisson", "PositiveDefiniteTransform",
    "PowerTransform", "RelaxedBernoulli", "RelaxedOneHotCategorical", "ReshapeTransform", "SigmoidTransform",
    "SoftmaxTransform", "SoftplusTransform", "StackTransform", "StickBreakingTransform", "StudentT", "TanhTransform",
    "Transform", "TransformedDistribution", "Uniform", "VonMises", "Weibull", "Wishart", "biject_to", "constraints",
    "identity_transform", "kl", "kl_divergence", "register_kl", "transform_to", "transforms",
]  # fmt: skip


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())


missing.advise(__name__)  # its modules are loaded when a program asks for them, after minigrad's own were told
