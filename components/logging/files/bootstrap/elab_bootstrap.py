"""Makes Elasticsearch and Kibana ready for logs, and looks after what is kept.

    python elab_bootstrap.py store           templates, pipelines, retention and snapshots, before any shipper sends;
                                             then: is everything that is kept deleted in time?
    python elab_bootstrap.py store --push    the same every hour, and what was found goes to the Pushgateway
    python elab_bootstrap.py pages           Kibana's spaces, roles and dashboards

Ends with 0: done; 1: not reached, or refused; 2: told something wrong; 3: something is kept that nothing deletes.
"""

import sys
import time
import urllib.error
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from elab_http import Client, Clock, Refused, Unreachable
from elab_kibana import Pages
from elab_log_values import BadValues, Values, read_secret, read_values
from elab_retention import Audit, audit, expiries, metrics, push
from elab_store import Store

DONE, FAILED, WRONG, KEPT = 0, 1, 2, 3


def _arguments(argv: Sequence[str]) -> Namespace:
    parser = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("task", choices=["store", "pages"])
    parser.add_argument("--push", action="store_true")
    parser.add_argument("--values", type=Path, default=Path("/etc/elab/values/values.json"))
    parser.add_argument("--password", type=Path, default=Path("/etc/elab/credentials/password"))
    parser.add_argument("--authority", type=Path, default=Path("/etc/elab/ca/ca.crt"))
    parser.add_argument("--documents", type=Path, default=Path(__file__).parent / "documents")
    return parser.parse_args(argv)


def _store(client: Client, values: Values, arguments: Namespace) -> int:
    store = Store(client, values, arguments.documents)
    store.apply()
    print(*store.done, sep="\n")
    found = audit(client, values)
    if arguments.push and values.pushgateway is not None:
        servers = {"elasticsearch": values.elasticsearch, "kibana": values.kibana}
        certificates = expiries(servers, arguments.authority) if arguments.authority.exists() else {}
        push(values.pushgateway, metrics(found, certificates, time.time()))
    return _told(found)


def _told(found: Audit) -> int:
    for problem in found.internal:
        print(f"Elasticsearch's own {problem}")
    for problem in found.problems:
        print(f"Kept for ever or too long: {problem}", file=sys.stderr)
    return KEPT if found.problems else DONE


def main(argv: Sequence[str], clock: Clock | None = None) -> int:
    """Run one task and give the exit code."""
    arguments, clock = _arguments(argv), clock or Clock()
    began = clock.now()
    try:
        values = read_values(arguments.values)
        url = values.kibana if arguments.task == "pages" else values.elasticsearch
        if url is None:
            raise BadValues("kibana: this stack has none")
        login = values.users[arguments.task], read_secret(arguments.password)
        authority = arguments.authority if url.startswith("https:") else None
        client = Client(url, login, authority, values.patience_seconds, clock)
        if arguments.task == "pages":
            pages = Pages(client, arguments.documents)
            pages.apply()
            print(*pages.done, sep="\n")
            code = DONE
        else:
            code = _store(client, values, arguments)
    except BadValues as error:
        return _end(f"Told something wrong: {error}", WRONG)
    except Unreachable as error:
        return _end(f"Gave up after {clock.now() - began:.0f} s: {error}", FAILED)
    except Refused as error:
        return _end(str(error), FAILED)
    except (OSError, urllib.error.URLError) as error:
        return _end(f"{type(error).__name__}: {error}", FAILED)
    print(f"{arguments.task}: {clock.now() - began:.1f} s")
    return code


def _end(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
