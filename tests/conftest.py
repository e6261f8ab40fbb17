import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness  # noqa: E402


@pytest.fixture
def sim():
    instance = harness.Sim()
    yield instance
    instance.close()


@pytest.fixture
def engine(sim, tmp_path):
    """Makes engines that are stopped, and must stop clean, at the end."""
    made = []

    def make(main=None, folder="project", **settings):
        instance = harness.Engine(tmp_path / folder, sim.url, main, **settings)
        made.append(instance)
        return instance

    yield make
    for instance in made:
        instance.close()


@pytest.fixture
def play(tmp_path):
    scripts = tmp_path / "bot"
    shutil.copytree(harness.ROOT / "scripts" / "bot", scripts)
    instance = harness.Play(tmp_path, scripts)
    yield instance
    instance.close()
