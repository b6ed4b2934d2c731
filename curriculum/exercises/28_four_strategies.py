"""Exercise 28: load what fits, rank films. Check it with `python -m curriculum check 28`."""


def load_matching(model, weights):
    """Put those of the weights ({name: tensor}) into the model whose name and shape it has; leave the rest of the
    model as it is. Returns the sorted names of the model's own entries that were not loaded.
    """
    raise NotImplementedError("write the loading here")


def rank(films, probabilities, least):
    """films[i] is the film that review i speaks of, probabilities[i] how favourable it is. The films' names, the best
    mean first; films with fewer than `least` reviews are left out.
    """
    raise NotImplementedError("write the ranking here")
