"""Every wait of every binding ends by its timeout and by a cancel, though
what it waits for never answers.

The operations are read from the sources: one that has no case here fails.
"""
import re
import signal
import socket
import subprocess
import threading

import harness
import pytest

from fault.raw_api import SILENT

OP = re.compile(r'\.op = "([\w.]+)"|\bOPS\("([\w.]+)"')

# Per file and operation: Lua that waits for ever, with LIMIT where its own timeout goes
# (nil for none). PEER is the address of a server that never answers.
CASES = {
    "api api": "api.getChat({ chat_id = 1 }, LIMIT and { timeout = LIMIT })",
    "upload api": "api.sendDocument({ chat_id = 1, document = { data = 'x' } },"
                  " { timeout = LIMIT, action = false })",
    "progress progress":
        "api.sendDocument({ chat_id = 1, document = { data = 'x' } },"
        " { timeout = LIMIT, action = false, progress = function() end })",
    "download download": "ctx:download('F', { timeout = LIMIT })",
    "http http.get": "http.get(PEER, { timeout = LIMIT })",
    "http http.post": "http.post(PEER, 'x', { timeout = LIMIT })",
    "http http.request": "http.request('PUT', PEER, { timeout = LIMIT })",
    "child task.join": "task.join(task.spawn(task.sleep, 1e6), LIMIT)",
    # Its duration is its limit: only the cancel is of interest.
    "task task.sleep": "task.sleep(LIMIT and 0 or 1e6)",
}
NO_TIMEOUT = {"task task.sleep"}
# Their timeout is DB_TIMEOUT; see the test of bot.db.
OF_THE_DATABASE = {f"state state.{name}"
                   for name in ("get", "put", "count", "move")}
# A folder that cannot be opened to the end, see HANG.
CASES |= {
    "fs fs.read": "fs.read('hang/x', { timeout = LIMIT })",
    "fs fs.write": "fs.write('hang/x', 'text', { timeout = LIMIT })",
    "fs fs.append": "fs.append('hang/x', 'text', { timeout = LIMIT })",
    "fs fs.list": "fs.list('hang', { timeout = LIMIT })",
    "fs fs.stat": "fs.stat('hang/x', { timeout = LIMIT })",
    "fs fs.remove": "fs.remove('hang/x', { timeout = LIMIT })",
    "fs fs.rename": "fs.rename('hang/x', 'hang/y', { timeout = LIMIT })",
    "fs fs.mkdir": "fs.mkdir('hang/x', { timeout = LIMIT })",
}

BOT = """
local bot = require "moonlet.bot"
local api = require "moonlet.api"
local fs = require "moonlet.fs"
local log = require "moonlet.log"
local task = require "moonlet.task"
local http = require "moonlet.http"
local PEER = "%s"

local function wait(LIMIT, ctx)
  return %s
end

bot.on("message:text", function(ctx)
  local ok, err = pcall(wait, "200ms", ctx)
  log.info("by_timeout", { ok = tostring(ok), kind = ok or err.kind })
  local child = task.spawn(wait, nil, ctx)
  task.sleep("200ms")
  child:cancel()
  ok, err = pcall(child.join, child, "20s")
  log.info("by_cancel", { ok = tostring(ok), kind = ok or err.kind })
end)
"""

