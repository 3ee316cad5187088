"""What is compared after `lab down --wipe`."""

from lab.smoke.traces import differences


def test_what_came_and_what_went_is_named() -> None:
    before = {"links": {"lo", "gone"}, "mounts": set[str]()}
    after = {"links": {"lo", "k8slab-pods"}, "mounts": set[str]()}
    assert differences(before, after) == ["links: +k8slab-pods", "links: -gone"]
