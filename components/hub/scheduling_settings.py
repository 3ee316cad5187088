"""Settings of scheduling: priorities, the packing user scheduler, and placeholders."""

from pydantic import Field

from stackfile.references import Image
from stackfile.resources import Resources, resources
from stackfile.section import Section


class UserSchedulerSettings(Section):
    """A second kube-scheduler that fills nodes up, so that emptied ones can be given back."""

    enabled: bool | None = None
    """None: on, unless the cloud's own scheduler packs already."""
    image: Image = Image("registry.k8s.io/kube-scheduler:v1.34.4")
    """Of the cluster's own minor version."""
    replicas: int = Field(default=2, ge=1, le=3)
    # Berkeley's user schedulers took 8 to 45m and 100Mi to 1.5Gi over six months.
    resources: Resources = resources(cpu=("25m", "500m"), memory=("96Mi", "384Mi"))


class SchedulingSettings(Section):
    """How people's servers find their nodes."""

    user_scheduler: UserSchedulerSettings = UserSchedulerSettings()
    placeholder: Resources | None = None
    """Size of a placeholder; none: that of a server of the default profile. On pools whose GPUs a profile asks for, it
    is that of the smallest such profile in any case, GPUs included."""
