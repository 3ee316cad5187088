"""When the address' certificate expires, for metrics: of one that the institution renews itself nothing else tells."""

import math
import ssl
import threading
import time
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from elab_values import Values
from prometheus_client import Gauge

EXPIRY = Gauge("elab_address_certificate_expiry_timestamp_seconds", "When the address' certificate expires", ["secret"])
EVERY, PATIENCE = 60.0, 5.0
"""Seconds between two looks at what is served, and for one."""


class Served:
    """What elab's own proxy shows: it serves the old certificate on where the Secret's new one has another's key."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._address = host, int(port)
        self.expires = math.inf
        """Seconds since 1970; infinite: nobody has seen it yet. Of a proxy that gives no answer, other alerts tell."""

    def look(self) -> None:
        """Ask for it. Nobody is identified: it is only read."""
        # What is no certificate must not end the thread.
        with suppress(OSError, ValueError):
            found = ssl.get_server_certificate(self._address, timeout=PATIENCE)
            self.expires = x509.load_pem_x509_certificate(found.encode()).not_valid_after_utc.timestamp()

    def watch(self) -> None:
        """Look again and again, in a thread of its own: a proxy that hangs must not hold up the hub."""
        while True:
            self.look()
            time.sleep(EVERY)


def configure(values: Values) -> None:
    """Tell of the certificate, where the stack names one: of the Secret's, or of what is served if that ends before."""
    given = values["hub"]["certificate"]
    if given:
        file = Path(given["file"])
        served = Served(given["served"]) if given["served"] else None
        if served:
            threading.Thread(target=served.watch, name="certificate", daemon=True).start()
        EXPIRY.labels(secret=given["secret"]).set_function(lambda: earlier(file, served))


def earlier(file: Path, served: Served | None) -> float:
    """When the first of the two expires; not a number while the file has none."""
    found = expiry(file)
    return found if served is None or math.isnan(found) else min(found, served.expires)


def expiry(file: Path) -> float:
    """When the first of a chain of certificates expires; not a number, of which an alert tells, while there is none."""
    try:
        chain = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError):
        return math.nan
    return min(one.not_valid_after_utc.timestamp() for one in chain)
