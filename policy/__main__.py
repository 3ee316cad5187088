"""The CrossGuard pack. Its constructor serves until the engine ends it, so nothing else is here."""

import sys
from pathlib import Path

# The language host runs this folder by its path; the rules are part of the project above it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pulumi_policy import PolicyPack

from policy.crossguard import NAME, Pack, listen
from stackfile.problems import StackError

try:
    pack = Pack()
except StackError as error:
    sys.exit(f"policy pack {NAME}: {error}")
listen(pack)
PolicyPack(name=NAME, policies=pack.policies)
