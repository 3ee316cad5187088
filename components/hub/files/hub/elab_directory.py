"""The corporate directory, asked by LDAP: who somebody is, in which groups, and whether the password is theirs.

Every call blocks; the hub makes them in threads of its own (`elab_login`).
"""

import logging
import math
import re
import ssl
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

import elab_values
from ldap3 import BASE, NONE, SUBTREE, SYNC, Connection, Server, Tls
from ldap3.core.exceptions import (
    LDAPBusyResult,
    LDAPException,
    LDAPNoSuchObjectResult,
    LDAPOperationResult,
    LDAPUnavailableResult,
)
from ldap3.core.results import RESULT_SIZE_LIMIT_EXCEEDED, RESULT_SUCCESS
from ldap3.utils.conv import escape_filter_chars
from prometheus_client import Counter

LOG = logging.getLogger("elab.directory")
FAILURES = Counter(
    "elab_directory_failures", "Questions to which no server of the directory gave a credible answer", ["during"]
)
for _occasion in ("login", "refresh", "sweep"):
    # A series that appears with its first failure would show no rise.
    FAILURES.labels(during=_occasion)
REST = 60.0
"""Seconds for which a server that failed is asked last, so that not every login waits for it."""
_SEE = "has this server its data yet, and may the bind account still read them?"

T = TypeVar("T")


class DirectoryUnavailableError(Exception):
    """The directory gave no answer that can be relied on: nobody may gain or lose anything by it."""


class AmbiguousEntryError(DirectoryUnavailableError):
    """What the directory holds about one person can't be relied on."""


class BlindError(LDAPException):
    """A server shows nobody, or none of the allowed groups: it has no data yet, or the bind account no rights."""


class WrongPasswordError(Exception):
    """The directory refused this name with this password."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody whom the directory knows."""

    name: str
    """The name that the hub knows them by: the directory's own, in lower case."""
    dn: str
    groups: frozenset[str]
    """Groups among those that matter here, each as the settings write it."""


class CheckedTls(Tls):
    """TLS with certificate and name checked by Python's own library.

    ldap3 checks no certificate unless told to, and compares names itself: from Python 3.12 on it finds no addresses.
    """

    def wrap_socket(self, connection: Connection, do_handshake: bool = False) -> None:
        """Encrypt the connection to the server that it was opened to."""
        assert connection.socket is not None
        context = ssl.create_default_context(cafile=self.ca_certs_file)
        connection.socket = context.wrap_socket(
            connection.socket, server_hostname=connection.server.host, do_handshake_on_connect=do_handshake
        )


