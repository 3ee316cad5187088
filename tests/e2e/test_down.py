"""What `down` leaves of a stack that protects nothing: nothing."""

from tests.e2e.cluster import found, kubectl
from tests.e2e.platform import Platform


def test_down_leaves_nothing_behind(platform: Platform) -> None:
    # With a server at work and disks in use, as on any day.
    platform.person("alice").log_in().at_work()
    assert platform.volumes()
    assert platform.leftovers()
    platform.pulumi("destroy", "--exclude-protected")
    assert platform.leftovers() == []
    assert not [item for item in found("namespaces") if item["metadata"]["name"].startswith(f"{platform.instance}-hub")]
    label = f"app.kubernetes.io/instance={platform.instance}"
    assert (
        kubectl("get", "pods,services,pvc,secrets,configmaps,roles,rolebindings", "-A", "-l", label, "-o", "name") == ""
    )
