"""Real models on real data, on PyTorch: a CPU, a GPU, or several with torchrun. `python -m curriculum.fullscale --help`."""
