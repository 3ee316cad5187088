"""elab: a private JupyterHub platform. Settings, cloud, components, exports; each room knows the rest."""

import pulumi

from components import entry
from components.autoscaling import Autoscaling, AutoscalingArgs
from components.hub import room
from components.isolation import Isolation, IsolationArgs
from components.logging import room as logging
from components.monitoring import room as monitoring
from components.namespaces import NamespaceNames, Namespaces, NamespacesArgs
from components.notebook_image import NotebookImage, NotebookImageArgs
from components.storage import PersonalStorage, StorageArgs
from providers import providers
from stack import load_or_exit

stack = load_or_exit()
settings, cloud, users = stack.settings, stack.settings.facts, stack.settings.users
names = NamespaceNames(instance=settings.instance)
made = providers(
    settings.cluster, settings.notebook_image, certificates=settings.logging.enabled, adopt=settings.protection.adopt,
)  # fmt: skip
base = pulumi.ResourceOptions(providers=made)

namespaces = Namespaces("namespaces", NamespacesArgs(names=names, data=settings.data), base)
storage = PersonalStorage("storage", StorageArgs(
    settings=settings.storage, cloud=cloud.storage, instance=settings.instance, reclaim_policy=settings.reclaim_policy,
), base)  # fmt: skip
Autoscaling("autoscaling", AutoscalingArgs(instance=settings.instance, objects=settings.scaling.objects), base)
image = NotebookImage("notebook", NotebookImageArgs(
    settings=settings.notebook_image, images=settings.images, folder=stack.image_folder,
), base)  # fmt: skip
hub = room.HubRoomArgs(
    values=settings.values_args, cloud=cloud, proxy=settings.proxy, puller=settings.puller,
    scheduling=settings.scheduling, data=settings.data, platform_storage_class=settings.storage.platform_class,
    extra_config=stack.extra_config, notebook_image=image.ref, secrets=stack.secrets, home=stack.home,
)  # fmt: skip
metrics, logs = settings.monitoring_args, settings.logging_args
routes = (*room.routes(hub), *monitoring.routes(metrics), *logging.routes(logs))
doors = entry.connections(settings.entry, routes, cloud.ranges.nodes)
# Before anything runs there: no pod is ever without its policies.
isolation = Isolation("isolation", IsolationArgs(
    names=names, pools=settings.node_pools, default=users.default_profile.resources, largest=users.largest,
    connections=(*room.connections(hub), *monitoring.connections(metrics), *logging.connections(logs), *doors),
), pulumi.ResourceOptions(providers=made, depends_on=[namespaces]))  # fmt: skip
inside = pulumi.ResourceOptions(providers=made, depends_on=[namespaces, isolation])
hub_room = room.HubRoom("hub", hub, inside)
after = pulumi.ResourceOptions(providers=made, depends_on=[namespaces, isolation, hub_room.priorities])
if settings.monitoring.enabled:
    given = monitoring.MonitoringSecrets(hub_token=hub_room.metrics_token, given=stack.secrets)
    monitoring.Monitoring("monitoring", metrics, given, after)
if settings.logging.enabled:
    logging.Logging("logging", logs, stack.secrets, after)
address = entry.Entry("entry", entry.EntryArgs(
    settings=settings.entry, instance=settings.instance, routes=routes,
    load_balancer_annotations=cloud.load_balancer_annotations,
), inside)  # fmt: skip
outputs = {"url": address.url, "namespaces": namespaces.names, "notebook_image": image.ref, **hub_room.for_other_stacks}
for output, value in outputs.items():
    pulumi.export(output, value)
