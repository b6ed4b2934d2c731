"""One stage of `gpu` in a process of its own."""

import os
import sys

from .stages import main

code = main(sys.argv[1:])
sys.stdout.flush()
os._exit(code)  # what a library left running, nobody waits for
