"""What holds of every dashboard: its JSON is the code's, it finds its data source, and each panel can be read."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from components.monitoring.dashboards import __main__ as generator
from components.monitoring.dashboards.catalogue import FOLDER, NEEDS, parsed, selected
from components.monitoring.dashboards.handbook import handbook
from components.monitoring.dashboards.queries import panels, queries
from tests.harness.series import selectors

DATA_SOURCES = FOLDER.parent / "grafana" / "provisioning" / "datasources" / "elab.yaml"
LARGEST_CONFIG_MAP = 1024 * 1024


@pytest.fixture(params=NEEDS)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return parsed(request.param)


def names_of_data_sources() -> set[str]:
    found = yaml.safe_load(DATA_SOURCES.read_text(encoding="utf-8"))
    return {source["uid"] for source in found["datasources"]}


def units(panel: Mapping[str, Any]) -> Iterator[str]:
    """The panel's unit, and those of its columns."""
    config = panel["fieldConfig"]
    yield config["defaults"].get("unit", "")
    for override in config["overrides"]:
        yield next((one["value"] for one in override["properties"] if one["id"] == "unit"), "")


@pytest.mark.parametrize("name", NEEDS)
def test_the_committed_json_is_what_the_code_makes(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == generator.text(generator.built(name)), (
        "run `make dashboards`"
    )


def test_the_table_of_dashboards_is_what_the_code_makes() -> None:
    made = handbook({name: parsed(name) for name in NEEDS})
    assert generator.HANDBOOK.read_text(encoding="utf-8") == made, "run `make dashboards`"


def test_there_is_no_dashboard_that_nobody_knows() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(NEEDS)


def test_uids_and_titles_are_of_one_dashboard_each() -> None:
    all_of_them = [parsed(name) for name in NEEDS]
    for key in ("uid", "title"):
        values = [dashboard[key] for dashboard in all_of_them]
        assert len(set(values)) == len(values)


def test_the_uid_is_the_files_name() -> None:
    """Links between dashboards and from runbooks go by it."""
    assert {name: parsed(name)["uid"] for name in NEEDS} == {name: f"elab-{name}" for name in NEEDS}


def test_panels_have_numbers_of_their_own(dashboard: dict[str, Any]) -> None:
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert all(numbers)
    assert len(set(numbers)) == len(numbers)


def test_panels_of_one_row_have_titles_of_their_own(dashboard: dict[str, Any]) -> None:
    seen: set[str] = set()
    for panel in dashboard["panels"]:
        seen = set() if panel["type"] == "row" else seen
        assert panel["title"] not in seen
        seen.add(panel["title"])


def test_panels_lie_beside_each_other_not_on_each_other(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(at["x"] + across, at["y"] + down) for across in range(at["w"]) for down in range(at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_panel_says_what_it_shows_and_in_which_unit(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        assert panel.get("description", "").endswith((".", "…")), panel["title"]
        assert all(units(panel)), panel["title"]


def test_every_panel_and_query_names_a_data_source_that_is_provisioned(dashboard: dict[str, Any]) -> None:
    known = names_of_data_sources()
    for panel in panels(dashboard):
        assert panel["targets"], panel["title"]
        for one in (panel, *panel["targets"]):
            assert one["datasource"]["uid"] in known, panel["title"]
    for variable in dashboard["templating"]["list"]:
        assert variable["datasource"]["uid"] in known


def test_every_selector_is_of_the_chosen_cluster(dashboard: dict[str, Any]) -> None:
    for query in queries(dashboard, {"cluster": "the-chosen-one"}):
        found = list(selectors(promql_parser.parse(query.expr)))
        assert found, query
        for selector in found:
            matchers = {(one.name, one.value) for one in selector.matchers.matchers}
            # What is absent has no cluster either, and there are alerts about it.
            chosen = "the-chosen-one|" if selector.name == "ALERTS" else "the-chosen-one"
            assert ("cluster", chosen) in matchers or query.panel == "$cluster", query


def test_legends_name_labels_that_the_query_keeps(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        for target in panel["targets"]:
            for label in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")):
                assert re.search(rf"by \([^)]*\b{label}\b", target["expr"]), (panel["title"], label)


def test_keys_of_tables_are_labels_that_some_query_keeps(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        if panel["type"] != "table":
            continue
        (organize,) = (one["options"] for one in panel["transformations"] if one["id"] == "organize")
        for field in organize["renameByName"]:
            if not field.startswith("Value"):
                kept = rf"\b(?:by|on) \([^)]*\b{field}\b"
                assert any(re.search(kept, target["expr"]) for target in panel["targets"]), (panel["title"], field)


def headers(panel: Mapping[str, Any]) -> list[str]:
    """The headers of a table, in their order."""
    (organize,) = (one["options"] for one in panel["transformations"] if one["id"] == "organize")
    return [
        organize["renameByName"][field] for field in sorted(organize["indexByName"], key=organize["indexByName"].get)
    ]


def test_tables_are_coloured_and_sorted_by_headers_that_they_have(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        if panel["type"] == "table":
            named = [override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]]
            named += [one["displayName"] for one in panel["options"]["sortBy"]]
            assert set(named) <= set(headers(panel)), panel["title"]


def test_the_worst_stands_first() -> None:
    (alerts,) = (panel for panel in panels(parsed("overview")) if panel["title"] == "Alerts that fire")
    assert [(one["displayName"], one["desc"]) for one in alerts["options"]["sortBy"]] == [("Severity", False)]
    for title in ("Disks that are nearly full", "Hosts' file systems that are nearly full"):
        (table,) = (panel for panel in panels(parsed("overview")) if panel["title"] == title)
        assert [(one["displayName"], one["desc"]) for one in table["options"]["sortBy"]] == [("Full", True)]


def test_links_lead_to_dashboards_that_every_stack_has(dashboard: dict[str, Any]) -> None:
    always = {parsed(name)["uid"] for name, needs in NEEDS.items() if not needs}
    for panel in panels(dashboard):
        for link in panel.get("links", ()):
            assert link["url"].removeprefix("/d/").removesuffix("?${cluster:queryparam}") in always


def test_dashboards_lead_to_all_others_by_their_tag(dashboard: dict[str, Any]) -> None:
    (link,) = dashboard["links"]
    assert set(link["tags"]) <= set(dashboard["tags"])
    assert (link["type"], link["includeVars"], link["keepTime"]) == ("dashboards", True, True)


def test_a_stack_has_the_dashboards_that_its_jobs_can_fill() -> None:
    always = set(selected(()))
    assert always >= {"overview", "hub", "pods", "containers", "hosts"}
    assert set(selected({"ceph"})) - always == {"ceph"}
    assert set(selected({"elasticsearch", "fluent-bit"})) - always == {"logs"}
    assert set(selected({"ceph", "ceph-exporter", "openstack", "elasticsearch", "fluent-bit"})) == set(NEEDS)


@pytest.mark.parametrize("name", NEEDS)
def test_each_fits_a_config_map(name: str) -> None:
    assert len((FOLDER / f"{name}.json").read_bytes()) < LARGEST_CONFIG_MAP / 2


def test_no_query_is_left_to_pythons_strings_alone() -> None:
    """What Grafana is given is JSON; nothing of the SDK is needed to plan or to bring up a stack."""
    requirements = (Path(generator.__file__).parents[3] / "requirements.txt").read_text(encoding="utf-8")
    assert "grafana-foundation-sdk" not in requirements
    assert json.loads(selected(())["overview"])["uid"] == "elab-overview"


@pytest.mark.parametrize(
    ("panel", "counted", "names"),
    [
        ("Disk traffic", True, "sda vdb xvda nvme0n1 mmcblk0 dasda"),
        ("Disk traffic", False, "dm-0 md127 rbd3 nbd0 loop2 zram0 sr0 bcache0 drbd1000"),
        ("Network", True, "eth0 ens5 eno1 enp3s0f0 enp65s0f1np1 enP2p33s0f0 ib0 em1 p1p2"),
        (
            "Network",
            False,
            "lo bond0 bond0.100 eno1.42 team0 br0 br-ex virbr0 vlan12 tunl0 vxlan.calico vxlan_sys_4789 genev_sys_6081",
        ),
        (
            "Network",
            False,
            "wireguard.cali ovs-system ovn-k8s-mp0 kube-ipvs0 nodelocaldns cilium_host enP1234s1 veth12ab cali12ab",
        ),
    ],
    ids=["disks", "on-disks", "cards", "on-cards", "of-the-cluster"],
)
def test_each_byte_through_a_hosts_disks_and_network_cards_is_counted_once(
    panel: str, counted: bool, names: str
) -> None:
    shown = [query for query in queries(parsed("hosts")) if query.panel == panel]
    assert len(shown) == 2
    for query in shown:
        for selector in selectors(promql_parser.parse(query.expr)):
            (left_out,) = (one.value for one in selector.matchers.matchers if one.name == "device")
            assert [name for name in names.split() if bool(re.fullmatch(left_out, name)) is counted] == []
