"""python -m curriculum.fullscale COMMAND: train real models, use them, carry them elsewhere."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import Any

from ..commands import plainly
from .errors import Diverged, Refused, Stopped

COMMANDS = {
    "mnist-cnn": "a convolutional network on MNIST",
    "resnet18": "ResNet18 on MNIST or CIFAR-10, gradient norm by depth",
    "distilbert-imdb": "fine-tune DistilBERT, or another encoder, on film reviews",
    "transfer": "pre-train on news, specialise on film reviews in four ways",
    "predict": "judge texts, and show the words that mattered",
    "recommend": "rank films by their reviews",
    "export": "write ONNX and torch.export, and compare them in other programs",
    "serve": "a local web page: draw a digit, or type a review",
    "gpu": "what only a GPU can show, in one call of 8 minutes",
}


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise Refused(f"{self.prog}: {plainly(message)}")


def main(given: list[str] | None = None) -> int:
    given = sys.argv[1:] if given is None else given
    top = Parser(prog="python -m curriculum.fullscale", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser, metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name in given[:1]:  # only what is asked for is imported
            module = importlib.import_module(f".{name.replace('-', '_')}", __package__)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    try:
        arguments = top.parse_args(given)
        return arguments.run(arguments)
    except ModuleNotFoundError as error:
        print(f"{error.name} is missing: pip install {error.name}", file=sys.stderr)
        return 2
    except (Refused, Diverged, Stopped) as ended:
        print(ended, file=sys.stderr)
        return ended.status
    except OSError as error:  # a full disk, a folder that may not be written
        if not isinstance(error.strerror, str):
            from minigrad.files import NotWritten

            if not isinstance(error, NotWritten):  # whose text is a line that says it all
                raise
            print(f"{error}.", file=sys.stderr)
            return 2
        print(f"{error.filename or 'A file'} cannot be read or written: {error.strerror}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted before the checkpoint was written; --resume goes on from the one before.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    if "RANK" in os.environ:
        os._exit(code)  # under torchrun a process that waits for its threads would hold the others up
    sys.exit(code)
