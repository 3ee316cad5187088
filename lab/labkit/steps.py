"""What the person at the terminal sees: each step with the seconds it took."""

import time


class Steps:
    """Prints each step when it is done, and the total at the end."""

    def __init__(self) -> None:
        self.began = self.last = time.monotonic()

    def done(self, what: str) -> None:
        """Print a step and the seconds since the one before."""
        now = time.monotonic()
        print(f"  {what:<34}{now - self.last:6.1f} s", flush=True)
        self.last = now

    def total(self, what: str) -> None:
        """Print the seconds of all."""
        print(f"{what} in {time.monotonic() - self.began:.1f} s", flush=True)
