"""Outgoing HTTPS over sockets: who is trusted, and the way through a proxy.

A case is a Lua expression; the handler replies with its value, or with what
it raised: "raised KIND RETRYABLE: MESSAGE".
"""
import base64
import contextlib
import re
import socket
import threading

import harness
import pytest
from fault.authority import Authority
from lua.web_server import Handler, Server

BOT = """
local bot = require "moonlet.bot"
local http = require "moonlet.http"
bot.command("run", function(ctx)
  local ok, result = pcall(function() return %s end)
  if not ok then
    result = ("raised %%s %%s: %%s"):format(result.kind, result.retryable,
      result.message)
  end
  ctx:reply(tostring(result))
end)
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca") / "own")


@pytest.fixture(scope="module")
def good(authority):
    return authority.certificate("good", "DNS:site.test,IP:127.0.0.1")


@contextlib.contextmanager
def serving(certificate=None, handler=Handler):
    server = Server(handler, certificate)
    try:
        yield server
    finally:
        server.close()


def said(sim, engine, expression, **settings):
    """What the bot says of the expression, and the bot."""
    bot = engine(BOT % expression, **settings).start()
    sim.send(sim.user("Ann")["id"], "/run")
    return sim.wait_call("sendMessage")["params"]["text"], bot


def test_the_file_of_certificates_is_trusted(sim, engine, authority, good):
    with serving(good) as server:
        text, _ = said(sim, engine,
                       f"http.post('{server.url}/back', 'secret').body",
                       SSL_CERT_FILE=authority.file)
        assert (text, server.seen) == ("secret", [("POST", "/back")])


def test_a_connection_is_kept(sim, engine, authority, good):
    """What TLS says after the handshake (tickets) does not end it."""
    class Keeping(Handler):
        def on_echo(self):
            self.server.peers.add(self.client_address)
            self.answer()

    with serving(good, Keeping) as server:
        server.peers = set()
        body = (f"(function() for _ = 1, 5 do http.get('{server.url}/echo') "
                "require 'moonlet.task'.sleep('50ms') end end)()")
        said(sim, engine, body, SSL_CERT_FILE=authority.file)
        assert len(server.seen) == 5 and len(server.peers) == 1


def test_the_file_is_read_once(sim, engine, authority, good, tmp_path):
    """To read it for each connection would hold up the loop each time."""
    class Closing(Handler):
        def on_echo(self):
            (tmp_path / "ca.pem").unlink(missing_ok=True)
            self.answer(b"", 200, ("Connection", "close"))
            self.server.peers.add(self.client_address)

    (tmp_path / "ca.pem").write_bytes(authority.file.read_bytes())
    with serving(good, Closing) as server:
        server.peers = set()
        url = f"http.get('{server.url}/echo').status"
        text, _ = said(sim, engine, f"{url} .. {url} .. {url}",
                       SSL_CERT_FILE=tmp_path / "ca.pem")
        assert text == "200200200" and len(server.peers) == 3


def test_a_file_that_is_not_there_ends_the_start(engine):
    bot = engine("", SSL_CERT_FILE="own/ca.pem").start(wait=False)
    assert bot.process.wait() == 1
    assert bot.process.text() == (
        "moonlet: environment: SSL_CERT_FILE must be a file of certificates, "
        f'got "{bot.folder}/own/ca.pem": No such file or directory')


def test_in_place_of_those_of_the_system(sim, engine, authority, good,
                                         tmp_path):
    """A folder of certificates that libcurl would read besides is not."""
    other = Authority(tmp_path / "other")
    with serving(good) as server:
        text, _ = said(sim, engine, f"http.get('{server.url}/echo')",
                       SSL_CERT_FILE=other.file,
                       SSL_CERT_DIR=authority.folder)
        assert re.fullmatch(
            rf"raised http true: cannot connect to {server.host}: .*"
            "certificate.*", text)
        assert server.seen == []


def test_a_redirect_to_plain_http_takes_no_secrets_along(sim, engine,
                                                         authority, good):
    with serving(good) as server, serving() as plain:
        text, _ = said(
            sim, engine, f"""(function()
              local r = http.get("{server.url}/to/{plain.url}/echo", {{
                headers = {{ Authorization = "a", Cookie = "b", Own = "c" }} }})
              local h = r:json().headers
              return table.concat({{ r.url, tostring(h.authorization),
                tostring(h.cookie), h.own }}, " ") end)()""",
            SSL_CERT_FILE=authority.file)
        assert text == f"{plain.url}/echo nil nil c"


@pytest.mark.parametrize("alternatives, days, why", [
    ("DNS:other.test,IP:127.0.0.2", (-1, 1), "name"),
    ("IP:127.0.0.1", (-3, -1), "expired"),
    ("IP:127.0.0.1", (1, 2), "not yet valid"),
])
def test_a_certificate_that_is_wrong_is_refused(sim, engine, authority,
                                                alternatives, days, why):
    with serving(authority.certificate("bad", alternatives, days)) as server:
        text, _ = said(sim, engine,
                       f"http.get('{server.url}/echo?k=sekret')",
                       SSL_CERT_FILE=authority.file)
        assert text.startswith(
            f"raised http true: cannot connect to {server.host}: ")
        assert why in text and "sekret" not in text
        assert server.seen == []


def test_the_bot_api_too(authority, good, engine, tmp_path):
    """A server of one's own is trusted by the same file, by `check` too."""
    class Api(Handler):
        def do_GET(self):
            self.body()
            self.answer(b'{"ok":true,"result":{"id":4242,"is_bot":true,'
                        b'"first_name":"x","username":"own_bot"}}')

        do_POST = do_GET

    with serving(good, Api) as server:
        for file, code in ((authority.file, 0), ("", 1)):
            bot = engine("", BOT_API_URL=server.url, SSL_CERT_FILE=file)
            check = harness.Process(["check", "--connect"], cwd=bot.folder,
                                    env=bot.environment())
            assert check.wait() == code, check.text()
            assert ("@own_bot" in check.text()) == (code == 0)


