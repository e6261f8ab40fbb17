"""Files between Telegram and the disk when the server or the line misbehaves:
what is not whole leaves nothing, nothing is sent twice, the rest of the bot
goes on."""
import json
import os
import threading

import pytest

from fault import file_api
from fault.file_api import broken, fixed, head, message, whole
from fault.raw_api import CLOSE, failed, http, ok
from fault.small_disk import SmallDisk

import harness

# A text is Lua code; the log gets what it returns or raises.
BOT = """
local bot = require "moonlet.bot"
local json = require "moonlet.json"
local log = require "moonlet.log"
bot.on("message:text", function(ctx)
  local text = ctx.message.text
  local code = assert(load("local ctx = ...; " .. text))
  local done, result = pcall(code, ctx)
  local err = done and {} or result
  log.info("outcome", { text = text, done = tostring(done),
    kind = err.kind or "", error = tostring(err.message or ""),
    leaks = tostring((tostring(err.message)):find("TOKEN") ~= nil),
    result = done and json.encode(result) or "" })
end)
"""
PATH = "documents/file_1.pdf"
DOWNLOAD = 'return ctx:download("F", { to = "in" })'
SEND = 'return ctx:upload_document("r.bin", { path = "out/r.bin" })'


@pytest.fixture
def api():
    server = file_api.FileApi()
    yield server
    server.close()


@pytest.fixture
def bot(api, engine):
    def make(**settings):
        settings.setdefault("RETRY_BACKOFF_BASE", 1)
        settings.setdefault("MAX_RETRIES", 3)
        instance = engine(BOT, **settings)
        instance.api_url = api.url
        instance.start()
        return instance
    return make


def files(bot):
    folder = bot.folder / "data" / "files"
    folder.mkdir(exist_ok=True)
    return folder


def put(bot, name, content):
    path = files(bot) / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def outcome(api, bot, text):
    start = len(bot.process.lines)
    api.deliver(text)
    row = bot.wait_event("outcome", text=text, start=start)
    # Links hold the token, so nothing may show them; the log cuts it out.
    assert row["leaks"] == "false", row
    assert harness.TOKEN not in "\n".join(bot.process.lines)
    return row


def left(bot):
    """Every file below DATA_DIR/files."""
    return sorted(str(p.relative_to(files(bot)))
                  for p in files(bot).rglob("*") if p.is_file())


def content_of(size):
    return bytes(i * 7 % 251 for i in range(size))


# downloads

def downloaded(api, bot, content):
    row = outcome(api, bot, DOWNLOAD)
    assert row["done"] == "true", row
    assert json.loads(row["result"]) == {
        "path": "in/UNIQ.pdf", "size": len(content), "name": "UNIQ.pdf"}
    assert (files(bot) / "in" / "UNIQ.pdf").read_bytes() == content
    assert left(bot) == ["in/UNIQ.pdf"]


def refused(api, bot, kind, words):
    row = outcome(api, bot, DOWNLOAD)
    assert (row["done"], row["kind"]) == ("false", kind), row
    assert words in row["error"], row
    assert left(bot) == []


def test_a_file_comes_whole(api, bot):
    content = content_of(700_000)
    api.file(len(content))
    api.serve(whole(content))
    downloaded(api, bot(), content)
    assert api.gets[0][0] == f"/file/bot{harness.TOKEN}/{PATH}"


def test_a_transfer_that_stops_half_way_is_resumed(api, bot):
    content = content_of(700_000)
    api.file(len(content))
    api.serve(broken(content, 300_000), broken(content, 100_000),
              whole(content))
    downloaded(api, bot(), content)
    ranges = [headers.get("range") for _, headers in api.gets]
    assert ranges == [None, "bytes=300000-", "bytes=400000-"]
    assert len(api.of("getFile")) == 1


def test_a_server_without_ranges_begins_anew(api, bot):
    content = content_of(500_000)
    api.file(len(content))
    api.serve(broken(content, 300_000),
              fixed(head(200, len(content)) + content))
    downloaded(api, bot(), content)


def test_another_part_than_was_asked_for_is_not_taken(api, bot):
    content = content_of(500_000)
    api.file(len(content))
    api.serve(broken(content, 300_000),
              fixed(head(206, 400_000, "Content-Range: bytes 100000-499999"
                         "/500000") + content[100_000:]),
              whole(content))
    downloaded(api, bot(), content)
    assert "range" not in api.gets[2][1]


