"""The memory of tensors as an object: as in PyTorch, and noticed where it is written."""

import pytest
import torch

import minigrad

ENGINES = (torch, minigrad)


@pytest.mark.parametrize("t", ENGINES)
def test_a_storage_is_the_memory_of_a_tensor(t):
    x = t.arange(6.0).reshape(2, 3)
    elements, memory = x.storage(), x[1].untyped_storage()
    assert isinstance(elements, t.TypedStorage)
    assert isinstance(memory, t.UntypedStorage)
    assert memory == x.untyped_storage() == elements.untyped()
    assert (len(elements), elements.size(), memory.nbytes(), elements.dtype) == (6, 6, 24, t.float32)
    assert list(elements) == elements.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert elements.clone() != elements
    assert elements.cpu().data_ptr() == x.data_ptr()
    assert repr(elements).endswith("of size 6]")
    assert t.is_storage(elements)
    assert len({elements.data_ptr(), x.data_ptr(), x.T.data_ptr()}) == 1


@pytest.mark.parametrize("t", ENGINES)
def test_a_leaf_cannot_be_made_to_look_elsewhere(t):
    leaf = t.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError):
        leaf.set_(t.zeros(2))
    with pytest.raises(RuntimeError):
        t.zeros(2, dtype=t.int64).set_(t.zeros(2))


def test_a_tensor_cannot_look_beyond_its_memory():
    """PyTorch lets the memory grow there."""
    with pytest.raises(RuntimeError, match="out of bounds"):
        minigrad.zeros(2).set_(minigrad.zeros(4).untyped_storage(), 2, (3,), (1,))


def test_a_write_through_a_storage_is_noticed():
    """PyTorch counts no version there and gives the gradient of other values."""
    x = minigrad.ones(3, requires_grad=True)
    w = minigrad.tensor([1.0, 2.0, 3.0])
    y = (x * w).sum()
    w.storage()[0] = 9.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()
