"""Errors about arguments that are of several classes at once, as the mistake is.

What PyTorch's C++ reads is refused with a TypeError before anything is computed. Its functions in Python look at an argument only when
they use it, and fall over it with whatever error that is. Here every argument is read first, and where PyTorch's function is one
in Python the error is all of them: a program that catches what PyTorch raises there catches it here.
"""


class WrongObject(TypeError, AttributeError):
    """A tensor (a module, a distribution, an optimizer) is wanted, and what was given lacks its methods."""


class InvalidObject(ValueError, WrongObject):
    """The same in torch.distributions: what it validates it refuses with a ValueError, over the rest it falls."""


class NotOneValue(TypeError, RuntimeError):
    """A number or a truth is wanted, and what was given is a tensor of none or of several."""
