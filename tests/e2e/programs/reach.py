"""Says which of the addresses host:port in the arguments accept a connection, as a JSON list of pairs."""

import json
import socket
import sys


def reached(target: str) -> bool:
    """Whether a connection is accepted within 2 s."""
    host, _, port = target.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2):
            return True
    except OSError:
        return False


print(json.dumps([(target, reached(target)) for target in sys.argv[1:]]))
