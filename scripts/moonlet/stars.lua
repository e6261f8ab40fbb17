--- Payments in Telegram Stars. The person pays an invoice; before the payment
-- a pre_checkout_query comes, which ctx:answer_pre_checkout must answer within
-- 10 seconds; after it a message with successful_payment.
local api = require "moonlet.api"
local context = require "moonlet.ctx"
local core = require "moonlet.core"

local stars = {}

-- count: utf8.len or string.len.
local function check_text(what, fields, name, max, count)
  local text = fields[name]
  local length = type(text) == "string" and (count(text) or #text)
  if not length or length < 1 or length > max then
    core.misuse(("%s: %s must be a text of 1 to %d %s"):format(what, name,
      max, count == utf8.len and "signs" or "bytes"))
  end
end

local function invoice(what, fields)
  if type(fields) ~= "table" then
    core.misuse(what .. " needs a table, got " .. type(fields))
  end
  check_text(what, fields, "title", 32, utf8.len)
  check_text(what, fields, "description", 255, utf8.len)
  check_text(what, fields, "payload", 128, string.len)
  local amount = fields.amount
  if math.type(amount) ~= "integer" or amount < 1 then
    core.misuse(what .. ": amount must be a whole number of Stars from 1 on")
  end
  local params = {}
  local options = context.part(what, params, fields)
  params.amount = nil
  params.currency, params.provider_token = "XTR", ""
  params.prices = { { label = fields.title, amount = amount } }
  return params, options
end

--- stars.send(chat_id, invoice): sends an invoice: title, description,
-- payload (for you, comes back with the payment), amount in Stars, any other
-- parameter, and those of an API call: timeout, on_unknown and the like.
-- Returns the Message; raises as moonlet.api does, and "misuse" for wrong
-- fields (Bot API sendInvoice).
function stars.send(chat_id, fields)
  local params, options = invoice("stars.send", fields)
  params.chat_id = chat_id
  return api.sendInvoice(params, options)
end

--- stars.link(invoice): the same as a link that anybody may pay;
-- subscription_period = 2592000 makes it a monthly subscription
-- (Bot API createInvoiceLink).
function stars.link(fields)
  return api.createInvoiceLink(invoice("stars.link", fields))
end

--- stars.refund(user_id, charge_id): gives Stars back; charge_id is
-- telegram_payment_charge_id of the payment (Bot API refundStarPayment).
function stars.refund(user_id, charge_id)
  if math.type(user_id) ~= "integer" or type(charge_id) ~= "string" then
    core.misuse("stars.refund needs a user's id and a charge's id")
  end
  return api.refundStarPayment { user_id = user_id,
    telegram_payment_charge_id = charge_id }
end

--- stars.balance(): the Stars that the bot has; their amount, a whole number
-- (Bot API getMyStarBalance).
function stars.balance() return api.getMyStarBalance {}.amount end

return setmetatable(stars, {
  __index = function(_, name)
    core.misuse(("stars has no function %q"):format(tostring(name)))
  end,
})
