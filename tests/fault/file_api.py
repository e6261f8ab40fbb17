"""The raw Bot API server with files: takes uploads of any size without
keeping them, and hands out downloads as a test says."""
import email.parser
import email.policy
import hashlib
import socket

from fault import raw_api

KEPT = 1 << 20  # bytes of an upload's body that are kept
BLOCK = 1 << 16


class Upload:
    """A body that was read: its parts, if it is small enough."""

    def __init__(self, path, kind, length):
        self.method = path.rsplit("/", 1)[1]
        self.kind, self.length = kind, length
        self.got, self.kept = 0, b""
        self.digest = hashlib.sha256()

    def take(self, data):
        self.got += len(data)
        self.digest.update(data)
        self.kept += data[:KEPT - len(self.kept)]

    @property
    def whole(self):
        return self.got == self.length

    def parts(self):
        """[(name, file name or None, bytes)] in order."""
        assert self.got == self.length <= KEPT
        text = b"Content-Type: " + self.kind.encode() + b"\r\n\r\n"
        message = email.parser.BytesParser(policy=email.policy.HTTP) \
            .parsebytes(text + self.kept)
        return [(part.get_param("name", header="content-disposition"),
                 part.get_filename(), part.get_payload(decode=True))
                for part in message.iter_parts()]

    def part(self, name):
        return next(p for p in self.parts() if p[0] == name)


class FileApi(raw_api.RawApi):
    """`serve` says what a GET of a file gets: a function of the socket and
    the request's headers, one a request, the last for all further ones.
    `reading` is called with each upload and its socket before its body is
    read, and says whether to go on."""

    def __init__(self):
        self.uploads, self.gets, self.servers = [], [], []
        self.reading = lambda upload, peer: True
        super().__init__()

    def file(self, size, path="documents/file_1.pdf", **more):
        self.plan_all("getFile", {"file_id": "F", "file_unique_id": "UNIQ",
                                  "file_path": path, "file_size": size,
                                  **more})

    def serve(self, *servers):
        self.servers = list(servers)

    def _serve(self, peer, number):
        stream = peer.makefile("rb", buffering=BLOCK)
        try:
            while self._one(peer, stream, number):
                pass
        except (OSError, ValueError):
            pass
        finally:
            peer.close()

    def _one(self, peer, stream, number):
        first = stream.readline().decode().split()
        if len(first) < 2:
            return False
        headers = {}
        while (line := stream.readline().strip().decode()):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if first[0] == "GET":
            return self._get(peer, first[1], headers)
        length = int(headers.get("content-length", 0))
        kind = headers.get("content-type", "")
        if kind.startswith("multipart/"):
            request = self._upload(peer, stream,
                                   Upload(first[1], kind, length))
            if request is None:
                return False
        else:
            body = stream.read(length)
            request = raw_api.Request(first[1], body, number)
        answer = self._take(request)
        for part in answer if isinstance(answer, tuple) else (answer,):
            if part is raw_api.CLOSE:
                peer.shutdown(socket.SHUT_RDWR)
                return False
            if part is not raw_api.SILENT:
                peer.sendall(part)
        return True

    def _upload(self, peer, stream, upload):
        with self.changed:
            self.uploads.append(upload)
            self.changed.notify_all()
        if not self.reading(upload, peer):
            peer.shutdown(socket.SHUT_RDWR)
            return None
        while not upload.whole:
            data = stream.read1(min(BLOCK, upload.length - upload.got))
            if not data:
                break
            upload.take(data)
        with self.changed:
            self.changed.notify_all()
        upload.params = {}
        upload.connection = 0
        return upload if upload.whole else None

    def _get(self, peer, path, headers):
        with self.changed:
            self.gets.append((path, headers))
            self.changed.notify_all()
            server = (self.servers.pop(0) if len(self.servers) > 1
                      else self.servers[0])
        return server(peer, headers) is not raw_api.CLOSE


def head(status, length=None, *more):
    rows = [f"HTTP/1.1 {status} Reason",
            "Content-Type: application/octet-stream", *more]
    if length is not None:
        rows.append(f"Content-Length: {length}")
    return "\r\n".join([*rows, "", ""]).encode()


def range_start(headers):
    value = headers.get("range")
    return int(value.removeprefix("bytes=").removesuffix("-")) if value else 0


def whole(content):
    """The file, or the rest of it that was asked for."""
    def server(peer, headers):
        start, size = range_start(headers), len(content)
        more = [f"Content-Range: bytes {start}-{size - 1}/{size}"]
        peer.sendall(head(206, size - start, *more) if start
                     else head(200, size))
        peer.sendall(content[start:])
    return server


def broken(content, sent):
    """Announces the rest, sends so many bytes of it and closes."""
    def server(peer, headers):
        start, size = range_start(headers), len(content)
        more = [f"Content-Range: bytes {start}-{size - 1}/{size}"]
        peer.sendall(head(206, size - start, *more) if start
                     else head(200, size))
        peer.sendall(content[start:start + sent])
        peer.shutdown(socket.SHUT_RDWR)
        return raw_api.CLOSE
    return server


def fixed(answer):
    """The same bytes for everybody, then the end."""
    def server(peer, headers):
        peer.sendall(answer)
        peer.shutdown(socket.SHUT_RDWR)
        return raw_api.CLOSE
    return server


def rss(process):
    """Resident memory of a child, in bytes."""
    with open(f"/proc/{process.child.pid}/status", encoding="ascii") as rows:
        for row in rows:
            if row.startswith("VmRSS:"):
                return int(row.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def message(kind, **fields):
    """The Message that a send returns."""
    content = {"file_id": f"id-of-{kind}", "file_unique_id": "u"}
    return {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"},
            kind: [content] if kind == "photo" else content, **fields}
