"""Where updates come from, as Telegram brings them: by getUpdates, from the
simulator, or by posts that are repeated until they are answered 200."""
import collections
import http.client
import json
import socket
import threading

import harness

SECRET = "s3cret_of-the-hook"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
PAUSE = 0.005  # seconds between two tries


def wire(update, secret=SECRET, path="/hook"):
    body = json.dumps(update).encode()
    return (f"POST {path} HTTP/1.1\r\nHost: bot.example\r\n"
            f"{HEADER}: {secret}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def connect(bot):
    peer = socket.create_connection(("127.0.0.1", bot.port))
    peer.settimeout(harness.LIMIT)
    return peer


def answers(stream, count):
    """The statuses of so many answers on one connection."""
    statuses = []
    for _ in range(count):
        statuses.append(int(stream.readline().split()[1]))
        length = 0
        while (line := stream.readline().strip()):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        stream.read(length)
    return statuses


class Sender:
    """What Telegram does for one chat: the next of (number, update) is posted
    only when the one before it got its 200, and is posted until it does."""

    def __init__(self, bot, updates):
        self.bot, self.updates = bot, collections.deque(updates)
        self.stopped, self.taken, self.odd = False, [], []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        peer = stream = None
        while self.updates and not self.stopped:
            number, update = self.updates[0]
            try:
                if not peer:
                    peer = connect(self.bot)
                    stream = peer.makefile("rb")
                peer.sendall(wire(update))
                status = answers(stream, 1)[0]
            except (OSError, IndexError):
                if peer:
                    peer.close()
                peer = None
                threading.Event().wait(PAUSE)
                continue
            if status != 200:
                self.odd += [status] * (status != 503)
                threading.Event().wait(PAUSE)
                continue
            self.updates.popleft()
            self.taken.append(number)
        if peer:
            peer.close()

    def stop(self):
        """Returns what is left to be posted."""
        self.stopped = True
        self.thread.join(harness.LIMIT)
        assert not self.thread.is_alive() and not self.odd, self.odd
        return list(self.updates)


class Polling:
    """The simulator holds the updates and gives each its number."""

    def __init__(self, sim, bot):
        self.bot = bot  # the id in its token
        self.port = harness.free_port()
        self.settings = {"HTTP_PORT": self.port}
        self.peer = http.client.HTTPConnection(sim.host, sim.port,
                                               timeout=harness.LIMIT)

    def start(self, _engine):
        """A new process is there."""

    def push(self, updates):
        for update in updates:
            self.peer.request("POST", "/sim/update", json.dumps(
                {"bot": self.bot, "message": update.message()}))
            answer = self.peer.getresponse()
            row = json.loads(answer.read())
            assert answer.status == 200, row
            update.id = row["update"]["update_id"]

    def push_beside(self, updates):
        """The same in a thread, because each takes a request."""
        thread = threading.Thread(target=self.push, args=[updates],
                                  daemon=True)
        thread.start()
        return thread.join

    def end(self):
        """The process is dead. Returns what it has confirmed by a 200."""
        return []

    def close(self):
        self.peer.close()


class Webhook:
    """One Sender a chat; numbers are ours."""

    def __init__(self, sim, bot, first=1000):
        self.port = harness.free_port()
        self.settings = {
            "HTTP_PORT": self.port, "WEBHOOK_SECRET": SECRET,
            "WEBHOOK_URL": f"http://127.0.0.1:{self.port}/hook"}
        self.next = first
        self.engine, self.senders, self.left = None, [], []

    def start(self, engine):
        self.engine = engine
        engine.port = self.port
        self._send(self.left)
        self.left = []

    def _send(self, pairs):
        chats = collections.defaultdict(list)
        for number, body in pairs:
            chats[body["message"]["chat"]["id"]].append((number, body))
        self.senders += [Sender(self.engine, rows) for rows in chats.values()]

    def push(self, updates):
        pairs = []
        for update in updates:
            update.id = self.next
            self.next += 1
            pairs.append((update.id, {"update_id": update.id,
                                      "message": update.message()}))
        self._send(pairs)

    def push_beside(self, updates):
        self.push(updates)
        return lambda: None

    def end(self):
        for sender in self.senders:
            self.left += sender.stop()
        confirmed = [n for sender in self.senders for n in sender.taken]
        self.senders = []
        return confirmed

    def close(self):
        self.end()
