"""Steps that prove a JupyterHub on the cluster: from login to a file that stays."""

import json

from lab.smoke.browser import Browser, WebSocket
from lab.smoke.tools import HERE, kubectl, until

HUB = "http://127.0.0.1:32081"

alice = Browser(HUB)


def user_pod() -> str:
    """The phase of alice's pod; empty where there is none."""
    return kubectl(
        "-n",
        "jupyterhub",
        "get",
        "pods",
        "-l",
        "component=singleuser-server",
        "-o",
        "jsonpath={.items[*].status.phase}",
    )


def start_server() -> None:
    """Start alice's server and wait until its API answers."""
    status, text, _ = alice.request("POST", "/hub/api/users/alice/server")
    assert status in (201, 202), (status, text)
    until(lambda: user_pod() == "Running")
    until(lambda: alice.request("GET", "/user/alice/tree")[2].startswith(HUB + "/user/alice/tree"))
    until(lambda: alice.request("GET", "/user/alice/api/status")[0] == 200)


def jupyterhub_comes_up() -> None:
    kubectl("apply", "-f", str(HERE / "jupyterhub.yaml"))
    for name in ("ldap", "proxy", "hub"):
        kubectl("-n", "jupyterhub", "rollout", "status", f"deployment/{name}", "--timeout=180s")
    until(lambda: alice.request("GET", "/hub/health")[0] == 200, 60)


def wrong_password_is_refused() -> None:
    status, _, url = Browser(HUB).login("alice", "bob-password")
    assert status == 403 or url.endswith("/hub/login"), (status, url)


def alice_logs_in() -> None:
    status, _, url = alice.login("alice", "alice-password")
    assert status == 200, url
    assert "/hub/login" not in url
    assert alice.request("GET", "/hub/home")[0] == 200


def alice_starts_her_server() -> None:
    start_server()


def alice_writes_a_file() -> None:
    status, text, _ = alice.request(
        "PUT", "/user/alice/api/contents/proof.txt", body={"type": "file", "format": "text", "content": "still here"}
    )
    assert status == 201, (status, text)


def alice_runs_code_in_a_kernel() -> None:
    status, text, _ = alice.request("POST", "/user/alice/api/kernels", body={"name": "python3"})
    assert status == 201, (status, text)
    channels = WebSocket(alice, f"/user/alice/api/kernels/{json.loads(text)['id']}/channels?session_id=smoke")
    channels.send(
        {
            "channel": "shell",
            "header": {
                "msg_id": "1",
                "msg_type": "execute_request",
                "session": "smoke",
                "username": "",
                "version": "5.3",
                "date": "",
            },
            "parent_header": {},
            "metadata": {},
            "buffers": [],
            "content": {
                "code": "print(6 * 7)",
                "silent": False,
                "store_history": False,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": True,
            },
        }
    )
    until(lambda: channels.receive().get("content", {}).get("text") == "42\n", 60, every=0)
    channels.close()


def alice_stops_her_server() -> None:
    status, text, _ = alice.request("DELETE", "/hub/api/users/alice/server")
    assert status in (202, 204), (status, text)
    until(lambda: not user_pod(), 60)


def alice_starts_again_and_finds_the_file() -> None:
    until(lambda: not json.loads(alice.request("GET", "/hub/api/users/alice")[1]).get("pending"), 30)
    start_server()
    status, text, _ = alice.request("GET", "/user/alice/api/contents/proof.txt")
    assert status == 200, text
    assert json.loads(text)["content"] == "still here"


def jupyterhub_goes_away() -> None:
    volumes = kubectl("-n", "jupyterhub", "get", "pvc", "-o", "jsonpath={.items[*].spec.volumeName}").split()
    assert len(volumes) == 2, volumes  # the hub's and alice's
    kubectl("delete", "namespace", "jupyterhub", "--wait")
    until(lambda: not kubectl("get", "pv", "--ignore-not-found", *volumes), 30)
