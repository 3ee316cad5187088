"""The dashboards as a page to read: what each answers, and what each panel shows."""

from collections.abc import Mapping
from typing import Any

from components.monitoring.dashboards.catalogue import NEEDS

_HEAD = """\
# Dashboards

Written by `make dashboards` from `components/monitoring/dashboards`; change it there. Grafana shows them in the folder
elab, Overview is its first page, and the menu *elab* of each leads to all others with the same cluster and time.
[Grafana](grafana.md) says how to get in.

| dashboard | answers | needs |
|---|---|---|
"""


def handbook(dashboards: Mapping[str, Mapping[str, Any]]) -> str:
    """The page, in Markdown."""
    lines = [_HEAD]
    for name, dashboard in dashboards.items():
        title = dashboard["title"]
        needs = ", ".join(f"`{setting}`" for setting in sorted(_settings(name))) or "nothing more"
        lines.append(f"| [{title}](#{_anchor(title)}) | {dashboard['description']} | {needs} |\n")
    for dashboard in dashboards.values():
        lines.append(f"\n## {dashboard['title']}\n")
        for panel in dashboard["panels"]:
            if panel["type"] == "row":
                lines.append(f"\n**{panel['title']}**\n\n")
            else:
                lines.append(f"- *{panel['title']}*: {panel['description']}\n")
    return "".join(lines)


_SETTINGS = {
    "ceph": "monitoring.ceph",
    "ceph-exporter": "monitoring.ceph.exporters",
    "openstack": "monitoring.openstack",
    "elasticsearch": "logging.enabled",
    "fluent-bit": "logging.enabled",
}
"""What switches a job on that a stack may lack."""


def _settings(name: str) -> set[str]:
    """The settings that switch a dashboard's jobs on."""
    return {_SETTINGS[job] for job in NEEDS[name]}


def _anchor(title: str) -> str:
    return title.lower().replace(":", "").replace(" ", "-")
