"""Exercise 31: find out what is wrong. Check it with `python -m curriculum check 31`."""


def floor(classes):
    """Return the smallest loss that cross_entropy(softmax(scores)) can have with that many classes, a float.

    Lesson 31 works it out for ten.
    """
    raise NotImplementedError("what is the best that the second softmax can be given?")


def update_to_weight(model, optimizer, loss):
    """Take one step of training for `loss` (a tensor), and return {name: ||new - old|| / ||old||} for each parameter of `model`.

    Gradients that were there before do not count. A parameter that is 0 throughout has the ratio inf if it moved, else 0.
    """
    raise NotImplementedError("keep what the weights were")


def mixes_rows(model, x):
    """Return True if the answer to some row of x, of shape (n, features), depends on another row, else False.

    Leave x and the model's gradients as they were.
    """
    raise NotImplementedError("run backward to the input")


def diagnose(found):
    """Return the name of the class in curriculum/patients.py that was measured: "Training" (healthy), "NoClearing" ...

    `found` is what `curriculum.patients.examine` returns; its docstring says what each number is. The check takes
    the measurements with another seed than the lesson's.
    """
    raise NotImplementedError("which measurement gives each away?")