@pytest.mark.parametrize("part", [
    "1000--9223372036854775808/-9223372036854775807",
    "1000-9223372036854775807/-9223372036854775808",
    "1000-99999999999999999999/99999999999999999999"])
def test_a_part_of_no_file_is_not_taken(api, bot, part):
    content = content_of(2000)
    api.file(0)
    api.serve(broken(content, 1000),
              fixed(head(206, 1000, "Content-Range: bytes " + part)
                    + content[1000:]))
    refused(api, bot(), "http", "did not succeed in 4 tries")


def test_a_server_that_always_breaks_off_is_given_up(api, bot):
    api.file(500_000)
    api.serve(broken(content_of(500_000), 1000))
    refused(api, bot(), "http", "did not succeed in 4 tries")
    assert len(api.gets) == 4


def test_a_length_that_differs_from_getfile_is_an_error(api, bot):
    engine = bot()
    content = content_of(5000)
    api.file(6000)
    api.serve(whole(content))
    refused(api, engine, "http", "sends 5000 bytes of a file that has 6000")
    # Nothing announced: what comes is counted.
    api.file(4000)
    api.serve(fixed(head(200) + content))
    refused(api, engine, "http", "more than the 4000 bytes")
    api.file(6000)
    refused(api, engine, "http", "ended after 5000 of 6000 bytes")


def test_a_page_is_no_file(api, bot):
    page = b"<html>Welcome to this network</html>"
    api.file(len(page))
    api.serve(fixed(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(page) + page))
    engine = bot()
    refused(api, engine, "http", "a page (HTML)")
    api.serve(fixed(head(500, 0)))
    refused(api, engine, "http", "HTTP 500")


def test_an_expired_link_is_asked_for_again_once(api, bot):
    content = content_of(3000)
    api.file(len(content))
    api.serve(fixed(head(404, 0)), whole(content))
    engine = bot()
    downloaded(api, engine, content)
    assert len(api.of("getFile")) == 2
    (files(engine) / "in" / "UNIQ.pdf").unlink()
    api.serve(fixed(head(404, 0)))
    refused(api, engine, "http", "HTTP 404")
    assert len(api.of("getFile")) == 4


def test_a_drip_ends_with_the_limit_of_the_whole(api, bot):
    stop = threading.Event()

    def drip(peer, _):
        peer.sendall(head(200, 1000))
        while not stop.wait(0.3):
            peer.sendall(b"x")

    api.file(1000)
    api.serve(drip)
    refused(api, bot(FILE_DOWNLOAD_TIMEOUT="1"), "timeout", "within 1 s")
    stop.set()


def test_a_silent_line_is_given_up_and_resumed(api, bot):
    content = content_of(9000)
    stop = threading.Event()

    def silent(peer, _):
        peer.sendall(head(200, len(content)) + content[:4000])
        stop.wait(harness.LIMIT)
        return CLOSE

    api.file(len(content))
    api.serve(silent, whole(content))
    downloaded(api, bot(TRANSFER_STALL_TIMEOUT="1"), content)
    stop.set()
    assert api.gets[1][1]["range"] == "bytes=4000-"


def test_what_a_death_leaves_is_swept_at_the_next_start(api, bot):
    content = content_of(900_000)
    stop = threading.Event()

    def half(peer, _):
        peer.sendall(head(200, len(content)) + content[:600_000])
        stop.wait(harness.LIMIT)
        return CLOSE

    api.file(len(content))
    api.serve(half)
    engine = bot()
    api.deliver(DOWNLOAD)
    api.wait_for(lambda: api.gets, "a GET")
    own = files(engine) / ".moonlet"
    while not left(engine):
        pass
    engine.kill()
    assert left(engine) and not (files(engine) / "in").exists()
    (own / "stream-99").write_bytes(b"of an earlier death")
    api.serve(whole(content))
    engine.start(wait=False)
    engine.wait_event("outcome")
    stop.set()
    assert left(engine) == ["in/UNIQ.pdf"] and own.is_dir()


