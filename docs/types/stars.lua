---@meta moonlet.stars
-- Made by docs/luacats.py; see there.

---Payments in Telegram Stars. The person pays an invoice; before the payment a
---pre_checkout_query comes, which ctx:answer_pre_checkout must answer within
---10 seconds; after it a message with successful_payment.
---@class moonlet.stars
local stars = {}

---Sends an invoice: title, description, payload (for you, comes back with the
---payment), amount in Stars, any other parameter, and those of an API call:
---timeout, on_unknown and the like. Returns the Message; raises as moonlet.api
---does, and "misuse" for wrong fields (Bot API sendInvoice).
---@param chat_id integer|string
---@param invoice any
---@return any ...
function stars.send(chat_id, invoice) end

---The same as a link that anybody may pay; subscription_period = 2592000 makes
---it a monthly subscription (Bot API createInvoiceLink).
---@param invoice any
---@return any ...
function stars.link(invoice) end

---Gives Stars back; charge_id is telegram_payment_charge_id of the payment
---(Bot API refundStarPayment).
---@param user_id integer
---@param charge_id any
---@return any ...
function stars.refund(user_id, charge_id) end

---The Stars that the bot has; their amount, a whole number (Bot API
---getMyStarBalance).
---@return any ...
function stars.balance() end

return stars
