"""What elab_start.py puts off is there, whole and once, as soon as something uses it."""

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.harness.shared import shared

NOTEBOOK = Path(__file__).parents[3] / "components/hub/files/notebook"
HUB_PARTS = "import jupyterhub.scopes, jupyterhub.utils, jupyterhub.log\n"

USES = (
    "import sqlalchemy.orm",
    "from sqlalchemy.orm import Session",
    "import sqlalchemy; sqlalchemy.create_engine",
    "import sqlalchemy.exc; sqlalchemy.exc.ArgumentError",
    "from jupyterhub import orm; orm.User",
    "import sqlalchemy, jupyterhub.orm, sqlalchemy.exc",
    "import jupyterhub.app",
)
CHECK = """
import sqlalchemy, sqlalchemy.engine, sqlalchemy.orm
from jupyterhub import orm, roles
engine = sqlalchemy.create_engine("sqlite://")
orm.Base.metadata.create_all(engine)
assert roles.func.count is not None
assert sys.modules["sqlalchemy"] is sqlalchemy and sys.modules["sqlalchemy.engine"] is sqlalchemy.engine
assert type(sqlalchemy) is type(sys) and type(sqlalchemy.exc) is type(sys)
assert issubclass(sqlalchemy.exc.ArgumentError, sqlalchemy.exc.SQLAlchemyError)
assert sqlalchemy.engine.__spec__.loader.__class__.__name__ == "SourceFileLoader"
with sqlalchemy.orm.Session(engine) as session:
    print(session.query(orm.User).count())
"""
CHILDREN = """
import os, traceback
for use, told in uses.items():
    if os.fork() == 0:
        sys.stdout = sys.stderr = open(told, "w")
        try:
            exec(use + check, {"sys": sys})
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(0)
    os.wait()
"""

CLIENT = """
made = []

class AsyncClient:
    def __init__(self, name):
        made.append(name)
        self.name = name

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        return None
"""


def run(code: str, *folders: Path) -> str:
    """What a fresh interpreter prints that looks for modules as a server does."""
    paths = [str(NOTEBOOK), *map(str, folders)]
    begin = f"import sys; sys.path[:0] = {paths}; import elab_start; sys.meta_path.insert(0, elab_start.Finder())\n"
    done = subprocess.run([sys.executable, "-c", begin + code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def client(tmp_path: Path) -> Path:
    """A folder with a package of httpx's name that tells what is made of it."""
    (tmp_path / "httpx").mkdir()
    (tmp_path / "httpx/__init__.py").write_text(CLIENT)
    (tmp_path / "httpx/_deeper.py").write_text("from httpx import made\nloaded = len(made)\n")
    return tmp_path


def test_a_server_starts_without_the_hubs_database() -> None:
    assert run(HUB_PARTS + "print('sqlalchemy.engine' in sys.modules)") == "False"


@pytest.mark.parametrize("use", USES)
def test_whatever_uses_the_database_first_gets_all_of_it_once(use: str) -> None:
    assert _after(HUB_PARTS)[use] == "0"


@functools.cache
def _after(begin: str) -> dict[str, str]:
    """What each use and the check print, or die of, each in a child of one interpreter that has gone so far."""
    return shared(f"uses after {begin}", lambda: _told(begin))


def _told(begin: str) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        told = {use: Path(folder, str(number)) for number, use in enumerate(USES)}
        run(f"{begin}uses = { ({use: str(path) for use, path in told.items()})!r}\ncheck = {CHECK!r}\n{CHILDREN}")
        return {use: path.read_text().strip() for use, path in told.items()}


def test_what_is_not_installed_is_still_not_found() -> None:
    code = "try:\n    import no_such_one\nexcept ImportError as error:\n    print(error.name)"
    assert run("elab_start.LAZY.add('no_such_one')\n" + code) == "no_such_one"


def test_a_client_is_made_when_something_is_asked_of_it(client: Path) -> None:
    code = """
import httpx
one = httpx.AsyncClient("one")
before = isinstance(sys.modules["httpx"], elab_start.Stub)
print(before, one.name, httpx.made, isinstance(one, httpx.AsyncClient))
"""
    assert run(code, client) == "True one ['one'] True"


def test_a_client_taken_early_serves_as_class_and_in_a_with_block(client: Path) -> None:
    code = """
import asyncio
from httpx import AsyncClient

class Own(AsyncClient):
    pass

async def use():
    async with AsyncClient("two") as found:
        return found.name

print(asyncio.run(use()), Own("three").name, [kind.__module__ for kind in Own.__mro__])
"""
    assert run(code, client) == "two three ['__main__', 'httpx', 'builtins']"


def test_a_module_of_a_package_that_was_put_off_finds_its_package(client: Path) -> None:
    assert run("import httpx; import httpx._deeper; print(httpx._deeper.loaded, httpx.made)", client) == "0 []"


def test_the_program_runs_as_if_it_had_been_started_itself(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("import sys\nprint(__name__, sys.argv[1:], sys.argv[0] == __file__, sys.path[0])\n")
    command = [sys.executable, str(NOTEBOOK / "elab_start.py"), str(program), "--port=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == f"__main__ ['--port=1'] True {tmp_path}"


def test_what_a_person_installed_does_not_reach_the_server(tmp_path: Path) -> None:
    # An interpreter that is no virtual environment's, which would see no such packages anyway.
    python = sys._base_executable  # ty: ignore[missing-attribute]
    code = "import site; print(site.getusersitepackages())"
    base = {"PYTHONUSERBASE": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    own = Path(
        subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, env=base).stdout.strip()
    )
    own.mkdir(parents=True)
    (own / "hers.py").write_text("raise SystemExit('the broken one')\n")
    program = tmp_path / "jupyterhub-singleuser"
    program.write_text(f"#!{python}\ntry:\n    import hers\nexcept ImportError:\n    print('not there')\n")
    program.chmod(0o755)
    command = ["sh", str(NOTEBOOK / "start.sh")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=base)
    assert (done.stdout.strip(), done.stderr) == ("not there", "")
