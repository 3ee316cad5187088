"""The bootstrap: Jobs that make Elasticsearch and Kibana ready, and one that keeps Elasticsearch so, every hour."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pulumi
from pulumi_kubernetes.batch import v1 as batch
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from clouds.base import ClusterEndpoints, PodSecurity
from components.connections import Connection, Pods, pods, tcp, to_dns
from components.kit import (
    Labels,
    config_map_items,
    config_map_key,
    container_security,
    content_hash,
    files_below,
    metadata,
    pod_security,
    requirements,
)
from components.logging.pods import logging_labels
from components.logging.snapshot_settings import AnySnapshots, repository
from components.namespaces import NamespaceNames
from components.network_settings import ImagesSettings
from stackfile.quantities import Duration
from stackfile.references import Image
from stackfile.resources import Resources

COMPONENT = "bootstrap"
Task = Literal["store", "pages"]
USERS: Mapping[Task, str] = {"store": "bootstrap", "pages": "pages"}
"""As whom each task speaks to Elasticsearch or Kibana. `pages` makes people's roles, and who may make roles may do
everything in the end: its password is for the one Job alone, and not for the one that runs every hour."""
FILES = Path(__file__).parent / "files/bootstrap"
VALUES_MAP = "bootstrap-values"
SNAPSHOTS = "elab"
"""The name of the repository of snapshots, and of the policy that makes and deletes them."""
_PROGRAM, _ETC = "/usr/local/lib/elab", "/etc/elab"
_UID = 1000
"""The user of the hub's image, whose Python runs the program."""
PATIENCE_SECONDS = 900
"""How long a run waits for its server: the first start of a cluster and of Kibana takes minutes, images aside."""
_DEADLINE_SECONDS = 3 * PATIENCE_SECONDS
_RETRIES = 4
_DAY = 86400
_MOST_INDICES, _LONGEST_DAYS = 30, 7
SCHEDULE = "17 * * * *"
"""As often as a store that was lost must be made ready again, and somebody must hear of a stream that has run dry."""
_PASSWORD_KEY, _CA_KEY = "password", "ca.crt"


@dataclass(frozen=True, kw_only=True)
class BootstrapArgs:
    """What the bootstrap is made of."""

    names: NamespaceNames
    images: ImagesSettings
    pod_security: PodSecurity
    priority_class: str
    image: Image
    """With Python 3.11 or later; the hub's has it, and is on the nodes."""
    resources: Resources
    elasticsearch: str
    """Its URL, its host as its certificate has it."""
    kibana: str | None
    streams: str
    """The last part of every data stream's name: which elab it is of."""
    datasets: Mapping[str, str | None]
    """Each dataset's ingest pipeline."""
    retention: Duration
    snapshots: AnySnapshots | None = None
    pushgateway: str | None = None
    """Where the audit tells what it found; None: nobody scrapes."""

    @property
    def namespace(self) -> str:
        """Where it lives: beside what it asks."""
        return self.names.of("logging")

    @property
    def labels(self) -> Labels:
        """Its labels."""
        return logging_labels(self.names, COMPONENT)


@dataclass(frozen=True, kw_only=True)
class BootstrapSecrets:
    """What it shows to Elasticsearch and Kibana, and by what it knows Elasticsearch."""

    passwords: Mapping[Task, pulumi.Input[str]]
    authorities: pulumi.Input[str]
    """The authority's certificate, as PEM text."""


