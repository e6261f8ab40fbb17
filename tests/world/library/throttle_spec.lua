local t = require "moonlet.test"

t.case("who sends too much is stopped, and told once", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  for i = 1, 9 do ann:send("/limited " .. i) end
  bob:send("/limited 1")
  bob:expect("taken 1")
  for i = 1, 3 do ann:expect("taken " .. i) end
  ann:expect("slower, please")
  ann:expect_nothing("1s")
  t.advance("9s") -- one more each 10 s
  ann:send("/limited again")
  ann:expect("taken again")
  ann:send("/limited and again")
  ann:expect("slower, please")
  t.advance("5m")
  for i = 1, 4 do ann:send("/limited " .. i) end
  for i = 1, 3 do ann:expect("taken " .. i) end
  ann:expect("slower, please")
end)

t.case("a chat may share a limit", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  local team = t.group { title = "Team", members = { ann, bob } }
  ann:send("/shared 1", team)
  team:expect("taken 1")
  bob:send("/shared 2", team)
  ann:send("/shared 3", team)
  team:expect_nothing("5s")
  ann:send("/shared 4")
  ann:expect("taken 4")
end)

t.case("payments pass", function()
  local ann = t.user { first_name = "Ann" }
  for _ = 1, 4 do ann:send("/limited x") end
  ann:expect("slower, please")
  t.update { message = { message_id = 900, date = 1,
    chat = { id = ann.id, type = "private", first_name = "Ann" },
    from = { id = ann.id, is_bot = false, first_name = "Ann" },
    successful_payment = { currency = "XTR", total_amount = 5,
      invoice_payload = "tea:1", telegram_payment_charge_id = "c1",
      provider_payment_charge_id = "" } } }
  ann:expect("paid 5")
end)

t.case("its memory is bounded", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/many 30000")
  ann:expect("first: true, kept: false, forgotten: true")
end)
