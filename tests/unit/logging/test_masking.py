"""No secret leaves its node, whichever shipper reads the line; what is no secret stays readable."""

import time

import pytest

from tests.unit.logging.shippers import Lua, filebeat_scripts

HEX32 = "9f86d081884c7d659a2feaa0c55ad015"
HEX64 = HEX32 * 2
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkFkYSJ9.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
HUB = "[I 2026-11-24 22:10:01.123 JupyterHub log:192] "

SECRET = {
    "a request's header": (f"Authorization: token {HEX32}", "Authorization: token [masked]"),
    "a header in a dictionary": (
        "headers={'Authorization': 'Bearer abc.def-ghi', 'Host': 'hub'}",
        "headers={'Authorization': 'Bearer [masked]', 'Host': 'hub'}",
    ),
    "a header in JSON": (
        '{"authorization":"Basic dXNlcjpwYXNz","user":"ada"}',
        '{"authorization":"Basic [masked]","user":"ada"}',
    ),
    "a token in a query": (
        f"{HUB}200 GET /user/ada/lab?token=s3cr3t&reset (ada@10.0.0.1)",
        f"{HUB}200 GET /user/ada/lab?token=[masked]&reset (ada@10.0.0.1)",
    ),
    "the login link of Jupyter": (
        "    http://127.0.0.1:8888/lab?token=abcdef01",
        "    http://127.0.0.1:8888/lab?token=[masked]",
    ),
    "a token in a query in a query": (
        "302 GET /hub/login?next=%2Flab%3Ftoken%3Ds3cr3t",
        "302 GET /hub/login?next=%2Flab%3Ftoken%3D[masked]",
    ),
    "a cookie": ('Cookie: jupyterhub-hub-login="2|1:0|10:17|x"; _xsrf=abc', "Cookie: [masked]"),
    "a cookie that is set": ("Set-Cookie: session=abc; Path=/; HttpOnly", "Set-Cookie: [masked]"),
    "an address with a password": (
        "connecting to postgresql://hub:s3cr3t@db:5432/hub",
        "connecting to postgresql://hub:[masked]@db:5432/hub",
    ),
    "a signed token": (f"id={JWT} ok", "id=[masked] ok"),
    "an environment variable": (
        "JUPYTERHUB_API_TOKEN=s3cr3t JUPYTERHUB_USER=ada",
        "JUPYTERHUB_API_TOKEN=[masked] JUPYTERHUB_USER=ada",
    ),
    "a password without quotes": ("bind failed: password=hunter2 user=ada", "bind failed: password=[masked] user=ada"),
    "an option of a command": (
        "COMMAND=/usr/bin/mysql --password hunter2 hub",
        "COMMAND=/usr/bin/mysql --password [masked] hub",
    ),
    "a bare bearer": ("sent Bearer 0123456789abcdefXYZ to hub", "sent Bearer [masked] to hub"),
    "a token of a code host": (f"git clone failed: ghp_{'a1' * 18}", "git clone failed: [masked]"),
    "a key of an object store": ("key AKIAIOSFODNN7EXAMPLE refused", "key [masked] refused"),
    "a password of curl's": (
        "COMMAND=/usr/bin/curl -s -u alice:hunter2 https://x.example.org",
        "COMMAND=/usr/bin/curl -s -u alice:[masked] https://x.example.org",
    ),
    "a password of curl's in quotes": (
        "curl --proxy-user 'alice:hunter2' http://x && curl -ubob:hunter3 http://y",
        "curl --proxy-user 'alice:[masked]' http://x && curl -ubob:[masked] http://y",
    ),
    "a password of mysql's": (
        "COMMAND=/usr/bin/mysqldump -u root -phunter2 hub",
        "COMMAND=/usr/bin/mysqldump -u root -p[masked] hub",
    ),
    "a password that is first": ("mariadb -phunter2", "mariadb -p[masked]"),
    "a question and its answer": ("Password for alice: hunter2", "Password for alice: [masked]"),
    "a question of sudo's": ("[sudo] password for user alice: hunter2", "[sudo] password for user alice: [masked]"),
    "a key of a maker of models": (f"openai: sk-proj-{'aB3_' * 10} refused", "openai: [masked] refused"),
    "a key of another": (f"key=x sk-ant-api03-{'aB3-' * 8}", "key=x [masked]"),
    "a key of Google's": (f"GET /maps?x=AIza{'Sy3_D' * 7} 403", "GET /maps?x=[masked] 403"),
    "a private key": (
        "made\n-----BEGIN RSA PRIVATE KEY-----\nMIIE/x+\nabc=\n-----END RSA PRIVATE KEY-----\nand more",
        "made\n-----BEGIN RSA PRIVATE KEY-----[masked]-----END RSA PRIVATE KEY-----\nand more",
    ),
    "a private key's beginning": ("-----BEGIN PRIVATE KEY-----\\nMIIE", "-----BEGIN PRIVATE KEY-----[masked]"),
    "a line of a private key": ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", "[masked]"),
    "two secrets": ("token=a1b2 secret=c3d4", "token=[masked] secret=[masked]"),
    "over several lines": (
        "Traceback (most recent call last):\n  password=hunter2\nValueError: x",
        "Traceback (most recent call last):\n  password=[masked]\nValueError: x",
    ),
}
HARMLESS = [
    f"{HUB}302 GET / -> /hub/ (@10.0.0.1) 1.02ms",
    "[I 2026-11-24 22:10:01.123 JupyterHub base:971] User ada took 2.318 seconds to start",
    "[E 2026-11-24 22:10:01.123 JupyterHub user:884] Unhandled error starting ada's server: 403",
    "2026-11-24T22:10:01.123Z [ConfigProxy] info: Adding route /user/ada -> http://10.0.0.7:8888",
    "Removing token for ada; 3 tokens left, max_tokens=10, token_expires_in=3600",
    "Kernel started: 0d3e4a5b-8c7d-4e6f-9a0b-1c2d3e4f5a6b",
    "GET http://10.0.0.1:8888/path@x 200",
    "the key is under the mat; monkey=banana; author=ada",
    "Failed password for invalid user admin from 10.0.0.9 port 51512 ssh2",
    'ts=2026-11-24T22:10:01Z level=info component=tsdb msg="WAL replay completed" duration=1.2s',
    "docker run -u 1000:1000 -p3306:3306 mysql:8",
    "curl -sS -H 'Host: x' http://10.0.0.1:8888/api",
    "mysql -u root -p hub; docker run -p80:80 nginx",
    "pod sk-learn-experiment-2024-11-run-7 of task-runner-2024-0001 started",
    "Password for 'https://ada@git.example.org': ",
    "the password for alice was reset",
    "-----BEGIN CERTIFICATE----- MIID -----END CERTIFICATE-----",
    "Zażółć gęślą jaźń: 数据 done",
    "",
]
ONLY_CONTAINERS = {
    "a token of JupyterHub": (f"new login, key {HEX32}", "new login, key [masked]"),
    "a key of the platform": (f"cookie key: {HEX64}", "cookie key: [masked]"),
    "a token in a tuple": (f"('Authorization', 'token {HEX32}')", "('Authorization', 'token [masked]')"),
    "a code of OAuth": ("GET /oauth_callback?code=a1b2c3&state=x", "GET /oauth_callback?code=[masked]&state=x"),
    "a text of several words": ("password: 'correct horse battery' user: ada", "password: '[masked]' user: ada"),
    "JSON in JSON": (
        r"{\"password\": \"hunter2\", \"user\": \"ada\"}",
        r"{\"password\": \"[masked]\", \"user\": \"ada\"}",
    ),
}
DIGESTS = [f"quay.io/jupyterhub/k8s-hub@sha256:{HEX64}", f"container containerd://{HEX64} exited"]

