"""Work in an application keeps its server; an open page that nobody looks at does not."""

import gzip
import json
import re
import threading
import time
import urllib.request
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from subprocess import DEVNULL, Popen

from operate import rig
from tests.e2e.cluster import until
from tests.e2e.person import Person
from tests.e2e.platform import Platform
from tests.e2e.real_browser import log_in, opened

_TIMEOUT = 20
"""Seconds without activity, as stacks/e2e-kept.yaml has them."""
_JOB = "repeat { for (i in 1:1e6) sqrt(i); Sys.sleep(0.05) }"
"""Takes about a quarter of a core: more than an idle R, and not what others on the node need."""


def test_an_r_job_and_an_import_are_work_and_an_open_page_is_not(kept: Platform) -> None:
    bob, ada = (kept.person(name).log_in().at_work() for name in ("bob", "ada"))
    bob.request("GET", f"{bob.home}/rstudio/")
    assert bob.request("POST", f"{bob.home}/rstudio/rpc/console_input", body={"params": [_JOB]})[0] == 200
    ada.request("GET", f"{ada.home}/openrefine/")
    with _importing(kept, ada), opened() as page:
        alice = kept.person("alice").log_in().at_work()
        log_in(page, kept, alice.name, f"{alice.home}/rstudio/")
        page.wait_for_url(f"**{alice.home}/rstudio/")
        for name in ("openrefine", "marimo"):
            tab = page.context.new_page()
            tab.goto(f"{kept.url}{alice.home}/{name}/")
            tab.wait_for_load_state()
        began = time.monotonic()
        until("alice's server is culled", lambda: kept.pod("alice") is None, 5 * _TIMEOUT, every=1)
        # Long after their last request the others are at work still.
        time.sleep(max(0.0, began + 2.5 * _TIMEOUT - time.monotonic()))
        assert kept.pod("bob") is not None
        assert kept.pod("ada") is not None
    # His job would go on for ever.
    bob.stop()


@contextmanager
def _importing(kept: Platform, person: Person) -> Generator[None]:
    """Tables are imported one after the other, by no request that Jupyter sees and no process of the container."""
    processes = kept.in_pod(person.name, "ps", "-eo", "args=")
    found = re.search(r"-Drefine\.port=(\d+)", processes)
    assert found is not None
    port = found[1]
    forward = [*rig.LAB, "kubectl", "-n", kept.users, "port-forward", f"pod/jupyter-{person.name}", f"{port}:{port}"]
    done = threading.Event()
    with Popen([str(part) for part in forward], stdout=DEVNULL, stderr=DEVNULL) as forwarding:
        refine = _Refine(f"http://127.0.0.1:{port}/command/core")
        until("the way to OpenRefine", refine.answers, 20)
        thread = threading.Thread(target=refine.work, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(60)
            forwarding.terminate()
    assert refine.imported > 1


class _Refine:
    """OpenRefine as a program sees it."""

    def __init__(self, address: str) -> None:
        self.address, self.imported = address, 0

    def answers(self) -> bool:
        try:
            return bool(self._token())
        except OSError:
            return False

    def _token(self) -> str:
        with urllib.request.urlopen(f"{self.address}/get-csrf-token", timeout=10) as answer:
            return json.load(answer)["token"]

    def _post(self, path: str, kind: str, body: bytes) -> str:
        request = urllib.request.Request(f"{self.address}/{path}", body, {"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.url

    def work(self, done: threading.Event) -> None:
        """Import a table and forget it again, until there is an end."""
        border = uuid.uuid4().hex
        # Packed, so that it is there at once, and what takes time is the import.
        table = gzip.compress(b"number,square\n" + 200_000 * b"1,1\n")
        head = f'--{border}\r\nContent-Disposition: form-data; name="project-file"; filename="t.csv.gz"\r\n\r\n'
        body = head.encode() + table + f"\r\n--{border}--\r\n".encode()
        while not done.wait(0.5):
            made = self._post(
                f"create-project-from-upload?csrf_token={self._token()}",
                f"multipart/form-data; boundary={border}",
                body,
            )
            self.imported += 1
            form = f"project={made.partition('project=')[2]}&csrf_token={self._token()}".encode()
            self._post("delete-project", "application/x-www-form-urlencoded", form)