def test_a_local_servers_file_is_copied(api, bot, tmp_path):
    """Its folder has the token's name, which no error may show."""
    content = content_of(600_000)
    folder = tmp_path / harness.TOKEN
    folder.mkdir()
    (folder / "doc.pdf").write_bytes(content)
    api.file(len(content), path=str(folder / "doc.pdf"))
    api.serve(fixed(head(404, 0)))
    engine = bot()
    downloaded(api, engine, content)
    assert api.gets == []
    (files(engine) / "in" / "UNIQ.pdf").unlink()
    (folder / "doc.pdf").unlink()
    refused(api, engine, "http", "HTTP 404")


def test_names_from_the_network_are_no_paths(api, bot):
    content = b"text"
    api.file(len(content), path="x/../y")
    api.serve(whole(content))
    engine = bot()
    refused(api, engine, "http", "..")
    api.file(len(content), path="d/f", file_unique_id="../../etc/x")
    row = outcome(api, engine, 'return ctx:download({ file_id = "F", '
                  'file_name = "../../a\\nb.SH", file_size = 4 })')
    assert json.loads(row["result"]) == {
        "path": "etcx.sh", "size": 4, "name": "a_b.SH"}
    row = outcome(api, engine, 'return ctx:download("F", { max_size = 3 })')
    assert (row["done"], row["kind"]) == ("false", "limit")


def test_a_full_disk_ends_a_download_and_leaves_nothing(api, bot, tmp_path):
    """Also one of moonlet.http; with room again both go well, and a file that
    is there stays until the new one is whole."""
    content = content_of(900_000)
    engine = bot()
    disk = SmallDisk(engine.folder / "data" / "files", "1m")
    try:
        put(engine, "in/UNIQ.pdf", b"the old one")
        api.file(len(content))
        api.serve(whole(content))
        by_http = ('return require "moonlet.http".get('
                   f'"{api.url}/any", {{ to = "in/UNIQ.pdf" }}).size')
        disk.fill()
        for code in (DOWNLOAD, by_http):
            row = outcome(api, engine, code)
            assert (row["done"], row["kind"]) == ("false", "fs"), row
            assert "in/UNIQ.pdf: No space left on device" in row["error"]
            disk.empty()
            assert left(engine) == ["in/UNIQ.pdf"]
            assert (files(engine) / "in/UNIQ.pdf").read_bytes() \
                == b"the old one"
            disk.fill()
        disk.empty()
        for code in (DOWNLOAD, by_http):
            assert outcome(api, engine, code + " -- again")["done"] == "true"
            assert (files(engine) / "in/UNIQ.pdf").read_bytes() == content
            put(engine, "in/UNIQ.pdf", b"")
        engine.stop()
    finally:
        disk.close()


def test_two_downloads_of_one_file_at_once(api, bot):
    content = content_of(700_000)
    both = threading.Barrier(2, timeout=harness.LIMIT)

    def together(peer, headers):
        both.wait()
        whole(content)(peer, headers)

    api.file(len(content))
    api.serve(together)
    engine = bot()
    row = outcome(api, engine, """
      local task = require "moonlet.task"
      local get = function() return ctx:download("F", { to = "in" }).path end
      local one, other = task.spawn(get), task.spawn(get)
      return task.join(one) .. task.join(other)""")
    assert row["result"] == '"in/UNIQ.pdfin/UNIQ.pdf"', row
    assert left(engine) == ["in/UNIQ.pdf"]
    assert (files(engine) / "in" / "UNIQ.pdf").read_bytes() == content


# uploads

def test_a_file_is_sent_as_it_is_and_then_by_its_id(api, bot):
    content = content_of(300_000)
    api.plan_all("sendDocument", message("document"))
    engine = bot()
    put(engine, "out/r.bin", content)
    assert outcome(api, engine, SEND)["done"] == "true"
    assert api.uploads[0].parts() == [
        ("chat_id", None, b"7"), ("document", "r.bin", content)]
    assert outcome(api, engine, SEND)["done"] == "true"
    assert len(api.uploads) == 1
    assert api.of("sendDocument")[1].params == {
        "chat_id": 7, "document": "id-of-document"}
    # Telegram does not know it any more: sent anew, once.
    api.plan("sendDocument", failed(
        400, "Bad Request: wrong file identifier/HTTP URL specified"))
    assert outcome(api, engine, SEND)["done"] == "true"
    assert len(api.uploads) == 2
    put(engine, "out/r.bin", content + b"x")
    assert outcome(api, engine, SEND)["done"] == "true"
    assert api.uploads[2].part("document")[2] == content + b"x"
    # A name that people see, and a thumbnail, go with what is sent anew.
    for more in ('("s.bin", { path = "out/r.bin" })',
                 '("r.bin", { path = "out/r.bin" }, '
                 '{ thumbnail = { data = "t" } })'):
        code = "return ctx:upload_document" + more
        assert outcome(api, engine, code)["done"] == "true"
    assert api.uploads[3].part("document")[1] == "s.bin"
    assert api.uploads[4].part("thumbnail")[2] == b"t"
    assert len(api.uploads[4].parts()) == 3


