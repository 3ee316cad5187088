"""How the server misbehaves, by script: each fault waits for the requests it is for, and is used up."""

import threading
from dataclasses import dataclass
from typing import Literal

Kind = Literal["status", "items", "mapping", "reset", "hang", "half"]


@dataclass(kw_only=True)
class Fault:
    """What happens to the next requests whose path ends as given."""

    kind: Kind
    """`status`: the whole request is answered by `status`; `items`: every second item of a bulk is, and the rest is
    stored; `mapping`: every second item is refused as not fitting its mapping (400), for good; `reset`: the connection
    ends without an answer, and nothing is stored; `hang`: no answer for `seconds`, and nothing is stored; `half`: half
    of a bulk is stored, then the connection ends, as when a node restarts."""
    times: int = 1
    path: str = "/_bulk"
    status: int = 429
    seconds: float = 5.0


class Faults:
    """The script: the first fault that fits a request is taken."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()
        self.released = threading.Event()
        """Set when the server ends, so that what hangs ends too."""

    def add(self, *faults: Fault) -> None:
        """To come, after those that are there."""
        with self._lock:
            self._waiting += faults

    def take(self, path: str) -> Fault | None:
        """The fault of a request, if it meets one."""
        with self._lock:
            for fault in self._waiting:
                if path.endswith(fault.path) and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    @property
    def left(self) -> int:
        """How many requests are still to meet one."""
        with self._lock:
            return sum(fault.times for fault in self._waiting)

    def clear(self) -> None:
        """No more."""
        with self._lock:
            self._waiting.clear()
