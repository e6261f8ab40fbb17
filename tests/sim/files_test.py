"""Files over sockets: uploads of any size and shape, downloads by the link
that getFile gives, faults of both, and what the simulator keeps of them.
"""
import hashlib
import http.client
import json
import os
import random
import socket

import harness
import pytest

BOT = "/bot77:TOKEN"
MIB = 1024 * 1024
RSS_MAX = 96 * MIB  # far less than what is sent


def part(name, content, file=None, kind=None):
    head = f'Content-Disposition: form-data; name="{name}"'
    head += f'; filename="{file}"' if file is not None else ""
    head += f"\r\nContent-Type: {kind}" if kind else ""
    return head.encode() + b"\r\n\r\n" + content


def body_of(*parts, mark=b"xyz"):
    lines = b"".join(b"--" + mark + b"\r\n" + p + b"\r\n" for p in parts)
    return lines + b"--" + mark + b"--\r\n"


class Files:
    """A person of the simulator, and a bot that sends to them."""

    def __init__(self, sim):
        self.sim = sim
        self.ann = sim.user("Ann")["id"]

    def post(self, method, *parts, mark=b"xyz", **headers):
        kind = f"multipart/form-data; boundary={mark.decode()}"
        return self.sim.request(
            "POST", f"{BOT}/{method}",
            body_of(part("chat_id", str(self.ann).encode()), *parts,
                    mark=mark), {"Content-Type": kind, **headers})

    def send(self, method, *parts, **more):
        status, body = self.post(method, *parts, **more)
        assert status == 200, body
        return json.loads(body)["result"]

    def document(self, content, name="a.bin"):
        return self.send("sendDocument",
                         part("document", content, name))["document"]

    def call(self, method, status=200, **params):
        got, body = self.sim.request("POST", f"{BOT}/{method}",
                                     json.dumps(params))
        assert got == status, body
        return json.loads(body)

    def path(self, file_id):
        return self.call("getFile", file_id=file_id)["result"]["file_path"]

    def get(self, path, verb="GET", **headers):
        """Status, headers and body."""
        link = http.client.HTTPConnection(self.sim.host, self.sim.port,
                                          timeout=harness.LIMIT)
        link.request(verb, f"/file{BOT}/{path}", headers=headers)
        answer = link.getresponse()
        content = answer.read()
        link.close()
        return answer.status, answer.headers, content

    def fault(self, mode, method, **more):
        self.sim.sim("POST", "/sim/faults",
                     {"mode": mode, "method": method, "count": 1, **more})


@pytest.fixture
def files(sim):
    return Files(sim)


def rss(process):
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


def slices(size, seed):
    """Bytes that no compression or pattern could hold, a piece at a time."""
    chance = random.Random(seed)
    while size > 0:
        size -= (take := min(size, MIB))
        yield chance.randbytes(take)


