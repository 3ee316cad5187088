"""What the benchmark says of its figures."""

from bench.pods import Watch, _seconds
from bench.report import GOALS, goals_table, met, ratios, summary
from bench.starts import PARTS, Start


def starts(*seconds: float) -> list[Start]:
    return [Start(total=each, parts=dict.fromkeys(PARTS, each / len(PARTS))) for each in seconds]


def test_the_95th_percentile_of_twenty_is_the_second_largest() -> None:
    found = summary([float(number) for number in range(20, 0, -1)])
    assert found == {"min": 1, "p50": 10.5, "p95": 19, "max": 20}


def test_ratios_are_elabs_time_by_the_bare_hubs() -> None:
    found = ratios({"elab": starts(1, 2, 3), "bare": starts(2, 4, 12)}, {"elab": starts(5, 5), "bare": starts(10, 10)})
    assert found == {"p50": 0.5, "p95": 0.25, "max": 0.25, "8 at once": 0.5}


def test_one_missed_goal_is_named_and_fails_the_run() -> None:
    good = dict(GOALS)
    assert met(good)
    bad = good | {"p95": GOALS["p95"] + 0.01}
    assert not met(bad)
    assert [line.split()[0] for line in goals_table(bad).splitlines() if "MISSED" in line] == ["p95"]


def pod(kind: str, node: str | None = None) -> dict[str, object]:
    return {"type": kind, "object": {"metadata": {"name": "jupyter-a"}, "spec": {"nodeName": node} if node else {}}}


def test_the_watch_keeps_the_first_sight_of_the_newest_pod() -> None:
    watch = Watch(namespace="users")
    for moment, event in enumerate([pod("ADDED"), pod("MODIFIED", "n"), pod("MODIFIED", "n"), pod("DELETED", "n")]):
        watch._take(event, float(moment))
    assert watch.pods() == set()
    watch._take(pod("ADDED"), 10.0)
    assert (watch.of("jupyter-a").created, watch.of("jupyter-a").scheduled) == (10.0, None)
    watch._take(pod("MODIFIED", "n"), 11.0)
    watch._take(pod("MODIFIED", "n"), 12.0)
    assert watch.of("jupyter-a").scheduled == 11.0


def test_times_of_the_log_keep_their_fraction() -> None:
    assert round(_seconds("1970-01-01T00:00:10.250000001Z"), 3) == 10.25
    assert _seconds("1970-01-01T00:00:10Z") == 10.0
