"""What a command says in one line where it cannot go on, and the status it ends with."""


class Refused(Exception):
    """What was given, what was wanted, what to do."""

    status = 2


class Diverged(Exception):
    """A training whose numbers became NaN or infinite: at which step, why probably, what is kept."""

    status = 3


class Stopped(Exception):
    """An interrupted training that was saved; the text says how to go on."""

    def __init__(self, text: str, status: int = 130):  # 128 and the signal's number, as shells count
        super().__init__(text)
        self.status = status
