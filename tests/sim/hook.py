"""A bot that is nothing but a webhook, on a real socket."""
import http.server
import json
import threading
import time

import harness


class Hook:
    """Notes every post and answers it with the next of its plan: a status,
    (status, headers, body), "hold" until `release`, or "close"."""

    def __init__(self, *plan, port=0):
        self.plan = list(plan)
        self.posts = []
        self.addresses = []
        self.changed = threading.Condition()
        self.released = threading.Event()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                hook.take(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port),
                                                      Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?a=b"
        threading.Thread(target=self.server.serve_forever, daemon=True,
                         kwargs={"poll_interval": 0.01}).start()

    def take(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        with self.changed:
            self.posts.append((request.path, request.headers, body))
            self.addresses.append(request.client_address)
            step = self.plan.pop(0) if self.plan else 200
            self.changed.notify_all()
        if step == "hold":
            self.released.wait(harness.LIMIT)
            step = 200
        if step == "close":
            request.close_connection = True
            return
        status, headers, text = (step if isinstance(step, tuple)
                                 else (step, {}, ""))
        request.send_response(status)
        request.send_header("Content-Length", str(len(text)))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(text.encode())

    def release(self):
        self.released.set()

    def updates(self):
        return [json.loads(body) for _, _, body in self.posts]

    def wait(self, count, limit=harness.LIMIT):
        """The updates, once there are so many posts."""
        deadline = time.monotonic() + limit
        with self.changed:
            while len(self.posts) < count:
                left = deadline - time.monotonic()
                assert left > 0, f"{len(self.posts)} of {count} posts"
                self.changed.wait(left)
            return self.updates()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
