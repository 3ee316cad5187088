"""What this stack needs of another one, the home of several clouds: a part of the composition root."""

from collections.abc import Mapping

import pulumi

from components.hub.places import PLACE_SECRETS, AnyLogin, Home, HomeLogin
from stackfile.references import Name


def home_of(login: AnyLogin, secrets: Mapping[str, pulumi.Output[str]]) -> Home | None:
    """The hub where people log in; none: here.

    Its address and this place's key are outputs of the home stack, or are given where its state can't be read.
    """
    if not isinstance(login, HomeLogin):
        return None
    if login.url is not None:
        return Home(url=str(login.url), secret=secrets["home_client_secret"])
    stack = pulumi.StackReference("home", stack_name=str(login.stack))

    def key(found: Mapping[str, str] | None) -> str:
        return _key_of(found or {}, login.place, str(login.stack))

    return Home(
        url=stack.require_output("url"), secret=pulumi.Output.secret(stack.get_output(PLACE_SECRETS).apply(key))
    )


def _key_of(found: Mapping[str, str], place: Name, stack: str) -> str:
    if place not in found:
        named = ", ".join(sorted(found)) or "none"
        raise pulumi.RunError(
            f'login.place\n    found:   "{place}", which {stack} does not name\n'
            f"    allowed: a place of the home stack: {named}\n"
            f"    fix:     add it to places in {stack} and bring that stack up, or correct the name"
        )
    return found[place]
