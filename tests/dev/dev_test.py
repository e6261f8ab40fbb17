"""./dev on machines that lack something. Each test gives it a PATH of its own
with a fake dpkg-query, apt-get, sudo, cmake and ninja.
"""
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

REAL = ["cat", "dirname", "env", "find", "head", "mkdir", "sed", "sh",
        "touch", "tr"]

FAKE = {
    "dpkg-query": 'sed "s/^/installed /" "$WORLD/installed"',
    "id": 'cat "$WORLD/uid"',
    "apt-get": """
        echo "$@" >>"$WORLD/apt"
        for word; do
            case $word in
            install | update) verb=$word ;;
            esac
        done
        if [ $verb = update ]; then
            if [ -e "$WORLD/offline" ]; then
                echo "E: Temporary failure resolving a mirror"
                exit 100
            fi
            touch "$WORLD/updated"
        elif [ ! -e "$WORLD/updated" ]; then
            echo "E: Unable to locate package"
            exit 100
        else
            cat vendor/packages.build >"$WORLD/installed"
        fi""",
    "cmake": "touch build/build.ninja",
    "ninja": """
        printf '#!/bin/sh\\necho moonlet "$@"\\n' >build/moonlet
        chmod +x build/moonlet""",
}

SUDO = """
    echo "$@" >>"$WORLD/sudo"
    case $1 in
    -n) exit 0 ;;
    --) shift ;;
    esac
    exec "$@\""""


class Machine:
    """A clean clone on a machine where all is there and root is at work."""

    def __init__(self, folder):
        self.world, self.clone = folder / "world", folder / "clone"
        self.bin = folder / "bin"
        for path in (self.world, self.bin, self.clone / "vendor"):
            path.mkdir(parents=True)
        for name in ("dev", "CMakePresets.json"):
            shutil.copy(ROOT / name, self.clone)
        for path in (ROOT / "vendor").glob("packages.*"):
            shutil.copy(path, self.clone / "vendor")
        for name in REAL + ["chmod"]:
            (self.bin / name).symlink_to(shutil.which(name))
        for name, body in FAKE.items():
            self.fake(name, body)
        self.write("uid", "0\n")
        self.write("updated", "")
        self.packages = (ROOT / "vendor/packages.build").read_text().split()
        self.install(self.packages)

    def fake(self, name, body):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def write(self, name, text):
        (self.world / name).write_text(text)

    def read(self, name):
        path = self.world / name
        return path.read_text() if path.exists() else ""

    def install(self, packages):
        self.write("installed", "".join(name + "\n" for name in packages))

    def dev(self, *args):
        return subprocess.run(
            ["./dev", *args], cwd=self.clone, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=60, check=False,
            env={"PATH": str(self.bin), "WORLD": str(self.world),
                 "HOME": os.environ.get("HOME", "/")})


@pytest.fixture(name="machine")
def a_machine(tmp_path):
    return Machine(tmp_path)


def test_says_nothing_when_all_is_there(machine):
    done = machine.dev("run", "--port", "1")
    assert done.stdout == "moonlet play scripts/bot --port 1\n"
    assert (done.stderr, done.returncode) == ("", 0)
    assert machine.read("apt") == ""


def test_installs_what_is_missing_and_says_it_once(machine):
    machine.install(set(machine.packages) - {"gcc", "libuv1-dev"})
    done = machine.dev("run")
    assert done.stderr == "dev: installing gcc libuv1-dev\n"
    assert done.returncode == 0
    assert machine.read("apt").count("\n") == 1
    assert machine.read("apt").endswith(
        "install --no-install-recommends gcc libuv1-dev\n")
    assert machine.dev("run").stderr == ""


def test_a_longer_name_does_not_stand_for_a_shorter_one(machine):
    machine.install(set(machine.packages) - {"gcc"} | {"gcc-12", "xgcc"})
    assert machine.dev("build").stderr == "dev: installing gcc\n"


def test_fetches_package_lists_only_when_needed(machine):
    machine.install([])
    (machine.world / "updated").unlink()
    assert machine.dev("build").returncode == 0
    verbs = [word for word in machine.read("apt").split()
             if word in ("install", "update")]
    assert verbs == ["install", "update", "install"]


def test_uses_sudo_without_root(machine):
    machine.write("uid", "1000\n")
    machine.fake("sudo", SUDO)
    machine.install([])
    assert machine.dev("build").returncode == 0
    assert "-- env DEBIAN_FRONTEND=noninteractive apt-get" in (
        machine.read("sudo"))


@pytest.mark.parametrize("sudo", [None, "exit 1"])
def test_one_line_without_root_and_sudo(machine, sudo):
    machine.write("uid", "1000\n")
    if sudo:
        machine.fake("sudo", sudo)
    machine.install(set(machine.packages) - {"cmake"})
    done = machine.dev("run")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "apt-get install cmake" in done.stderr
    assert (done.stdout, machine.read("apt")) == ("", "")


def test_one_line_without_network(machine):
    machine.install(set(machine.packages) - {"cmake"})
    machine.write("offline", "")
    (machine.world / "updated").unlink()
    done = machine.dev("run")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "dev: installing cmake",
        "dev: cannot install cmake: Temporary failure resolving a mirror "
        "(log: build/apt.log)"]


def test_a_failed_build_runs_nothing(machine):
    machine.fake("ninja", "echo broken; exit 1")
    done = machine.dev("run")
    assert (done.returncode, done.stdout) == (1, "broken\n")
    assert done.stderr == "dev: the build failed\n"


def test_configures_once_and_again_when_presets_change(machine):
    machine.fake("cmake", 'touch build/build.ninja; echo >>"$WORLD/cmake"')
    machine.dev("build")
    machine.dev("build")
    assert machine.read("cmake") == "\n"
    stamp = machine.clone / "build/presets.stamp"
    os.utime(stamp, (0, 0))
    machine.dev("build")
    assert machine.read("cmake") == "\n\n"


def test_only_the_long_tests_need_node(machine):
    tests = (ROOT / "vendor/packages.test").read_text().split()
    machine.install(machine.packages + tests)
    machine.fake("ninja", "exit 1")
    machine.dev("test")
    assert machine.read("apt") == ""
    done = machine.dev("test", "--all")
    assert done.stderr.startswith("dev: installing nodejs npm\n")
    assert done.stdout == "0 passed, 1 failed\n"
    assert machine.read("apt").endswith(
        "install --no-install-recommends nodejs npm\n")


@pytest.mark.parametrize("there", [["node", "npm"], ["node"]])
def test_node_may_come_from_elsewhere(machine, there):
    tests = (ROOT / "vendor/packages.test").read_text().split()
    machine.install(machine.packages + tests)
    machine.fake("ninja", "exit 1")
    for name in there:
        machine.fake(name, "exit 1")
    machine.dev("test", "--all")
    assert (machine.read("apt") == "") == ("npm" in there)


def test_says_what_is_not_there(machine):
    done = machine.dev("fuzz")
    assert (done.returncode, done.stderr) == (1, "dev: not built yet: fuzz\n")
    done = machine.dev("dance")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ./dev")
    assert machine.dev("help").returncode == 0
