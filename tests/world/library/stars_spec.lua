local t = require "moonlet.test"

t.case("a payment in Stars from invoice to refund", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/buy")
  local call = t.expect_call("sendInvoice", { chat_id = ann.id,
    currency = "XTR", provider_token = "", payload = "tea:1" })
  assert(call.params.prices[1].amount == 5)
  assert(call.params.prices[1].label == "Tea" and not call.params.amount)
  t.update { pre_checkout_query = { id = "77", currency = "XTR",
    from = { id = ann.id, is_bot = false, first_name = "Ann" },
    total_amount = 5, invoice_payload = "tea:1" } }
  call = t.expect_call("answerPreCheckoutQuery",
    { pre_checkout_query_id = "77" })
  assert(call.params.ok == true and call.params.error_message == nil)
  t.update { pre_checkout_query = { id = "78", currency = "XTR",
    from = { id = ann.id, is_bot = false, first_name = "Ann" },
    total_amount = 9, invoice_payload = "gone" } }
  call = t.expect_call("answerPreCheckoutQuery",
    { pre_checkout_query_id = "78" })
  assert(call.params.ok == false and call.params.error_message == "Sold out")
  ann:send("/refund c1")
  t.expect_call("refundStarPayment", { user_id = ann.id,
    telegram_payment_charge_id = "c1" })
  ann:send("/subscribe")
  call = t.expect_call("createInvoiceLink",
    { subscription_period = 2592000 })
  assert(call.params.title == "Club")
  ann:send("/balance")
  t.expect_call("getMyStarBalance")
  ann:expect("Stars")
end)

t.case("the answer belongs to its query", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/checkout")
  ann:expect("is for a pre_checkout_query; this is a message")
end)

t.case("a deep link's payload comes with /start", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start dGVhOjE")
  ann:expect("started with tea:1")
end)
