--- What people do in a spec that is more than one request to the simulator:
-- they vote, pay, and open Web Apps. Not for scripts of authors.
local chat = require "moonlet.test_chat"
local core = require "moonlet.test.core"
local expect = require "moonlet.test_expect"

local people = {}

local made = 0 -- ids of payments
local asked = 0 -- and of inline queries
local chosen, pressed = 0, 0 -- results of them, and buttons below those

local function as_user(user)
  return { id = user.id, is_bot = false, first_name = user.first_name,
    username = user.username, language_code = user.language_code }
end

local function check_message(what, message, kind)
  if type(message) ~= "table" or not message[kind] then
    expect.misuse(("%s takes a message with the %s that is meant"):format(what,
      kind))
  end
end

-- The places of options, from 0 on.
local function places(poll, texts)
  local found = core.array {}
  for _, text in ipairs(texts) do
    local place
    for i, option in ipairs(poll.options) do
      if option.text == text then place = i - 1 end
    end
    if not place then
      expect.misuse(("the poll has no option %q"):format(tostring(text)))
    end
    table.insert(found, place)
  end
  return found
end

--- The update of a vote.
function people.vote(user, message, texts)
  check_message("user:vote", message, "poll")
  local poll = message.poll
  if poll.is_anonymous ~= false then
    expect.misuse("user:vote: no bot hears of the votes of an anonymous poll: "
      .. "is_anonymous = false")
  end
  local ids, persistent = places(poll, texts), core.array {}
  for i, id in ipairs(ids) do persistent[i] = tostring(id) end
  return { poll_answer = { poll_id = poll.id, user = as_user(user),
    option_ids = ids, option_persistent_ids = persistent } }
end

--- The update of an inline query.
function people.inline(user, query, offset)
  if type(query) ~= "string" then
    expect.misuse("user:inline takes a text, got " .. type(query))
  end
  asked = asked + 1
  return { inline_query = { id = "inline" .. asked, from = as_user(user),
    query = query, offset = offset or "" } }
end

--- The update of a result that was chosen, and what was sent by it.
function people.choose(user, result, query)
  if type(result) ~= "table" or not result.id then
    expect.misuse("user:choose takes one of the results of user:inline")
  end
  chosen = chosen + 1
  local sent = { result = result,
    inline_message_id = result.reply_markup and "sent" .. chosen or nil }
  return { chosen_inline_result = { result_id = tostring(result.id),
    from = as_user(user), query = query or "",
    inline_message_id = sent.inline_message_id } }, sent
end

--- The update of a press of a button below what was sent so.
function people.press(user, sent, button)
  local rows = chat.inline_buttons(sent.inline_message_id)
    or sent.result.reply_markup.inline_keyboard
  local names = {}
  for _, row in ipairs(rows) do
    for _, each in ipairs(row) do
      if each.text == button or each.callback_data == button then
        pressed = pressed + 1
        return { callback_query = { id = "inline_press" .. pressed,
          from = as_user(user), inline_message_id = sent.inline_message_id,
          chat_instance = "1", data = each.callback_data } }
      end
      names[#names + 1] = each.text
    end
  end
  expect.misuse(("%s cannot press %q: what was sent has: %s"):format(user.name,
    tostring(button), table.concat(names, ", ")))
end

-- The parameters by which the bot has made the link of an invoice.
local function linked_invoice(link)
  chat.absorb()
  for _, call in ipairs(chat.calls) do
    if call.method == "createInvoiceLink" and call.result == link then
      return call.params
    end
  end
  expect.misuse("user:pay: the bot has not made the link " .. link)
end

local function invoice_of(message)
  if type(message) == "string" then return linked_invoice(message) end
  check_message("user:pay", message, "invoice")
  chat.absorb()
  for _, call in ipairs(chat.calls) do
    local sent = call.method == "sendInvoice" and call.result
    if type(sent) == "table" and sent.message_id == message.message_id
      and sent.chat.id == message.chat.id then
      return call.params
    end
  end
  expect.misuse("user:pay: the bot has not sent that invoice")
end

--- The query that asks the bot whether a payment may go on, and what the
-- payment will be.
function people.checkout(user, message)
  local params = invoice_of(message)
  made = made + 1
  local payment = { currency = params.currency, total_amount = 0,
    invoice_payload = params.payload }
  for _, price in ipairs(params.prices) do
    payment.total_amount = payment.total_amount + price.amount
  end
  if params.subscription_period then
    payment.is_recurring, payment.is_first_recurring = true, true
    payment.subscription_expiration_date = math.floor(core.now())
      + params.subscription_period
  end
  local query = { id = "checkout" .. made, from = as_user(user) }
  for _, name in ipairs { "currency", "total_amount", "invoice_payload" } do
    query[name] = payment[name]
  end
  payment.telegram_payment_charge_id = "charge" .. made
  payment.provider_payment_charge_id = ""
  return { pre_checkout_query = query }, payment
end

--- The message by which the bot learns of a payment.
function people.paid(user, message, payment, date)
  local shown = user:messages()
  return { message = { message_id = shown[#shown].message_id + 1, date = date,
    from = as_user(user), chat = type(message) == "table" and message.chat
      or { id = user.id, type = "private", first_name = user.first_name },
    successful_payment = payment } }
end

-- Everything but what an address may hold as it is.
local function encoded(text)
  return (text:gsub("[^%w%-._~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

local TOKEN = "1:PLAY" -- of the simulated bot

--- The initData of a Web App.
function people.init_data(user, fields)
  local all = { auth_date = math.floor(core.now()), user = { id = user.id,
    first_name = user.first_name, username = user.username,
    language_code = user.language_code } }
  for name, value in pairs(fields or {}) do all[name] = value end
  local lines, pairs_of = {}, {}
  for name, value in pairs(all) do
    value = type(value) == "table" and core.encode(value) or tostring(value)
    lines[#lines + 1] = name .. "=" .. value
    pairs_of[#pairs_of + 1] = name .. "=" .. encoded(value)
  end
  table.sort(lines)
  table.sort(pairs_of)
  return table.concat(pairs_of, "&") .. "&hash="
    .. core.webapp_sign(TOKEN, table.concat(lines, "\n"))
end

return people
