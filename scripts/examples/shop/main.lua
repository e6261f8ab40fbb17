-- A shop: pages of goods, a cart, payment in Stars.
local bot = require "moonlet.bot"
local keyboard = require "moonlet.keyboard"
local stars = require "moonlet.stars"

local goods = {
  { "Green tea", 3 }, { "Black tea", 2 }, { "White tea", 5 }, { "Oolong", 6 },
  { "Mate", 4 }, { "Cocoa", 3 }, { "Espresso", 2 },
}
local PER_PAGE = 3

bot.fsm("shop", {
  initial = "choosing",
  states = { -- data.cart: numbers of goods
    choosing = { on = { checkout = "paying", change = "choosing" } },
    paying = {
      on = { checkout = "paying", change = "choosing" },
      timeout = { after = "1h", to = "choosing" },
    },
  },
})

local show = bot.callback_data("page", { "page:int" })
local add = bot.callback_data("add", { "item:int", "page:int" })

local function cart_of(ctx)
  local cart, sum = ctx:fsm("shop").data.cart or {}, 0
  for _, item in ipairs(cart) do sum = sum + goods[item][2] end
  return cart, sum
end

local function shelf(ctx, page)
  local cart, sum = cart_of(ctx)
  local menu = keyboard.inline()
  for i = (page - 1) * PER_PAGE + 1, math.min(page * PER_PAGE, #goods) do
    menu:text(("%s, %d Stars"):format(goods[i][1], goods[i][2]),
      add:pack { item = i, page = page }):row()
  end
  if page > 1 then menu:text("Back", show:pack { page = page - 1 }) end
  if page * PER_PAGE < #goods then
    menu:text("Next", show:pack { page = page + 1 })
  end
  if sum > 0 then menu:row():text("Pay " .. sum .. " Stars", "pay") end
  return "In your cart: " .. #cart, { reply_markup = menu }
end

bot.command({ "shop", "start" }, function(ctx) ctx:reply(shelf(ctx, 1)) end,
  { description = "What there is" })

bot.callback(show, function(ctx, data) ctx:edit(shelf(ctx, data.page)) end)

bot.callback(add, function(ctx, data)
  local shop, cart = ctx:fsm("shop"), cart_of(ctx)
  table.insert(cart, data.item)
  shop.data.cart = cart
  shop:fire("change") -- an invoice of before is void
  ctx:edit(shelf(ctx, data.page))
end)

bot.callback("^pay$", function(ctx)
  local cart, sum = cart_of(ctx)
  if sum == 0 then return ctx:edit(shelf(ctx, 1)) end
  ctx:fsm("shop"):fire("checkout")
  stars.send(ctx.chat.id, { title = "Your order", amount = sum,
    description = "What is in your cart", payload = #cart .. " things" })
end)

bot.on("pre_checkout_query", function(ctx)
  local _, sum = cart_of(ctx)
  local valid = ctx:fsm("shop").state == "paying"
    and ctx.event.total_amount == sum
  ctx:answer_pre_checkout(valid, "Your cart has changed. Please /shop again.")
end)

bot.on("message:successful_payment", function(ctx)
  local payment = ctx.message.successful_payment
  ctx:reply("Thank you. On their way: " .. payment.invoice_payload)
  ctx:fsm("shop"):reset()
end)
