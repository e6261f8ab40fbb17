"""A bot that makes the calls it is told to, and what came of them."""

# "METHOD [ARGUMENT]" makes one call and tells the log what came of it.
BOT = """
local bot = require "moonlet.bot"
local log = require "moonlet.log"
bot.on("message:text", function(ctx)
  local method, count, limit = ctx.message.text:match("^(%a+) ?(%d*) ?(%w*)")
  for i = 1, tonumber(count) or 1 do
    local done, err = pcall(ctx.api[method], { chat_id = ctx.chat.id,
      text = ctx.message.text }, { unchecked = true,
      timeout = limit ~= "" and limit or nil })
    if done then err = {} end
    log.info("outcome", { text = ctx.message.text, n = i,
      done = tostring(done), kind = err.kind or "", code = err.code or 0,
      error = err.message or "", after = err.retry_after or 0,
      retryable = tostring(err.retryable) })
  end
end)
"""


def outcome(api, bot, text, user=7, **more):
    start = len(bot.process.lines)
    api.deliver(text, user)
    return bot.wait_event("outcome", text=text, start=start, **more)


def assert_goes_on(api, bot, user=7):
    assert outcome(api, bot, "getChat", user)["done"] == "true"
    assert outcome(api, bot, "sendMessage 1", user)["done"] == "true"
