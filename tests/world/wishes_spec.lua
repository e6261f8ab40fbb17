-- What hurts the users of other libraries, by its number, where the other
-- specs do not show it from outside.
local t = require "moonlet.test"

local function equal(have, want)
  assert(have == want, ("%s, not %s"):format(tostring(have), tostring(want)))
end

local ann
t.before(function() ann = t.user { first_name = "Ann" } end)

-- --- 11: races

local COUNTER = [[
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.fsm("m", { key = "chat", initial = "on", states = { on = {
  on = { go = "on" } } } })
local function add(ctx)
  local m = ctx:fsm("m")
  local n = m.data.n or 0
  task.sleep("2s")
  m.data.n = n + 1
  m:fire("go")
  ctx:reply("n is " .. m.data.n)
end
bot.command("add", add)
bot.command("beside", add, { order = "user" })
bot.command("n", function(ctx)
  ctx:reply("now " .. (ctx:fsm("m").data.n or 0))
end)
bot.catch(function(ctx, err) ctx:reply(err.kind) end)
]]

t.case("11: what comes at once in a chat counts each, with nothing switched on",
  { main = COUNTER }, function()
    local bob = t.user { first_name = "Bob" }
    local team = t.group { members = { ann, bob } }
    for _ = 1, 3 do
      ann:send("/add", team)
      bob:send("/add", team)
    end
    for n = 1, 6 do team:expect("n is " .. n) end
  end)

t.case("11: who asks for races is told of them, and nothing is overwritten",
  { main = COUNTER }, function()
    local bob = t.user { first_name = "Bob" }
    local team = t.group { members = { ann, bob } }
    ann:send("/beside", team)
    bob:send("/beside", team)
    local texts = {}
    for i = 1, 2 do texts[i] = team:expect(t.any).text end
    table.sort(texts)
    equal(table.concat(texts, ", "), "conflict, n is 1")
    ann:send("/n", team)
    team:expect("now 1")
  end)

-- --- 12, 19: what is stored together

-- Moves and the state are changed by one fire: they must agree. The data of
-- /note is stored with the end of its update.
local TOGETHER = [[
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.fsm("m", { initial = "even", states = {
  even = { on = { go = "odd" } }, odd = { on = { go = "even" } } } })
bot.command("move", function(ctx)
  local m = ctx:fsm("m")
  m.data.moves = (m.data.moves or 0) + 1
  m:fire("go")
  task.sleep("100ms")
end)
bot.command("note", function(ctx)
  local m = ctx:fsm("m")
  m.data.notes = (m.data.notes or 0) + 1
  task.sleep("100ms")
  ctx:reply("noted")
end)
bot.command("how", function(ctx)
  local m = ctx:fsm("m")
  ctx:reply(("%s %d %d"):format(m.state, m.data.moves or 0,
    m.data.notes or 0))
end)
]]

local delays = { "0ms", "5ms", "20ms", "50ms", "90ms", "110ms", "150ms",
  "200ms", "300ms" }

t.each(delays, "12: a death %s later counts an update once",
  { main = TOGETHER }, function(delay)
    ann:send("/note")
    t.advance(delay)
    t.crash()
    ann:send("/how")
    ann:expect { pattern = "^even 0 1$" }
  end)

t.each(delays, "19: a death %s later leaves state and data in step",
  { main = TOGETHER }, function(delay)
    ann:send("/move")
    ann:send("/move")
    ann:send("/move")
    t.advance(delay)
    t.crash()
    ann:send("/how")
    ann:expect { pattern = "^odd 3 0$" }
  end)

-- --- 14: what is no error

