"""parity: proof that minigrad computes what PyTorch computes, and the same proof for functions of your own.

    python -m parity                        every public operation against PyTorch
    python -m parity gelu --examples 500    one of them, longer
    parity.check(fn, *inputs)               is the gradient of my function right?
    parity.compare_runs(program)            a whole training program in both engines: where do they part?
    parity.page(program, "backward.html")   the backward page, with PyTorch's gradient beside minigrad's in every node
    parity.strategies                       Hypothesis strategies for tensors, for tests of your own

`cases/` is the table of what is compared, `agreement.py` how, `inputs.py` on which inputs, `public.py` what must have a case,
`claims.py` whether a case proves what it claims, `third.py` asks JAX, `programs.py` draws random programs, `fuzz.py` random calls, good and bad, `errors.py` has the
bad calls on which both engines must raise, `kinks.py` the gradients at kinks and ties, and `mutants.py` the planted faults
that the comparison must find. Behind `check`: `trace.py` runs a function, `differences.py` and `slopes.py` measure its derivatives,
`lifted.py` and `captured.py` take float32 for float64, `words.py` says what was found. Behind `compare_runs`: `watch.py` records. `page.py` sets both engines' graphs
side by side, and `counterparts.py` says which node is which.
"""

from .agreement import Mismatch
from .check import Report, Unanswerable, check
from .page import page
from .runs import Comparison, compare_runs

__all__ = ["Comparison", "Mismatch", "Report", "Unanswerable", "check", "compare_runs", "page"]
