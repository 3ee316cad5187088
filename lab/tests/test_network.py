"""The node's network: what the kernel must have for it, and that it is put back."""

import json
import subprocess
from pathlib import Path

import pytest

from lab.labkit import network


@pytest.mark.parametrize("loads", [True, False])
def test_a_kernel_that_never_had_containers_gets_its_module_or_the_fix_is_named(
    loads: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "PLACE", tmp_path)
    monkeypatch.setattr(network, "SAVED", tmp_path / "saved")
    bridge = tmp_path / "net/bridge/bridge-nf-call-iptables"
    (tmp_path / "net/ipv4").mkdir(parents=True)
    (tmp_path / "net/ipv4/ip_forward").write_text("0\n")

    def modprobe(*command: str, check: bool) -> subprocess.CompletedProcess[str]:
        assert (command, check) == (("modprobe", "br_netfilter"), False)
        if loads:
            bridge.parent.mkdir()
            bridge.write_text("0\n")
        return subprocess.CompletedProcess(command, 0 if loads else 1, "", "not permitted")

    monkeypatch.setattr(network, "run", modprobe)
    if loads:
        network._set_sysctls()
        (tmp_path / network.REFUSED).parent.mkdir()
        (tmp_path / network.REFUSED).write_text("120\n")
        assert bridge.read_text() == "1"
        network._set_sysctls()
        kept = json.loads((tmp_path / "saved").read_text())
        assert kept.pop(network.REFUSED) == "120", "what a kernel shows later only is put back too"
        assert set(kept.values()) == {"0"}
    else:
        with pytest.raises(SystemExit, match=r"br_netfilter: not permitted\n[\s\S]*fix: modprobe br_netfilter"):
            network._set_sysctls()
        assert not (tmp_path / "saved").exists()
