"""What a command says in one line where it cannot go on."""


class Refused(Exception):
    """What was given, what was wanted, what to do."""


class Stopped(Exception):
    """An interrupted training that was saved; the text says how to go on."""
