"""Which addresses a pod reaches, tried from inside it."""

import json
from pathlib import Path

from tests.e2e.cluster import run_in

_PROGRAM = (Path(__file__).parent / "programs/reach.py").read_text()

Address = tuple[str, int]


def reached(namespace: str, pod: str, *addresses: Address) -> dict[str, bool]:
    """Whether each address accepts a connection from the pod, which must have Python."""
    targets = [f"{host}:{port}" for host, port in addresses]
    return dict(json.loads(run_in(namespace, pod, "python3", "-c", _PROGRAM, *targets)))
