--- What people do in a spec that is more than one request to the simulator:
-- they vote, pay, and open Web Apps. Not for scripts of authors.
local chat = require "moonlet.test_chat"
local core = require "moonlet.test.core"
local expect = require "moonlet.test_expect"

local people = {}

local made = 0 -- ids of payments
local asked = 0 -- and of inline queries

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

local function invoice_of(message)
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
  check_message("user:pay", message, "invoice")
  local params = invoice_of(message)
  made = made + 1
  local payment = { currency = params.currency, total_amount = 0,
    invoice_payload = params.payload }
  for _, price in ipairs(params.prices) do
    payment.total_amount = payment.total_amount + price.amount
  end
  local query = { id = "checkout" .. made, from = as_user(user) }
  for name, value in pairs(payment) do query[name] = value end
  payment.telegram_payment_charge_id = "charge" .. made
  payment.provider_payment_charge_id = ""
  return { pre_checkout_query = query }, payment
end

--- The message by which the bot learns of a payment.
function people.paid(user, message, payment, date)
  local shown = user:messages()
  return { message = { message_id = shown[#shown].message_id + 1, date = date,
    from = as_user(user), chat = message.chat, successful_payment = payment } }
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
