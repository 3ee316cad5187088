"""What goes wrong in a stand-in plugin, as the engine is told."""

from .values import Values


class Failed(Exception):
    """An operation that failed; the message is for the user."""


class NotReady(Failed):
    """The object exists, and its state is to be kept, but it did not become what it should."""

    def __init__(self, id_: str, state: Values, inputs: Values, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.id, self.state, self.inputs, self.reasons = id_, state, inputs, reasons
