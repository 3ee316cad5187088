"""Who may do what in Elasticsearch: users, hashes and tokens, all computed here, so that nothing is read back.

The formats are those of Elasticsearch's file realm and file-based service tokens (x-pack, `Hasher` and
`ServiceAccountToken`): changed files are read again within seconds, with no restart.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from components.logging import exporter, filebeat, fluent_bit
from components.logging.streams import patterns

OPERATOR, BOOTSTRAP = "operator", "elab-bootstrap"
USERS = (fluent_bit.USER, filebeat.USER, exporter.USER, BOOTSTRAP, OPERATOR)
"""One for each purpose; the operator's is a person's way into Kibana."""
TOKEN_NAME = "elab"
KIBANA_ACCOUNT = "elastic/kibana"
_ITERATIONS = 10_000
"""What Elasticsearch computes by default for PBKDF2: passwords here are of 256 random bits, and need no more."""
_HASH_BYTES = 32
_TOKEN_MARK = bytes([0, 1, 0, 1])
"""A service token's version, as four bytes."""


def hashed(password: str, salt: bytes) -> str:
    """A password as the files `users` and `service_tokens` hold it: PBKDF2 with SHA-512, over its stretched form."""
    stretched = hashlib.sha512(password.encode()).hexdigest()
    derived = hashlib.pbkdf2_hmac("sha512", stretched.encode(), salt, _ITERATIONS, _HASH_BYTES)
    return f"{{PBKDF2_STRETCH}}{_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(derived).decode()}"


def service_token(secret: str) -> str:
    """What Kibana shows to Elasticsearch."""
    whole = _TOKEN_MARK + f"{KIBANA_ACCOUNT}/{TOKEN_NAME}:{secret}".encode()
    return base64.b64encode(whole).decode().rstrip("=")


@dataclass(frozen=True, kw_only=True)
class Password:
    """A password and its salt, both in hexadecimal digits."""

    text: str
    salt: str

    @property
    def hash(self) -> str:
        """As Elasticsearch's files hold it."""
        return hashed(self.text, bytes.fromhex(self.salt))


def roles(part: str) -> dict[str, object]:
    """What each user may do, by the role of the same name; the file is YAML, of which JSON is a part."""

    def shipper(datasets: tuple[str, ...], privileges: tuple[str, ...], cluster: tuple[str, ...]) -> dict[str, object]:
        names = list(patterns(datasets, part))
        return {"cluster": list(cluster), "indices": [{"names": names, "privileges": list(privileges)}]}

    return {
        fluent_bit.USER: shipper(fluent_bit.DATASETS, fluent_bit.PRIVILEGES, ()),
        filebeat.USER: shipper(filebeat.DATASETS, filebeat.PRIVILEGES, ("monitor",)),
        exporter.USER: {"cluster": list(exporter.PRIVILEGES)},
    }


def realm_files(users: Mapping[str, Password], token: Password, part: str) -> dict[str, str]:
    """The files of Elasticsearch's configuration that say who may do what."""
    # The bootstrap makes roles, spaces and templates: whoever may make roles may do everything. The operator's own
    # roles are the bootstrap's, kept in Elasticsearch, since those of Kibana's spaces can only be put there.
    held = {user: user for user in users} | {BOOTSTRAP: "superuser", OPERATOR: "elab-operator"}
    return {
        "users": "".join(f"{user}:{password.hash}\n" for user, password in users.items()),
        "users_roles": "".join(f"{held[user]}:{user}\n" for user in users),
        "roles.yml": json.dumps(roles(part), indent=1) + "\n",
        "service_tokens": f"{KIBANA_ACCOUNT}/{TOKEN_NAME}:{token.hash}\n",
    }
