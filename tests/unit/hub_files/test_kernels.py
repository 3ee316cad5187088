"""What Jupyter believes of a kernel that died; the manager stands for jupyter_server's, with its names."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from elab_kernels import Watch


class Manager:
    """One kernel, watched at ports."""

    def __init__(self) -> None:
        self.kernel = SimpleNamespace(execution_state="starting", ports=[1, 2])
        self.watched: list[object] = []
        self.on_restart: list[Callable[[], None]] = []

    def list_kernel_ids(self) -> list[str]:
        return ["k"]

    def get_kernel(self, _kernel_id: str) -> SimpleNamespace:
        return self.kernel

    def start_watching_activity(self, _kernel_id: str) -> None:
        self.watched = [*self.kernel.ports]

    def stop_watching_activity(self, _kernel_id: str) -> None:
        self.watched = []

    def add_restart_callback(self, _kernel_id: str, callback: Callable[[], None], event: str) -> None:
        assert event == "restart"
        self.on_restart.append(callback)

    def dies_and_is_started_anew(self, ports: list[int]) -> None:
        for callback in self.on_restart:
            callback()
        self.kernel.ports = ports


@pytest.fixture
def manager() -> Manager:
    return Manager()


@pytest.fixture
def watch(manager: Manager) -> Watch:
    """With a kernel that has started, as Jupyter tells."""
    watch = Watch(manager)
    manager.start_watching_activity("k")
    return watch


@pytest.mark.parametrize(("state", "expected"), [("busy", True), ("idle", False), ("starting", False)])
def test_a_busy_kernel_is_work_even_if_it_says_nothing(
    manager: Manager, watch: Watch, state: str, expected: bool
) -> None:
    manager.kernel.execution_state = state
    assert watch.busy() is expected


def test_the_last_word_of_a_kernel_that_died_does_not_keep_its_successor_busy(manager: Manager, watch: Watch) -> None:
    manager.kernel.execution_state = "busy"
    manager.dies_and_is_started_anew(manager.kernel.ports)
    assert watch.busy() is False


def test_a_kernel_that_was_started_anew_at_other_ports_is_heard_there(manager: Manager, watch: Watch) -> None:
    manager.dies_and_is_started_anew([3, 4])
    watch.follow()
    assert manager.watched == [3, 4]
    assert len(manager.on_restart) == 1
