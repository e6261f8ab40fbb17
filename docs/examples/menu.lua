-- menu.new
local settings = menu.new("settings", function(m, ctx)
  m:text("Settings of " .. ctx.from.first_name)
  m:close("Done")
end, { personal = true })
bot.command("settings", function(ctx) ctx:show_menu(settings) end)
-- m:text
m:text(format { "Your ", format.bold("order") })
-- m:row
m:button("Tea", function(ctx) ctx:answer_callback("Tea it is") end)
m:row()
m:button("Milk", function(ctx) ctx:answer_callback("Milk it is") end)
-- m:button
m:button("Tea", function(ctx) ctx:answer_callback("It is coming") end)
-- m:toggle
local data = ctx:fsm("order").data
m:toggle("Sugar", data.sugar == true, function(ctx, wanted)
  ctx:fsm("order").data.sugar = wanted
end)
-- m:url
m:url("Site", "https://example.org")
-- m:open
local teas = menu.new("teas", function(m) m:text("Teas") m:back("Back") end)
local shop = menu.new("shop", function(m)
  m:text("Shop")
  m:open("Teas", teas)
end)
bot.command("shop", function(ctx) ctx:show_menu(shop) end)
-- m:back
m:back("Back")
-- m:close
m:close("Close")
-- m:pages
m:pages { items = { "Green", "Black", "White" }, per_page = 2,
  label = function(tea) return tea end,
  on_pick = function(ctx, tea) ctx:answer_callback(tea .. " it is") end }
-- m:range
local data = ctx:fsm("order").data
m:range("Cups", data.cups or 1, { min = 1, max = 9,
  on_change = function(ctx, wanted) ctx:fsm("order").data.cups = wanted end })
-- m:add
m:add { text = "Share", switch_inline_query = "tea" }
