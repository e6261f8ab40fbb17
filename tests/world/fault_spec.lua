local t = require "moonlet.test"

t.case("a 429 is waited for as told", function()
  local ann = t.user { first_name = "Ann" }
  t.fault { method = "sendMessage", mode = "429", retry_after = 30 }
  local began = t.now()
  ann:send("/echo late")
  ann:expect("late")
  assert(t.now() - began >= 30 and t.now() - began < 32)
  assert(#t.calls("sendMessage") == 2)
end)

t.case("a 429 of one chat holds up no other", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  t.fault { method = "sendMessage", chat = ann, mode = "429",
    retry_after = 60 }
  ann:send("/echo late")
  bob:send("/echo early")
  local began = t.now()
  bob:expect("early")
  assert(t.now() - began < 2)
  ann:expect("late", { within = "61s" })
end)

t.case("a 429 beyond 90 s is raised at once", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  t.fault { method = "sendMessage", chat = bob, mode = "429",
    retry_after = 3600 }
  ann:send("/try " .. bob.id)
  ann:expect("api 429 after 0 s")
end)

t.case("an answer that takes too long leaves the outcome unknown", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  t.fault { method = "sendMessage", chat = bob, mode = "slow", seconds = 40 }
  ann:send("/try " .. bob.id)
  ann:expect("unknown")
  bob:expect("tried") -- the server had executed it
end)

t.each({ "cut_before", "cut_after" }, "a connection lost by %s is unknown",
  function(mode)
    local ann = t.user { first_name = "Ann" }
    local bob = t.user { first_name = "Bob" }
    t.fault { method = "sendMessage", chat = bob, mode = mode }
    ann:send("/try " .. bob.id)
    ann:expect("unknown")
    if mode == "cut_after" then bob:expect("tried") end
    bob:expect_nothing()
  end)

t.each({ "500", "502html" }, "polling survives a %s", function(mode)
  local ann = t.user { first_name = "Ann" }
  t.fault { method = "getUpdates", mode = mode, count = 5 }
  ann:send("/echo through")
  ann:expect("through", { within = "5m" })
end)

t.case("an update that comes twice is handled once", function()
  local ann = t.user { first_name = "Ann" }
  t.fault { mode = "duplicate" }
  ann:send("/echo once")
  ann:expect("once")
  ann:expect_nothing("1m")
end)

t.case("an error in a handler is reported and kept", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/boom")
  ann:send("/echo fine")
  ann:expect("fine")
  local errors = t.errors()
  assert(#errors == 1 and errors[1].line > 0)
  assert(errors[1].message:find("index a nil value", 1, true))
end)

t.case("a handler that never ends ends by its limit", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  ann:send("/loop")
  bob:send("/echo fine")
  bob:expect("fine")
  ann:send("/echo mended")
  ann:expect("mended")
  assert(t.errors()[1].kind == "limit")
end)

t.case("a handler that takes all memory ends by its limit",
  { config = { lua_memory_limit = "16M" } }, function()
    local ann = t.user { first_name = "Ann" }
    ann:send("/bomb")
    ann:send("/echo mended")
    ann:expect("mended")
    assert(t.errors()[1].kind == "limit")
  end)

t.case("a dead letter can be replayed", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/boom")
  t.await(function() return #t.errors() == 1 end)
  t.advance("1s")
  local _, dead = t.api("GET", "/api/dead")
  local status = t.api("POST", ("/api/dead/%d/replay"):format(
    dead.dead[1].id))
  assert(status == 200)
  t.await(function() return #t.errors() == 2 end)
end)

t.case("an error that the simulator would not say by itself", { main = [[
local bot = require "moonlet.bot"
bot.command("start", function(ctx)
  local ok, err = pcall(ctx.api.sendDice, { chat_id = ctx.chat.id })
  ctx:reply(ok and "sent" or ("%s %d %s"):format(err.kind, err.code,
    err.message))
end)]] }, function()
  local ann = t.user { first_name = "Ann" }
  t.fault { method = "sendDice", mode = "refused",
    description = "Bad Request: message thread not found" }
  ann:send("/start")
  ann:expect("api 400 Bad Request: message thread not found")
  t.fault { method = "sendDice", mode = "refused", code = 404,
    description = "Not Found" }
  ann:send("/start")
  ann:expect("api 404 Not Found")
  ann:send("/start")
  ann:expect("sent")
  for _, wrong in ipairs { { code = 429, description = "x" }, { code = 200,
    description = "x" }, { code = 400 }, { description = ("x"):rep(256) } } do
    wrong.mode = "refused"
    local ok, why = pcall(t.fault, wrong)
    assert(not ok and tostring(why):find("code: must be", 1, true)
      or tostring(why):find("description: what", 1, true), tostring(why))
  end
end)
