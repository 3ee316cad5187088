"""What runs in people's servers is Python that images of 2020 understand."""

import ast
from pathlib import Path

import pytest

from .conftest import FILES


@pytest.mark.parametrize("file", sorted((FILES / "notebook").rglob("*.py")), ids=lambda file: file.name)
def test_a_servers_files_are_python_3_8(file: Path) -> None:
    tree = ast.parse(file.read_text(), feature_version=(3, 8))
    annotated = any(isinstance(node, ast.FunctionDef | ast.AnnAssign) for node in ast.walk(tree))
    futures = {
        name.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for name in node.names
    }
    # Without it, `list[str]` in an annotation fails before 3.9.
    assert not annotated or "annotations" in futures
