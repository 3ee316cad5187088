"""Names for objects to which the program gives none."""

import random

from pulumi.runtime.proto import provider_pb2 as pb

from ..plugin import Failure
from ..values import UNKNOWN, Values
from . import diff


def autoname(request: pb.CheckRequest, old: Values, metadata: Values) -> list[Failure]:
    """Gives an object without a name one as the engine wishes it, or says why not."""
    if metadata.get("name") or metadata.get("generateName"):
        return []
    mode, options = request.autonaming.Mode, request.autonaming
    if request.HasField("autonaming") and options.mode == mode.DISABLE:
        return [("metadata.name", "automatic naming is disabled, and the program gives no name")]
    if diff.autonamed(old):
        name = old["metadata"]["name"]
    elif request.HasField("autonaming") and options.proposed_name:
        name = options.proposed_name
    else:
        digits = random.Random(request.randomSeed) if request.randomSeed else random.SystemRandom()
        name = f"{request.name or request.urn.rpartition('::')[2]}-{digits.getrandbits(32):08x}"
    metadata["name"] = name
    if metadata.get("annotations") is not UNKNOWN:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), diff.AUTONAMED: "true"}
    return []
