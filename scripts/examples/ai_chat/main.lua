-- A chat with a language model behind any address that takes and gives
-- messages in the usual JSON (config.lua).
local bot = require "moonlet.bot"
local config = require "moonlet.config"
local errors = require "moonlet.errors"
local http = require "moonlet.http"

local REMEMBERED = 10 -- messages of both

bot.fsm("chat", { initial = "open", states = { open = {} } })

local function ask(messages)
  local headers = config.ai_key
    and { Authorization = "Bearer " .. config.ai_key }
  local answer = http.post(config.ai_url, nil, { check = true,
    headers = headers, timeout = config.ai_timeout,
    json = { model = config.ai_model, messages = messages } })
  return answer:json().choices[1].message.content
end

local function last(messages, count)
  return table.move(messages, math.max(1, #messages - count + 1), #messages,
    1, {})
end

bot.command({ "start", "new" }, function(ctx)
  ctx:fsm("chat"):reset()
  ctx:reply("What is on your mind?")
end, { description = "Begin anew" })

local sorry = {
  timeout = "That takes me too long. Please ask again.",
  http = "I cannot think right now. Please ask again later.",
}

bot.on("message:text", function(ctx)
  local data = ctx:fsm("chat").data
  local messages = last(data.messages or {}, REMEMBERED - 1)
  table.insert(messages, { role = "user", content = ctx.text })
  local ok, answer = ctx:while_typing(pcall, ask, messages)
  if not ok then
    errors.capture(answer)
    return ctx:reply(sorry[answer.kind] or sorry.http)
  end
  table.insert(messages, { role = "assistant", content = answer })
  data.messages = messages
  ctx:reply(answer)
end)
