"""A server for tests of moonlet.http: what it does with a request stands in a
method named after the path's first word."""
import gzip
import http.server
import json
import socketserver
import ssl
import subprocess
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, body=b"", status=200, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        word = self.path.split("?")[0].split("/")[1]
        self.server.seen.append((self.command, self.path))
        getattr(self, "on_" + word)()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def on_echo(self):
        """Tells what came, as JSON."""
        body = self.body()
        self.answer(json.dumps({
            "method": self.command, "path": self.path, "size": len(body),
            "headers": {k.lower(): v for k, v in self.headers.items()},
        }).encode(), 200, ("Content-Type", "application/json"))

    def on_back(self):
        """Gives the body back."""
        self.answer(self.body())

    def on_status(self):
        """/status/CODE"""
        self.body()
        self.answer(b"", int(self.path.split("/")[2]))

    def on_packed(self):
        """/packed/HEADER: 100 MB that the header says are gzip."""
        body = gzip.compress(bytes(100_000_000), 1)
        self.answer(body, 200, (self.path.split("/")[2], "gzip"),
                    ("Connection", "close"))

    def on_headers(self):
        self.answer(b"", 200, ("X-One", "a"), ("x-one", "b"),
                    ("Set-Cookie", "p=1; Path=/"), ("Set-Cookie", "q=2"))

    def on_to(self):
        """/to/URL redirects there."""
        self.body()
        self.answer(b"moved", int(self.headers.get("X-Status", "302")),
                    ("Location", self.path[len("/to/"):]))

    def on_endless(self):
        """Chunks that never end; counts what it got rid of."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        piece = b"x" * 65536
        try:
            while True:
                self.wfile.write(b"10000\r\n" + piece + b"\r\n")
                self.server.sent += len(piece)
        except OSError:
            self.server.ended.set()
        self.close_connection = True

    def on_drip(self):
        """A byte now and then, as long as somebody listens."""
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        try:
            while not self.server.ended.wait(0.05):
                self.wfile.write(b"x")
        except OSError:
            self.server.ended.set()
        self.close_connection = True

    def on_silent(self):
        """No answer until the test ends."""
        self.server.silent.release()
        self.server.ended.wait()
        self.close_connection = True

    def on_big(self):
        """/big/BYTES"""
        size = int(self.path.split("/")[2])
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        piece = bytes(range(256)) * 256
        for at in range(0, size, len(piece)):
            self.wfile.write(piece[:size - at])

    def on_half(self):
        """Two million bytes; at the first time half of them, then silence."""
        first = not self.server.halved
        self.server.halved = True
        self.send_response(200)
        self.send_header("Content-Length", "2000000")
        self.end_headers()
        self.wfile.write(b"x" * 1000000)
        if first:
            self.on_silent()
        else:
            self.wfile.write(b"x" * 1000000)

    def on_cut(self):
        """Announces more than it sends."""
        self.send_response(200)
        self.send_header("Content-Length", "2000000")
        self.end_headers()
        self.wfile.write(b"x" * 1000000)
        self.close_connection = True


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, handler=Handler, certificate=None):
        super().__init__(("127.0.0.1", 0), handler)
        self.seen = []
        self.sent = 0
        self.halved = False
        self.ended = threading.Event()
        self.silent = threading.Semaphore(0)
        self.tls_errors = []
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        self.host = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"{self.scheme}://{self.host}"
        threading.Thread(target=self.serve_forever, args=(0.05,),
                         daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def finish_request(self, request, client_address):
        if self.scheme == "https":
            try:
                request.do_handshake()
            except ssl.SSLError as error:
                self.tls_errors.append(str(error))
                self.ended.set()
                return
        super().finish_request(request, client_address)

    def close(self):
        self.ended.set()
        self.shutdown()
        self.server_close()


def self_signed(folder):
    """A certificate and its key, in one file."""
    path = folder / "self_signed.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-days", "2",
         "-keyout", path, "-out", folder / "certificate.pem"],
        check=True, capture_output=True)
    with path.open("ab") as file:
        file.write((folder / "certificate.pem").read_bytes())
    return path
