-- moonlet.json, .log, .task, .api and require as a bot author uses them. Run
-- by specs_test.py inside a handler: each case is a function(ctx).
local api = require "moonlet.api"
local json = require "moonlet.json"
local log = require "moonlet.log"
local task = require "moonlet.task"

local case = {}

-- The kernel's chance: in the virtual world it comes from the seed.
function case.secrets_come_from_the_system()
  local crypto = require "moonlet.crypto"
  local seen = {}
  for _ = 1, 100 do
    local one = crypto.random(16)
    assert(#one == 32 and one:find("^%x+$") and not seen[one])
    seen[one] = true
  end
end

-- The line of this function's caller.
local function here()
  local _, text = pcall(error, "", 3)
  return math.tointeger(text:match(":(%d+):"))
end

local function same(got, expected)
  if got ~= expected or math.type(got) ~= math.type(expected) then
    error(("got %s %s, expected %s %s"):format(math.type(got), got,
      math.type(expected), expected), 2)
  end
end

-- fn must raise kind "misuse" at the line, with the words in its message.
local function misuse(line, words, fn)
  local ok, err = pcall(fn)
  if ok then error("nothing was raised: " .. words, 2) end
  if type(err) ~= "table" then error("raised " .. tostring(err), 2) end
  if err.kind ~= "misuse" or err.line ~= line or err.script ~= "spec.lua"
    or not err.message:find(words, 1, true) then
    error(("raised %s at %s:%s: %s; expected misuse at line %d: %s"):format(
      err.kind, err.script, err.line, err.message, line, words), 2)
  end
  if err.retryable ~= false and err.retryable ~= nil then
    error("misuse is not retryable", 2)
  end
end

function case.json_keeps_integers()
  for _, n in ipairs { 0, -1, 4503599627370495, -1001234567890123,
    9007199254740991, 9007199254740992, -9007199254740992 } do
    same(json.encode(n), ("%d"):format(n))
    same(json.decode(json.encode(n)), n)
    same(json.decode(("[%d]"):format(n))[1], n)
    same(json.decode(('{"a":{"b":%d}}'):format(n)).a.b, n)
  end
end

function case.json_numbers()
  same(json.decode "12.0", 12)
  same(json.decode "1e3", 1000)
  same(json.decode "0.5", 0.5)
  same(json.decode "-0.25", -0.25)
  same(json.encode(12.0), "12")
  same(json.encode(-1001234567890123.0), "-1001234567890123")
  same(json.encode(0.5), "0.5")
  same(json.decode(json.encode(0.1)), 0.1)
  same(json.decode(json.encode(1 / 3)), 1 / 3)
  same(json.decode(json.encode(1e300)), 1e300)
end

function case.json_values()
  same(json.encode({ 1, 2, 3 }), "[1,2,3]")
  same(json.encode({}), "{}")
  same(json.encode(json.array()), "[]")
  same(json.encode(json.array({ 1 })), "[1]")
  same(json.encode({ a = json.null }), '{"a":null}')
  same(json.decode("null"), json.null)
  same(json.encode(true), "true")
  same(json.encode 'a"\n\\\0\u{1F600}/', [["a\"\n\\\u0000]] .. '\u{1F600}/"')
  same(json.decode [["\ud83d\ude00\u00e4"]], "\u{1F600}ä")
  same(#json.decode "[]", 0)
  local deep = json.decode '{"a":[{"b":[1,[2]]}]}'
  same(deep.a[1].b[2][1], 2)
end

function case.json_refuses_what_is_no_json()
  for _, text in ipairs { "", "{", "[1,]", "nil", "{a:1}", "1 2", "'a'" } do
    local ok = pcall(json.decode, text)
    if ok then error("decoded " .. text) end
  end
end

function case.json_misuse()
  misuse(here(), "json.encode", function() json.encode(print or here) end)
  misuse(here(), "json.encode", function() json.encode({ f = here }) end)
  misuse(here(), "json.encode", function() json.encode(0 / 0) end)
  misuse(here(), "json.encode", function() json.encode(1 / 0) end)
  local ring = {}
  ring.ring = ring
  misuse(here(), "json.encode", function() json.encode(ring) end)
  misuse(here(), "json.encode", function() json.encode({ [true] = 1 }) end)
end

function case.sleep_takes_durations()
  task.sleep(0)
  task.sleep(0.001)
  task.sleep("1ms")
  misuse(here(), "duration", function() task.sleep("soon") end)
  misuse(here(), "duration", function() task.sleep(-1) end)
  misuse(here(), "duration", function() task.sleep() end)
  misuse(here(), "duration", function() task.sleep({}) end)
  misuse(here(), "duration", function() task.sleep(0 / 0) end)
  misuse(here(), "duration", function() task.sleep(1 / 0) end)
end

function case.wrong_arguments_are_misuse()
  local capture, re = require "moonlet.errors".capture, require "moonlet.re"
  local function wrong(line, fn, words, ...)
    local given = table.pack(...)
    misuse(line, words, function() fn(table.unpack(given, 1, given.n)) end)
  end
  local line = here() - 2 -- at which the functions are called
  wrong(line, task.spawn, "task.spawn needs a function, got number", 1)
  wrong(line, task.detach, "task.detach needs a function, got no value")
  wrong(line, log.info, "log: the event must be a text, got table", {})
  wrong(line, log.debug, "log: the fields must be a table", "x", "y")
  wrong(line, json.decode, "json.decode: the JSON must be a text", nil)
  wrong(line, json.encode, "json.encode needs a value")
  wrong(line, json.array, "json.array: the value must be a table", 1)
  wrong(line, capture, "errors.capture needs an error")
  wrong(line, capture, "errors.capture: the fields must be a table", "x", 1)
  wrong(line, re.new, "re.new: the pattern must be a text, got nil", nil)
  local a = re.new("a")
  wrong(line, a.match, "re: what is searched must be a text", a, nil)
  wrong(line, a.gmatch, "re: what is searched must be a text", a, {})
end

function case.awaits_where_none_can_be()
  local line, wait = here(), function() task.sleep(0) end
  for _, fn in ipairs {
    function() table.sort({ 3, 2, 1 }, wait) end,
    function() string.gsub("a", "a", wait) end,
  } do misuse(line, "cannot wait inside", fn) end
end

function case.awaits_in_a_coroutine_of_ones_own()
  local co = coroutine.wrap(function()
    local ok, err = pcall(task.sleep, 0)
    return ok, err
  end)
  local ok, err = co()
  same(ok, false)
  same(err.kind, "misuse")
  local place = err.message:find("coroutine of your own", 1, true)
  if not place then error(err.message) end
end

function case.generators_work()
  local got = 0
  for n in coroutine.wrap(function()
    for i = 1, 3 do coroutine.yield(i) end
  end) do got = got + n end
  same(got, 6)
end

function case.api_misuse(ctx)
  misuse(here(), "one table", function() api.getMe("x") end)
  misuse(here(), "no name", function() return api["send message"] end)
  misuse(here(), "no name", function() return api["../getMe"] end)
  misuse(here(), "options", function() api.getMe({}, 7) end)
  misuse(here(), "timeout", function() api.getMe({}, { retries = 1 }) end)
  misuse(here(), "timeout", function() api.getMe({}, { timeout = "x" }) end)
  misuse(here(), "getMe", function() api.getMe({ f = here }) end)
  same(ctx.api, api)
end

function case.api_results_are_plain_values()
  same(api.getMe().id, 4242)
  same(api.getMe({}).is_bot, true)
  same(api.getMe(nil, { timeout = "20s" }).id, 4242)
end

function case.api_errors_have_the_callers_line()
  local as_it_is = { unchecked = true }
  local line = here() + 1
  local ok, err = pcall(function() api.sendMessage({}, as_it_is) end)
  same(ok, false)
  same(err.kind, "api")
  same(err.code, 400)
  same(err.script, "spec.lua")
  same(err.line, line)
  same(err.retryable, false)
  if not tostring(err):find("^spec.lua:" .. line .. ": sendMessage: ") then
    error(tostring(err))
  end
end

function case.log_takes_events_and_fields()
  log.debug("spec.debug")
  log.info("spec.plain")
  log.warn("spec.fields", { id = 4503599627370495, half = 0.5, on = true,
    text = 'a "b"\nc', list = {} })
  misuse(here(), "names of fields", function() log.info("x", { "y" }) end)
  local many = {}
  for i = 1, 17 do many["f" .. i] = i end
  misuse(here(), "16", function() log.error("x", many) end)
end

function case.modules_tell_what_they_have_not()
  misuse(here(), 'json has no', function() return json.nothing end)
  misuse(here(), 'log has no', function() return log.nothing end)
  misuse(here(), 'task has no', function() return task.nothing end)
end

function case.require_in_a_handler()
  same(require "moonlet.json", json)
  misuse(here(), "only while", function() require "never_loaded" end)
end

function case.globals_are_read_only()
  for _, change in ipairs {
    function() some_global = 1 end, -- luacheck: ignore
    function() string.x = 1 end, -- luacheck: ignore
    function() _G.print = 1 end, -- luacheck: ignore
  } do
    if pcall(change) then error("a global was changed") end
  end
end

function case.the_sandbox_has_no_way_out()
  for _, name in ipairs { "io", "debug", "package", "dofile", "loadfile" } do
    same(rawget(_G, name), nil)
  end
  for _, name in ipairs { "execute", "getenv", "exit", "remove", "tmpname" } do
    same(os[name], nil)
  end
  same(string.dump, nil)
  local chunk = load("return 1 + 1")
  same(chunk and chunk(), 2)
  same(load("\27Lua"), nil)
end

function case.bot_takes_registrations_only_while_loading()
  local bot = require "moonlet.bot"
  misuse(here(), "bot.on", function() bot.on("message", here) end)
  misuse(here(), "bot.use", function() bot.use(here) end)
  misuse(here(), "bot.command", function() bot.command("x", here) end)
  misuse(here(), "bot.catch", function() bot.catch(here) end)
  misuse(here(), "bot.on_start", function() bot.on_start(here) end)
end

function case.ctx_methods_on_the_wrong_kind(ctx)
  misuse(here(), "ctx:edit", function() ctx:edit("x") end)
  misuse(here(), "ctx:answer", function() ctx:answer_callback("x") end)
  misuse(here(), "options", function() ctx:reply("x", "y") end)
  misuse(here(), "not built yet", function() ctx:ask("x") end)
end

return case
