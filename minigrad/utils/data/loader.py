"""The loader: batches of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .collate import default_collate, default_convert
from .dataset import IterableDataset, TensorDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler, draw_seed, each, part, size_of


def get_worker_info() -> None:
    """None: samples are read in the main process."""
    return None


class DataLoader:
    """Batches of `dataset`: shuffled, in the order of a sampler, or as a batch_sampler gives them.

    Samples are read in the main process whatever num_workers says: the batches are the same, and the arguments that say
    how PyTorch's workers should run (num_workers, pin_memory, timeout, worker_init_fn, prefetch_factor,
    persistent_workers, multiprocessing_context) are taken and have no effect. The same seed gives PyTorch's batches.
    """

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None, sampler: Any = None,
        batch_sampler: Any = None, num_workers: int = 0, collate_fn: Any = None, pin_memory: bool = False,
        drop_last: bool = False, timeout: float = 0, worker_init_fn: Any = None, multiprocessing_context: Any = None,
        generator: Any = None, *, prefetch_factor: int | None = None, persistent_workers: bool = False,
        pin_memory_device: str = "", in_order: bool = True,
    ) -> None:  # fmt: skip
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing. let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
            )
        if num_workers == 0 and multiprocessing_context is not None:
            raise ValueError(
                "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got num_workers=0"
            )
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")
        self.dataset, self.num_workers, self.generator, self.drop_last = dataset, num_workers, generator, drop_last
        self.pin_memory, self.timeout, self.worker_init_fn = pin_memory, timeout, worker_init_fn
        self._stream = isinstance(dataset, IterableDataset)
        if self._stream:
            if shuffle not in (None, False):
                raise ValueError(
                    f"DataLoader with IterableDataset: expected unspecified shuffle option, but got shuffle={shuffle}"
                )
            if sampler is not None or batch_sampler is not None:
                raise ValueError(
                    "DataLoader with IterableDataset: expected unspecified sampler and batch_sampler options"
                )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None and not self._stream:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None and not self._stream:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size, self.sampler, self.batch_sampler = batch_size, sampler, batch_sampler
        self._batched = batch_size is not None or batch_sampler is not None
        self.collate_fn = collate_fn or (default_collate if self._batched else default_convert)

    def __iter__(self) -> Iterator[Any]:
        draw_seed(self.generator)  # PyTorch draws a seed for its workers here, with or without workers
        if self.num_workers == 0 and self.timeout != 0:
            raise AssertionError(f"without workers there is nothing to wait for: timeout must be 0, got {self.timeout}")
        return self._batches_of_stream() if self._stream else self._batches()

    def _batches(self) -> Iterator[Any]:
        if not self._batched:
            for index in each(self.sampler, "DataLoader", "sampler"):
                yield self.collate_fn(part(self.dataset, index, "DataLoader", "dataset"))
            return
        fetch = self.dataset
        rows = type(fetch) is TensorDataset and self.collate_fn is default_collate
        for indices in each(self.batch_sampler, "DataLoader", "batch_sampler"):
            if rows:  # the same as stacking the rows one by one, at once
                yield [t[indices] for t in fetch.tensors]
            elif hasattr(fetch, "__getitems__"):
                yield self.collate_fn(fetch.__getitems__(indices))
            else:
                yield self.collate_fn([part(fetch, i, "DataLoader", "dataset") for i in indices])

    def _batches_of_stream(self) -> Iterator[Any]:
        if not self._batched:
            for sample in self.dataset:
                yield self.collate_fn(sample)
            return
        batch: list[Any] = []
        for sample in self.dataset:
            batch.append(sample)
            if len(batch) == self.batch_size:
                yield self.collate_fn(batch)
                batch = []
        if batch and not self.drop_last:
            yield self.collate_fn(batch)

    def __len__(self) -> int:
        if self._stream:
            n, size = size_of(self.dataset, "DataLoader", "dataset"), self.batch_size
            return n if size is None else n // size if self.drop_last else -(-n // size)
        name = "batch_sampler" if self._batched else "sampler"
        return size_of(getattr(self, name), "DataLoader", name)
