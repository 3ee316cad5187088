"""Keeps Jupyter's idea of a kernel's state right when the kernel died.

Jupyter starts a kernel that died (of its memory limit, say) anew by itself. It then goes on showing the state that the
dead one had, since it does not count what a kernel says of itself while it starts; and where the new one has other
ports, it hears nothing more. A kernel that died at work would keep its server for ever, and one that works would not be
seen.
"""

from __future__ import annotations

from typing import Any


class Watch:
    """What Jupyter's own watch of its kernels lacks; of any version of jupyter_server."""

    def __init__(self, kernels: Any) -> None:  # noqa: ANN401
        """`kernels` is the server's kernel manager."""
        self.kernels = kernels
        self.ports: dict[str, object] = {}
        self._begin = kernels.start_watching_activity
        # Jupyter calls it when a kernel has started, before anything can have happened to it.
        kernels.start_watching_activity = self.begin

    def begin(self, kernel_id: str) -> None:
        """Watch a kernel that has started, been restarted, or got other ports."""
        kernel = self.kernels.get_kernel(kernel_id)
        if kernel_id not in self.ports:
            self.kernels.add_restart_callback(kernel_id, lambda: _begins_anew(kernel), "restart")
        self.ports[kernel_id] = kernel.ports
        self._begin(kernel_id)

    def follow(self) -> None:
        """Turn to the new ports of kernels that got some when they were started anew."""
        for kernel_id in self.kernels.list_kernel_ids():
            if kernel_id in self.ports and self.kernels.get_kernel(kernel_id).ports != self.ports[kernel_id]:
                self.kernels.stop_watching_activity(kernel_id)
                self.begin(kernel_id)

    def busy(self) -> bool:
        """Whether a kernel is busy."""
        kernels = self.kernels
        states = (getattr(kernels.get_kernel(kernel), "execution_state", None) for kernel in kernels.list_kernel_ids())
        return "busy" in list(states)


def _begins_anew(kernel: Any) -> None:  # noqa: ANN401
    kernel.execution_state = "starting"
