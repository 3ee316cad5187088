"""A stack that keeps logs watches them: two jobs, their rules and dashboard, and what the settings say of them."""

from __future__ import annotations

import re
from dataclasses import replace

import yaml

from components.kit import plain
from components.logging.agents import FILES
from components.logging.settings import ElasticsearchSettings, LoggingSettings
from components.monitoring.dashboards.catalogue import selected
from components.monitoring.jobs import WATERMARKS, JobsArgs, WatchedLogs, jobs_of, scrape_files, series, watched_logs
from components.monitoring.prometheus import rule_files
from components.monitoring.prometheus_rights import places, role
from components.monitoring.recording import settings_rules
from stackfile.quantities import Duration
from tests.harness.platform import settings

WATCHED = WatchedLogs(retention=Duration("30d"), rollover=Duration("1d"), nodes=3)
OURS = {"elasticsearch", "fluent-bit"}


def args(logs: WatchedLogs | None) -> JobsArgs:
    return replace(settings().monitoring_args.jobs, logs=logs)


def names(found: JobsArgs) -> set[str]:
    return {job.name for job in jobs_of(found)}


def test_jobs_rules_and_dashboard_are_there_where_logs_are_and_only_there() -> None:
    with_logs, without = args(WATCHED), args(None)
    assert names(with_logs) - names(without) == OURS
    assert set(rule_files(with_logs)) - set(rule_files(without)) == {"elasticsearch.yaml", "fluent-bit.yaml"}
    assert set(selected(names(with_logs))) - set(selected(names(without))) == {"logs"}


def test_what_is_watched_follows_from_the_settings() -> None:
    three = LoggingSettings(elasticsearch=ElasticsearchSettings(nodes=3))
    assert watched_logs(three) == WATCHED
    assert watched_logs(LoggingSettings(enabled=False)) is None


def test_the_watermarks_of_alerts_are_those_by_which_elasticsearch_acts() -> None:
    text = (FILES / "elasticsearch/elasticsearch.yml").read_text(encoding="utf-8")
    acts = dict(re.findall(r"^cluster[.]routing[.]allocation[.]disk[.]watermark[.](\w+): (\d+)%$", text, re.MULTILINE))
    assert acts == {"low": "85", "high": "90", "flood_stage": "95"}
    assert WATERMARKS == {"low": 0.85, "high": 0.9, "flood": 0.95}


def test_targets_are_looked_for_in_the_rooms_where_they_run() -> None:
    for name, namespace in (("elasticsearch", "elab-logging"), ("fluent-bit", "elab-node")):
        (config,) = yaml.safe_load(scrape_files(args(WATCHED))[f"{name}.yaml"])["scrape_configs"]
        assert [one["namespaces"]["names"] for one in config["kubernetes_sd_configs"]] == [[namespace]]


def test_prometheus_may_list_pods_of_the_logs_room_where_there_is_one_and_nothing_else_there() -> None:
    def namespaces(logs: WatchedLogs | None) -> set[str]:
        return {place.namespace for place in places(args(logs))}

    assert namespaces(WATCHED) - namespaces(None) == {"elab-logging"}
    (place,) = (one for one in places(args(WATCHED)) if one.namespace == "elab-logging")
    made = plain(role(place, settings().monitoring_args.platform.labels("prometheus")))
    assert [rule["resources"] for rule in made["rules"]] == [["pods"]]


def test_rules_know_retention_nodes_and_watermarks_from_the_settings() -> None:
    size, pools = settings().monitoring_args.size, settings().pools
    rules = settings_rules(args(WATCHED), size, pools)["groups"][0]["rules"]
    told = {(rule["record"], rule["labels"].get("stage")): rule["expr"] for rule in rules}
    assert told["elab_logs_retention_seconds", None] == "vector(2592000)"
    assert told["elab_logs_rollover_seconds", None] == "vector(86400)"
    assert told["elab_logs_nodes", None] == "vector(3)"
    assert told["elab_logs_disk_watermark", "flood"] == "vector(0.95)"
    assert not any("logs" in rule["record"] for rule in settings_rules(args(None), size, pools)["groups"][0]["rules"])


def test_the_budget_of_series_grows_with_nodes_of_both_kinds() -> None:
    size = settings().monitoring_args.size
    by_name = {job.name: job for job in jobs_of(args(WATCHED))}
    fewer = args(replace(WATCHED, nodes=1))
    assert series(by_name["elasticsearch"], args(WATCHED), size) > series(by_name["elasticsearch"], fewer, size)
    larger = replace(size, nodes=2 * size.nodes)
    assert series(by_name["fluent-bit"], fewer, larger) == 2 * series(by_name["fluent-bit"], fewer, size)
