"""Entry point of `make up` and its like; `ready` is for CI: does the cluster answer? `verify`: do policies hold?"""

import argparse
import sys
from collections.abc import Callable

from operate import local, remote
from operate.steps import OperationError

_COMMANDS = ("up", "down", "status", "verify", "purge", "ready")


def main(argv: list[str] | None = None) -> int:
    """Run one command on one stack; errors are one message, never a traceback."""
    parser = argparse.ArgumentParser(prog="python -m operate", description=__doc__)
    parser.add_argument("command", choices=_COMMANDS)
    parser.add_argument("--stack", default=local.STACK)
    args = parser.parse_args(argv)
    here: dict[str, Callable[[], None]] = {
        "up": local.up,
        "down": local.down,
        "status": local.status,
        "verify": local.verify,
        "purge": local.purge,
    }
    try:
        if args.command == "ready":
            remote.ready(args.stack)
        elif args.stack == local.STACK and local.in_the_lab():
            here[args.command]()
        else:
            remote.run_command(args.command, args.stack)
    except OperationError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    except EOFError:
        print("\nerror: nobody is there to answer; run it in a terminal; nothing was deleted", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; run the same command again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
