-- Wish 14: the order of a chat delays no answer to a button.
local t = require "moonlet.test"

t.use { main = [[
local bot = require "moonlet.bot"
local task = require "moonlet.task"

bot.command("start", function(ctx)
  ctx:reply("Go", { reply_markup = { inline_keyboard = { {
    { text = "Slow", callback_data = "slow" },
    { text = "Tea", callback_data = "tea" },
    { text = "Mine", callback_data = "mine" } } } } })
end)
bot.command("work", function(ctx)
  task.sleep("40s")
  ctx:reply("worked")
end)
bot.callback("^slow$", function(ctx)
  task.sleep("20s")
  ctx:reply("slow is over")
end)
bot.callback("^tea$", function(ctx)
  local ok = ctx:answer_callback("Here it is")
  ctx:reply(ok and "a toast" or "too late for a toast")
end)
bot.callback("^mine$", function(ctx) ctx:reply("mine") end,
  { auto_answer = false })
]] }

local ann
t.before(function()
  ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:expect("Go")
end)

local function answered()
  return #t.calls("answerCallbackQuery")
end

t.case("14: a press behind a busy handler is answered after 5 seconds",
  function()
    ann:send("/work")
    t.advance("1s")
    ann:click("Tea")
    t.advance("4s")
    assert(answered() == 0)
    t.advance("2s")
    assert(answered() == 1)
    ann:expect("worked", { within = "1m" })
    ann:expect("too late for a toast")
    assert(#t.errors() == 0)
  end)

t.case("14: two presses behind each other are answered in time", function()
  ann:click("Slow")
  ann:click("Slow")
  ann:click("Slow")
  t.advance("7s")
  assert(answered() == 3)
  for _ = 1, 3 do ann:expect("slow is over", { within = "2m" }) end
  t.advance("1m")
  assert(answered() == 3)
end)

t.case("14: a handler that answers by itself is left to it", function()
  ann:send("/work")
  t.advance("1s")
  ann:click("Mine")
  ann:expect("mine", { within = "1m" })
  assert(answered() == 0)
end)

t.case("14: a press that does not wait long is answered once", function()
  ann:click("Tea")
  ann:expect("a toast")
  t.advance("10s")
  assert(answered() == 1)
end)

t.case("16: a handler that takes too long ends alone",
  { config = { handler_timeout = "10s" } }, function()
    local bob = t.user { first_name = "Bob" }
    ann:send("/work")
    bob:send("/start")
    bob:expect("Go")
    t.await(function() return #t.errors() == 1 end)
    assert(t.errors()[1].kind == "timeout")
    ann:send("/start")
    ann:expect("Go")
  end)