def rollover(retention: Duration) -> Duration:
    """The age at which a stream's next index is begun: a thirtieth of the retention, a day at least, a week at most.

    An index is deleted as a whole, the retention after the next was begun. Elasticsearch's own choice, a week for
    thirty days, would keep lines for up to a quarter longer than the stack says; fewer, larger indices are all that it
    saves.
    """
    days = -(-retention.seconds // (_MOST_INDICES * _DAY))
    return Duration(f"{min(max(days, 1), _LONGEST_DAYS)}d")


def snapshots(settings: AnySnapshots) -> dict[str, Any]:
    """The repository, and the policy that makes and deletes snapshots, as Elasticsearch takes them."""
    return {
        "name": SNAPSHOTS,
        "repository": repository(settings),
        "policy": {
            "schedule": settings.schedule,
            "name": f"<{SNAPSHOTS}-{{now/d}}>",
            "repository": SNAPSHOTS,
            "config": {"indices": ["logs-*"], "include_global_state": False},
            "retention": {"expire_after": str(settings.retention)},
        },
    }


def values(args: BootstrapArgs) -> dict[str, Any]:
    """The values file: the contract is `files/bootstrap/elab_log_values.py`."""
    return {
        "elasticsearch": args.elasticsearch,
        "kibana": args.kibana,
        "users": dict(USERS),
        "retention": str(args.retention),
        "rollover": str(rollover(args.retention)),
        "namespace": args.streams,
        "streams": dict(args.datasets),
        "snapshots": snapshots(args.snapshots) if args.snapshots else None,
        "patience_seconds": PATIENCE_SECONDS,
        "pushgateway": args.pushgateway,
    }


def config_maps(args: BootstrapArgs) -> tuple[core.ConfigMapInitArgs, core.ConfigMapInitArgs]:
    """The program with its documents, and its values. No secret is in them."""
    files = {config_map_key(path): text for path, text in files_below(FILES).items()}
    text = json.dumps(values(args), indent=2, sort_keys=True) + "\n"
    return (
        core.ConfigMapInitArgs(metadata=metadata(COMPONENT, args.labels, args.namespace), data=files),
        core.ConfigMapInitArgs(metadata=metadata(VALUES_MAP, args.labels, args.namespace), data={"values.json": text}),
    )


def secret(args: BootstrapArgs, secrets: BootstrapSecrets, task: Task) -> core.SecretInitArgs:
    """A task's password, and the authority that it trusts."""
    return core.SecretInitArgs(
        metadata=metadata(f"{COMPONENT}-{task}", args.labels, args.namespace),
        string_data={_PASSWORD_KEY: secrets.passwords[task], _CA_KEY: secrets.authorities},
    )


def _volumes(task: Task) -> tuple[list[core.VolumeArgs], list[core.VolumeMountArgs]]:
    program = core.ConfigMapVolumeSourceArgs(name=COMPONENT, items=config_map_items(list(files_below(FILES))))
    held = {
        "program": (_PROGRAM, core.VolumeArgs(name="program", config_map=program)),
        "values": (
            f"{_ETC}/values",
            core.VolumeArgs(name="values", config_map=core.ConfigMapVolumeSourceArgs(name=VALUES_MAP)),
        ),
        "credentials": (f"{_ETC}/credentials", _from_secret(task, "credentials", _PASSWORD_KEY)),
        "ca": (f"{_ETC}/ca", _from_secret(task, "ca", _CA_KEY)),
    }
    mounts = [core.VolumeMountArgs(name=name, mount_path=path, read_only=True) for name, (path, _) in held.items()]
    return [volume for _, volume in held.values()], mounts


def _from_secret(task: Task, name: str, key: str) -> core.VolumeArgs:
    items = [core.KeyToPathArgs(key=key, path=key)]
    source = core.SecretVolumeSourceArgs(secret_name=f"{COMPONENT}-{task}", items=items, default_mode=0o440)
    return core.VolumeArgs(name=name, secret=source)


def _template(args: BootstrapArgs, task: Task, *options: str) -> core.PodTemplateSpecArgs:
    volumes, mounts = _volumes(task)
    container = core.ContainerArgs(
        name=task,
        image=args.images.reference(args.image),
        image_pull_policy=args.images.pull_policy,
        command=["python3", "-B", f"{_PROGRAM}/elab_bootstrap.py"],
        args=[task, *options],
        resources=requirements(args.resources),
        security_context=container_security(),
        volume_mounts=mounts,
        # What it told last is part of why the Job failed.
        termination_message_policy="FallbackToLogsOnError",
    )
    uid = None if args.pod_security.assigns_uids else _UID
    spec = core.PodSpecArgs(
        containers=[container],
        volumes=volumes,
        restart_policy="Never",
        automount_service_account_token=False,
        enable_service_links=False,
        priority_class_name=args.priority_class,
        security_context=pod_security(uid=uid, fs_group=uid),
        image_pull_secrets=[core.LocalObjectReferenceArgs(name=str(name)) for name in args.images.pull_secrets],
    )
    return core.PodTemplateSpecArgs(metadata=meta.ObjectMetaArgs(labels=args.labels.all()), spec=spec)


def _job_spec(args: BootstrapArgs, task: Task, retries: int, *options: str) -> batch.JobSpecArgs:
    return batch.JobSpecArgs(
        backoff_limit=retries, active_deadline_seconds=_DEADLINE_SECONDS, template=_template(args, task, *options)
    )


def job(args: BootstrapArgs, task: Task) -> batch.JobInitArgs:
    """One run. A Job can't be changed, so its name says what it runs with: other content is another Job."""
    held = content_hash(files_below(FILES), values(args), args.images.reference(args.image))
    # One that failed is made anew by the next `up`, whose await it would otherwise fail again.
    annotations = {"pulumi.com/replaceUnready": "true"}
    return batch.JobInitArgs(
        metadata=metadata(f"{COMPONENT}-{task}-{held[:10]}", args.labels, args.namespace, **annotations),
        spec=_job_spec(args, task, _RETRIES),
    )


def audit(args: BootstrapArgs) -> batch.CronJobInitArgs:
    """The store made ready again, should it have been lost, and the audit of it.

    Failures are told by the alert on its silence and by kube-state-metrics. It alone tells the Pushgateway, which the
    first Job must not wait for.
    """
    return batch.CronJobInitArgs(
        metadata=metadata("retention-audit", args.labels, args.namespace),
        spec=batch.CronJobSpecArgs(
            schedule=SCHEDULE,
            concurrency_policy="Forbid",
            starting_deadline_seconds=1800,
            successful_jobs_history_limit=1,
            failed_jobs_history_limit=2,
            job_template=batch.JobTemplateSpecArgs(spec=_job_spec(args, "store", 1, "--push")),
        ),
    )


def connections(
    args: BootstrapArgs,
    endpoints: ClusterEndpoints,
    targets: Mapping[Pods, int],
) -> Iterator[Connection]:
    """Its part of the connection graph: to its targets, each by its port."""
    source = pods(args.namespace, args.labels.selector())
    for target, port in targets.items():
        yield Connection(source=source, target=target, ports=tcp(port), why="made ready and looked after")
    yield from to_dns(source, endpoints)


class Bootstrap(pulumi.ComponentResource):
    """Makes Elasticsearch and Kibana ready. Shippers come after `store`, which does not wait for Kibana."""

    store: batch.Job

    def __init__(
        self,
        name: str,
        args: BootstrapArgs,
        secrets: BootstrapSecrets,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("elab:logging:Bootstrap", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        program, told = config_maps(args)
        read: list[pulumi.Resource] = [
            core.ConfigMap(f"{name}-program", program, child),
            core.ConfigMap(f"{name}-values", told, child),
        ]
        tasks: tuple[Task, ...] = ("store",) if args.kibana is None else ("store", "pages")
        read += [core.Secret(f"{name}-{task}-secret", secret(args, secrets, task), child) for task in tasks]
        # The engine waits until a Job has done its work; images and a first start take their time.
        run = pulumi.ResourceOptions(
            parent=self,
            depends_on=read,
            custom_timeouts=pulumi.CustomTimeouts(create=f"{_DEADLINE_SECONDS}s", update=f"{_DEADLINE_SECONDS}s"),
        )
        self.store = batch.Job(f"{name}-store", job(args, "store"), run)
        if args.kibana is not None:
            batch.Job(f"{name}-pages", job(args, "pages"), run)
        batch.CronJob(f"{name}-audit", audit(args), pulumi.ResourceOptions(parent=self, depends_on=read))
        self.register_outputs({})
