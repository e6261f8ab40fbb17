local check = require "check"
local stars = require "moonlet.stars"
local throttle = require "moonlet.throttle"

local case = {}

local function with(name, value)
  local fields = { title = "Tea", description = "A cup", payload = "tea:1",
    amount = 5 }
  fields[name] = value
  return fields
end

function case.invoices_are_checked(ctx)
  local id = ctx.chat.id
  check.raises("stars.send needs a table", stars.send, id)
  check.raises("title must be a text of 1 to 32", stars.send, id,
    with("title", ("x"):rep(33)))
  check.raises("description must be", stars.link, with("description", ""))
  check.raises("payload must be", stars.link, with("payload", 7))
  check.raises("payload must be a text of 1 to 128 bytes", stars.link,
    with("payload", ("ж"):rep(65)))
  check.raises("amount must be a whole number", stars.link,
    with("amount", 1.5))
  check.raises("amount must be", stars.link, with("amount", 0))
  check.raises("stars.refund needs", stars.refund, "x")
  check.raises('no function "pay"', function() return stars.pay end)
end

function case.options_of_throttle_are_checked()
  check.raises("needs a table of options", throttle)
  check.raises("limit must be a whole", throttle, { per = "10s" })
  check.raises("throttle: per must be", throttle, { limit = 1, per = "x" })
  check.raises("longer than nothing", throttle, { limit = 1, per = 0 })
  check.raises('got "topic"', throttle, { limit = 1, per = 1, by = "topic" })
  check.raises("on_limit must be a function", throttle,
    { limit = 1, per = 1, on_limit = 7 })
  check.raises('no option "max"', throttle, { limit = 1, per = 1, max = 2 })
end

return case