@dataclass(kw_only=True)
class Directory:
    """The directory's servers and how they are asked."""

    settings: elab_values.Directory
    password: str = field(repr=False)
    """Of the bind account; empty: anonymous."""
    clock: Callable[[], float] = time.monotonic
    _failed: dict[str, float] = field(default_factory=dict, init=False)

    def log_in(self, login: str, password: str) -> Person | None:
        """The person with this name and password; None if the directory knows no such person.

        Raises WrongPasswordError and DirectoryUnavailableError.
        """

        def ask(connection: Connection) -> Person | None:
            person = self._find(connection, self._by_login(login))
            if person is not None:
                _check_password(connection, person.dn, password)
            return person

        # LDAP takes an empty password for an anonymous bind, which succeeds; in C, a text ends at its first NUL.
        if not password.partition("\0")[0]:
            raise WrongPasswordError
        return self._ask(ask)

    def look_up(self, login: str) -> Person | None:
        """The person with this name, or None if there is no such entry. Raises DirectoryUnavailableError."""
        return self._ask(lambda connection: self._find(connection, self._by_login(login)))

    def look_up_name(self, name: str) -> Person | None:
        """The same for whom the platform knows by this name, whatever it is that they log in by."""
        return self._ask(lambda connection: self._find(connection, self._by_name(name)))

    def _by_login(self, login: str) -> str:
        """A filter for those who log in so."""
        return self.settings["people"]["filter"].replace("{username}", escape_filter_chars(login))

    def _by_name(self, name: str) -> str:
        """A filter for those who bear this name and may log in, by whatever."""
        people = self.settings["people"]
        anybody = people["filter"].replace("{username}", "*")
        return f"(&{anybody}({people['username_attribute']}={escape_filter_chars(name)}))"

    def _ask(self, question: Callable[[Connection], T]) -> T:
        failures = []
        for server in self._by_promise():
            address = f"{server['host']}:{server['port']}"
            try:
                with self._connect(server) as connection:
                    answer = question(connection)
            except (LDAPException, OSError) as error:
                # ldap3 puts no password into its messages; the class says most.
                reason = f"{type(error).__name__}: {error}"
                LOG.warning("directory server %s gave no answer: %s", address, reason)
                self._failed[address] = self.clock()
                failures.append(f"{address} ({reason if isinstance(error, BlindError) else type(error).__name__})")
            else:
                self._failed.pop(address, None)
                return answer
        raise DirectoryUnavailableError(", ".join(failures))

    def _by_promise(self) -> list[elab_values.Server]:
        """The servers in their order, those that failed lately last."""
        now = self.clock()

        def failed_lately(server: elab_values.Server) -> bool:
            failure = self._failed.get(f"{server['host']}:{server['port']}")
            return failure is not None and now - failure < REST

        return sorted(self.settings["servers"], key=failed_lately)

    @contextmanager
    def _connect(self, server: elab_values.Server) -> Generator[Connection]:
        """A connection that is bound as the bind account and whose every answer but success is an exception."""
        verified = self.settings["tls"] == "verified"
        target = Server(
            server["host"],
            port=server["port"],
            use_ssl=server["ldaps"],
            tls=CheckedTls(ca_certs_file=self.settings["ca_file"]),
            get_info=NONE,
            connect_timeout=self.settings["connect_timeout"],
        )
        connection = Connection(
            target,
            user=self.settings["bind_dn"],
            # In bytes, for the reason that _check_password has.
            password=self.password.encode() if self.settings["bind_dn"] else None,
            client_strategy=SYNC,
            read_only=True,
            raise_exceptions=True,
            auto_referrals=False,
            # ldap3 takes whole seconds here.
            receive_timeout=math.ceil(self.settings["receive_timeout"]),
        )
        try:
            connection.open(read_server_info=False)
            if verified and not server["ldaps"]:
                connection.start_tls(read_server_info=False)
            if not connection.bind(read_server_info=False):
                raise LDAPException("the bind account was not let in")
            yield connection
        finally:
            with suppress(LDAPException, OSError):
                connection.unbind()

    @property
    def _logs_in_by_name(self) -> bool:
        """Whether what people log in by is the name itself, so that who is found by one is found by the other."""
        people = self.settings["people"]
        return people["filter"].lower() == f"({people['username_attribute']}={{username}})".lower()

    def _find(self, connection: Connection, where: str) -> Person | None:
        people = self.settings["people"]
        attribute = people["username_attribute"]
        entries = _search(connection, people["base"], where, attribute)
        if not entries:
            self._check_sight(connection)
            return None
        if len(entries) > 1:
            raise AmbiguousEntryError(f"{len(entries)} entries below {people['base']} have one login name")
        dn, values = entries[0]
        if len(values) != 1:
            raise AmbiguousEntryError(f"{dn} has {len(values)} values of {attribute}, and one is needed")
        if not self._logs_in_by_name:
            namesakes = _search(connection, people["base"], self._by_name(values[0]), attribute)
            if len(namesakes) > 1:
                # They would have one account, with one disk.
                raise AmbiguousEntryError(f"others below {people['base']} have the {attribute} of {dn} too")
        groups = self._groups(connection, dn, values[0])
        if not groups:
            self._check_sight(connection)
        return Person(name=values[0].lower(), dn=dn, groups=groups)

    def _groups(self, connection: Connection, dn: str, name: str) -> frozenset[str]:
        groups = self.settings["groups"]
        where = groups["filter"].replace("{dn}", escape_filter_chars(dn))
        where = where.replace("{username}", escape_filter_chars(name))
        found = {_comparable(group) for group, _ in _search(connection, groups["base"], where, "cn")}
        wanted = {*groups["allowed"], *groups["admins"]}
        return frozenset(group for group in wanted if _comparable(group) in found)

    def _check_sight(self, connection: Connection) -> None:
        """Raises BlindError where finding nothing about somebody proves nothing, as the server shows nothing at all."""
        people = self.settings["people"]
        if not _shows(connection, people["base"], f"({people['username_attribute']}=*)", SUBTREE):
            raise BlindError(f"it shows nobody below {people['base']}; {_SEE}")
        allowed = self.settings["groups"]["allowed"]
        if not any(_shows(connection, group, "(objectClass=*)", BASE) for group in allowed):
            raise BlindError(f"it shows none of the allowed groups ({'; '.join(allowed)}); {_SEE}")


