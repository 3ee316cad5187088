"""Filebeat: what the nodes' own systems write, journal and files. Containers' files are Fluent Bit's."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core import v1 as core

from components.logging.agents import (
    HostPath,
    Node,
    Shipper,
    ShipperSecrets,
    configuration,
    register,
)
from stackfile.references import Image
from stackfile.resources import Resources

COMPONENT = "filebeat"
USER = "filebeat"
"""As whom it speaks to Elasticsearch."""
DATASETS = ("system.syslog", "system.auth", "system.kernel")
"""What it writes: data streams `logs-<dataset>-<instance>`, and nothing else."""
HOST_PATHS = (
    # The folder, not its files: a file that is mounted is the old one once it has been rotated.
    HostPath(name="logs", path="/var/log"),
    # Where the journal lies until /var/log/journal is there, or if it never is.
    HostPath(name="journal", path="/run/log/journal", kind="DirectoryOrCreate"),
    # The journal's folder is named after it.
    HostPath(name="machine", path="/etc/machine-id", kind="File"),
)
"""All that it reads of a node."""
ADM = 4
"""The group of the system's logs on Debian and Ubuntu, where they are not root's; others have them for root."""
_HEALTH = ["curl", "--fail", "--silent", "--show-error", "--output", "/dev/null", "http://127.0.0.1:5066/"]


@dataclass(frozen=True, kw_only=True)
class FilebeatArgs:
    """What Filebeat is made of."""

    node: Node
    image: Image
    """Of Elasticsearch's version. Not the Wolfi one, which has no journalctl."""
    resources: Resources


def shipper(args: FilebeatArgs) -> Shipper:
    """Its pod: asked over its own loopback, since what its HTTP endpoint tells is nobody else's business."""
    probe = core.ProbeArgs(
        exec_=core.ExecActionArgs(command=_HEALTH), period_seconds=30, timeout_seconds=5, failure_threshold=4
    )
    return Shipper(
        component=COMPONENT,
        image=args.image,
        resources=args.resources,
        arguments=["-e", "-c", f"/etc/elab/{COMPONENT}/filebeat.yml"],
        liveness=probe,
        readiness=probe,
        user=USER,
        paths=HOST_PATHS,
        files=configuration(COMPONENT),
        environment={},
        groups=(ADM,),
    )


class Filebeat(pulumi.ComponentResource):
    """Ships what the nodes' own systems write."""

    def __init__(
        self, name: str, args: FilebeatArgs, secrets: ShipperSecrets, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("elab:logging:Filebeat", name, None, opts)
        register(name, args.node, shipper(args), secrets, self)
        self.register_outputs({})
