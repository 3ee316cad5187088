"""Changes of the tests' own directory: who is in it, in which group, and whether it answers."""

from operate.directory import SERVERS, Directory
from tests.e2e.cluster import kubectl, roll_out, until

_SUFFIX = "dc=example,dc=org"
_USERS = f"cn=users,ou=groups,{_SUFFIX}"
_SELECTOR = f"app in ({','.join(SERVERS)})"


def _dn(name: str) -> str:
    return f"uid={name},ou=people,{_SUFFIX}"


def _modify(directory: Directory, ldif: str) -> None:
    """Change both servers alike."""
    for server in SERVERS:
        command = ("exec", "-i", f"deploy/{server}", "--", "/etc/lab-ldap/modify")
        kubectl("-n", directory.namespace, *command, text=ldif)


def leave_group(directory: Directory, name: str) -> None:
    """Take somebody out of the only group that may log in."""
    _modify(directory, f"dn: {_USERS}\nchangetype: modify\ndelete: member\nmember: {_dn(name)}\n")


def join_group(directory: Directory, name: str) -> None:
    """Let somebody in again."""
    _modify(directory, f"dn: {_USERS}\nchangetype: modify\nadd: member\nmember: {_dn(name)}\n")


def outage(directory: Directory) -> None:
    """No server runs any more."""
    kubectl("-n", directory.namespace, "scale", "deployment", *SERVERS, "--replicas=0")
    until("the end of the directory's servers", lambda: not _pods(directory), 60)


def back(directory: Directory) -> None:
    """They run again, with the people of the beginning."""
    kubectl("-n", directory.namespace, "scale", "deployment", *SERVERS, "--replicas=1")
    roll_out(directory.namespace, *SERVERS)


def logs(directory: Directory, *, seconds: int) -> str:
    """What both servers wrote in these last seconds: the hub asks the second while the first had a fault."""
    return kubectl("-n", directory.namespace, "logs", "-l", _SELECTOR, "--tail=-1", f"--since={seconds}s")


def _pods(directory: Directory) -> str:
    return kubectl("-n", directory.namespace, "get", "pods", "-l", _SELECTOR, "-o", "name")
