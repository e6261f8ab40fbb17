"""Runs the real binary for tests: the engine, the simulator, play.

Nothing here sleeps: waits are on lines of a log, on the simulator's event
stream, or on the end of a process, and every one has a limit.
"""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 30.0  # seconds; generous, the machine may be busy
TOKEN = "4242:TEST-TOKEN-FOR-THE-SIMULATOR"


def binary():
    named = os.environ.get("MOONLET")
    candidates = [named] if named else ["build/asan/moonlet", "build/moonlet"]
    for name in candidates:
        path = ROOT / name
        if path.exists():
            return str(path)
    raise FileNotFoundError("no moonlet binary: run ./dev build")


def free_port():
    """A port that was free a moment ago; the kernel hands out others next."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def clean_environment(extra=None):
    """The environment without the caller's settings."""
    keep = ("PATH", "HOME", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS",
            "LSAN_OPTIONS", "TMPDIR")
    env = {k: os.environ[k] for k in keep if k in os.environ}
    env.update(extra or {})
    return env


class Process:
    """A child whose output is read line by line and can be waited for: the
    binary under test, or another program."""

    def __init__(self, args, cwd=None, env=None, program=None):
        self.lines = []
        self.changed = threading.Condition()
        self.child = subprocess.Popen(
            [program or binary(), *map(str, args)], cwd=cwd,
            env=clean_environment(env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def wait_line(self, pattern, limit=LIMIT, start=0):
        """The first line from `start` on that fits; fails with the output."""
        deadline = time.monotonic() + limit
        at = start
        with self.changed:
            while True:
                while at < len(self.lines):
                    if re.search(pattern, self.lines[at]):
                        return self.lines[at]
                    at += 1
                left = deadline - time.monotonic()
                ended = not self.reader.is_alive()
                if left <= 0 or (ended and at == len(self.lines)):
                    raise AssertionError(
                        f"no line fits {pattern!r}:\n" + self.text())
                self.changed.wait(min(left, 0.5))

    def text(self):
        return "\n".join(self.lines)

    def end(self, number=signal.SIGTERM, limit=LIMIT):
        """Ends it and returns the exit code."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        code = self.child.wait(limit)
        self.reader.join(limit)
        return code

    def wait(self, limit=LIMIT):
        code = self.child.wait(limit)
        self.reader.join(limit)
        return code


class HttpPeer:
    """JSON requests to one address; one connection a request."""

    def __init__(self, host, port):
        self.host, self.port = host, port
        self.url = f"http://{host}:{port}"

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, self.port,
                                                timeout=LIMIT)
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def sim(self, method, path, json_body=None, status=200):
        body = None if json_body is None else json.dumps(json_body)
        got, data = self.request(method, path, body)
        assert got == status, (method, path, got, data)
        return json.loads(data)

    def limits(self, per_second=0, per_chat=0, per_group_minute=0, **more):
        """Off by default: most tests are about something else."""
        return self.sim("POST", "/sim/limits", {
            "per_second": per_second, "per_chat": per_chat,
            "per_group_minute": per_group_minute, **more})


class LocalPeer(HttpPeer):
    """JSON requests over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", 0)
        self.path = str(path)

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("localhost",
                                                timeout=LIMIT)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(LIMIT)
        connection.sock.connect(self.path)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class Events:
    """The simulator's event stream, kept and searchable."""

    def __init__(self, peer):
        self.seen = []
        self.changed = threading.Condition()
        self.connection = http.client.HTTPConnection(peer.host, peer.port)
        self.connection.request("GET", "/sim/events?after=0")
        self.socket = self.connection.sock
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        kind, data = None, []
        try:
            for raw in self.answer:
                line = raw.decode().rstrip("\n")
                if line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("data:"):
                    data.append(line[5:].strip())
                elif line == "" and data:
                    event = (kind, json.loads("\n".join(data)))
                    kind, data = None, []
                    with self.changed:
                        self.seen.append(event)
                        self.changed.notify_all()
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass

    def wait(self, kind, test=lambda data: True, limit=LIMIT, start=0):
        """The first event of the kind from `start` on that passes."""
        deadline = time.monotonic() + limit
        at = start
        with self.changed:
            while True:
                while at < len(self.seen):
                    if self.seen[at][0] == kind and test(self.seen[at][1]):
                        return self.seen[at][1]
                    at += 1
                left = deadline - time.monotonic()
                if left <= 0:
                    last = "\n".join(str(e)[:300] for e in self.seen[-20:])
                    raise AssertionError(f"no event {kind}; last:\n{last}")
                self.changed.wait(left)

    def wait_count(self, kind, count, test=lambda data: True, limit=LIMIT):
        deadline = time.monotonic() + limit
        with self.changed:
            while True:
                found = [d for k, d in self.seen if k == kind and test(d)]
                if len(found) >= count:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(
                        f"{len(found)} of {count} events {kind}")
                self.changed.wait(left)

    def close(self):
        # A plain close would wait for the reader's lock on the buffer.
        self.socket.shutdown(socket.SHUT_RDWR)


class Sim(HttpPeer):
    """`moonlet sim` on a free port."""

    def __init__(self, *args, limits=False):
        self.process = Process(["sim", "--port", "0", *args])
        line = self.process.wait_line(r"http://127\.0\.0\.1:\d+")
        super().__init__("127.0.0.1", int(line.rsplit(":", 1)[1]))
        self.events = Events(self)
        if not limits:
            self.limits()

    def user(self, name, **more):
        return self.sim("POST", "/sim/users", {"first_name": name, **more})

    def send(self, user, text, **more):
        return self.sim("POST", "/sim/send",
                        {"from": user, "text": text, **more})

    def result(self, method, **params):
        """What a call of the bot gives: the result, or why it was refused."""
        status, body = self.request("POST", f"/bot77:T/{method}",
                                    json.dumps(params))
        answer = json.loads(body)
        return answer["result"] if status == 200 else answer["description"]

    def calls(self, method=None, since=0):
        rows = self.sim("GET", f"/sim/calls?since={since}")
        return [r for r in rows if method in (None, r["method"])]

    def wait_call(self, method, test=lambda call: True, **more):
        return self.events.wait(
            "call", lambda c: c["method"] == method and test(c), **more)

    def close(self):
        self.events.close()
        code = self.process.end()
        assert code == 0, self.process.text()


class Engine:
    """`moonlet run` in a project folder, against a simulator."""

    def __init__(self, folder, api_url, main=None, **settings):
        self.folder = Path(folder)
        self.api_url = api_url
        self.settings = settings
        (self.folder / "bot").mkdir(parents=True, exist_ok=True)
        if main is not None:
            self.write("main.lua", main)
        self.process = None

    def write(self, name, text):
        """Writes a script as an editor does: a new file, then a rename."""
        path = self.folder / "bot" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name("." + path.name + ".new")
        fresh.write_text(text)
        fresh.replace(path)

    def environment(self):
        env = {
            "BOT_TOKEN": TOKEN, "BOT_API_URL": self.api_url,
            "SCRIPTS_DIR": str(self.folder / "bot"),
            "DATA_DIR": str(self.folder / "data"),
            "HTTP_PORT": free_port(), "LOG_FORMAT": "json", "LOG_LEVEL": "debug",
        }
        env.update({k: str(v) for k, v in self.settings.items()})
        return env

    def start(self, wait=True, options=()):
        self.process = Process(["run", *options], cwd=self.folder,
                               env=self.environment())
        if wait:
            self.wait_event("ready")
        return self

    def wait_event(self, event, limit=LIMIT, start=0, **fields):
        """A line of the JSON log with this event and these fields."""
        deadline = time.monotonic() + limit
        while True:
            line = self.process.wait_line(
                rf'"event":"{re.escape(event)}"',
                max(0.1, deadline - time.monotonic()), start)
            row = json.loads(line)
            if all(row.get(k) == v for k, v in fields.items()):
                return row
            start = self.process.lines.index(line, start) + 1

    def kill(self):
        self.process.child.kill()
        self.process.wait()

    def stop(self):
        code = self.process.end()
        assert code == 0, self.process.text()
        return self.process.text()

    def close(self):
        if self.process and self.process.child.poll() is None:
            self.stop()


class Play(HttpPeer):
    """`moonlet play` on a private copy of the reference bot."""

    def __init__(self, folder, scripts, **settings):
        self.scripts = Path(scripts)
        self.process = Process(
            ["play", self.scripts], cwd=folder,
            env={"DATA_DIR": str(Path(folder) / "data"),
                 "HTTP_PORT": free_port(), **settings})
        line = self.process.wait_line(r"http://127\.0\.0\.1:\d+/play")
        port = int(re.search(r":(\d+)/play", line).group(1))
        super().__init__("127.0.0.1", port)
        self.limits()

    def close(self):
        code = self.process.end()
        assert code == 0, self.process.text()
