"""Who may do what in Elasticsearch: its file realm's users, roles and tokens, computed here and kept in the state.

Nothing has to be created in a running Elasticsearch, and a changed Secret is read without a restart: it watches its
files.
"""

import base64
import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core import v1 as core
from pulumi_random import RandomBytes, RandomBytesArgs

from components.hub.keys import KEY_BYTES
from components.kit import DataPolicy, Labels, metadata
from components.logging import bootstrap, exporter, filebeat, fluent_bit
from components.logging.agents import FILES
from components.namespaces import NamespaceNames

PEOPLE: Mapping[str, str] = {"operator": "elab-operator", "support": "elab-support"}
"""Who looks into logs by Kibana, with the roles that the bootstrap makes there: an operator sees the platform's lines,
support those of people's servers too. Each password is in a Secret `kibana-<user>`."""
USERS: Mapping[str, str] = {
    fluent_bit.USER: "elab_fluent_bit",
    filebeat.USER: "elab_filebeat",
    exporter.USER: "elab_exporter",
    bootstrap.USERS["store"]: "elab_bootstrap",
    bootstrap.USERS["pages"]: "elab_pages",
    **PEOPLE,
}
"""Every user with their one role; programs have those of `files/elasticsearch/roles.yml`."""
SECURITY_SECRET = "elasticsearch-security"  # noqa: S105  the Secret's name
TOKEN_NAME = "elab"  # noqa: S105  the token's name
_COST = 10000
"""Rounds: Elasticsearch's default, which it reads from the hash."""
_TOKEN_PREFIX = bytes((0, 1, 0, 1))
"""Version and kind of a service account's token."""


@functools.cache
def password_hash(password: str, salt: bytes) -> str:
    """PBKDF2-HMAC-SHA512 of the password's SHA-512, in the form of Elasticsearch's PBKDF2_STRETCH.

    Five milliseconds each, so what one process plans again it reckons once.
    """
    stretched = hashlib.sha512(password.encode()).hexdigest().encode()
    made = hashlib.pbkdf2_hmac("sha512", stretched, salt, _COST, dklen=32)
    return f"{{PBKDF2_STRETCH}}{_COST}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def service_token(secret: str) -> str:
    """What Kibana shows: its account's name and the secret, as Elasticsearch puts them together."""
    whole = _TOKEN_PREFIX + f"elastic/kibana/{TOKEN_NAME}:{secret}".encode()
    return base64.b64encode(whole).decode().rstrip("=")


def users_file(passwords: Mapping[str, str], salts: Mapping[str, bytes]) -> str:
    """The file realm's users: a line each."""
    return "".join(f"{user}:{password_hash(password, salts[user])}\n" for user, password in sorted(passwords.items()))


def users_roles_file() -> str:
    """Which role each user has."""
    return "".join(f"{role}:{user}\n" for user, role in sorted(USERS.items()))


def service_tokens_file(secret: str, salt: bytes) -> str:
    """Kibana's token, by its hash."""
    return f"elastic/kibana/{TOKEN_NAME}:{password_hash(secret, salt)}\n"


@dataclass(frozen=True, kw_only=True)
class CredentialsArgs:
    """What the credentials are made of."""

    names: NamespaceNames
    labels: Labels
    data: DataPolicy


class Credentials(pulumi.ComponentResource):
    """Passwords, Kibana's token, and the one Secret by which Elasticsearch knows them all by their hashes."""

    passwords: dict[str, pulumi.Output[str]]
    """By user; hexadecimal digits."""
    kibana_token: pulumi.Output[str]
    salt: pulumi.Output[str]
    """Hexadecimal digits: keys the fingerprints of the others."""

    def __init__(self, name: str, args: CredentialsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("elab:logging:Credentials", name, None, opts)
        child, kept = pulumi.ResourceOptions(parent=self), args.data.options(self)
        namespace = args.names.of("logging")

        def random(use: str) -> pulumi.Output[str]:
            return RandomBytes(f"{name}-{use}", RandomBytesArgs(length=KEY_BYTES), kept).hex

        self.passwords = {user: random(user) for user in USERS}
        self.salt = random("salt")
        token = random("kibana")
        self.kibana_token = token.apply(service_token)
        content: dict[str, pulumi.Input[str]] = {
            "users": pulumi.Output.all(salt=self.salt, **self.passwords).apply(_users),
            "users_roles": users_roles_file(),
            "roles.yml": (FILES / "elasticsearch/roles.yml").read_text(),
            "service_tokens": pulumi.Output.all(self.salt, token).apply(
                lambda made: service_tokens_file(made[1], _salt(made[0], "kibana"))
            ),
        }
        security = core.SecretInitArgs(metadata=metadata(SECURITY_SECRET, args.labels, namespace), string_data=content)
        core.Secret(f"{name}-security", security, child)
        for user in PEOPLE:
            login = core.SecretInitArgs(
                metadata=metadata(f"kibana-{user}", args.labels, namespace),
                string_data={"password": self.passwords[user]},
            )
            core.Secret(f"{name}-{user}-secret", login, child)
        self.register_outputs({})


def _salt(salt: str, use: str) -> bytes:
    """A salt of its own for each hash: from the one in the state, so that a hash changes only with its password."""
    return hashlib.sha256(bytes.fromhex(salt) + use.encode()).digest()


def _users(made: Mapping[str, str]) -> str:
    passwords = {user: text for user, text in made.items() if user != "salt"}
    return users_file(passwords, {user: _salt(made["salt"], user) for user in passwords})