# A file system that has gone away: what opens a folder "hang" waits, and so
# does what brings bot.db to the disk once there is a file "stuck".
HANG = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int fdatasync(int fd)
{
    static int (*real)(int);
    char link[64], path[1024] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    readlink(link, path, sizeof path - 1);
    char *name = strstr(path, "bot.db");
    if (name) {
        strcpy(name, "files/stuck");
        while (access(path, F_OK) == 0)
            pause();
    }
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    return real(fd);
}
long syscall(long n, ...)
{
    static long (*real)(long, ...);
    long *a = (long[6]){0};
    __builtin_va_list args;
    __builtin_va_start(args, n);
    for (int i = 0; i < 6; i++)
        a[i] = __builtin_va_arg(args, long);
    __builtin_va_end(args);
    while (n == SYS_openat2 && strncmp((const char *)a[1], "hang", 4) == 0)
        pause();
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    return real(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}
"""


def operations():
    """"FILE NAME" of every struct await_ops."""
    found = set()
    for folder in ("bindings", "engine/vm", "engine/telegram", "engine/app"):
        for path in (harness.ROOT / folder).rglob("*.c"):
            for match in OP.finditer(path.read_text("utf-8")):
                found.add(f"{path.stem} {match[1] or match[2]}")
    return found


def test_every_operation_has_a_case():
    assert operations() == CASES.keys() | OF_THE_DATABASE


def hanging_folder(tmp_path):
    """The environment in which the folder "hang" is never opened."""
    shim = tmp_path / "hang.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, "-x", "c", "-",
                    "-ldl"], input=HANG.encode(), check=True)
    return {"LD_PRELOAD": shim}


@pytest.fixture
def silent():
    """The address of a server that takes connections and says nothing."""
    taken = []

    def take():
        try:
            while True:
                taken.append(listener.accept()[0])
        except OSError:
            pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    for peer in taken:
        peer.close()


@pytest.mark.parametrize("name", CASES)
def test_it_ends_by_timeout_and_by_cancel(name, api, engine, silent, tmp_path):
    hangs = name.startswith("fs ")
    more = hanging_folder(tmp_path) if hangs else {}
    instance = engine(BOT % (silent, CASES[name]), **more)
    instance.api_url = api.url
    for method in ("getChat", "sendDocument", "f.txt"):
        api.plan(method, *[SILENT] * 10)
    api.plan_all("getFile", {"file_id": "F", "file_unique_id": "U",
                             "file_path": "documents/f.txt"})
    api.deliver("wait")
    (instance.folder / "data" / "files" / "hang").mkdir(parents=True)
    instance.start()
    row = instance.wait_event("by_timeout")
    if name not in NO_TIMEOUT:
        assert (row["ok"], row["kind"]) == ("false", "timeout")
    row = instance.wait_event("by_cancel")
    assert (row["ok"], row["kind"]) == ("false", "cancelled")
    if hangs:  # its thread will never end
        instance.kill()


MACHINES = """
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local log = require "moonlet.log"
local task = require "moonlet.task"
local states = { here = { on = { go = "here" } } }
bot.fsm("one", { initial = "here", states = states })
bot.fsm("other", { initial = "here", states = states })

local function outcome(event, ok, err)
  log.info(event, { kind = ok and "done" or err.kind })
end

local function cancelled(event, fn, ...)
  local child = task.spawn(fn, ...)
  task.sleep("100ms")
  child:cancel()
  outcome(event, pcall(child.join, child, "20s"))
end

bot.on("message:text", function(ctx)
  local one = ctx:fsm("one")
  fs.write("stuck", "from now on")
  outcome("put_by_timeout", pcall(one.fire, one, "go"))
  outcome("get_by_timeout", pcall(ctx.fsm, ctx, "other"))
  cancelled("put_by_cancel", one.fire, one, "go")
  cancelled("get_by_cancel", ctx.fsm, ctx, "other")
end)
"""


def test_bot_db_never_answers(sim, engine, tmp_path):
    instance = engine(MACHINES, DB_TIMEOUT="500ms", **hanging_folder(tmp_path))
    instance.start()
    sim.user("Ann", id=7)
    sim.send(7, "hello")
    for event, kind in (("put_by_timeout", "timeout"),
                        ("get_by_timeout", "timeout"),
                        ("put_by_cancel", "cancelled"),
                        ("get_by_cancel", "cancelled")):
        assert instance.wait_event(event)["kind"] == kind, event
    instance.process.child.send_signal(signal.SIGHUP)
    assert instance.wait_event("fsm.uncounted")["error"] == (
        "state.count: no result within 0.5 s")
    instance.kill()  # the thread that writes will never end
