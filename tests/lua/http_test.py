"""moonlet.http over sockets, against servers of the test: what a bot gets and
what it is protected from.

A case is a Lua function body that returns a text; the handler replies with
it, or with what it raised: "raised KIND RETRYABLE: MESSAGE". URL is the
server, HOST its name in errors.
"""
import http.client
import os
import re

import harness
import pytest
from lua.web_server import Handler, Server, self_signed

# With it the sanitizer keeps 256 MB of freed memory.
NO_QUARANTINE = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"

BOT = """
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local http = require "moonlet.http"
local task = require "moonlet.task"
bot.command("run", function(ctx)
  local ok, result = pcall(function()
%s
  end)
  if not ok then
    result = ("raised %%s %%s: %%s"):format(result.kind, result.retryable,
      result.message)
  end
  ctx:reply(tostring(result))
end)
bot.command("ping", function(ctx) ctx:reply("pong") end)
"""

ALL_BYTES = (
    "local bytes = {}\n"
    "for i = 0, 255 do bytes[i + 1] = string.char(i) end\n"
    "local text = table.concat(bytes):rep(1000)\n")

CASES = {
    "bytes come back as they were sent": (
        ALL_BYTES + "return http.post('URL/back', text).body == text",
        "true"),
    "the request as the server gets it": (
        "local r = http.post('URL/echo?a=1', nil, { json = { x = 1 },\n"
        "query = { b = 'ä' }, headers = { ['X-Own'] = 'y' } }):json()\n"
        "local h = r.headers\n"
        "return table.concat({ r.method, r.path, r.size, h['x-own'],\n"
        "h['content-type'], h['user-agent']:match('%a+'),\n"
        "tostring(h['accept-encoding']), h.host }, ' ')",
        "POST /echo?a=1&b=%C3%A4 7 y application/json moonlet nil HOST"),
    "user and password of the address": (
        "return http.get('http://u:p@HOST/echo'):json().headers.authorization",
        "Basic dTpw"),
    "each method by its name": (
        "local said = {}\n"
        "for _, method in ipairs{ 'GET', 'POST', 'PUT', 'PATCH',\n"
        "'DELETE' } do\n"
        "local body = method ~= 'GET' and 'four' or nil\n"
        "local r = http.request(method, 'URL/echo', { body = body }):json()\n"
        "said[#said + 1] = r.method .. r.size end\n"
        "local head = http.request('HEAD', 'URL/big/1000')\n"
        "return table.concat(said, ' ') .. ' ' .. head.status .. ' '\n"
        ".. #head.body .. ' ' .. head.headers['content-length']",
        "GET0 POST4 PUT4 PATCH4 DELETE4 200 0 1000"),
    "headers of one name": (
        "local h = http.get('URL/headers').headers\n"
        "return h['x-one'] .. ' / ' .. table.concat(h['set-cookie'], ' + ')",
        "a, b / p=1; Path=/ + q=2"),
    "any status": (
        "local said = {}\n"
        "for _, status in ipairs{ 204, 404, 429, 500, 503 } do\n"
        "local r = http.get('URL/status/' .. status)\n"
        "said[#said + 1] = r.status .. tostring(r.ok) end\n"
        "return table.concat(said, ' ')",
        "204true 404false 429false 500false 503false"),
    "redirects on the same host keep the key": (
        "local r = http.get('URL/to//to//echo',\n"
        "{ headers = { Authorization = 'key' } })\n"
        "return r.url .. ' ' .. r:json().headers.authorization",
        "URL/echo key"),
    "a redirect to another host does not": (
        "local r = http.get('URL/to/OTHER/echo', { headers = {\n"
        "Authorization = 'key', Cookie = 'c=1', ['X-Own'] = 'y' } })\n"
        "local h = r:json().headers\n"
        "return r.url .. ' ' .. tostring(h.authorization) .. ' '\n"
        ".. tostring(h.cookie) .. ' ' .. h['x-own']",
        "OTHER/echo nil nil y"),
    "nor does the way back from there": (
        "local r = http.get('URL/to/OTHER/to/URL/echo', { headers = {\n"
        "Authorization = 'key', Cookie = 'c=1', ['X-Own'] = 'y' } })\n"
        "local h = r:json().headers\n"
        "return r.url .. ' ' .. tostring(h.authorization) .. ' '\n"
        ".. tostring(h.cookie) .. ' ' .. h['x-own']",
        "URL/echo nil nil y"),
    "a POST is sent on as it was by 307, as a GET by 302": (
        "local function post(status)\n"
        "local r = http.post('URL/to//echo', 'four',\n"
        "{ headers = { ['X-Status'] = status } }):json()\n"
        "return r.method .. r.size end\n"
        "return post(307) .. ' ' .. post(302)",
        "POST4 GET0"),
    "redirects to what is no http are not followed": (
        "local r = http.get('URL/to/file:///etc/passwd')\n"
        "return r.status .. ' ' .. r.headers.location",
        "302 file:///etc/passwd"),
    "redirects in a circle": (
        "return http.get('URL/to//to//to//to//to//to//to//echo')",
        "raised limit false: HOST: over 5 redirects"),
    "an address that is none is not retryable": (
        "return http.get('http://HOST:1/echo')",
        "raised http false: HOST:1: the address is wrong"),
    "a server that drips meets the timeout": (
        "return http.get('URL/drip', { timeout = '400ms' })",
        "raised timeout true: HOST: timed out after 0.4 s"),
    "a POST that was heard is not retryable": (
        "return http.post('URL/silent', 'x', { timeout = '400ms' })",
        "raised timeout false: HOST: timed out after 0.4 s"),
    "an endless answer meets max_size": (
        "return http.get('URL/endless')",
        "raised limit false: HOST: the answer is over 8388608 bytes"),
    "an answer that nobody wanted packed stays so": (
        "local r = http.get('URL/packed/Content-Encoding')\n"
        "return r.headers['content-encoding'] .. ' '\n"
        ".. tostring(#r.body == tonumber(r.headers['content-length']))",
        "gzip true"),
    "what is unpacked on the way meets max_size": (
        "local ok, err = pcall(http.get, 'URL/packed/Transfer-Encoding')\n"
        "local ok, other = pcall(http.get, 'URL/packed/Transfer-Encoding',\n"
        "{ to = 'in/x', max_size = 20000000 })\n"
        "return err.message .. ' ' .. other.message",
        "HOST: the answer is over 8388608 bytes "
        "in/x: the answer is over 20000000 bytes"),
    "an endless answer for a file meets max_size": (
        "local ok, err = pcall(http.get, 'URL/endless', { to = 'in/x',\n"
        "max_size = 20000000 })\n"
        "return err.kind .. ' ' .. err.message .. ' '\n"
        ".. tostring(fs.stat('in'))",
        "limit in/x: the answer is over 20000000 bytes nil"),
    "an answer that breaks off": (
        "return http.get('URL/cut')",
        "raised http true: HOST: connection closed within the answer"),
    "a file is there when it is whole": (
        ALL_BYTES + "local r = http.get('URL/big/5000001', { to = 'a/b' })\n"
        "return r.path .. ' ' .. r.size .. ' '\n"
        ".. tostring(fs.read('a/b') == text:rep(20):sub(1, 5000001))",
        "a/b 5000001 true"),
    "and is not there when it is not": (
        "local ok, err = pcall(http.get, 'URL/cut', { to = 'a/b' })\n"
        "return err.kind .. ' ' .. tostring(fs.stat('a'))",
        "http nil"),
    "a file is sent": (
        ALL_BYTES + "fs.write('out', text)\n"
        "return http.request('PUT', 'URL/back', { from = 'out' }).body\n"
        "== text",
        "true"),
    "from a file into a file": (
        ALL_BYTES + "fs.write('out', text:rep(10))\n"
        "local r = http.post('URL/back', nil, { from = 'out', to = 'in' })\n"
        "return r.size .. tostring(fs.read('in') == text:rep(10))",
        "2560000true"),
}