def test_files_within_a_list_and_bytes(api, bot):
    api.plan_all("sendMediaGroup", [message("photo"), message("photo")])
    engine = bot()
    put(engine, "a.jpg", b"first")
    text = ('return ctx:send_album({ { type = "photo", media = { path = '
            '"a.jpg" } }, { type = "photo", caption = "c", media = { data = '
            '"second", name = \'b"\\r\\n.jpg\' } } })')
    assert outcome(api, engine, text)["done"] == "true"
    parts = api.uploads[0].parts()
    assert [p[0] for p in parts] == ["chat_id", "media", "file0", "file1"]
    assert json.loads(parts[1][2]) == [
        {"media": "attach://file0", "type": "photo"},
        {"caption": "c", "media": "attach://file1", "type": "photo"}]
    assert parts[2][1:] == ("a.jpg", b"first")
    assert parts[3][1:] == ("b___.jpg", b"second")
    # One of the two is known by now.
    assert outcome(api, engine, text)["done"] == "true"
    parts = api.uploads[1].parts()
    assert [p[0] for p in parts] == ["chat_id", "media", "file1"]
    assert json.loads(parts[1][2])[0]["media"] == "id-of-photo"


def test_a_missing_file_sends_nothing(api, bot):
    row = outcome(api, bot(), SEND)
    assert (row["kind"], row["error"]) == (
        "fs", "out/r.bin: No such file or directory")
    assert api.uploads == [] and api.of("sendDocument") == []


def test_a_file_that_changes_meanwhile_is_never_whole(api, bot):
    engine = bot()
    path = put(engine, "out/r.bin", bytes(8 << 20))
    stop = threading.Event()

    def wait(upload, peer):
        os.truncate(path, 5 << 20)
        return True

    api.reading = wait
    row = outcome(api, engine, SEND)
    stop.set()
    assert row["kind"] == "fs", row
    assert row["error"] == "out/r.bin: the file has changed while it was read"
    assert len(api.uploads) == 1 and not api.uploads[0].whole
    assert api.of("sendDocument") == []


def test_a_connection_that_ends_before_or_after_the_body(api, bot):
    engine = bot()
    put(engine, "out/r.bin", bytes(8 << 20))
    api.reading = lambda upload, peer: False
    assert outcome(api, engine, SEND)["kind"] == "unknown"
    assert len(api.uploads) == 1
    api.reading = lambda upload, peer: True
    api.plan("sendDocument", CLOSE)
    assert outcome(api, engine, SEND)["kind"] == "unknown"
    assert [u.whole for u in api.uploads] == [False, True]
    api.plan("sendDocument", ok(message("document")))
    assert outcome(api, engine, SEND)["done"] == "true"


def test_a_429_sends_the_file_once_more(api, bot):
    engine = bot()
    content = content_of(400_000)
    put(engine, "out/r.bin", content)
    api.plan("sendDocument", failed(429, "Too Many Requests: retry after 1",
                                    retry_after=1), ok(message("document")))
    assert outcome(api, engine, SEND)["done"] == "true"
    assert [u.part("document")[2] for u in api.uploads] == [content, content]


def test_a_chat_that_has_moved_gets_the_file(api, bot):
    engine = bot()
    put(engine, "out/r.bin", b"text")
    api.plan("sendDocument", failed(
        400, "Bad Request: group chat was upgraded to a supergroup chat",
        migrate_to_chat_id=-1001234567890), ok(message("document")))
    assert outcome(api, engine, SEND)["done"] == "true"
    assert [u.part("chat_id")[2] for u in api.uploads] == [
        b"7", b"-1001234567890"]