def _shows(connection: Connection, base: str, where: str, scope: str) -> bool:
    """Whether at least one entry is found; how many there are is not asked."""
    try:
        connection.search(base, where, search_scope=scope, attributes=["1.1"], size_limit=1)
    except LDAPNoSuchObjectResult:
        return False
    if (connection.result or {}).get("result") not in (RESULT_SUCCESS, RESULT_SIZE_LIMIT_EXCEEDED):
        return False
    return any(entry["type"] == "searchResEntry" for entry in connection.response or ())


def _search(connection: Connection, base: str, where: str, attribute: str) -> list[tuple[str, list[str]]]:
    """DN and values of the attribute of every entry found; referrals to other servers are left out."""
    connection.search(base, where, search_scope=SUBTREE, attributes=[attribute], size_limit=0)
    # A referral is no exception, and following one would take the bind account's password to a server nobody named.
    outcome = connection.result or {}
    if outcome.get("result") != RESULT_SUCCESS:
        raise LDAPException(f"the search ended with {outcome.get('description')}")
    found = []
    for entry in connection.response or ():
        if entry["type"] == "searchResEntry":
            value = entry["attributes"].get(attribute) or []
            found.append((entry["dn"], [value] if isinstance(value, str) else [str(each) for each in value]))
    return found


def _check_password(connection: Connection, dn: str, password: str) -> None:
    try:
        # In bytes: of the text `a²` ldap3 makes `a2`, and it raises for texts that it finds unfit.
        right = connection.rebind(user=dn, password=password.encode(), read_server_info=False)
    except (LDAPBusyResult, LDAPUnavailableResult):
        raise
    except LDAPOperationResult as error:
        # Servers say in several ways that a password is wrong, expired, or an account locked.
        raise WrongPasswordError from error
    if not right:
        raise WrongPasswordError


def _comparable(dn: str) -> tuple[frozenset[tuple[str, str]], ...]:
    r"""A DN in a form in which two spellings of one DN (RFC 4514) are equal.

    Not by ldap3's parser: it refuses `cn=C#`, `cn=a=b` and `cn=a\ `, and directories answer such names.
    """

    def named(rdn: str) -> frozenset[tuple[str, str]]:
        parts = (part.partition("=") for part in _split(rdn, "+"))
        return frozenset((attribute.strip().lower(), _plain(value).lower()) for attribute, _, value in parts)

    return tuple(named(rdn) for rdn in _split(dn, ","))


def _split(text: str, sign: str) -> list[str]:
    """What stands between signs that are not escaped."""
    return re.findall(rf"(?:\\.|[^\\{sign}])+", text)


def _plain(value: str) -> str:
    r"""A DN's value without escapes, and without the spaces around it that are not escaped.

    To a group that is written `\,` OpenLDAP answers `\2C`, by RFC 4514 the same.
    """

    def meant(found: re.Match[str]) -> str:
        octets, sign = found.groups("")
        return bytes.fromhex(octets.replace("\\", "")).decode(errors="surrogateescape") or sign

    return re.sub(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)|^ +| +$", meant, value)
