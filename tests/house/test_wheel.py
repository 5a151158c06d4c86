"""The wheel is whole: built, installed apart from the checkout, it serves a page."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from techex import paths


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(paths.CHECKOUT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_templates_cards_catalogues_and_migrations_but_no_weights(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, pattern, inside in (
        ("templates", "**/*.html", "techex/templates"),
        ("models", "*.toml", "techex/models"),
        ("techex/migrations", "versions/*.py", "techex/migrations"),
        ("techex/static", "**/*.css", "techex/static"),
        ("techex/interchange/demo_data", "*.toml", "techex/interchange/demo_data"),
        ("techex/regions/data", "*.json*", "techex/regions/data"),
    ):
        files = [
            path.relative_to(paths.CHECKOUT / folder).as_posix() for path in (paths.CHECKOUT / folder).glob(pattern)
        ]
        assert files
        assert {f"{inside}/{name}" for name in files} <= names
    assert "techex/translations/vi/LC_MESSAGES/messages.mo" in names
    assert not [name for name in names if name.endswith((".safetensors", ".bin", ".xml", ".db"))]
    assert max(info.file_size for info in zipfile.ZipFile(wheel).infolist()) < 3_000_000


RENDER = """
import sys
from pathlib import Path
from techex import paths
from techex.app import create_app
from techex.core.database import Database
from techex.migrations import run
from techex.settings import Settings
assert "site-packages" in str(paths.PACKAGE), paths.PACKAGE
folder = Path(sys.argv[1])
settings = Settings(data_dir=folder, indexes_dir=folder, models_dir=folder, secret_key="x", card="hashing")
run.upgrade(Database(settings.database_address))
client = create_app(settings).test_client()
reply = client.get("/", headers={"Accept-Language": "vi"})
assert reply.status_code == 200, reply.status
print(reply.text)
"""


@pytest.mark.slow
def test_an_installed_wheel_serves_the_home_page_in_vietnamese(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, capture_output=True)
    python = home / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    # The libraries are lent by this environment; as a plain path, so that its editable TechEx stays out.
    site = next((home / "lib").glob("python*/site-packages"))
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    data = tmp_path / "data"
    data.mkdir()
    done = subprocess.run(
        [str(python), "-c", RENDER, str(data)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert '<html lang="vi"' in done.stdout