def test_a_slow_upload_shows_an_action_and_tells_its_progress(api, bot):
    """The action fails, and nobody hears of it."""
    engine = bot()
    put(engine, "out/r.bin", bytes(8 << 20))
    api.plan_all("sendDocument", message("document"))
    api.plan("sendChatAction", failed(400, "Bad Request: no"))

    def wait(upload, peer):
        api.wait("sendChatAction", 1)
        return True

    api.reading = wait
    row = outcome(api, engine, 'local seen = {}; ctx:upload_document("r", { '
                  'path = "out/r.bin" }, { progress = function(done, total) '
                  'seen[#seen + 1] = { done, total } end }); return seen')
    seen = json.loads(row["result"])
    assert seen[-1] == [8 << 20, 8 << 20]
    assert 0 < seen[0][0] < 8 << 20 and len(seen) >= 2
    assert api.of("sendChatAction")[0].params == {
        "action": "upload_document", "chat_id": 7}


def test_an_answer_before_the_body_is_the_answer(api, bot):
    engine = bot()
    put(engine, "out/r.bin", bytes(8 << 20))

    def refuse(upload, peer):
        peer.sendall(http(413, "<html>too large</html>"))
        while peer.recv(1 << 16):
            pass
        return False

    api.reading = refuse
    row = outcome(api, engine, SEND)
    assert (row["kind"], len(api.uploads)) == ("api", 1), row
    assert "413" in row["error"]


def test_an_end_in_the_middle_leaves_nothing(api, bot):
    """The engine stops while one file comes and another goes."""
    stop = threading.Event()
    content = content_of(900_000)

    def half(peer, _):
        peer.sendall(head(200, len(content)) + content[:600_000])
        stop.wait(harness.LIMIT)
        return CLOSE

    def wait(upload, peer):
        stop.wait(harness.LIMIT)
        return False

    api.file(len(content))
    api.serve(half)
    api.reading = wait
    engine = bot(SHUTDOWN_TIMEOUT="0")
    put(engine, "out/r.bin", bytes(8 << 20))
    api.deliver(SEND)
    api.deliver(DOWNLOAD, user=8)
    api.wait_for(lambda: api.uploads and api.gets, "both")
    while len(left(engine)) < 2:
        pass
    engine.stop()
    stop.set()
    assert left(engine) == ["out/r.bin"]


# large ones

GIB = 1 << 30


def grown(process, before):
    return file_api.rss(process) - before


@pytest.mark.long
def test_a_gibibyte_costs_no_memory(api, bot, monkeypatch):
    """Up and down, while another chat is answered. What is freed must not be
    kept by the address sanitizer for its own purpose."""
    monkeypatch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "")
                       + ":quarantine_size_mb=1")
    engine = bot(FILE_DOWNLOAD_TIMEOUT="600", HANDLER_TIMEOUT="20m")
    path = put(engine, "out/r.bin", b"")
    os.truncate(path, GIB)
    api.plan_all("sendDocument", message("document"))
    assert outcome(api, engine, "return 1")["done"] == "true"
    before = file_api.rss(engine.process)
    most = []

    def zeros(peer, _):
        peer.sendall(head(200, GIB))
        block = bytes(1 << 20)
        for at in range(GIB >> 20):
            peer.sendall(block)
            if at == GIB >> 21:
                most.append(grown(engine.process, before))
                api.deliver("return 3", user=9)
                engine.wait_event("outcome", text="return 3")

    def half(upload, peer):
        def look():
            api.wait_for(lambda: upload.got > GIB // 2, "half", 300)
            most.append(grown(engine.process, before))
            api.deliver("return 2", user=8)
        threading.Thread(target=look, daemon=True).start()
        return True

    api.reading = half
    api.deliver(SEND)
    engine.wait_event("outcome", 300, text="return 2")
    row = engine.wait_event("outcome", 300, text=SEND)
    assert row["done"] == "true", row
    assert api.uploads[0].whole and api.uploads[0].length > GIB
    api.file(GIB)
    api.serve(zeros)
    api.deliver(DOWNLOAD)
    row = engine.wait_event("outcome", 300, text=DOWNLOAD)
    assert row["done"] == "true", row
    most.append(grown(engine.process, before))
    got = files(engine) / "in" / "UNIQ.pdf"
    assert got.stat().st_size == GIB
    got.unlink()
    assert len(most) == 3 and max(most) < 10 << 20, most
