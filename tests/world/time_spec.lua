local t = require "moonlet.test"

local DAY = 24 * 3600

t.case("a handler sleeps a day", { config = { handler_timeout = "2d" } },
  function()
    local ann = t.user { first_name = "Ann" }
    local began = t.now()
    ann:send("/sleep 24h")
    ann:expect("slept 24h", { within = "25h" })
    assert(t.now() - began >= DAY and t.now() - began < DAY + 10)
  end)

t.case("a handler is ended by HANDLER_TIMEOUT", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/sleep 24h")
  ann:expect_nothing("11m")
  local errors = t.errors()
  assert(#errors == 1 and errors[1].kind == "timeout")
  assert(errors[1].script == "main.lua" and errors[1].chat_id == ann.id)
  ann:send("/echo well")
  ann:expect("well")
end)

t.case("a chat waits for its handler, others do not", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  ann:send("/sleep 1m")
  ann:send("/echo behind")
  bob:send("/echo beside")
  local began = t.now()
  bob:expect("beside")
  assert(t.now() - began < 5)
  ann:expect("slept 1m", { within = "2m" })
  ann:expect("behind")
  assert(t.now() - began >= 60)
end)

t.case("order none passes a handler of its chat", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/sleep 1m")
  ann:send("/open")
  ann:expect("opened")
  ann:expect("slept", { within = "2m" })
end)

t.case("child tasks run beside each other", function()
  local ann = t.user { first_name = "Ann" }
  local began = t.now()
  ann:send("/children")
  ann:expect("slow quick")
  assert(t.now() - began < 2.5)
end)

t.case("a press is answered by itself after 5 s", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/menu")
  ann:click("Nothing")
  local began = t.now()
  t.expect_call("answerCallbackQuery")
  assert(t.now() - began >= 4 and t.now() - began < 6)
  ann:expect { deleted = "What will it be?" }
  assert(t.now() - began >= 20)
end)

t.case("time can be advanced and set", function()
  assert(os.date("%Y-%m-%d %H:%M", math.floor(t.now())) == "2026-01-05 09:00")
  t.advance("90m")
  assert(os.date("%H:%M", math.floor(t.now())) == "10:30")
  t.at("09:15")
  assert(os.date("%d %H:%M", math.floor(t.now())) == "06 09:15")
  t.at("2026-01-08 00:00")
  assert(os.date("%Y-%m-%d", math.floor(t.now())) == "2026-01-08")
  assert(not pcall(t.at, "2025-01-01 00:00"))
end)