t.case("14: nothing to change and a query that is too old raise nothing",
  { main = [[
local bot = require "moonlet.bot"
bot.command("start", function(ctx)
  local ok, err = ctx:edit("same", { message = ctx:reply("same") })
  ctx:reply(tostring(ok) .. " " .. err.message)
  ok, err = ctx.api.answerCallbackQuery { callback_query_id = "1" }
  ctx:reply(tostring(ok) .. " " .. err.message)
end)
]] }, function()
    ann:send("/start")
    ann:expect("same")
    ann:expect { pattern = "^false .*message is not modified" }
    ann:expect { pattern = "^false .*query is too old" }
    equal(#t.errors(), 0)
  end)

-- --- 16: a timeout

t.case("16: a timeout ends one handler, at its time, and is told",
  { config = { handler_timeout = "10s" }, main = [[
local bot = require "moonlet.bot"
local task = require "moonlet.task"
local open = 0
bot.command("work", function(ctx)
  open = open + 1
  local _ <close> = setmetatable({}, { __close = function()
    open = open - 1
  end })
  task.sleep("40s")
  ctx:reply("worked")
end)
bot.command("open", function(ctx) ctx:reply("open " .. open) end)
bot.catch(function(ctx, err) ctx:reply(err.kind .. ", sorry") end)
]] }, function()
    local bob = t.user { first_name = "Bob" }
    local began = t.now()
    ann:send("/work")
    bob:send("/open")
    bob:expect("open 1")
    ann:expect("timeout, sorry")
    assert(t.now() - began >= 10 and t.now() - began < 12)
    ann:send("/open")
    ann:expect("open 0")
    ann:expect_nothing("1m")
    equal(t.errors()[1].kind, "timeout")
  end)

-- --- 17: states that are no more

local function states(text)
  return [[
local bot = require "moonlet.bot"
bot.fsm("m", { initial = "a", states = {]] .. text .. [[})
bot.command("go", function(ctx)
  local m = ctx:fsm("m")
  m.data.n = (m.data.n or 0) + 1
  m:fire("go")
  ctx:reply(m.state .. " " .. m.data.n)
end)
bot.command("where", function(ctx)
  local m = ctx:fsm("m")
  ctx:reply("in " .. m.state .. " " .. (m.data.n or 0))
end)
]]
end

t.case("17: who stands in a removed state goes on, and is counted",
  { copy = true }, function()
    local bob = t.user { first_name = "Bob" }
    t.write("main.lua", states "a = { on = { go = 'b' } }, b = {} }")
    t.reload()
    for _, who in ipairs { ann, bob } do
      who:send("/go")
      who:expect("b 1")
    end
    t.write("main.lua", states "a = { on = { go = 'c' } }, c = {} }")
    t.reload()
    local line = t.await(function()
      return t.log():match("[^\n]*fsm.states_removed[^\n]*")
    end)
    assert(line:find('"b"', 1, true) and line:find("2", 1, true), line)
    ann:send("/where")
    ann:expect { pattern = "^in a " }
    ann:send("/go")
    ann:expect { pattern = "^c " }
    equal(#t.errors(), 0)
  end)

t.case("17: migrate says where who stands in a removed state goes on",
  { copy = true }, function()
    t.write("main.lua", states "a = { on = { go = 'b' } }, b = {} }")
    t.reload()
    ann:send("/go")
    ann:expect("b 1")
    t.write("main.lua", states [[a = { on = { go = 'c' } },
      c = { on = { go = 'a' } } }, migrate = function(state, data)
        return state == "b" and data.n == 1 and "c" or nil
      end]])
    t.reload()
    ann:send("/where")
    ann:expect("in c 1")
    ann:send("/go")
    ann:expect("a 2")
  end)

-- --- 25a: ids

t.case("25a: ids up to 2^53 come through exactly, and are integers",
  { main = [[
local bot = require "moonlet.bot"
local json = require "moonlet.json"
local keyboard = require "moonlet.keyboard"
local who = bot.callback_data("who", { "id:int" })
bot.fsm("m", { initial = "a", states = { a = {} } })
bot.command("start", function(ctx)
  ctx:fsm("m").data.id = ctx.chat.id
  ctx:reply(tostring(ctx.from.id), { reply_markup = keyboard.inline()
    :text("Me", who:pack { id = ctx.from.id }) })
end)
bot.callback(who, function(ctx, data)
  local copy = json.decode(json.encode { id = ctx:fsm("m").data.id })
  ctx:reply(("%s %s %s %s"):format(data.id, copy.id, ctx.chat.id,
    math.type(copy.id)))
end)
]] }, function()
    local id = 9007199254740991
    local max = t.user { first_name = "Max", id = id }
    max:send("/start")
    max:expect(tostring(id))
    t.crash()
    max:click("Me")
    max:expect(("%d %d %d integer"):format(id, id, id))
    equal(t.calls("sendMessage")[1].params.chat_id, id)
    local team = t.group { id = -id, members = { max } }
    max:send("/start", team)
    team:expect(tostring(id))
    max:click("Me", team)
    team:expect(("%d %d %d integer"):format(id, -id, -id))
  end)
