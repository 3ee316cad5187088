"""Tries addresses until each is reached or refused as wanted, or the time is over; says what was seen last, as JSON.

Its argument is JSON: `seconds`, and `targets`, each with `host`, `port` and whether it is `allowed`. Tried again, since
some engines hear of a new pod a second after it has started.
"""

import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def reached(target: dict) -> bool:
    """Whether a connection is accepted within 2 s."""
    try:
        with socket.create_connection((target["host"], target["port"]), timeout=2):
            return True
    except OSError:
        return False


def main() -> None:
    """Print what was reached, in the order of the targets, and after how many seconds all was as wanted."""
    asked = json.loads(sys.argv[1])
    targets, began = asked["targets"], time.monotonic()
    while True:
        with ThreadPoolExecutor(len(targets)) as pool:
            found = list(pool.map(reached, targets))
        taken = time.monotonic() - began
        if found == [target["allowed"] for target in targets] or taken > asked["seconds"]:
            break
        time.sleep(0.5)
    print(json.dumps({"reached": found, "seconds": round(taken, 1)}))


main()
