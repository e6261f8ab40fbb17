-- State machines, through restarts, deaths, edits and time.
local t = require "moonlet.test"

local ORDER = [[
local bot = require "moonlet.bot"
bot.fsm("order", {
  initial = "cart",
  states = {
    cart = {
      on = {
        checkout = { to = "paying",
          guard = function(_, data) return (data.items or 0) > 0 end },
      },
      enter = function(ctx) ctx:reply("Your cart is open") end,
    },
    paying = {
      on = { paid = "done", cancel = "cart" },
      enter = function(ctx, who) ctx:reply("Pay, " .. (who or "please")) end,
      leave = function(ctx) ctx:reply("Thank you") end,
      timeout = { after = "15m", to = "cart" },
    },
    done = { enter = function(ctx) ctx:reply("Done") end },
  },
})
bot.command("add", function(ctx)
  local order = ctx:fsm("order")
  order.data.items = (order.data.items or 0) + 1
  ctx:reply(order.state .. " " .. order.data.items)
  if ctx.args[1] == "fail" then error("after all") end
end)
bot.command("fire", function(ctx)
  local order = ctx:fsm("order")
  local moved = order:fire(ctx.args[1], ctx.args[2])
  if not moved then ctx:reply("refused") end
end)
bot.command("where", function(ctx)
  local order = ctx:fsm("order")
  ctx:reply(order.state .. " " .. (order.data.items or 0)
    .. (order:can("paid") and " payable" or ""))
end)
bot.command("reset", function(ctx)
  ctx:fsm("order"):reset()
  ctx:reply("reset")
end)
bot.catch(function(ctx, err) ctx:reply(err.kind .. ": " .. err.message) end)
]]

t.use { main = ORDER }

local ann
t.before(function() ann = t.user { first_name = "Ann" } end)

t.case("a machine begins in its initial state", function()
  ann:send("/where")
  ann:expect("cart 0")
end)

t.case("fire moves on: guard, leave, enter", function()
  ann:send("/fire checkout")
  ann:expect("refused")
  ann:send("/add")
  ann:expect("cart 1")
  ann:send("/fire checkout Ann")
  ann:expect("Pay, Ann")
  ann:send("/where")
  ann:expect("paying 1 payable")
  ann:send("/fire paid")
  ann:expect("Thank you")
  ann:expect("Done")
end)

t.case("an event that the state does not take is misuse with its names",
  function()
    ann:send("/fire paid")
    ann:expect('misuse: fsm order: state cart takes no event "paid" (it '
      .. "takes: checkout)")
  end)

t.case("a state that is set by hand is misuse", { main = [[
local bot = require "moonlet.bot"
bot.fsm("m", { initial = "a", states = {
  a = { on = { go = "b" } }, b = {} } })
bot.command("set", function(ctx)
  local m = ctx:fsm("m")
  m.data.n = 1
  local ok, err = pcall(function() m.state = "b" end)
  ctx:reply(tostring(ok) .. " " .. tostring(err))
end)
bot.command("where", function(ctx)
  local m = ctx:fsm("m")
  ctx:reply(m.state .. " " .. (m.data.n or 0))
end)]] }, function()
    ann:send("/set")
    ann:expect("false main.lua:7: fsm m: a state is not set; machine:fire")
    ann:send("/where")
    ann:expect("a 1")
  end)

t.case("19: state and data survive a death and a restart", function()
  ann:send("/add")
  ann:send("/fire checkout")
  ann:expect("Pay, please")
  t.crash()
  ann:send("/where")
  ann:expect("paying 1")
  t.restart()
  ann:send("/where")
  ann:expect("paying 1")
end)

t.case("an error discards what was not saved", function()
  ann:send("/add fail")
  ann:expect("after all")
  ann:send("/where")
  ann:expect("cart 0")
end)

t.case("each person in each chat has a machine", function()
  local bob = t.user { first_name = "Bob" }
  local team = t.group { title = "Team", members = { ann, bob } }
  ann:send("/add")
  ann:expect("cart 1")
  ann:send("/where", team)
  team:expect("cart 0")
  bob:send("/where", team)
  team:expect("cart 0")
end)

