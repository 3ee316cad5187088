"""Writes what the exporters of a running stack yield into `components/monitoring/files/vocabulary` (`make vocabulary`).

Every target of the stack's Prometheus is read as Prometheus reads it, before anything is dropped. Only the part
`recorded` of a job's file is written; what is listed by hand below it stays. What an earlier recording of the same
program saw stays too: many a metric is there only while there is a Job, or after an error.
"""

import argparse
import re
import ssl
import sys
import urllib.request
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from operate import rig
from operate.metrics import Prometheus, Target
from operate.steps import OperationError

FOLDER = rig.ROOT / "components/monitoring/files/vocabulary"
_FREE = frozenset({"pods", "services"})
"""Jobs that scrape whatever the institution marks: rules and panels may rely on nothing there."""
_LABELS_OF = re.compile(r"kube_(\w+)_labels")
"""Metrics of kube-state-metrics that carry the labels of objects: which ones, its allow-list says, by stack."""
_OF_BUCKETS = frozenset({"le", "quantile"})
_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ")
_LABEL = re.compile(r'([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric as its exporter shows it."""

    kind: str
    labels: frozenset[str]


def metrics_of(text: str) -> dict[str, Metric]:
    """The metrics of a target's answer in Prometheus' text format, by name."""
    kinds: dict[str, str] = {}
    found: dict[str, Metric] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:4]
            kinds[name] = kind
        elif sample := _SAMPLE.match(line):
            name = _family(sample[1], kinds)
            before = found[name].labels if name in found else frozenset()
            labels = before | set(_LABEL.findall(sample[2] or "")) - _OF_BUCKETS
            found[name] = Metric(kind=kinds.get(name, "untyped"), labels=labels)
    return found


def _family(sample: str, kinds: Mapping[str, str]) -> str:
    """The metric that a sample belongs to: a histogram's and a summary's have names that end otherwise."""
    base = re.sub(r"_(bucket|count|sum)$", "", sample)
    return base if sample not in kinds and kinds.get(base) in ("histogram", "summary") else sample


def together(targets: Iterable[Mapping[str, Metric]]) -> dict[str, Metric]:
    """What several targets of one job yield."""
    found: dict[str, Metric] = {}
    for metrics in targets:
        for name, metric in metrics.items():
            before = found[name].labels if name in found else frozenset()
            found[name] = Metric(kind=metric.kind, labels=before | metric.labels)
    return found


def rewritten(before: str, source: str, metrics: Mapping[str, Metric]) -> str:
    """A vocabulary's text with this recording, and what an earlier one of the same source saw besides."""
    metrics = together([_earlier(before, source), metrics])
    lines = ["recorded:", f"  source: {source}", "  metrics:"]
    lines += [f"    {name}: {{{_described(name, metric)}}}" for name, metric in sorted(metrics.items())]
    listed = before.find("listed:\n")
    return "\n".join(lines) + "\n" + (before[listed:] if listed >= 0 else "")


def _earlier(text: str, source: str) -> dict[str, Metric]:
    recorded = (yaml.safe_load(text) or {}).get("recorded", {})
    if recorded.get("source") != source:
        return {}
    return {
        name: Metric(kind=metric["type"], labels=frozenset(metric["labels"]))
        for name, metric in recorded["metrics"].items()
    }


def _described(name: str, metric: Metric) -> str:
    of_objects = _LABELS_OF.fullmatch(name)
    labels = [label for label in sorted(metric.labels) if not (of_objects and label.startswith("label_"))]
    described = f"type: {metric.kind}, labels: [{', '.join(labels)}]"
    return f"{described}, allowlist: {of_objects[1]}s" if of_objects else described


def _read(target: Target, tokens: Mapping[str, str]) -> str:
    """What a target answers to Prometheus."""
    headers = {"Accept": "text/plain;version=0.0.4"}
    if target.job in tokens:
        headers["Authorization"] = f"Bearer {tokens[target.job]}"
    # The lab's own kubelet and API server, by addresses that their certificates may not name.
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    url = target.url.replace("kubernetes.default.svc:443", f"{_api_server()}")
    with urllib.request.urlopen(
        urllib.request.Request(url, headers=headers), timeout=20, context=trusting if url.startswith("https") else None
    ) as answer:
        return answer.read().decode()


def _api_server() -> str:
    path = "jsonpath={.subsets[0].addresses[0].ip}:{.subsets[0].ports[0].port}"
    return rig.kubectl("get", "endpoints", "kubernetes", "-o", path)


def _tokens(namespace: str) -> dict[str, str]:
    """What each job shows to its targets."""
    account = rig.kubectl("-n", namespace, "create", "token", "prometheus").strip()
    hub = rig.kubectl("-n", namespace, "get", "secret", "scrape-credentials", "-o", "jsonpath={.data.hub}")
    return dict.fromkeys(("apiserver", "kubelet", "cadvisor"), account) | {"hub": b64decode(hub).decode()}


def _source(job: str, namespace: str) -> str:
    """What was recorded, for those who read the file."""
    if job in ("apiserver", "kubelet", "cadvisor"):
        return f"Kubernetes {rig.kubectl('version', '-o', 'yaml').rpartition('gitVersion: ')[2].split()[0]} in the lab"
    selector = f"app.kubernetes.io/component={job}"
    instance = namespace.removesuffix("-monitoring")
    images = rig.kubectl(
        *("get", "pods", "-A", "-l", f"{selector},app.kubernetes.io/instance={instance}"),
        *("-o", "jsonpath={.items[0].spec.containers[0].image}"),
    )
    return f"{images} in the lab"


def main(argv: Sequence[str] | None = None) -> int:
    """Record every job that is up; 1 if one is not."""
    parser = argparse.ArgumentParser(prog="python -m tests.harness.record_vocabulary", description=__doc__)
    parser.add_argument("--namespace", default="elab-monitoring", help="where the stack's Prometheus runs")
    parser.add_argument("--job", action="append", dest="jobs", metavar="JOB", help="only this one (repeatable)")
    args = parser.parse_args(argv)
    prometheus = Prometheus(namespace=args.namespace)
    targets = [
        target
        for target in prometheus.targets()
        if target.job not in _FREE and (args.jobs is None or target.job in args.jobs)
    ]
    tokens = _tokens(args.namespace)
    down = [target for target in targets if not target.up]
    for target in down:
        print(f"{target.job:20}down, not recorded: {target.error}")
    for job in sorted({target.job for target in targets} - {target.job for target in down}):
        metrics = together(metrics_of(_read(target, tokens)) for target in targets if target.job == job)
        file = FOLDER / f"{job}.yaml"
        before = file.read_text() if file.exists() else ""
        Path(file).write_text(rewritten(before, _source(job, args.namespace), metrics))
        print(f"{job:20}{len(metrics):5} metrics")
    return 1 if down else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OperationError as error:
        sys.exit(f"error: {error}")