SLOW = [
    "curl -u" * 60_000,
    "curl " * 80_000,
    "mysql -" * 60_000,
    "sk-" * 130_000,
    "-----BEGIN PRIVATE KEY-----" * 15_000,
]
SLOW += ["password for " * 30_000, "curl -u a" + "a" * 400_000, "-----BEGIN " * 36_000, "mysql " + " " * 400_000]
SLOW += ["A" * 400_000, "a+b." * 100_000, "token" * 80_000, 'password="' * 40_000, "://a:" * 80_000]
"""What a careless pattern reads over and over."""


@pytest.fixture(scope="module")
def fluent_bit() -> Lua:
    """Fluent Bit's filter."""
    return Lua("mask.lua")


def in_lua(fluent_bit: Lua, line: str) -> str:
    """The line after Fluent Bit's filter."""
    return fluent_bit.filter("mask_record", "kube.hub.x", (0, 0), {"log": line})["log"]


@pytest.mark.parametrize(
    ("line", "masked"), [*SECRET.values(), *ONLY_CONTAINERS.values()], ids=[*SECRET, *ONLY_CONTAINERS]
)
def test_a_secret_in_a_containers_line_is_masked(fluent_bit: Lua, line: str, masked: str) -> None:
    assert in_lua(fluent_bit, line) == masked


@pytest.mark.parametrize("line", [*HARMLESS, *DIGESTS])
def test_a_containers_line_without_a_secret_stays_as_it_is(fluent_bit: Lua, line: str) -> None:
    assert in_lua(fluent_bit, line) == line


def test_masking_a_containers_line_twice_changes_nothing_more(fluent_bit: Lua) -> None:
    for line, masked in SECRET.values():
        assert in_lua(fluent_bit, in_lua(fluent_bit, line)) == masked


def test_the_line_break_that_joining_leaves_is_gone(fluent_bit: Lua) -> None:
    assert in_lua(fluent_bit, "one\n  two\n") == "one\n  two"


def test_a_line_that_can_not_be_read_is_not_shipped_as_it_is() -> None:
    broken = Lua("mask.lua")
    broken.forget("mask")
    assert in_lua(broken, "password=hunter2") == "[masked]"


def test_nodes_lines_lose_their_secrets_and_no_others() -> None:
    lines = [line for line, _ in SECRET.values()] + HARMLESS + DIGESTS
    events = filebeat_scripts([{"message": line} for line in lines], "mask.js")
    masked = [event["message"] for event in events]
    wanted = [wanted for _, wanted in SECRET.values()]
    assert masked[: len(wanted)] == wanted
    assert masked[len(wanted) :] == HARMLESS + DIGESTS


@pytest.mark.parametrize("line", SLOW, ids=range(len(SLOW)))
def test_a_line_made_to_be_slow_is_not(fluent_bit: Lua, line: str) -> None:
    began = time.process_time()
    in_lua(fluent_bit, line)
    assert time.process_time() - began < 2


def test_a_nodes_line_made_to_be_slow_is_not() -> None:
    # As long as Filebeat lets a line be; the time allowed is the runner's own.
    filebeat_scripts([{"message": line[:65536]} for line in SLOW], "mask.js")
