"""Rules for containers: what they may use, and what they must not be able to do."""

from __future__ import annotations

from collections.abc import Iterator

from stackfile.secrets import is_secret

from .model import Context, Resource, Rule, containers
from .quantities import quantity


def resources_stated(resource: Resource, _context: Context) -> Iterator[str]:
    """Requests and limits of CPU and memory."""
    for container in containers(resource):
        stated = container.body.get("resources") or {}
        for side in ("requests", "limits"):
            for what in ("cpu", "memory"):
                found = (stated.get(side) or {}).get(what)
                if found is None or found == "":
                    yield f"container {container.name} has no {side}.{what}"
                elif (amount := quantity(found)) is None or amount <= 0:
                    yield f"container {container.name} has {found} as its {side}.{what}, which is no bound"


def requests_within_limits(resource: Resource, _context: Context) -> Iterator[str]:
    """The API server refuses more requested than allowed."""
    for container in containers(resource):
        stated = container.body.get("resources") or {}
        for what in ("cpu", "memory"):
            request, limit = ((stated.get(side) or {}).get(what) for side in ("requests", "limits"))
            asked, most = quantity(request), quantity(limit)
            if asked is not None and most is not None and asked > most:
                yield f"container {container.name} requests {request} of {what} and may use {limit}"


def memory_ratio(resource: Resource, context: Context) -> Iterator[str]:
    """How far the memory limit is above the request."""
    for container in containers(resource):
        stated = container.body.get("resources") or {}
        request, limit = ((stated.get(side) or {}).get("memory") for side in ("requests", "limits"))
        asked, most = quantity(request), quantity(limit)
        if asked is not None and most is not None and most > asked * context.memory_ratio:
            yield (
                f"container {container.name} may use {limit} of memory and requests {request}, "
                f"more than {context.memory_ratio} times"
            )


def not_privileged(resource: Resource, _context: Context) -> Iterator[str]:
    """Neither privileged nor able to become so."""
    for container in containers(resource):
        if container.security.get("privileged"):
            yield f"container {container.name} is privileged"
        if container.security.get("procMount") == "Unmasked":
            yield f"container {container.name} sees what runtimes hide of /proc"
        if container.security.get("allowPrivilegeEscalation") is not False:
            yield f"container {container.name} may escalate its privileges"


def not_root(resource: Resource, _context: Context) -> Iterator[str]:
    """Runs as somebody else than root."""
    pod = (resource.pod or {}).get("securityContext") or {}
    for container in containers(resource):
        for field, wrong in (
            ("runAsNonRoot", lambda value: value is not True),
            ("runAsUser", lambda value: value == 0),
        ):
            if wrong(container.security.get(field, pod.get(field))):
                yield f"container {container.name} may run as root: {field} is {container.security.get(field)}"


def no_capabilities(resource: Resource, _context: Context) -> Iterator[str]:
    """All capabilities dropped, none added."""
    for container in containers(resource):
        capabilities = container.security.get("capabilities") or {}
        if "ALL" not in list(capabilities.get("drop") or ()):
            yield f"container {container.name} keeps the runtime's default capabilities"
        for added in capabilities.get("add") or ():
            yield f"container {container.name} adds the capability {added}"


def seccomp(resource: Resource, _context: Context) -> Iterator[str]:
    """A seccomp profile."""
    pod = (resource.pod or {}).get("securityContext") or {}
    for container in containers(resource):
        profile = container.security.get("seccompProfile") or pod.get("seccompProfile") or {}
        if profile.get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"container {container.name} runs without a seccomp profile"


def read_only_root(resource: Resource, _context: Context) -> Iterator[str]:
    """Its image's files can't be written."""
    for container in containers(resource):
        if container.security.get("readOnlyRootFilesystem") is not True:
            yield f"container {container.name} can write to its root file system"


def pinned(resource: Resource, _context: Context) -> Iterator[str]:
    """A tag other than latest, or a digest."""
    for container in containers(resource):
        image = str(container.body.get("image") or "")
        if "@sha256:" not in image and _tag(image) in ("", "latest"):
            yield f"container {container.name} runs {image or 'no image'}, which names no version"


