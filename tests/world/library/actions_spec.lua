local t = require "moonlet.test"

local function actions() return #t.calls("sendChatAction") end

t.case("an action is shown once", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/act upload_photo")
  ann:expect { action = "upload_photo" }
  ann:expect("shown true")
  assert(actions() == 1)
end)

t.case("typing goes on while the work goes on, and no longer", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/work 20")
  ann:expect("worked 20 s, all of it")
  assert(actions() == 5, actions()) -- after 0, 4.5, 9, 13.5 and 18 s
  t.advance("1m")
  assert(actions() == 5)
end)

t.case("work that fails ends the action and is raised", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/work 10 fail")
  ann:expect("failed: it broke")
  t.advance("1m")
  assert(actions() == 3, actions())
end)

t.case("an action that is refused does not stop the work", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/dance")
  ann:expect("danced 10 s")
  local calls = t.calls("sendChatAction")
  assert(#calls == 1 and calls[1].status == 400)
end)

t.case("a handler that is ended ends its action", { config = {
  HANDLER_TIMEOUT = "10s" } }, function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/work 60")
  t.advance("2m")
  assert(actions() == 3, actions())
end)