local CARDS = [[
local bot = require "moonlet.bot"
bot.fsm("card", { initial = "white", states = {
  white = { on = { show = "yellow" } },
  yellow = { on = { show = "yellow" },
    timeout = { after = "1h", to = "gone" } },
  gone = { enter = function(ctx)
    ctx:reply("clean: " .. ctx.from.first_name)
  end },
} })
bot.fsm("room", { initial = "open", key = "chat", states = { open = {} } })
bot.command("card", function(ctx)
  local user = ctx.message.reply_to_message.from
  local card, own = ctx:fsm("card", user), ctx:fsm("card")
  assert(card == ctx:fsm("card", user) and card ~= own)
  card.data.count = (card.data.count or 0) + 1
  own.data.given = (own.data.given or 0) + 1
  card:fire("show")
end)
bot.command("mine", function(ctx)
  local card = ctx:fsm("card")
  ctx:reply(("%s %d %d"):format(card.state, card.data.count or 0,
    card.data.given or 0))
end)
bot.command("wrong", function(ctx)
  ctx:fsm(ctx.args[1], ctx.args[2] == "user" and ctx.from or 7)
end)
bot.catch(function(ctx, err) ctx:reply(err.kind .. ": " .. err.message) end)
]]

t.case("the machine of another person in the chat", { main = CARDS },
  function()
    local bob = t.user { first_name = "Bob" }
    local team = t.group { title = "Team", members = { ann, bob } }
    local said = bob:send("hello", team)
    ann:reply(said, "/card")
    ann:reply(said, "/card")
    t.crash()
    bob:send("/mine", team)
    team:expect("yellow 2 0")
    ann:send("/mine", team)
    team:expect("white 0 2")
    team:expect("clean: Bob", { within = "61m" })
  end)

t.case("an update without a chat has the machine of the private chat",
  { main = [[
local bot = require "moonlet.bot"
bot.fsm("vote", { initial = "open", states = {
  open = { on = { vote = "given" } },
  given = { timeout = { after = "1h", to = "shut" } },
  shut = { enter = function(ctx) ctx:reply("Shut, " .. ctx.from.id) end },
} })
bot.on("poll_answer", function(ctx) ctx:fsm("vote"):fire("vote") end)
bot.command("where", function(ctx) ctx:reply(ctx:fsm("vote").state) end)
]] }, function()
    t.update { poll_answer = { poll_id = "1", option_ids = { 0 },
      option_persistent_ids = { "0" }, user = { id = ann.id, is_bot = false,
        first_name = "Ann" } } }
    t.await(function()
      ann:send("/where")
      return pcall(ann.expect, ann, "given", { within = "1s" })
    end)
    ann:expect("Shut, " .. ann.id, { within = "61m" })
  end)

t.case("a person's machine needs a User", { main = CARDS }, function()
  ann:send("/wrong card")
  ann:expect('misuse: ctx:fsm "card": the person must be a User, got number')
  ann:send("/wrong room user")
  ann:expect('misuse: ctx:fsm "room": it belongs to a chat, not to a person')
end)

t.case("a timeout moves on", function()
  ann:send("/add")
  ann:send("/fire checkout")
  ann:expect("Pay")
  t.advance("14m")
  ann:send("/add") -- does not begin it anew
  ann:expect("paying 2")
  ann:expect("Thank you", { within = "61s" })
  ann:expect("Your cart is open")
  ann:expect_nothing("1h")
end)

t.case("a timeout does not come once the state was left", function()
  ann:send("/add")
  ann:send("/fire checkout")
  ann:send("/fire paid")
  ann:expect("Done")
  ann:expect_nothing("1h")
end)

t.case("a timeout that came while nobody ran comes at the start", function()
  ann:send("/add")
  ann:send("/fire checkout")
  ann:expect("Pay")
  t.kill()
  t.advance("2h")
  t.start()
  ann:expect("Your cart is open", { within = "5m" })
end)

t.case("what was sent in time counts before an old timeout", function()
  ann:send("/add")
  ann:send("/fire checkout")
  ann:expect("Pay")
  t.kill()
  ann:send("/fire paid")
  t.advance("2h")
  t.start()
  ann:expect("Done", { within = "5m" })
  ann:expect_nothing("1h")
end)

