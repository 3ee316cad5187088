"""OpenStack, which the hosts of the private cloud may be machines of: its services, and how much it has left."""

from grafana_foundation_sdk.models import dashboard as models

from components.monitoring.dashboards.panels import (
    ANY_IS_BAD,
    UP,
    Column,
    Panel,
    Row,
    above,
    dashboard,
    lines,
    listing,
    number,
)

_SERVICES = ("nova", "cinder", "neutron", "identity", "glance")
_HERE = 'cluster="$cluster"'


def build() -> models.Dashboard:
    """The dashboard."""
    return dashboard(
        "openstack",
        "Private cloud: OpenStack",
        "Do OpenStack's services work, and is there room for more machines, volumes and addresses?",
        [
            Row("Services", [*_services(), _agents()]),
            Row("Room on the hypervisors", [*_hypervisors()]),
            Row("Volumes, addresses, quotas", [*_rest()]),
        ],
    )


def _services() -> list[Panel]:
    return [
        number(
            service.capitalize(),
            f"Whether OpenStack's {service} answered the exporter.",
            f"min(openstack_{service}_up{{{_HERE}}})",
            steps=UP,
            words={"0": "down", "1": "up"},
        )
        for service in _SERVICES
    ] + [
        number(
            "Machines that run",
            "Virtual machines on all hypervisors.",
            f"sum(openstack_nova_running_vms{{{_HERE}}})",
        )
    ]


def _agents() -> Panel:
    states = " or ".join(
        f'(openstack_{service}_agent_state{{{_HERE}, adminState=~"enabled|up"}} == 0)'
        for service in ("nova", "cinder", "neutron")
    )
    return listing(
        "Agents that are down",
        "Agents that an administrator wants to run and that don't report. Machines on that host may go on.",
        {"hostname": "Host", "service": "Agent"},
        [Column(header="Down", expr=f"count by (hostname, service) ({states})", unit="short")],
        quiet=True,
    )


def _hypervisors() -> list[Panel]:
    return [
        lines(
            "CPU given out",
            "Virtual processors given to machines, by those that a hypervisor has. Above 1 they share.",
            {
                "{{hostname}}": f"sum by (hostname) (openstack_nova_vcpus_used{{{_HERE}}})"
                f" / sum by (hostname) (openstack_nova_vcpus_available{{{_HERE}}})"
            },
            unit="percentunit",
        ),
        lines(
            "Memory given out",
            "Memory given to machines, by that of each hypervisor. At 100 % none starts there.",
            {
                "{{hostname}}": f"sum by (hostname) (openstack_nova_memory_used_bytes{{{_HERE}}})"
                f" / sum by (hostname) (openstack_nova_memory_available_bytes{{{_HERE}}})"
            },
            unit="percentunit",
            steps=above(0.85, 0.95),
        ),
    ]


def _rest() -> list[Panel]:
    return [
        listing(
            "Room for volumes",
            "Free share of each of Cinder's pools.",
            {"name": "Pool"},
            [
                Column(
                    header="In use",
                    expr=f"1 - sum by (name) (openstack_cinder_pool_capacity_free_gb{{{_HERE}}})"
                    f" / sum by (name) (openstack_cinder_pool_capacity_total_gb{{{_HERE}}})",
                    unit="percentunit",
                    steps=above(0.8, 0.9),
                ),
                Column(
                    header="Free",
                    expr=f"sum by (name) (openstack_cinder_pool_capacity_free_gb{{{_HERE}}})",
                    unit="decgbytes",
                ),
            ],
            width=12,
        ),
        listing(
            "Addresses in use",
            "Share of each network's addresses that are given out. At 100 % no machine starts there.",
            {"network_name": "Network", "subnet_name": "Subnet"},
            [
                Column(
                    header="In use",
                    expr="sum by (network_name, subnet_name)"
                    f" (openstack_neutron_network_ip_availabilities_used{{{_HERE}}})"
                    " / sum by (network_name, subnet_name)"
                    f" (openstack_neutron_network_ip_availabilities_total{{{_HERE}}} > 0)",
                    unit="percentunit",
                    steps=above(0.8, 0.95),
                )
            ],
            width=12,
        ),
        listing(
            "Quotas of projects",
            "How much of its quota each project has taken; projects without a bound are left out.",
            {"tenant": "Project"},
            [
                Column(
                    header=header,
                    expr=f"sum by (tenant) (openstack_nova_limits_{what}_used{{{_HERE}}})"
                    f" / (sum by (tenant) (openstack_nova_limits_{what}_max{{{_HERE}}}) > 0)",
                    unit="percentunit",
                    steps=above(0.8, 0.95),
                )
                for header, what in (("CPU", "vcpus"), ("Memory", "memory"), ("Machines", "instances"))
            ],
            width=16,
        ),
        number(
            "Volumes in error",
            "Volumes that Cinder reports in a state of error.",
            f'sum(openstack_cinder_volume_status_counter{{{_HERE}, status=~"error.*"}}) or vector(0)',
            steps=ANY_IS_BAD,
            width=8,
        ),
    ]
