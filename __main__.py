"""elab: a private JupyterHub platform. Settings, cloud, components, exports; each room knows the rest."""

import pulumi

from components import entry
from components.entry import Entry, EntryArgs
from components.hub import room
from components.hub.room import HubRoom, HubRoomArgs
from components.isolation import Isolation, IsolationArgs
from components.monitoring import room as monitoring
from components.monitoring.room import Monitoring, MonitoringSecrets
from components.namespaces import NamespaceNames, Namespaces, NamespacesArgs
from components.notebook_image import NotebookImage, NotebookImageArgs
from components.storage import PersonalStorage, StorageArgs
from providers import providers
from stack import load_or_exit

stack = load_or_exit()
settings, cloud = stack.settings, stack.settings.facts
names = NamespaceNames(instance=settings.instance)
made = providers(settings.cluster, settings.notebook_image)
base = pulumi.ResourceOptions(providers=made)

namespaces = Namespaces("namespaces", NamespacesArgs(names=names, data=settings.data), base)
storage = PersonalStorage("storage", StorageArgs(
    settings=settings.storage, cloud=cloud.storage, instance=settings.instance, reclaim_policy=settings.reclaim_policy,
), base)  # fmt: skip
image = NotebookImage("notebook", NotebookImageArgs(
    settings=settings.notebook_image, images=settings.images, folder=stack.image_folder,
), base)  # fmt: skip
hub = HubRoomArgs(
    names=names, cloud=cloud, entry=settings.entry, hub=settings.hub, proxy=settings.proxy, users=settings.users,
    login=stack.login, culling=settings.culling, puller=settings.puller, scheduling=settings.scheduling,
    packs=settings.packs, pools=settings.pools, images=settings.images, network=settings.network, data=settings.data,
    user_storage_class=storage.class_name, platform_storage_class=settings.storage.platform_class,
    extra_config=stack.extra_config, notebook_image=image.ref, secrets=stack.secrets,
)  # fmt: skip
metrics = settings.monitoring_args
routes = (*room.routes(hub), *monitoring.routes(metrics))
doors = entry.connections(settings.entry, routes, cloud.ranges.nodes)

# Before anything runs there: no pod is ever without its policies.
isolation = Isolation("isolation", IsolationArgs(
    names=names, connections=(*room.connections(hub), *monitoring.connections(metrics), *doors), pools=settings.pools,
    default=settings.users.default_profile.resources, largest=settings.users.largest,
), pulumi.ResourceOptions(providers=made, depends_on=[namespaces]))  # fmt: skip
inside = pulumi.ResourceOptions(providers=made, depends_on=[namespaces, isolation])
hub_room = HubRoom("hub", hub, inside)
if settings.monitoring.enabled:
    given = MonitoringSecrets(hub_token=hub_room.metrics_token, given=stack.secrets)
    after = [namespaces, isolation, hub_room.priorities]
    Monitoring("monitoring", metrics, given, pulumi.ResourceOptions(providers=made, depends_on=after))
address = Entry("entry", EntryArgs(
    settings=settings.entry, instance=settings.instance, routes=routes,
    load_balancer_annotations=cloud.load_balancer_annotations,
), inside)  # fmt: skip

outputs = {"url": address.url, "namespaces": namespaces.names, "notebook_image": image.ref, **hub_room.for_other_stacks}
for output, value in outputs.items():
    pulumi.export(output, value)
