local t = require "moonlet.test"

t.case("a Web App's data is taken for a day, from the right person", function()
  local ann = t.user { first_name = "Ann & <Co>", username = "ann" }
  local data = ann:init_data { start_param = "x y" }
  ann:send("/webapp " .. data)
  ann:expect("Ann & <Co> x y")
  ann:send("/webapp " .. data:gsub("%d", "7", 1))
  ann:expect("wrong hash")
  t.advance("23h")
  ann:send("/webapp " .. data)
  ann:expect("Ann & <Co> x y")
  t.advance("2h")
  ann:send("/webapp " .. data)
  ann:expect("too old")
  ann:send("/webapp " .. ann:init_data { start_param = "again" })
  ann:expect("Ann & <Co> again")
end)

t.case("the token is nowhere in the scripts", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/token")
  ann:expect("not found")
end)