@pytest.fixture
def server():
    instance = Server()
    yield instance
    instance.close()


def run(sim, engine, body, **settings):
    bot = engine(BOT % body, **settings).start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "/run")
    return bot, ann


def reply(sim, **more):
    return sim.wait_call("sendMessage", **more)["params"]["text"]


@pytest.mark.parametrize("name", CASES)
def test_rule(sim, engine, server, name):
    body, expected = CASES[name]
    other = Server()

    def filled(text):
        return (text.replace("URL", server.url).replace("HOST", server.host)
                .replace("OTHER", other.url))

    run(sim, engine, filled(body))
    assert reply(sim) == filled(expected)
    other.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(sim, engine,
                                                          tmp_path):
    server = Server(certificate=self_signed(tmp_path))
    run(sim, engine, f"return http.get('{server.url}/echo?key=sekret')")
    assert re.fullmatch(
        rf"raised http true: cannot connect to {server.host}: .*certificate.*",
        reply(sim))
    assert server.ended.wait(harness.LIMIT)
    assert "unknown ca" in server.tls_errors[0].lower().replace("_", " ")
    assert server.seen == []
    server.close()


def test_secrets_of_an_address_stay_out_of_errors_and_the_log(sim, engine,
                                                              server):
    gone = f"127.0.0.1:{harness.free_port()}"
    bot, _ = run(sim, engine, f"""
      for _, url in ipairs {{ "http://u:sekret@{gone}/sekret?k=sekret",
        "{server.url}/cut?k=sekret", "{server.url}/silent?k=sekret" }} do
        local ok, err = pcall(http.get, url, {{ timeout = "300ms" }})
        require "moonlet.errors".capture(err)
        ctx:reply(tostring(err))
      end
      http.get("http://u:sekret@{gone}/sekret?k=sekret")""")
    text = reply(sim, test=lambda c: "raised" in c["params"]["text"])
    assert text == f"raised http true: cannot connect to {gone}: " \
        "Connection refused"
    said = [c["params"]["text"] for c in sim.calls("sendMessage")]
    assert len(said) == 4 and "sekret" not in "".join(said)
    log = bot.stop()
    assert gone in log and server.host in log and "sekret" not in log


