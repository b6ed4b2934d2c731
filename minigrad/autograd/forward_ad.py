"""The room of PyTorch's dual numbers, torch.autograd.forward_ad, which minigrad has not: importing it says what there is instead."""

raise ImportError(
    "minigrad has no autograd.forward_ad: there are no dual numbers; func.jvp gives the product of a Jacobian with a vector, "
    "func.jacfwd the Jacobian"
)
