"""The JSON Schema of stack files, for editors: `python -m stackfile.schema` writes it.

An editor with a YAML language server completes and checks a stack file that begins with the line ``MODELINE``. It knows
forms, not contradictions: those are `make plan`'s.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from settings import SECRETS, Settings

FILE: Final = Path(__file__).parent.parent / "docs/stack.schema.json"
MODELINE: Final = "# yaml-language-server: $schema=docs/stack.schema.json"
_PROJECT: Final = "elab"


def stack_schema() -> dict[str, Any]:
    """The schema of a whole `Pulumi.<stack>.yaml`."""
    model = Settings.model_json_schema()
    keys = {f"{_PROJECT}:{name}": schema for name, schema in model["properties"].items()}
    keys |= {f"{_PROJECT}:{name}": _secret(name, meaning) for name, meaning in SECRETS.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of elab",
        "type": "object",
        "additionalProperties": False,
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "additionalProperties": False,
                "required": [f"{_PROJECT}:{name}" for name in model["required"]],
                "properties": keys,
                "patternProperties": {"^pulumi:": {"description": "An option of Pulumi's engine."}},
            },
            "secretsprovider": {"type": "string", "description": "What encrypts the stack's secrets."},
            "encryptionsalt": {"type": "string", "description": "Written by Pulumi for a passphrase."},
            "encryptedkey": {"type": "string", "description": "Written by Pulumi for a key service."},
        },
        "$defs": model["$defs"],
    }


def _secret(name: str, meaning: str) -> dict[str, Any]:
    return {
        "description": f"{meaning}; written by `pulumi config set --secret {_PROJECT}:{name}`",
        "type": "object",
        "additionalProperties": False,
        "required": ["secure"],
        "properties": {"secure": {"type": "string"}},
    }


def text() -> str:
    """What the committed file holds."""
    return json.dumps(stack_schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"wrote {FILE.name}\n")
