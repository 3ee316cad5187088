"""`python -m elab_apps check` says what is wrong with the applications; `install` is the image's build."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .applications import load
from .install import install
from .problems import ApplicationsError

CONTEXT = Path(__file__).parents[1]


def main(argv: list[str] | None = None) -> int:
    """Run one command; errors are one message, never a traceback."""
    parser = argparse.ArgumentParser(prog="python -m elab_apps", description=__doc__)
    parser.add_argument("command", choices=("check", "install"))
    parser.add_argument("--context", type=Path, default=CONTEXT, help="the image's folder")
    parser.add_argument("--downloads", default="", help="a file in it that replaces where releases come from")
    parser.add_argument("--target", type=Path, default=Path("/opt/elab"), help="where applications are installed")
    parser.add_argument("--cache", type=Path, default=Path("/var/cache/elab"), help="releases of earlier builds")
    args = parser.parse_args(argv)
    downloads = args.context / args.downloads if args.downloads else None
    try:
        if args.command == "check":
            for application in load(args.context, downloads):
                print(f"{application.name}: {application.title}, needs {application.memory}")
        else:
            install(args.context, downloads, args.target, args.cache)
    except ApplicationsError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
