"""The provider's configuration: what the real plugin knows, and what of it this one can do."""

from ..failures import Failed
from ..values import Values

_FLAGS = {
    "enableServerSideApply": True,
    "enableConfigMapMutable": False,
    "enableSecretMutable": False,
    "enablePatchForce": False,
    "upsertExistingObjects": False,
    "suppressDeprecationWarnings": False,
    "suppressHelmHookWarnings": False,
    "deleteUnreachable": False,
    "skipUpdateUnreachable": False,
}
_ONLY_OFF = ("deleteUnreachable", "skipUpdateUnreachable")  # what is unreachable is an error here
_TEXTS = {"kubeconfig", "context", "cluster", "namespace", "clusterIdentifier"}
KEYS = frozenset({*_FLAGS, *_TEXTS})


def flags(config: Values) -> dict[str, bool]:
    """What is switched on, by name; raise Failed for what is not known or can't be done."""
    unknown = sorted(set(config) - KEYS - {"version", "pluginDownloadURL"})
    if unknown:
        raise Failed(f"the kubernetes stand-in plugin does not know the configuration {', '.join(unknown)}")
    found = {
        key: {"true": True, "false": False, "": default}.get(str(config.get(key, "")).lower(), default)
        for key, default in _FLAGS.items()
    }
    on = [key for key in _ONLY_OFF if found[key]]
    if on:
        raise Failed(f"the kubernetes stand-in plugin can't do {', '.join(on)}")
    return found
