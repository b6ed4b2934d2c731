"""Data sets, samplers and loaders: the same seed gives the same batches as PyTorch's. PyTorch: torch.utils.data."""

from ...signature import publish_constructor as _publish_constructor
from . import dataloader, distributed
from .collate import default_collate, default_convert
from .dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from .distributed import DistributedSampler
from .loader import DataLoader, get_worker_info
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler

__all__ = [
    "BatchSampler", "ChainDataset", "ConcatDataset", "DataLoader", "Dataset", "DistributedSampler", "IterableDataset", "RandomSampler",
    "Sampler", "SequentialSampler", "StackDataset", "Subset", "SubsetRandomSampler", "TensorDataset",
    "WeightedRandomSampler", "dataloader", "default_collate", "default_convert", "distributed", "get_worker_info", "random_split",
]  # fmt: skip

_publish_constructor(DataLoader)  # the samplers look at their arguments themselves, with PyTorch's ValueError
