"""Row "transfer": how fast a large file goes up and down, beside curl."""
import json
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from programs import HERE, LIMIT, TOKEN, Engine, core, fail

SIZE = 512 << 20  # sparse: reading it costs no disk
AIM = 0.8         # of the speed of the curl tool, at least
WAYS = ("upload", "download")


@contextmanager
def server(file, *messages):
    """Its address, and a function that gives the MB/s of its next line."""
    with core(1):
        child = subprocess.Popen([sys.executable, HERE / "file_server.py",
                                  file, *messages], stdout=subprocess.PIPE,
                                 text=True)

    def speed(what):
        line = child.stdout.readline()
        if f'"{what}"' not in line:
            fail(f"no {what} within {LIMIT:g} s, but {line!r}")
        seen = json.loads(line)
        return seen["bytes"] / seen["seconds"] / 1e6

    limit = threading.Timer(LIMIT, child.kill)
    limit.start()
    try:
        yield f"http://127.0.0.1:{child.stdout.readline().strip()}", speed
    finally:
        limit.cancel()
        child.kill()
        child.wait()
        child.stdout.close()


def engine_round(moonlet, folder, way):
    data = folder / "data"
    files = data / "files"
    files.mkdir(parents=True, exist_ok=True)
    (files / "fetched.bin").unlink(missing_ok=True)
    with server(files / "big.bin", way) as (url, speed):
        with core(0):
            engine = Engine(moonlet, url, data, bot=HERE / "transfer")
        with engine:
            return speed(way)


def curl_round(folder, way):
    file = folder / "data" / "files" / "big.bin"
    with server(file) as (url, speed):
        args = (["-F", "chat_id=7", "-F", f"document=@{file}",
                 f"{url}/bot{TOKEN}/sendDocument"] if way == "upload" else
                ["-o", folder / "curl.bin",
                 f"{url}/file/bot{TOKEN}/documents/f.bin"])
        with core(0):
            child = subprocess.Popen(["curl", "-s", "-H", "Expect:", *args],
                                     stdout=subprocess.DEVNULL)
        found = speed(way)
        if child.wait(LIMIT) != 0:
            fail("curl has failed")
    (folder / "curl.bin").unlink(missing_ok=True)
    return found


def warm_up(path):
    """The first to read it would pay for the pages of all others."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def measure(table, moonlet, _tools, options):
    speeds = {way: {"engine": [], "curl": []} for way in WAYS}
    with tempfile.TemporaryDirectory(dir=options.disk) as name:
        folder = Path(name)
        big = folder / "data" / "files" / "big.bin"
        big.parent.mkdir(parents=True)
        with open(big, "wb") as file:
            file.truncate(SIZE)
        warm_up(big)
        for _ in range(options.rounds):
            for way in WAYS:
                speeds[way]["engine"].append(
                    engine_round(moonlet, folder, way))
                speeds[way]["curl"].append(curl_round(folder, way))
    for way, seen in speeds.items():
        table.add(f"{way} of {SIZE >> 20} MiB", "MB/s", seen["engine"])
        table.add("      by the curl tool", "MB/s", seen["curl"])
        table.add(f"      {way} to the curl tool's", "times",
                  [a / b for a, b in zip(seen["engine"], seen["curl"])],
                  AIM, least=True)
