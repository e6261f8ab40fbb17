"""The programs that benches run: the engine, its Telegram, references."""
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
LIMIT = 120.0     # seconds that anything may take
LOOK = 0.02       # seconds between two looks at what tells no event
CHATS = 200
TOKEN = "4242:TOKEN-OF-THE-BENCH-STUB"


def fail(text):
    sys.exit(f"bench: {text}")


def build(moonlet):
    """Builds the programs of this folder beside the given moonlet."""
    folder = moonlet.parent / "bench"
    for command in (["cmake", "-S", HERE, "-B", folder, "-G", "Ninja",
                     f"-DMOONLET_BUILD={moonlet.parent}"],
                    ["ninja", "-C", folder]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"cannot build {folder}:\n{done.stdout}{done.stderr}")
    return folder


@contextmanager
def core(number):
    """What is started within runs on that core alone, if there are two."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def file_system(folder):
    done = subprocess.run(["stat", "-f", "-c", "%T", folder],
                          capture_output=True, text=True)
    return done.stdout.strip() or "?"


class Stub:
    """The Telegram of one engine."""

    def __init__(self, folder):
        with core(1):
            self.child = subprocess.Popen(
                [folder / "bench_stub", str(CHATS)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE)
        self.pending = b""
        self.url = f"http://127.0.0.1:{self.wait('listening')['port']}"

    def wait(self, event, meanwhile=None):
        """meanwhile: called a few times a second."""
        deadline = time.monotonic() + LIMIT
        while True:
            line, newline, rest = self.pending.partition(b"\n")
            if newline:
                self.pending = rest
                seen = json.loads(line)
                if seen["event"] == event:
                    return seen
                continue
            left = max(0, deadline - time.monotonic())
            if meanwhile:
                meanwhile()
            if not select.select([self.child.stdout], [], [],
                                 min(left, 0.25))[0]:
                if left == 0:
                    raise TimeoutError(f"no event {event!r} within {LIMIT:g} s")
                continue
            data = os.read(self.child.stdout.fileno(), 65536)
            if not data:
                raise TimeoutError("the stub has ended")
            self.pending += data

    def go(self, updates, port=None, steps=False, meanwhile=None):
        """Gives updates by polling, or posts them to the port; with steps
        one at a time."""
        verb = "step" if steps else "post" if port else "go"
        line = f"{verb} {updates} {port or ''}".rstrip() + "\n"
        self.child.stdin.write(line.encode())
        self.child.stdin.flush()
        return self.wait("done", meanwhile)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait(LIMIT)
        self.child.stdout.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=LIMIT)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Engine:
    """moonlet run with a bot, from exec to SIGTERM."""

    def __init__(self, moonlet, url, data, webhook=False, bot=HERE / "echo",
                 settings=None):
        self.port = free_port()
        self.data = data
        env = {"PATH": os.environ["PATH"], "BOT_TOKEN": TOKEN,
               "BOT_API_URL": url, "DATA_DIR": str(data),
               "HTTP_PORT": str(self.port)} | (settings or {})
        if webhook:
            env |= {"WEBHOOK_URL": f"http://127.0.0.1:{self.port}/hook",
                    "WEBHOOK_SECRET": "bench"}
        self.log = data.parent / "log"
        to_log = [(os.POSIX_SPAWN_OPEN, fd, self.log,
                   os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                  for fd in (1, 2)]
        args = [moonlet, "run", bot]
        self.started = time.monotonic_ns()
        self.pid = os.posix_spawn(moonlet, args, env, file_actions=to_log)

    def status(self):
        connection = UnixConnection(self.data / "moonlet.sock")
        connection.request("GET", "/api/status")
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def settle(self):
        """Waits until every update has ended."""
        deadline = time.monotonic() + LIMIT
        while self.status()["inbox_depth"] > 0:
            if time.monotonic() > deadline:
                fail(f"updates have not ended within {LIMIT:g} s")
            time.sleep(LOOK)

    def come_to_rest(self):
        """Waits until it uses no CPU any more."""
        deadline = time.monotonic() + LIMIT
        before = -1
        while (now := self.cpu()["all"]) != before:
            if time.monotonic() > deadline:
                fail(f"moonlet does not come to rest within {LIMIT:g} s")
            before = now
            time.sleep(LOOK)

    def cpu(self):
        """Nanoseconds so far: of all threads, user and system of these, and
        of the thread that writes the inbox."""
        whole = time.clock_gettime_ns((~self.pid << 3) | 2)
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(") ")[1]
        user, system = (int(n) * TICK_NS for n in fields.split()[11:13])
        writer = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            if (task / "comm").read_text().strip() == "sqlite":
                writer += int((task / "schedstat").read_text().split()[0])
        return {"all": whole, "user": user, "system": system,
                "writer": writer}

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        os.kill(self.pid, signal.SIGTERM)
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code != 0 or kind:
            log = self.log.read_text()[-2000:]
            fail(f"moonlet ended with {code}; its log ends with:\n{log}")


def run_tool(args):
    """Runs a program of this folder that prints what it measured."""
    done = subprocess.run(args, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != 0:
        fail(f"{args[0]}: {done.stderr}")
    return json.loads(done.stdout)


def cost_us(args):
    """CPU for one item of a program that prints its cost."""
    with core(0):
        cost = run_tool(args)
    return (cost["user_ns"] + cost["system_ns"]) / cost["count"] / 1000


def memory_kb(pid):
    """Resident memory, and with shared pages divided by their users."""
    status = Path(f"/proc/{pid}/status").read_text()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return tuple(int(text.split(name)[1].split()[0])
                 for text, name in ((status, "VmRSS:"), (rollup, "\nPss:")))
