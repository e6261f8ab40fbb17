"""Ways out of a Lua sandbox that are known from elsewhere, each tried.

An attempt is a Lua chunk that returns a true value if it got what it wanted.
It runs twice: while the scripts load, and in a handler.
"""
import pytest

# name -> (chunk, whether it may also succeed while the scripts load)
ATTEMPTS = {
    "io library": "return io",
    "debug library": "return debug",
    "package library": "return package",
    "os.execute": "return os.execute",
    "os.getenv": "return os.getenv",
    "os.exit": "return os.exit",
    "os.remove": "return os.remove",
    "os.rename": "return os.rename",
    "os.tmpname": "return os.tmpname",
    "os.setlocale": "return os.setlocale",
    "dofile": "return dofile",
    "loadfile": "return loadfile",
    "string.dump": "return string.dump",
    "string.dump as a method": "return ('').dump",
    "bytecode through load": r"return load('\27Lua\x54\0', 'x', 'b')",
    "bytecode with mode bt": r"return load('\27Lua\x54\0', 'x', 'bt')",
    "bytecode from a reader": r"""local done
        return load(function() if not done then done = true
        return '\27Lua\x54\0' end end, 'x', 'b')""",
    "globals of load": "local f = load('return io or debug or package')\n"
                       "return f()",
    "load with an environment": "return load('return io', 'x', 't', {})()",
    "environment through _ENV": "local _ENV = { r = require }\n"
                                "local ok, v = nil, nil\n"
                                "return r and (_ENV.io or _ENV.debug)",
    "require io": "return select(2, pcall(require, 'io')) == io and io",
    "require debug": "local ok, m = pcall(require, 'debug') return ok and m",
    "require package": "local ok, m = pcall(require, 'package')\n"
                       "return ok and m",
    "require with a path": "local ok = pcall(require, '../secret') return ok",
    "require absolute": "local ok = pcall(require, '/etc/passwd') return ok",
    "require dots": "local ok = pcall(require, '..secret') return ok",
    "require slashes": "local ok = pcall(require, 'a/../../secret')\n"
                       "return ok",
    "require a C library": "local ok = pcall(require, 'lfs') return ok",
    "loaded table": "local ok, m = pcall(require, '_G')\n"
                    "return ok and (m.io or m.debug)",
    "string metatable": "local m = getmetatable('') return m",
    "string metatable by set": "return pcall(setmetatable, '', {})",
    "globals' metatable": "return getmetatable(_G)",
    "globals' metatable by set": "return (pcall(setmetatable, _G, {}))",
    "library's metatable": "return getmetatable(string)",
    "error table's metatable": "local ok, e = pcall(require, 'moonlet.nope')\n"
                               "return getmetatable(e)",
    "task handle's metatable":
        "local t = require 'moonlet.task'\n"
        "local ok, h = pcall(t.spawn, function() end)\n"
        "return ok and getmetatable(h)",
    "another handler's coroutine":
        "local co = coroutine.running()\n"
        "return coroutine.wrap(function() return (pcall(coroutine.close, co))"
        " and coroutine.status(co) == 'dead' end)()",
    "metamethod of the error handler":
        "return select(2, xpcall(error, function(e) return debug end))",
    "collectgarbage stop": "return (pcall(function() collectgarbage('stop')"
                           " end))",
    "collectgarbage through gc options":
        "return (pcall(function() collectgarbage('setpause', 1) end))",
    "bot's metatable": "return getmetatable(require 'moonlet.bot')",
    "api's metatable": "return getmetatable(require 'moonlet.api')",
    "another api method": "local a = require 'moonlet.api'\n"
                          "a.getMe = 5 return a.getMe == 5",
    "another json.encode": "require 'moonlet.json'.encode = print return true",
    "no log.info": "require 'moonlet.log'.info = nil return true",
    "another bot.pass": "require 'moonlet.bot'.pass = 5 return true",
    "internals": "return require 'moonlet.core'",
    "internals of tasks": "return require 'moonlet.core.task'",
    "internals of contexts": "return require 'moonlet.ctx'",
    "internals through load":
        "return load('return require \"moonlet.core\"',\n"
        "'=[moonlet.x]')()",
    "a global kept": "KEPT = 1 return rawget(_G, 'KEPT')",
    "rawset on globals": "rawset(_G, 'KEPT2', 1) return rawget(_G, 'KEPT2')",
    "next over globals": "return next(_G)",
    "table.insert into globals": "table.insert(_G, 1) return rawget(_G, 1)",
    "lightuserdata as an address": "return tostring(require 'moonlet.json'"
                                   ".null):find('0x[1-9a-f]')",
}

LATER = {  # only what must fail once the scripts have loaded
    "a new global": "NEW = 1 return NEW",
    "another print": "print = nil return print == nil",
    "another string.find": "string.find = nil return string.find == nil",
    "another method of strings": "string.shout = function() return 1 end\n"
                                 "return ('x').shout",
    "rawset on a library": "rawset(string, 'x', 1) return ('').x",
    "a global through load": "load('OTHER = 1')() return OTHER",
    "a global through _G": "_G.THIRD = 1 return THIRD",
    "registering a handler": "require 'moonlet.bot'.command('x', print)\n"
                             "return true",
    "a script that was not loaded": "return require 'other'",
}

BOT = """
local bot = require "moonlet.bot"
local function try(name, chunk)
  local ok, got = pcall(load(chunk, "=" .. name, "t"))
  if ok and got then return name .. ": " .. tostring(got) end
end
local escaped = {}
local function run(list)
  for _, case in ipairs(list) do
    escaped[#escaped + 1] = try(case[1], case[2])
  end
end
local always = { %s }
local later = { %s }
run(always)
bot.command("run", function(ctx)
  run(always)
  run(later)
  ctx:reply("escaped: " .. table.concat(escaped, "; "))
end)
"""


def lua_list(cases):
    return ", ".join(
        "{ [==[%s]==], [==[%s]==] }" % (name.replace("==", ""), chunk)
        for name, chunk in cases.items())


def test_no_known_way_out_works(sim, engine):
    assert len(ATTEMPTS) >= 40
    bot = engine(BOT % (lua_list(ATTEMPTS), lua_list(LATER)))
    bot.write("other.lua", "return true")
    (bot.folder / "secret.lua").write_text("return 'secret'")
    bot.start()
    sim.send(sim.user("Ann")["id"], "/run")
    assert sim.wait_call("sendMessage")["params"]["text"] == "escaped: "


@pytest.mark.parametrize("where", ["load", "handler"])
def test_the_harness_would_notice_an_escape(sim, engine, where):
    cases = {"itself": "return string"}
    lists = (lua_list(cases), "") if where == "load" else ("", lua_list(cases))
    engine(BOT % lists).start()
    sim.send(sim.user("Ann")["id"], "/run")
    text = sim.wait_call("sendMessage")["params"]["text"]
    assert "itself: table" in text