t.case("reset forgets", function()
  ann:send("/add")
  ann:expect("cart 1")
  ann:send("/reset")
  ann:expect("reset")
  ann:send("/where")
  ann:expect("cart 0")
end)

t.case("an update that comes again does not fire twice", function()
  t.fault { method = "sendMessage", mode = "slow", seconds = 20 }
  ann:send("/add")
  ann:send("/fire checkout")
  t.expect_call("sendMessage", { text = "Pay, please" })
  t.crash()
  ann:expect("Pay, please")
  ann:send("/where")
  ann:expect("paying 1")
  assert(#t.errors() == 0)
end)

t.case("17: a state that an edit has removed leads to the initial one",
  { copy = true }, function()
    ann:send("/add")
    ann:send("/fire checkout")
    ann:expect("Pay")
    local edited = ORDER:gsub("paying = {", "billing = {")
      :gsub('"paying"', '"billing"')
    t.write("main.lua", edited)
    t.reload()
    t.advance("1s")
    assert(t.log():find("fsm.states_removed", 1, true))
    ann:send("/where")
    ann:expect("cart 1")
  end)

t.each({
  { name = "a target that is no state",
    part = { '"done", cancel', '"dne", cancel' },
    text = 'state paying leads to "dne"' },
  { name = "a state that nothing leads to", part = { "done = {",
    "odd = {}, done = {" }, text = "nothing leads from cart to: odd" },
  { name = "an unknown field", part = { "leave = ", "exit = " },
    text = 'state paying has no field "exit"' },
  { name = "a duration that is none", part = { '"15m"', '"soon"' },
    text = "after must be a number of seconds" },
}, "%s is found at load", { copy = true }, function(row)
  local text = ORDER:gsub(row.part[1]:gsub("%p", "%%%0"), row.part[2])
  t.write("main.lua", text)
  local status, answer = t.api("POST", "/api/reload")
  assert(status ~= 200)
  local why = answer.error.message
  assert(why:find(row.text, 1, true), why)
end)

local GROUPS = [[
local bot = require "moonlet.bot"
for _, key in ipairs { "user", "chat", "topic" } do
  bot.fsm(key, { key = key, initial = "new", states = {
    new = { on = { go = "gone" } },
    gone = { timeout = { after = "15m", to = "late" } },
    late = { enter = function(ctx)
      ctx:reply(key .. " is late in a " .. ctx.chat.type)
    end } } })
end
bot.command("go", function(ctx)
  for _, key in ipairs { "user", "chat", "topic" } do
    ctx:fsm(key):fire("go")
  end
  ctx:reply("went")
end)
bot.command("where", function(ctx)
  ctx:reply(ctx:fsm("user").state .. " " .. ctx:fsm("chat").state .. " "
    .. ctx:fsm("topic").state)
end)
]]

t.case("25c: a group that becomes a supergroup keeps its machines",
  { main = GROUPS }, function()
    local team = t.group { title = "Team", members = { ann }, type = "group" }
    ann:send("/go", team)
    team:expect("went")
    team = t.migrate(team)
    ann:send("/where", team)
    team:expect("gone gone gone")
    assert(t.log():find('"event":"state.moved"', 1, true), t.log())
    t.advance("16m")
    for _, key in ipairs { "chat", "topic", "user" } do
      team:expect(key .. " is late in a supergroup")
    end
    t.restart()
    ann:send("/where", team)
    team:expect("late late late")
  end)

t.case("25c: a timeout that waits for its turn goes with its group",
  { main = GROUPS .. [[
bot.command("slow", function() require "moonlet.task".sleep("2m") end)
]], config = { handler_timeout = "5m" } }, function()
    local team = t.group { title = "Team", members = { ann }, type = "group" }
    ann:send("/go", team)
    team:expect("went")
    t.advance("14m")
    ann:send("/slow", team)
    t.advance("70s")
    team = t.migrate(team)
    for _, key in ipairs { "chat", "topic", "user" } do
      team:expect(key .. " is late in a supergroup")
    end
    team:expect_nothing("5m")
    ann:send("/where", team)
    team:expect("late late late")
  end)

-- Such a bot gets no service messages.
t.case("25c: a call that finds the other id moves the machines", { main = [[
local bot = require "moonlet.bot"
bot.fsm("m", { initial = "new", states = {
  new = { on = { go = "gone" } }, gone = {} } })
bot.callback("^go$", function(ctx) ctx:fsm("m"):fire("go") end)
bot.callback("^tell (.*)$", function(ctx, chat)
  ctx.api.sendMessage { chat_id = math.tointeger(chat), text = "told" }
end)
bot.callback("^where$", function(ctx) ctx:reply(ctx:fsm("m").state) end)
]] }, function()
  local team = t.group { title = "Team", members = { ann }, type = "group" }
  local presses = 0
  local function press(data, chat)
    presses = presses + 1
    t.update { callback_query = { id = tostring(presses), data = data,
      chat_instance = "1",
      from = { id = ann.id, is_bot = false, first_name = "Ann" },
      message = { message_id = 1, date = 0,
        chat = { id = chat, type = "group", title = "Team" } } } }
  end
  press("go", team.id)
  press("where", team.id)
  team:expect("gone")
  local grown = t.migrate(team)
  press("tell " .. team.id, ann.id)
  grown:expect("told")
  press("where", grown.id)
  grown:expect("gone")
end)

t.case("11: updates of several lanes on one machine fire once each",
  { main = [[
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.fsm("m", { key = "chat", initial = "on", states = {
  on = { on = { go = "on" } } } })
bot.command("go", function(ctx)
  local m = ctx:fsm("m")
  m.data[ctx.from.first_name] = (m.data[ctx.from.first_name] or 0) + 1
  m:fire("go")
  task.sleep("5s")
  ctx:reply("went")
end, { order = "user" })
bot.command("who", function(ctx)
  local data = ctx:fsm("m").data
  ctx:reply(("Ann %d, Bob %d, Cid %d"):format(data.Ann, data.Bob, data.Cid))
end)
]] }, function()
    local people = { ann, t.user { first_name = "Bob" },
      t.user { first_name = "Cid" } }
    local team = t.group { title = "Team", members = people }
    for _, who in ipairs(people) do
      who:send("/go", team)
      t.advance("1s")
    end
    t.crash()
    for _ = 1, 3 do team:expect("went") end
    ann:send("/who", team)
    team:expect("Ann 1, Bob 1, Cid 1")
  end)

t.case("12: an update beside another does not overwrite what that stored",
  { main = [[
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.fsm("m", { initial = "on", states = { on = { on = { go = "on" } } } })
local function add(ctx)
  local m = ctx:fsm("m")
  task.sleep(ctx.args[1])
  m.data.n = (m.data.n or 0) + 1
  m:fire("go")
  ctx:reply("n is " .. m.data.n)
end
bot.command("add", add, { order = "none" })
bot.command("n", function(ctx) ctx:reply("now " .. ctx:fsm("m").data.n) end)
bot.catch(function(ctx, err) ctx:reply(err.kind) end)
]] }, function()
    ann:send("/add 5")
    ann:send("/add 1")
    ann:expect("n is 1")
    ann:expect("conflict")
    ann:send("/n")
    ann:expect("now 1")
  end)

t.case("11: an update without a chat beside one of the private chat",
  { main = [[
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.fsm("m", { initial = "on", states = { on = { on = { go = "on" } } } })
local function add(ctx)
  local m = ctx:fsm("m")
  m.data[ctx.kind] = (m.data[ctx.kind] or 0) + 1
  m:fire("go")
  task.sleep("5s")
end
bot.on("inline_query", add)
bot.command("go", function(ctx)
  add(ctx)
  ctx:reply("went")
end)
bot.command("how", function(ctx)
  local data = ctx:fsm("m").data
  ctx:reply(data.inline_query .. " and " .. data.message)
end)
]] }, function()
    t.update { inline_query = { id = "1", query = "x", offset = "",
      from = { id = ann.id, is_bot = false, first_name = "Ann" } } }
    t.advance("1s")
    ann:send("/go")
    t.advance("1s")
    t.crash()
    ann:expect("went")
    ann:send("/how")
    ann:expect("1 and 1")
  end)
