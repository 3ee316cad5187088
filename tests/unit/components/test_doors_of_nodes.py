"""Controllers in their node's network, and databases with known addresses: policies name exactly these."""

from __future__ import annotations

from components.connections import Addresses, pods
from components.entry import door
from components.hub.graph import hub_connections
from components.namespaces import NamespaceNames
from stackfile.references import Cidr
from tests.harness.rooms import settings_of


def test_a_controller_in_its_nodes_network_is_let_in_by_the_nodes_addresses() -> None:
    plain, nodes = settings_of("prod").entry, (Cidr("10.20.2.0/24"),)
    assert door(plain, nodes) == pods("ingress-nginx")
    assert door(plain.model_copy(update={"host_network": True}), nodes) == Addresses(cidrs=nodes)


def test_the_hub_reaches_its_database_where_the_stack_says_it_is() -> None:
    settings = settings_of("prod")
    where = {
        "known addresses": ({"cidrs": ["10.30.1.0/24"]}, Addresses(cidrs=(Cidr("10.30.1.0/24"),))),
        "in this cluster": ({"namespace": "databases"}, pods("databases")),
    }
    for case, (said, target) in where.items():
        database = {"kind": "postgresql", "port": 6432, **said}
        hub = settings_of("prod", hub={"database": database}).hub
        names = NamespaceNames(instance=settings.instance)
        found = hub_connections(
            names, hub, settings.login, settings.hub_directory, settings.network, settings.facts.endpoints
        )
        [database_connection] = [one for one in found if one.why == "the hub's database"]
        assert database_connection.target == target, case
        assert [port.number for port in database_connection.ports] == [6432], case
