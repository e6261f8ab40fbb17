"""A Bot API server of bare sockets: says on the wire exactly what a test
wants, keeps connections alive, and remembers every request."""
import json
import socket
import threading
import time

import harness

ME = {"id": 4242, "is_bot": True, "first_name": "Test", "username": "test_bot"}
CLOSE = object()  # the connection ends here
SILENT = object()  # no answer, and the connection stays
FIRST_ID = 1000  # of the updates


def http(status, body=b"", headers=(), length=None):
    """A response; `length` says what Content-Length claims."""
    body = body.encode() if isinstance(body, str) else body
    rows = [f"HTTP/1.1 {status} Reason",
            f"Content-Length: {len(body) if length is None else length}"]
    return ("\r\n".join([*rows, *headers, "", ""])).encode() + body


def ok(result):
    return http(200, json.dumps({"ok": True, "result": result}))


def failed(code, text, **parameters):
    return http(code, json.dumps({
        "ok": False, "error_code": code, "description": text,
        **({"parameters": parameters} if parameters else {})}))


class Request:
    def __init__(self, path, body, connection):
        self.method = path.rsplit("/", 1)[1]
        self.body = body
        self.params = json.loads(body) if body.startswith(b"{") else {}
        self.connection = connection  # a number of its own
        self.at = time.monotonic()


class RawApi:
    """Answers as the server does, unless `plan` has something for a method:
    a list of bytes, CLOSE, SILENT, or several in a tuple, used up in order.
    An Event among them is waited for."""

    def __init__(self):
        self.changed = threading.Condition()
        self.requests, self.plans, self.updates = [], {}, []
        self.results = {}
        self.sockets, self.listener, self.opened = [], None, 0
        self.offset = 0  # everything below is confirmed
        self.port = 0
        self.listen()
        self.url = f"http://127.0.0.1:{self.port}"

    def listen(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,),
                         daemon=True).start()

    def refuse(self):
        """No new connection gets in; the open ones stay."""
        if self.listener.fileno() >= 0:
            # A close alone would leave the accepting thread in its call.
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()

    def close(self):
        self.refuse()
        with self.changed:
            for each in self.sockets:
                each.close()

    def plan(self, method, *answers):
        """What the next calls get; a getUpdates that waits is one."""
        with self.changed:
            self.plans.setdefault(method, []).extend(answers)
            self.changed.notify_all()

    def plan_all(self, method, result):
        """What every further call gets that has nothing planned."""
        self.results[method] = result

    def deliver(self, text, user=7):
        """A text message; returns its update_id."""
        with self.changed:
            number = FIRST_ID + len(self.updates)
            chat = {"id": user, "type": "private", "first_name": "Ann"}
            self.updates.append({"update_id": number, "message": {
                "message_id": number, "date": 1700000000, "chat": chat,
                "from": {"id": user, "is_bot": False, "first_name": "Ann"},
                "text": text}})
            self.changed.notify_all()
            return number

    def of(self, method):
        return [r for r in self.requests if r.method == method]

    def wait_for(self, test, what, limit=harness.LIMIT):
        with self.changed:
            assert self.changed.wait_for(test, limit), (
                what, [(r.method, r.params) for r in self.requests[-50:]])

    def wait(self, method, count):
        self.wait_for(lambda: len(self.of(method)) >= count,
                      f"{count} x {method}")
        return self.of(method)[count - 1]

    def _accept(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with self.changed:
                self.opened += 1
                self.sockets.append(peer)
                threading.Thread(target=self._serve, daemon=True,
                                 args=(peer, self.opened)).start()

    def _serve(self, peer, number):
        stream = peer.makefile("rb")
        try:
            while request := read_request(stream, number):
                answer = self._take(request)
                if answer is SILENT:
                    continue
                parts = answer if isinstance(answer, tuple) else (answer,)
                for part in parts:
                    if isinstance(part, threading.Event):
                        part.wait(harness.LIMIT)
                        continue
                    if part is CLOSE:
                        peer.shutdown(socket.SHUT_RDWR)
                        return
                    peer.sendall(part)
        except (OSError, ValueError):
            pass
        finally:
            peer.close()

    def _take(self, request):
        with self.changed:
            self.requests.append(request)
            self.changed.notify_all()
            planned = self.plans.get(request.method)
            if planned:
                return planned.pop(0)
            if request.method == "getUpdates":
                return self._updates(request.params["offset"])
        if request.method == "getMe":
            return ok(ME)
        if request.method == "getWebhookInfo":
            return ok({"url": "", "pending_update_count": 0})
        return ok(self.results.get(request.method, True))

    def _updates(self, offset):
        self.offset = max(self.offset, offset)

        def pending():
            first = max(0, self.offset - FIRST_ID)
            return self.updates[first:first + 100]

        self.changed.wait_for(
            lambda: pending() or self.plans.get("getUpdates"), 50)
        if self.plans.get("getUpdates"):
            return self.plans["getUpdates"].pop(0)
        return ok(pending())


def read_request(stream, connection):
    first = stream.readline().split()
    if len(first) < 2:
        return None
    length = 0
    while (line := stream.readline().strip()):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = stream.read(length)
    if len(body) < length:  # the client died over it
        return None
    return Request(first[1].decode(), body, connection)
