"""A small directory on loopback that speaks enough LDAP for a login: bind, StartTLS, search by equality or presence."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

Entries = dict[str, dict[str, list[str]]]
"""Attributes by DN; userPassword checks a bind."""

SUCCESS, SIZE_LIMIT, REFERRAL, NO_SUCH_OBJECT, INVALID_CREDENTIALS, BUSY, UNWILLING = 0, 4, 10, 32, 49, 51, 53
BIND, SEARCH, EXTENDED = 0x60, 0x63, 0x77
"""Tags of what is asked (RFC 4511); each answer's is the next one, an entry's is 0x64 and a search's end 0x65."""


@dataclass(kw_only=True)
class Plan:
    """What the directory holds and how it behaves; changed while it runs."""

    entries: Entries
    tls: ssl.SSLContext | None = None
    from_the_start: bool = False
    """TLS from the first byte; otherwise StartTLS."""
    hangs: bool = False
    """Takes connections and says nothing."""
    search_result: int = 0
    """The code that every search ends with, and nothing found unless it is 0."""
    bind_result: int | None = None
    """The code that every bind with a person's password ends with."""
    connections: int = 0
    binds: list[tuple[str, str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    """Of every bind: whether it came by TLS."""


@contextmanager
def serve(plan: Plan) -> Generator[int]:
    """Run the directory and give its port."""

    class Handler(socketserver.BaseRequestHandler):
        def setup(self) -> None:
            # As slapd has it; without this, every search that finds something ends 40 ms late.
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def handle(self) -> None:
            plan.connections += 1
            Talk(plan, self.request, stop).run()

    class Listener(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    stop = threading.Event()
    with Listener(("127.0.0.1", 0), Handler) as listener:
        threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
        yield listener.server_address[1]
        stop.set()
        listener.shutdown()


class Talk:
    """One connection."""

    def __init__(self, plan: Plan, connection: socket.socket, stop: threading.Event) -> None:
        self.plan, self.connection, self.stop = plan, connection, stop
        self.buffer = b""
        self.encrypted = False

    def run(self) -> None:
        """Answer until the other side goes."""
        if self.plan.hangs:
            self.stop.wait(30)
            return
        try:
            if self.plan.from_the_start:
                self.encrypt()
            while message := self.receive():
                if not self.answer(message):
                    return
        except OSError:
            return

    def encrypt(self) -> None:
        assert self.plan.tls is not None
        self.connection = self.plan.tls.wrap_socket(self.connection, server_side=True)
        self.encrypted = True

    def receive(self) -> bytes | None:
        """The next message, None at the end."""
        while True:
            if whole(self.buffer):
                _, message, self.buffer = split(self.buffer)
                return message
            data = self.connection.recv(65536)
            if not data:
                return None
            self.buffer += data

    def answer(self, message: bytes) -> bool:
        """Answer one message; False ends the talk."""
        (_, number), (tag, body), *_ = parts(message)
        if tag == BIND:
            _, (_, dn), (_, password) = parts(body)
            self.send(number, BIND + 1, self.bind(dn.decode(), password.decode()))
        elif tag == SEARCH:
            (_, base), (_, scope), _, (_, limit), _, _, condition, *_ = parts(body)
            code, entries = self.search(base.decode().lower(), scope == b"\0", condition)
            most = int.from_bytes(limit, "big") or len(entries)
            for entry in entries[:most]:
                self.send(number, 0x64, entry)
            self.send(number, 0x65, result(SIZE_LIMIT if len(entries) > most else code))
        elif tag == EXTENDED:
            self.send(number, EXTENDED + 1, result(SUCCESS))
            self.encrypt()
        else:
            return False
        return True

    def bind(self, dn: str, password: str) -> bytes:
        """Check a password."""
        self.plan.binds.append((dn, password))
        self.plan.encrypted.append(self.encrypted)
        if self.plan.bind_result is not None and "reader" not in dn:
            return result(self.plan.bind_result)
        known = self.plan.entries.get(dn, {}).get("userPassword", [])
        return result(SUCCESS if password in known else INVALID_CREDENTIALS)

    def search(self, base: str, itself: bool, condition: tuple[int, bytes]) -> tuple[int, list[bytes]]:
        """The result, and the entries that fit below a base, or the base itself."""
        if self.plan.search_result != SUCCESS:
            return self.plan.search_result, []
        entries = self.plan.entries.items()
        found = [(dn, one) for dn, one in entries if dn.lower() == base or (not itself and dn.lower().endswith(base))]
        if itself and not found:
            return NO_SUCH_OBJECT, []
        return SUCCESS, [entry(dn, attributes) for dn, attributes in found if fits(condition, attributes)]

    def send(self, number: bytes, tag: int, body: bytes) -> None:
        """Send one answer."""
        self.connection.sendall(tlv(0x30, tlv(0x02, number) + tlv(tag, body)))


def tlv(tag: int, body: bytes) -> bytes:
    """A value as BER writes it: tag, length, content."""
    return bytes([tag, 0x84]) + len(body).to_bytes(4, "big") + body


def split(data: bytes) -> tuple[int, bytes, bytes]:
    """The first value's tag and content, and what follows it."""
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    return data[0], data[start : start + size], data[start + size :]


def whole(data: bytes) -> bool:
    """Whether a value is complete."""
    if len(data) < 2 or len(data) < 2 + (data[1] & 0x7F if data[1] & 0x80 else 0):
        return False
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    return len(data) >= start + size


def parts(body: bytes) -> list[tuple[int, bytes]]:
    """The values in a sequence."""
    found = []
    while body:
        tag, content, body = split(body)
        found.append((tag, content))
    return found


def result(code: int) -> bytes:
    """A result without words."""
    return tlv(0x0A, bytes([code])) + tlv(0x04, b"") + tlv(0x04, b"")


def entry(dn: str, attributes: dict[str, list[str]]) -> bytes:
    """An entry with all its attributes but the password."""
    listed = b"".join(
        tlv(0x30, tlv(0x04, name.encode()) + tlv(0x31, b"".join(tlv(0x04, value.encode()) for value in values)))
        for name, values in attributes.items()
        if name != "userPassword"
    )
    return tlv(0x04, dn.encode()) + tlv(0x30, listed)


def fits(condition: tuple[int, bytes], attributes: dict[str, list[str]]) -> bool:
    """Whether an entry fits a filter of equalities, presence, `and`, `or` and `not`."""
    tag, body = condition
    if tag == 0x87:
        return body.decode().lower() in {"objectclass", *(name.lower() for name in attributes)}
    inner = parts(body)
    if tag == 0xA0:
        return all(fits(part, attributes) for part in inner)
    if tag == 0xA1:
        return any(fits(part, attributes) for part in inner)
    if tag == 0xA2:
        return not fits(inner[0], attributes)
    assert tag == 0xA3, f"no filter of kind {tag:#x} is spoken here"
    (_, attribute), (_, wanted) = inner
    values = {name.lower(): values for name, values in attributes.items()}.get(attribute.decode().lower(), [])
    return wanted.decode().lower() in [value.lower() for value in values]
