"""What is decided for GPUs alone: copies that nobody waits for, the end of memory in all its spellings, float32 that is one.

PyTorch starts a GPU's work and goes on; the host waits only where it asks for a number (`.item()`), or copies from memory
that may be paged out. Who neither asks nor copies so prepares the next batch while the GPU computes this one: no further
prefetching is wanted. https://docs.pytorch.org/docs/stable/notes/cuda.html, asynchronous execution, pinned memory buffers.
"""

from __future__ import annotations

import gc
from typing import Any

import torch
from torch import Tensor

# What libraries say without an error of a class of its own. cuBLAS and cuDNN also fail to begin where no memory is left for
# their workspace; and a launch that finds no memory is an AcceleratorError, which is a RuntimeError.
_SAID = (
    "out of memory",  # CUDA out of memory; CUDA error: out of memory; HIP, XPU and MPS; CUDA driver error
    "out_of_memory",  # the driver's own name for it, CUDA_ERROR_OUT_OF_MEMORY
    "memoryallocation",  # the runtime's, cudaErrorMemoryAllocation
    "can't allocate memory",  # DefaultCPUAllocator
    "cannot allocate memory",
    "failed to allocate memory",
    "could not allocate memory",
    "unable to allocate",  # NumPy
    "alloc_failed",  # cuBLAS, cuSOLVER, cuSPARSE, cuFFT, cuDNN 8: CUBLAS_STATUS_ALLOC_FAILED
    "allocation_failed",  # cuDNN 9: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, and _HOST_; cuRAND
    "cublas_status_not_initialized",
    "cudnn_status_not_initialized",
)


def memory_ended(error: BaseException) -> bool:
    """Whether the error says that memory was too small, or one from which it came does (as a compiler wraps them)."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, torch.OutOfMemoryError | MemoryError):
            return True
        if isinstance(cause, RuntimeError) and any(words in str(cause).lower() for words in _SAID):
            return True
        cause = cause.__cause__
    return False


def forget(device: torch.device | str) -> None:
    """Give a GPU's unused memory back.

    Call it outside `except`: there the error still holds the frames, and so the tensors, of the step that failed.
    https://docs.pytorch.org/docs/stable/notes/faq.html, my out of memory exception handler can't allocate memory.
    """
    gc.collect()
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()


def onto(device: torch.device | str, *tensors: Tensor, dtype: torch.dtype | None = None) -> Any:
    """The tensors on the device, the floating-point ones as `dtype`; one, or a tuple of them.

    To a GPU through pinned memory, without waiting. The allocator of pinned memory keeps a block until the copy that
    reads it is done, so the tensor may go away at once.
    """
    device = torch.device(device)
    moved = []
    for tensor in tensors:
        kind = dtype if tensor.is_floating_point() else None
        if device.type == "cuda" and tensor.device.type == "cpu":
            # converted there: on the way, PyTorch converts on the host, into memory that is not pinned
            there = tensor.pin_memory().to(device, non_blocking=True)
            moved.append(there.to(kind) if kind is not None else there)
        else:
            moved.append(tensor.to(device, kind))
    return moved[0] if len(moved) == 1 else tuple(moved)


def exact_float32() -> None:
    """Let fp32 be IEEE float32 on a GPU: by default PyTorch rounds the inputs of convolutions to TF32's 10 bits.

    By the setters that PyTorch has had since 1.7, which also set `fp32_precision`; `fp32_precision` alone leaves the older
    flag as it is, and who reads that (PyTorch's own compiler until 2.11 did) gets an error about mixing.
    https://github.com/pytorch/pytorch/issues/166387
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def begin_peak(device: torch.device | str) -> None:
    """Let `torch.cuda.max_memory_allocated` count from here on."""
    if torch.device(device).type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def finish(device: torch.device | str) -> None:
    """Wait until the device has done what it was asked: before a clock is read."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
