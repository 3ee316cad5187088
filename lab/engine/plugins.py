"""Print, as JSON, the provider plugins that this Python's packages ask for: {name: version}."""

import importlib.metadata
import json
from pathlib import Path


def required() -> dict[str, str]:
    """Every package of a provider holds a pulumi-plugin.json that says which plugin it needs."""
    found = {}
    for distribution in importlib.metadata.distributions():
        for file in distribution.files or []:
            if file.name == "pulumi-plugin.json" and len(file.parts) == 2:
                plugin = json.loads(Path(str(distribution.locate_file(file))).read_text())
                if plugin.get("resource"):
                    found[plugin["name"]] = plugin.get("version") or distribution.version
    return found


if __name__ == "__main__":
    print(json.dumps(required()))
