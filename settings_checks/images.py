"""The images that the settings name, and their digests."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.notebook_image import BuiltImage, ReadyImage
from stackfile.problems import Problem
from stackfile.references import Image

if TYPE_CHECKING:
    from settings import Settings


def images_of(settings: "Settings") -> tuple[Image, ...]:
    """Every image that these settings name, each once."""
    notebook = settings.notebook_image
    found = [settings.hub.image, settings.proxy.image]
    found += [notebook.image] if isinstance(notebook, ReadyImage) else []
    found += [notebook.base_image] if isinstance(notebook, BuiltImage) else []
    found += [choice.image for choice in settings.users.images.values()]
    if settings.puller.enabled or any(pool.placeholders for pool in settings.node_pools):
        found.append(settings.puller.pause_image)
    if settings.packs:
        found.append(settings.scheduling.user_scheduler.image)
    if settings.monitoring.enabled:
        monitoring = settings.monitoring
        found += [
            monitoring.prometheus.image,
            monitoring.alertmanager.image,
            monitoring.node_exporter.image,
            monitoring.kube_state_metrics.image,
            monitoring.pushgateway.image,
        ]
        found += [monitoring.grafana.image] if monitoring.grafana.enabled else []
    if settings.logging.enabled:
        found += settings.logging.images(monitored=settings.monitoring.enabled)
    return tuple(dict.fromkeys(found))


def unused_digests(settings: "Settings") -> Iterator[Image]:
    """Images that have a digest and that nothing of the stack runs: most often a slip of the pen, or an old version."""
    used = images_of(settings)
    return (image for image in settings.images.digests if image not in used)


def missing_digests(settings: "Settings") -> Iterator[Problem]:
    """Images that prod may not run yet: a plan shows them, `up` refuses."""
    for image in images_of(settings) if settings.is_prod else ():
        if not image.digest and image not in settings.images.digests:
            yield Problem(
                where="images.digests",
                found=f"no digest of {image}",
                allowed="images by digest, since environment is prod and a tag can change what it means",
                fix=f'add "{image}": <the output of skopeo inspect --format "{{{{.Digest}}}}" docker://{image}>',
            )
