-- A shop: a menu with pages, a cart, payment in Stars.
local bot = require "moonlet.bot"
local menu = require "moonlet.menu"
local stars = require "moonlet.stars"

local goods = {
  { name = "Green tea", price = 3 }, { name = "Black tea", price = 2 },
  { name = "White tea", price = 5 }, { name = "Oolong", price = 6 },
  { name = "Mate", price = 4 }, { name = "Cocoa", price = 3 },
}

bot.fsm("shop", {
  initial = "choosing",
  states = { -- data.cart: a list of goods
    choosing = { on = { checkout = "paying", change = "choosing" } },
    paying = {
      on = { checkout = "paying", change = "choosing" },
      timeout = { after = "1h", to = "choosing" },
    },
  },
})

local function cart_of(ctx)
  local cart, sum = ctx:fsm("shop").data.cart or {}, 0
  for _, item in ipairs(cart) do sum = sum + item.price end
  return cart, sum
end

local function add(ctx, item)
  local shop, cart = ctx:fsm("shop"), cart_of(ctx)
  table.insert(cart, item)
  shop.data.cart = cart
  shop:fire("change") -- an invoice of before is void
end

local function pay(ctx)
  local cart, sum = cart_of(ctx)
  ctx:fsm("shop"):fire("checkout")
  stars.send(ctx.chat.id, { title = "Your order", amount = sum,
    description = "What is in your cart", payload = #cart .. " things" })
end

local shelves = menu.new("shelves", function(m, ctx)
  local cart, sum = cart_of(ctx)
  m:text("In your cart: " .. #cart)
  m:pages { items = goods, per_page = 3, on_pick = add,
    label = function(item)
      return ("%s, %d Stars"):format(item.name, item.price)
    end }
  if sum > 0 then
    m:row()
    m:button("Pay " .. sum .. " Stars", pay, "pay")
  end
end, { personal = true })

bot.command({ "shop", "start" }, function(ctx) ctx:show_menu(shelves) end,
  { description = "What there is" })

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
