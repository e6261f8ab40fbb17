-- The echo bot, beside as many jobs as wait to send at any moment.
local api = require "moonlet.api"
local bot = require "moonlet.bot"
local paid = require "moonlet.config".paid
local task = require "moonlet.task"

local FIRST_CHAT, SENDERS = 8000000000, 400

local function send(chat)
  while true do
    api.sendMessage{ chat_id = chat, text = "bulk",
      allow_paid_broadcast = paid }
  end
end

bot.on("message", function(ctx) ctx:reply(ctx.message.text) end)

bot.on_start(function()
  for i = 1, SENDERS do task.detach(send, FIRST_CHAT + i) end
end)