def test_an_endless_answer_is_cut_and_fills_no_memory(sim, engine, server):
    bot, _ = run(sim, engine, f"""
      http.get("{server.url}/big/1000")
      ctx:reply("before")
      task.sleep("100ms")
      local ok, err = pcall(http.get, "{server.url}/endless",
        {{ to = "x", max_size = 300000000 }})
      return err.kind""", ASAN_OPTIONS=NO_QUARANTINE)

    def peak():
        pid = bot.process.child.pid
        with open(f"/proc/{pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1])

    reply(sim, test=lambda c: c["params"]["text"] == "before")
    before = peak()
    assert reply(sim, test=lambda c: c["params"]["text"] == "limit")
    assert peak() - before < 64 * 1024
    assert server.ended.wait(harness.LIMIT)
    assert 300000000 <= server.sent < 340000000


def test_silent_servers_take_no_connection_from_telegram(sim, engine, server):
    _, ann = run(sim, engine, f"""
      for _ = 1, 100 do
        task.spawn(http.get, "{server.url}/silent", {{ timeout = "1h" }})
      end
      task.sleep("1h")""")
    for _ in range(64):
        assert server.silent.acquire(timeout=harness.LIMIT)
    sim.send(sim.user("Bob")["id"], "/ping")
    assert reply(sim) == "pong"
    assert len(server.seen) == 64


def test_a_death_within_a_download_leaves_no_half_file(sim, engine, server):
    bot, _ = run(sim, engine, f"""
      return http.get("{server.url}/half", {{ to = "in/film" }}).size""")
    assert server.silent.acquire(timeout=harness.LIMIT)
    film = bot.folder / "data" / "files" / "in" / "film"
    bot.kill()
    assert not film.exists()
    bot.start()
    assert reply(sim) == "2000000"
    assert film.read_bytes() == b"x" * 2000000
    assert list((bot.folder / "data" / "files" / ".moonlet").iterdir()) == []


class Proxy(Handler):
    """Knows Telegram, and one site that no name server knows."""

    def forward(self):
        body = self.body()
        self.server.seen.append((self.command, self.path))
        if self.path.startswith("http://site.invalid/"):
            self.answer(b"by proxy")
            return
        host = self.path.split("/")[2]
        peer = http.client.HTTPConnection(host, timeout=120)
        peer.request(self.command, "/" + self.path.split("/", 3)[3], body,
                     {"Content-Type": self.headers["Content-Type"]})
        answer = peer.getresponse()
        self.answer(answer.read(), answer.status)

    do_GET = do_POST = forward


def test_the_proxy_is_asked(sim, engine):
    proxy = Server(Proxy)
    run(sim, engine, "return http.get('http://site.invalid/x').body",
        HTTPS_PROXY=proxy.url)
    assert reply(sim) == "by proxy"
    assert ("GET", "http://site.invalid/x") in proxy.seen
    proxy.close()
