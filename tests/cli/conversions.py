"""What the real CLI makes of values in stack files: the record that the loader is tested against, and its recorder.

`python -m tests.cli.conversions` records anew: it keeps the cases (what is written, and whether elab takes it) and
replaces what the CLI hands to a program.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation
from pulumi.runtime import config

from tests.cli.engine import Engine, engine

RECORD = Path(__file__).parent.parent / "unit/stackfile/conversions.json"
PROJECT = "elab"
_STACK = "recorded"
_PLAIN = "a secret of the tests"


def project_text(case: dict[str, Any]) -> str:
    """The Pulumi.yaml of a case."""
    return f"name: {PROJECT}\nruntime: python\n{case.get('project', '')}"


def stack_text(case: dict[str, Any], ciphertext: str = "v1:AAAA:BBBB") -> str:
    """The stack file of a case."""
    return case["stack"].replace("{ciphertext}", ciphertext)


def scalars_case(texts: list[str]) -> dict[str, Any]:
    """A stack file that holds each value as a key's own and inside an object."""
    lines = (f"  elab:alone{n}: {text}\n  elab:inside{n}:\n    key: {text}\n" for n, text in enumerate(texts))
    return {"stack": "config:\n" + "".join(lines)}


def record(cases: dict[str, Any], home: Path) -> dict[str, Any]:
    """The cases with the CLI's reading of each; ``null`` is a file that the CLI itself refuses."""
    recorder = _Recorder(engine(home), home)
    readings = recorder.scalars([case["text"] for case in cases["scalars"]])
    scalars = [
        {"text": case["text"], "elab": case["elab"], "alone": alone, "inside": inside}
        for case, (alone, inside) in zip(cases["scalars"], readings, strict=True)
    ]
    files = [{**case, "pulumi": recorder.received(case)} for case in cases["files"]]
    return {"cli": str(recorder.engine.command.version), "scalars": scalars, "files": files}


class _Recorder:
    def __init__(self, engine: Engine, home: Path) -> None:
        self.engine, self.home = engine, home / "project"
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        (self.home / "Pulumi.yaml").write_text(project_text({}))
        stack = engine.create(self.home, _STACK, PROJECT)
        stack.set_config(f"{PROJECT}:secret", automation.ConfigValue(_PLAIN, secret=True))
        written = yaml.safe_load((self.home / f"Pulumi.{_STACK}.yaml").read_text())
        self.salt, self.ciphertext = written["encryptionsalt"], written["config"][f"{PROJECT}:secret"]["secure"]

    def scalars(self, texts: list[str]) -> list[tuple[str | None, str | None]]:
        """The readings of many values; a file that the CLI refuses is halved until the culprits stand alone."""
        found = self.received(scalars_case(texts))
        if found:
            values = found["config"]
            return [(values[f"{PROJECT}:alone{n}"], values[f"{PROJECT}:inside{n}"]) for n in range(len(texts))]
        if len(texts) == 1:
            return [(None, None)]
        half = len(texts) // 2
        return self.scalars(texts[:half]) + self.scalars(texts[half:])

    def received(self, case: dict[str, Any]) -> dict[str, Any] | None:
        """The configuration that a program receives, or nothing if the CLI refuses the file."""
        found: dict[str, Any] = {}

        def program() -> None:
            secrets = sorted(config._SECRET_KEYS.get())
            values = {key: text.replace(_PLAIN, "{decrypted}") for key, text in sorted(config.CONFIG.get().items())}
            found.update({"config": values, "secrets": secrets})

        (self.home / "Pulumi.yaml").write_text(project_text(case))
        text = stack_text(case, self.ciphertext).replace("config:", f"encryptionsalt: {self.salt}\nconfig:", 1)
        (self.home / f"Pulumi.{_STACK}.yaml").write_text(text, encoding="utf-8", newline="")
        self.engine.preview(self.home, _STACK, PROJECT, program)
        return found or None


def main() -> None:
    cases = json.loads(RECORD.read_text())
    with tempfile.TemporaryDirectory() as home:
        recorded = record(cases, Path(home))
    RECORD.write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n")
    sys.stdout.write(f"recorded with Pulumi {recorded['cli']}: {RECORD.name}\n")


if __name__ == "__main__":
    main()
