"""Steps that prove the cluster itself: DNS and Services, node ports, network policy, the metadata host, volumes."""

import subprocess
import urllib.request
from pathlib import Path

from lab.smoke.tools import HERE, LAB, kubectl, until


def service_by_name_from_another_pod() -> None:
    kubectl("apply", "-f", str(HERE / "basics.yaml"))
    kubectl("-n", "smoke", "rollout", "status", "deployment/web", "--timeout=120s")
    kubectl("-n", "smoke", "wait", "pod/client", "--for=condition=Ready", "--timeout=120s")
    reached: dict[str, set[str]] = {name: set() for name in ("web", "web.smoke", "web.smoke.svc.cluster.local")}

    def both_pods_answered_to_each_name() -> bool:
        for name, answers in reached.items():
            answers.add(
                kubectl("-n", "smoke", "exec", "client", "--", "curl", "-sf", "-m", "5", f"http://{name}/", check=False)
            )
        return all(len(answers - {""}) == 2 for answers in reached.values())

    until(both_pods_answered_to_each_name, 30)


def node_port_on_loopback() -> None:
    def answer() -> bytes | None:
        try:
            return urllib.request.urlopen("http://127.0.0.1:32080/", timeout=5).read()
        except OSError:
            return None

    assert (until(answer, 20) or b"").startswith(b"web-")


def network_policy_is_enforced() -> None:
    def curl() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [LAB, "kubectl", "-n", "smoke", "exec", "client", "--", "curl", "-sf", "-m", "3", "http://web/"],
            capture_output=True,
            text=True,
        )

    def refused() -> bool:
        return "exit code 7" in curl().stderr  # could resolve, could not connect

    assert curl().returncode == 0
    kubectl("apply", "-f", str(HERE / "network-policy.yaml"))
    until(refused, 10)
    kubectl("-n", "smoke", "label", "pod", "client", "access=yes")
    until(lambda: curl().returncode == 0, 10)
    kubectl("-n", "smoke", "label", "pod", "client", "egress=limited")
    until(refused, 10)
    kubectl("delete", "-f", str(HERE / "network-policy.yaml"))
    until(lambda: curl().returncode == 0, 10)


def metadata_host_answers_unless_a_policy_forbids() -> None:
    address = subprocess.run([LAB, "metadata", "up"], check=True, capture_output=True, text=True).stdout.strip()
    ask = ("-n", "smoke", "exec", "client", "--", "curl", "-sf", "-m", "3", f"http://{address}/")
    kubectl("-n", "smoke", "label", "pod", "client", "egress-")
    until(lambda: "credentials" in kubectl(*ask, check=False), 10)
    kubectl("apply", "-f", str(HERE / "network-policy.yaml"))
    kubectl("-n", "smoke", "label", "pod", "client", "egress=limited")
    until(lambda: not kubectl(*ask, check=False), 10)
    kubectl("delete", "-f", str(HERE / "network-policy.yaml"))


def volume_outlives_its_pod() -> None:
    kubectl("-n", "smoke", "rollout", "status", "deployment/writer", "--timeout=120s")
    kubectl("-n", "smoke", "exec", "deploy/writer", "--", "sh", "-c", "echo kept > /data/proof")
    first = kubectl("-n", "smoke", "get", "pod", "-l", "app=writer", "-o", "name")
    kubectl("-n", "smoke", "delete", first, "--wait")
    kubectl("-n", "smoke", "rollout", "status", "deployment/writer", "--timeout=120s")
    assert kubectl("-n", "smoke", "get", "pod", "-l", "app=writer", "-o", "name") != first
    assert kubectl("-n", "smoke", "exec", "deploy/writer", "--", "cat", "/data/proof") == "kept"


def claim_grows() -> None:
    kubectl("-n", "smoke", "patch", "pvc", "data", "-p", '{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}')
    until(
        lambda: kubectl("-n", "smoke", "get", "pvc", "data", "-o", "jsonpath={.status.capacity.storage}") == "2Gi", 20
    )


def deleted_claim_takes_its_directory() -> None:
    volume = kubectl("-n", "smoke", "get", "pvc", "data", "-o", "jsonpath={.spec.volumeName}")
    path = Path(kubectl("get", "pv", volume, "-o", "jsonpath={.spec.local.path}"))
    assert (path / "proof").exists()
    kubectl("delete", "namespace", "smoke", "--wait")
    until(lambda: not path.exists(), 30)
    until(lambda: not kubectl("get", "pv", volume, "--ignore-not-found"), 30)
