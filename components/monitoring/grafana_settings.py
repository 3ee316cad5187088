"""Settings of Grafana: where it is published, and who may look."""

from stackfile.references import DoorName, Image
from stackfile.resources import Resources, resources
from stackfile.section import Section


class GrafanaSettings(Section):
    """The dashboards. Grafana keeps nothing: what it shows is this program's, who logs in is the directory's."""

    enabled: bool = True
    image: Image = Image("docker.io/grafana/grafana:13.2.0")
    # Grafana's documentation: at least 512 MB and one core. kube-prometheus asks for 100m and 100Mi.
    resources: Resources = resources(cpu=("50m", "1"), memory=("256Mi", "768Mi"))
    published: bool | None = None
    """Whether the door leads to Grafana; none: wherever it can lead to several services (ingress, gateway, route).
    False: it is reached by `kubectl port-forward`."""
    host: DoorName | None = None
    """A host of its own, which keeps administrators' sessions apart from pages that people's servers show; none: the
    path /grafana of the one address."""
    viewers: bool = False
    """Whether members of `directory.groups.allowed` may look at the dashboards, which name people; else only members of
    `directory.groups.admins` may."""
