"""Functions of functions: derivatives, batches, modules without state. PyTorch: torch.func.

transforms.py   grad, vjp, jvp, jacrev, jacfwd, hessian, linearize
batching.py     vmap
modules.py      functional_call, stack_module_state, replace_all_batch_norm_modules_
tree.py         nested inputs and outputs
"""

from .. import missing
from ..signature import publish
from .batching import vmap
from .modules import functional_call, replace_all_batch_norm_modules_, stack_module_state
from .transforms import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize",
    "replace_all_batch_norm_modules_", "stack_module_state", "vjp", "vmap",
]  # fmt: skip


globals().update(publish(globals(), __name__))


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())
