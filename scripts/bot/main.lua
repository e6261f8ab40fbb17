-- The reference bot. Save this file while `./dev run` is open and the next
-- answer is the new one.
local bot = require "moonlet.bot"

local function menu()
  return {
    inline_keyboard = {
      { { text = "Press me", callback_data = "count:1" } },
      { { text = "What time is it?", callback_data = "time" } },
    },
  }
end

bot.command("start", function(ctx)
  local name = ctx.from.first_name
  local from = ctx.args[1] and (" You came through " .. ctx.args[1] .. ".")
    or ""
  ctx:reply(("Hello, %s.%s Send me a text, or press a button.")
    :format(name, from), { reply_markup = menu() })
end, { description = "Begin" })

bot.command("help", function(ctx)
  ctx:reply("I repeat what you write. /start shows my buttons, "
    .. "/sum 1 2 3 adds numbers.")
end, { description = "What I can do" })

bot.command("sum", function(ctx)
  local total = 0
  for _, word in ipairs(ctx.args) do
    local number = tonumber(word)
    if not number then
      ctx:reply(("%q is not a number."):format(word))
      return
    end
    total = total + number
  end
  ctx:reply("The sum is " .. total)
end, { description = "Add numbers" })

bot.callback("^count:(%d+)$", function(ctx, n)
  local pressed = math.tointeger(n)
  local times = pressed == 1 and "once" or (pressed .. " times")
  ctx:edit("You pressed it " .. times .. ".", {
    reply_markup = {
      inline_keyboard = {
        { { text = "Again", callback_data = "count:" .. pressed + 1 } },
      },
    },
  })
end)

bot.callback("^time$", function(ctx)
  ctx:answer_callback("It is " .. os.date("%H:%M:%S"))
end)

bot.hears("^[Hh]ello", function(ctx)
  ctx:reply("Hello to you, " .. ctx.from.first_name)
end)

bot.on("message:text", function(ctx)
  if ctx.chat.type == "private" then ctx:reply(ctx.message.text) end
end)