@pytest.fixture
def lean(monkeypatch):
    """A simulator whose sanitizer does not keep what has been freed."""
    monkeypatch.setenv("ASAN_OPTIONS", ":".join(filter(None, [
        os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=8"])))
    sim = harness.Sim()
    yield Files(sim)
    sim.close()


@pytest.mark.parametrize("chunked", [False, True])
def test_200_mib_pass_through_and_come_back(lean, chunked):
    files = lean
    size = 200 * MIB
    head = body_of(part("chat_id", str(files.ann).encode())).removesuffix(
        b"--xyz--\r\n") + b"--xyz\r\n" + part("document", b"", "big.bin")
    tail = b"\r\n--xyz--\r\n"
    sent = hashlib.sha256()

    def whole():
        yield head
        for piece in slices(size, 1):
            sent.update(piece)
            yield piece
        yield tail

    link = http.client.HTTPConnection(files.sim.host, files.sim.port,
                                      timeout=harness.LIMIT)
    headers = {"Content-Type": "multipart/form-data; boundary=xyz"}
    if not chunked:
        headers["Content-Length"] = str(len(head) + size + len(tail))
    link.request("POST", f"{BOT}/sendDocument", whole(), headers,
                 encode_chunked=chunked)
    answer = link.getresponse()
    document = json.loads(answer.read())["result"]["document"]
    link.close()
    assert (document["file_name"], document["file_size"]) == ("big.bin", size)
    link = http.client.HTTPConnection(files.sim.host, files.sim.port,
                                      timeout=harness.LIMIT)
    link.request("GET", f"/file{BOT}/{files.path(document['file_id'])}")
    answer = link.getresponse()
    got = hashlib.sha256()
    while piece := answer.read(MIB):
        got.update(piece)
    link.close()
    assert got.digest() == sent.digest()
    assert rss(files.sim.process.child) < RSS_MAX


def test_parts_of_all_shapes(files):
    """Order, quotes, other headers, long marks, names in other scripts."""
    mark = b"-" * 40 + b"0123456789"
    first, second = files.send(
        "sendMediaGroup",
        part("b", b"two\r\n--not the mark", "\u00fc \u65e5.txt", "text/plain"),
        part("media", json.dumps([
            {"type": "document", "media": "attach://a",
             "thumbnail": "attach://small"},
            {"type": "document", "media": "attach://b", "caption": "c"},
        ]).encode(), kind="application/json"),
        part("small", b"tiny", "t.jpg"),
        b"Content-Type: x/y\r\nX-More: z\r\n"
        b"content-disposition: form-data; filename=a.txt; name=a\r\n\r\none",
        mark=mark)
    assert first["document"]["file_name"] == "a.txt"
    assert first["document"]["thumbnail"]["file_size"] == 4
    assert second["document"]["file_name"] == "\u00fc \u65e5.txt"
    assert second["caption"] == "c"
    assert first["media_group_id"] == second["media_group_id"]
    for document, content in ((first, b"one"),
                              (second, b"two\r\n--not the mark")):
        path = files.path(document["document"]["file_id"])
        assert files.get(path)[2] == content


def test_a_body_in_pieces_is_the_same(files):
    """A byte a packet around the marks, on one connection twice."""
    body = body_of(part("chat_id", str(files.ann).encode()),
                   part("document", b"\r\n--xy\r\n", "a"))
    with socket.create_connection((files.sim.host, files.sim.port),
                                  harness.LIMIT) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):
            link.sendall(
                f"POST {BOT}/sendDocument HTTP/1.1\r\nHost: x\r\n"
                "Content-Type: multipart/form-data; boundary=xyz\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode())
            for at in range(len(body)):
                link.sendall(body[at:at + 1])
            answer = http.client.HTTPResponse(link)
            answer.begin()
            assert json.loads(answer.read())["result"]["document"][
                "file_size"] == 8


def test_ranges_and_heads(files):
    content = bytes(range(256)) * 4096  # 1 MiB, on the disk
    path = files.path(files.document(content, "x.PDF")["file_id"])
    status, headers, got = files.get(path)
    assert (status, got) == (200, content)
    assert headers["Content-Type"] == "application/pdf"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"] == "attachment"
    status, headers, got = files.get(path, "HEAD")
    assert (status, headers["Content-Length"], got) == (
        200, str(len(content)), b"")
    status, headers, got = files.get(path, Range="bytes=1000000-")
    assert (status, got) == (206, content[1000000:])
    assert headers["Content-Range"] == "bytes 1000000-1048575/1048576"
    status, headers, got = files.get(path, Range="bytes=1048576-")
    assert (status, headers["Content-Range"]) == (416, "bytes */1048576")


def test_a_link_ends_after_an_hour_until_it_is_asked_for_again():
    sim = harness.Sim("--virtual-clock")
    files = Files(sim)
    file_id = files.document(b"abc")["file_id"]
    path = files.path(file_id)
    sim.sim("POST", "/sim/clock", {"advance": 3590})
    assert files.get(path)[2] == b"abc"
    sim.sim("POST", "/sim/clock", {"advance": 20})
    status, _, body = files.get(path)
    assert status == 404 and json.loads(body) == {
        "ok": False, "error_code": 404, "description": "Not Found"}
    assert files.path(file_id) == path
    assert files.get(path)[2] == b"abc"
    sim.close()


def test_two_gigabytes_that_nobody_stored(files):
    size = 2_000_000_000
    sent = files.sim.sim("POST", "/sim/send", {
        "from": files.ann, "document": {"name": "big", "size": size}})
    path = files.path(sent["document"]["file_id"])
    status, headers, _ = files.get(path, "HEAD")
    assert (status, headers["Content-Length"]) == (200, str(size))
    assert len(files.get(path, Range=f"bytes={size - 10}-")[2]) == 10


def no_answer(call):
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        call()


MODES = ["429", "500", "502html", "cut_before", "cut_after", "slow"]


@pytest.mark.parametrize("mode", MODES)
def test_faults_of_uploads(files, mode):
    """The body is read in every case: a client that sends it all before it
    looks for an answer is not cut within."""
    content = b"x" * (3 * MIB)
    files.fault(mode, "sendDocument", retry_after=5, seconds=0.01)

    def send():
        return files.post("sendDocument", part("document", content, "a"))
    if mode.startswith("cut"):
        no_answer(send)
    else:
        status, body = send()
        assert status == {"429": 429, "500": 500, "502html": 502,
                          "slow": 200}[mode]
        if mode == "429":
            assert json.loads(body)["parameters"] == {"retry_after": 5}
    row = files.sim.calls("sendDocument")[-1]
    assert row["params"]["document"] == {"file_name": "a",
                                         "size": len(content)}
    assert row["fault"] == mode
    assert row["status"] == (0 if mode.startswith("cut") else status)
    shown = files.sim.sim("GET", f"/sim/chats/{files.ann}/messages")
    assert len(shown) == (mode in ("cut_after", "slow"))


@pytest.mark.parametrize("mode", MODES)
def test_faults_of_downloads(files, mode):
    content = b"y" * (3 * MIB)
    path = files.path(files.document(content)["file_id"])
    files.fault(mode, "file", retry_after=5, seconds=0.01)
    if mode == "cut_after":
        with pytest.raises(http.client.IncompleteRead) as cut:
            files.get(path)
        assert 0 < len(cut.value.partial) < len(content)
        assert content.startswith(cut.value.partial)
    elif mode == "cut_before":
        no_answer(lambda: files.get(path))
    else:
        status, headers, got = files.get(path)
        assert status == {"429": 429, "500": 500, "502html": 502,
                          "slow": 200}[mode]
        assert headers.get("Retry-After") == ("5" if mode == "429" else None)
        assert (got == content) == (mode == "slow")
    row = files.sim.calls("file")[-1]
    assert (row["fault"], row["params"]) == (mode, {"path": path})
    assert files.get(path)[2] == content


@pytest.mark.parametrize("mode", ["429", "500", "cut_before", "cut_after"])
def test_faults_of_get_file(files, mode):
    file_id = files.document(b"z")["file_id"]
    files.fault(mode, "getFile")
    if mode.startswith("cut"):
        no_answer(lambda: files.call("getFile", file_id=file_id))
    else:
        files.call("getFile", int(mode), file_id=file_id)
    assert files.sim.calls("getFile")[-1]["fault"] == mode


def test_the_public_servers_limits(files):
    small = files.document(b"12345")
    files.sim.limits(upload_max=5, download_max=4)
    status, body = files.post("sendDocument", part("document", b"123456", "a"))
    assert (status, json.loads(body)["description"]) == (
        413, "Request Entity Too Large")
    files.document(b"12345")
    answer = files.call("getFile", 400, file_id=small["file_id"])
    assert answer["description"] == "Bad Request: file is too big"


def test_an_upload_that_breaks_off_leaves_nothing(files):
    head = (f"POST {BOT}/sendDocument HTTP/1.1\r\nHost: x\r\nContent-Type: "
            "multipart/form-data; boundary=xyz\r\nContent-Length: 99999999"
            "\r\n\r\n--xyz\r\n").encode() + part("document", b"", "a")
    for _ in range(20):
        with socket.create_connection((files.sim.host, files.sim.port),
                                      harness.LIMIT) as link:
            link.sendall(head + b"x" * MIB)
    assert files.document(b"still here")["file_size"] == 10
    assert len(files.sim.calls("sendDocument")) == 1


def test_a_certificate_may_be_uploaded(files):
    files.send("setWebhook", part("url", b"http://127.0.0.1:1/"),
               part("certificate", b"-----BEGIN", "c.pem"))
    assert files.call("getWebhookInfo")["result"]["has_custom_certificate"]
    files.call("deleteWebhook")