def by_digest(resource: Resource, context: Context) -> Iterator[str]:
    """A digest."""
    for container in containers(resource):
        image = str(container.body.get("image") or "")
        if "@sha256:" not in image and image not in context.pending:
            yield f"container {container.name} runs {image} by tag"


def known_registry(resource: Resource, context: Context) -> Iterator[str]:
    """From a registry that the stack names."""
    for container in containers(resource):
        image = qualified(str(container.body.get("image") or ""))
        known = (f"{prefix}{mark}" for prefix in context.registries for mark in ("/", ":", "@"))
        if not image.startswith(tuple(known)):
            yield f"container {container.name} runs {image}, from none of {', '.join(sorted(context.registries))}"


def no_secret_in_environment(resource: Resource, _context: Context) -> Iterator[str]:
    """Variables that carry secrets refer to Secrets."""
    for container in containers(resource):
        for variable in container.body.get("env") or ():
            if is_secret(str(variable.get("name")), str(variable.get("value") or "")):
                yield f"container {container.name} has the value of {variable['name']} in clear"


def qualified(image: str) -> str:
    """An image's name with its registry, which Docker's own images may leave out."""
    first = image.partition("/")[0]
    return image if "/" in image and ("." in first or ":" in first or first == "localhost") else f"docker.io/{image}"


def _tag(image: str) -> str:
    return image.rpartition("/")[2].partition(":")[2]


RULES = (
    Rule(
        name="container-resources",
        one=resources_stated,
        reason="A container without requests is placed anywhere, and one without limits can take its node down.",
        fix="State requests and limits of CPU and memory in the settings of its room.",
    ),
    Rule(
        name="requests-within-limits",
        one=requests_within_limits,
        reason="The API server refuses a pod that requests more than it may use, and the workload never starts.",
        fix="Lower the request or raise the limit.",
    ),
    Rule(
        name="memory-ratio",
        one=memory_ratio,
        dev="advisory",
        reason="Memory can't be taken back: the further limits are above requests, the more pods a full node kills.",
        fix="Raise the request or lower the limit; the ratio is policies.memory_ratio.",
    ),
    Rule(
        name="no-privilege",
        one=not_privileged,
        reason="A privileged container, or one that can become so, owns its node and everybody's data on it.",
        fix="Set privileged to false or leave it out, and allowPrivilegeEscalation to false.",
    ),
    Rule(
        name="non-root",
        one=not_root,
        reason="Root in a container is root on the node once the runtime has a hole.",
        fix="Set runAsNonRoot to true, and a runAsUser above 0 where the image names none.",
    ),
    Rule(
        name="capabilities-dropped",
        one=no_capabilities,
        reason="The runtime's default capabilities allow forged packets and files of other users.",
        fix="Drop ALL capabilities, and add none.",
    ),
    Rule(
        name="seccomp",
        one=seccomp,
        reason="Without a seccomp profile every system call of the kernel can be tried.",
        fix="Set seccompProfile.type to RuntimeDefault on the pod or the container.",
    ),
    Rule(
        name="read-only-root",
        one=read_only_root,
        reason="Who breaks in can't leave programs where nothing can be written.",
        fix="Set readOnlyRootFilesystem to true, and mount an emptyDir where the program writes.",
    ),
    Rule(
        name="image-pinned",
        one=pinned,
        reason="An image without a version is another program tomorrow.",
        fix="Name a tag other than latest, or a digest.",
    ),
    Rule(
        name="image-digest",
        one=by_digest,
        dev="disabled",
        reason="A tag can be moved to another image; a digest can't.",
        fix="Add the image's digest to images.digests (skopeo inspect --format '{{.Digest}}' docker://<image>).",
    ),
    Rule(
        name="image-registry",
        one=known_registry,
        reason="An image from a registry that nobody chose was checked by nobody.",
        fix="Take the image from a named registry, mirror it (images.mirrors), or add it to policies.registries.",
    ),
    Rule(
        name="no-secret-in-environment",
        one=no_secret_in_environment,
        reason="Whoever may read the workload reads its variables.",
        fix="Keep the value in a Secret, and refer to it with valueFrom.secretKeyRef.",
    ),
)
