"""When the address' certificate expires, for metrics: of one that the institution renews itself nothing else tells."""

import math
from pathlib import Path

from cryptography import x509
from elab_values import Values
from prometheus_client import Gauge

EXPIRY = Gauge("elab_address_certificate_expiry_timestamp_seconds", "When the address' certificate expires", ["secret"])


def configure(values: Values) -> None:
    """Tell of the certificate, where the stack names one."""
    given = values["hub"]["certificate"]
    if given:
        EXPIRY.labels(secret=given["secret"]).set_function(lambda: expiry(Path(given["file"])))


def expiry(file: Path) -> float:
    """When the first of a chain of certificates expires; not a number, of which an alert tells, while there is none."""
    try:
        chain = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError):
        return math.nan
    return min(one.not_valid_after_utc.timestamp() for one in chain)
