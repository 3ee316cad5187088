"""Where every cluster's API server, resolver and metadata service are, as a stack's settings say it."""

from clouds.base import ClusterEndpoints
from stackfile.labels import LabelKey, LabelValue
from stackfile.ports import PortNumber
from stackfile.references import Cidr, Name
from stackfile.section import Section

METADATA = (Cidr("169.254.169.254/32"), Cidr("fd00:ec2::254/128"))
"""OpenStack's, AWS's, GCP's and Azure's metadata address over IPv4, and AWS's over IPv6."""

NODE_LOCAL_DNS = Cidr("169.254.20.10/32")
"""Where NodeLocal DNSCache listens on every node, if nobody chose another address."""


class ApiServer(Section):
    """Where the API server listens, as pods reach it behind its Service (`kubectl get endpointslices kubernetes`)."""

    cidrs: tuple[Cidr, ...] = ()
    """Its addresses; none: any address at this port."""
    port: PortNumber = 6443


class ManagedApiServer(ApiServer):
    """The API server of a cloud that runs the control plane; it listens where HTTPS does."""

    port: PortNumber = 443


class Dns(Section):
    """The cluster's resolver."""

    namespace: Name = Name("kube-system")
    labels: dict[LabelKey, LabelValue] = {LabelKey("k8s-app"): LabelValue("kube-dns")}
    cidrs: tuple[Cidr, ...] = ()
    """Resolvers that are no pods, such as NodeLocal DNSCache."""


def endpoints_of(api: ApiServer, dns: Dns) -> ClusterEndpoints:
    """What these settings say of any plain Kubernetes."""
    return ClusterEndpoints(
        api_server=api.cidrs,
        api_server_port=api.port,
        dns_namespace=dns.namespace,
        dns_labels={**dns.labels},
        dns_cidrs=dns.cidrs,
    )
