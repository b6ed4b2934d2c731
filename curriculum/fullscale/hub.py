"""The hub of models and data sets, asked once whether it can be reached: its libraries would try for a minute."""

from __future__ import annotations

import functools
import os
import socket
import sys
import urllib.parse
import urllib.request


@functools.cache
def look() -> None:
    """Where the hub cannot be reached, let its libraries use what they have kept on this machine, and nothing else."""
    if os.environ.get("HF_HUB_OFFLINE") or urllib.request.getproxies():
        return
    from huggingface_hub import constants

    address = urllib.parse.urlsplit(constants.ENDPOINT)
    port = address.port or (80 if address.scheme == "http" else 443)
    try:
        socket.create_connection((address.hostname or "", port), timeout=5).close()
    except OSError:
        constants.HF_HUB_OFFLINE = True
        os.environ["HF_HUB_OFFLINE"] = "1"
        if "datasets" in sys.modules:
            sys.modules["datasets"].config.HF_HUB_OFFLINE = True
