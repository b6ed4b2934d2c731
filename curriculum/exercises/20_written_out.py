"""Exercise 20: write programs that write programs. Check it with `python -m curriculum check 20`.

1. backward_lines (write it)
2. log_softmax_backward (derive)
3. share (find the planted bug)
"""


def backward_lines(lines, result):
    """Return the backward pass of a program, as a list of lines of Python.

    `lines` is a list of (name, operation, inputs). The operations are "add" and "mul" of two inputs and "tanh" of one:
    ("c", "mul", ("a", "b")) says c = a * b. No name is made twice. `result` is the name whose slopes are wanted.

    Your lines are run behind the forward lines, with all names known. Afterwards the slope of `result` at every name that
    it was made of stands under d_ and that name. Lines that serve no such slope are left out. Each line is an assignment
    that needs only names, numbers, + - and *.
    """
    raise NotImplementedError("write the lines back here, from the last operation to the first")


def log_softmax_backward(slope, y):
    """Return the slope at s (n, classes) of y = log softmax(s), over dim 1, from the slope at y and from y itself.

    No autograd, and none of s: only what is given.
    """
    raise NotImplementedError("derive the slope of each score, and write it here")


def share(lines):
    """Return the program with equal computations done once: a line that computes what is known becomes a copy.

    `lines` as above, and ("d", "copy", ("c",)) says d = c. Here a name may be made again, as training does with a weight:
    ("w", "add", ("w", "step")) changes w. The new program must leave the same value under every name. This function
    gets some programs wrong: find out which, and mend it. It should still share all that can be shared.
    """
    known, shorter = {}, []
    for name, operation, inputs in lines:
        key = operation, inputs
        if key in known:
            shorter.append((name, "copy", (known[key],)))
        else:
            known[key] = name
            shorter.append((name, operation, inputs))
    return shorter
