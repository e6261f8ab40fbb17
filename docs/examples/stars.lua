-- stars.send
stars.send(ctx.chat.id, { title = "Tea", description = "A cup",
  payload = "tea:1", amount = 5 })
-- stars.link
local url = stars.link { title = "Club", description = "Tea all month",
  payload = "club", amount = 50, subscription_period = 2592000 }
ctx:reply("Join the club: " .. url)
-- stars.refund
bot.on("message:successful_payment", function(ctx)
  local payment = ctx.message.successful_payment
  stars.refund(ctx.from.id, payment.telegram_payment_charge_id)
  ctx:reply("Sold out; your Stars are back")
end)
-- stars.balance
ctx:reply(stars.balance() .. " Stars")
