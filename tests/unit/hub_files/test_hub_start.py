"""The hub begins as if it had been called itself, and what elab_start.py puts off is there when it is asked for."""

import os
import subprocess
import sys
from pathlib import Path

HUB = Path(__file__).parents[3] / "components/hub/files/hub"
PARSER = "'rfc3987_syntax.syntax_helpers' in sys.modules"
FORMATS = """
import sys
import jupyterhub.app, jsonschema
before = {parser}
told = [jsonschema.FormatChecker().conforms(text, "iri") for text in ("http://example.org/ü", "http://[", "no scheme")]
print(__name__, sys.argv[1:], sys.path[0] == __file__.rpartition("/")[0], before, told, {parser})
"""


def started(folder: Path, program: str, path: str) -> subprocess.CompletedProcess[str]:
    """What start.sh does where `jupyterhub` is this program."""
    file = folder / "jupyterhub"
    file.write_text(program)
    file.chmod(0o755)
    command = ["/bin/sh", str(HUB / "start.sh"), "--config", "some.py"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env={"PATH": path})


def test_the_hub_is_imported_without_the_grammar_which_is_there_for_the_first_schema_that_needs_it(
    tmp_path: Path,
) -> None:
    program = f"#!{sys.executable}\n{FORMATS.format(parser=PARSER)}"
    done = started(tmp_path, program, f"{tmp_path}:{os.environ['PATH']}")
    assert done.stdout.strip() == "__main__ ['--config', 'some.py'] True False [True, False, False] True", done.stderr


def test_a_program_that_is_no_pythons_is_run_as_it_is(tmp_path: Path) -> None:
    done = started(tmp_path, '#!/bin/sh\necho "$@"\n', f"{tmp_path}:/bin:/usr/bin")
    assert (done.stdout, done.stderr) == ("--config some.py\n", "")


def test_an_image_without_jupyterhub_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", str(HUB / "start.sh")], capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)}
    )
    assert (done.returncode, done.stderr) == (127, "this image has no jupyterhub\n")