class Proxy:
    """Opens tunnels to one address, whatever name they are for, unless
    `refusal` says what to answer instead; b"": it closes."""

    def __init__(self, target, refusal=None):
        self.target, self.refusal = target, refusal
        self.seen = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(peer,),
                                 daemon=True).start()

    def serve(self, peer):
        with peer, contextlib.suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += peer.recv(1) or b"\r\n\r\n"
            self.seen.append(head.decode())
            if self.refusal is not None:
                peer.sendall(self.refusal)
                return
            server = socket.create_connection(self.target)
            peer.sendall(b"HTTP/1.1 200 Opened\r\n\r\n")
            back = threading.Thread(target=pump, args=(server, peer))
            back.start()
            pump(peer, server)
            back.join()
            server.close()

    def close(self):
        self.listener.close()


def pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def by_proxy(proxy, authority, **more):
    """The simulator is asked without it."""
    return {"HTTPS_PROXY": proxy, "NO_PROXY": "other.test, 127.0.0.1",
            "SSL_CERT_FILE": authority.file, "RETRY_BACKOFF_BASE": 1, **more}


GET = "http.get('https://site.test:8443/echo?k=sekret').status"


def test_a_tunnel_through_the_proxy(sim, engine, authority, good):
    """The proxy gets to see the host and its own password alone; the
    certificate is that of the host."""
    with serving(good) as server:
        proxy = Proxy(server.server_address)
        text, bot = said(
            sim, engine, GET,
            **by_proxy(proxy.url.replace("//", "//me:pa%3Ass@"), authority))
        assert (text, server.seen) == ("200", [("GET", "/echo?k=sekret")])
        head, = proxy.seen
        assert head.startswith("CONNECT site.test:8443 HTTP/1.1\r\n")
        assert "sekret" not in head
        secret = base64.b64encode(b"me:pa:ss").decode()
        assert f"Proxy-Authorization: Basic {secret}\r\n" in head
        assert secret not in bot.stop()
        proxy.close()


def test_no_tunnel_makes_a_wrong_certificate_right(sim, engine, authority):
    with serving(authority.certificate("bad", "DNS:other.test")) as server:
        proxy = Proxy(server.server_address)
        text, _ = said(sim, engine, GET, **by_proxy(proxy.url, authority))
        assert text.startswith(
            "raised http true: cannot connect to site.test:8443: ")
        assert len(proxy.seen) == 1 and server.seen == []
        proxy.close()


@pytest.mark.parametrize("refusal, why", [
    (b"HTTP/1.1 407 Proxy Authentication Required\r\n"
     b"Proxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
     "the proxy refuses with status 407"),
    (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nnot so",
     "the proxy refuses with status 403"),
    (b"", "the proxy closed the connection"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "the proxy closed the connection"),
])
def test_a_proxy_that_refuses(sim, engine, authority, refusal, why):
    """Nothing was sent, so a POST may be repeated."""
    proxy = Proxy(None, refusal)
    text, _ = said(sim, engine,
                   "http.post('https://site.test:8443/x?k=sekret', 'b')",
                   **by_proxy(proxy.url, authority))
    assert text == f"raised http true: site.test:8443: {why}"
    assert len(proxy.seen) == 1
    proxy.close()


def test_hosts_that_need_no_proxy(sim, engine, authority, good):
    """Of moonlet.http and of the Bot API; by .env as by the environment."""
    with serving(good) as server:
        proxy = Proxy(None, b"")
        bot = engine(BOT % f"http.get('{server.url}/echo').status",
                     **by_proxy(proxy.url, authority, NO_PROXY=""))
        (bot.folder / ".env").write_text("NO_PROXY=127.0.0.0/8\n")
        bot.start()
        sim.send(sim.user("Ann")["id"], "/run")
        assert sim.wait_call("sendMessage")["params"]["text"] == "200"
        assert proxy.seen == []
        proxy.close()
