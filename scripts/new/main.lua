-- A bot to begin with. While `moonlet play` runs, save this file and the next
-- answer is the new one.
local bot = require "moonlet.bot"
local keyboard = require "moonlet.keyboard"

-- Texts stand in locales/, one file a language.
bot.command("start", function(ctx)
  ctx:reply(ctx:t("hello", { name = ctx.from.first_name }), {
    reply_markup = keyboard.inline { { { ctx:t "wave", "wave:1" } } },
  })
end, { description = "Begin" })

-- A button's data comes back here when it is pressed.
bot.callback("^wave:(%d+)$", function(ctx, n)
  local times = math.tointeger(n)
  ctx:edit(ctx:t("waved", { count = times }), {
    reply_markup = keyboard.inline {
      { { ctx:t "wave", "wave:" .. times + 1 } },
    },
  })
end)

-- A form: where each person is in it outlives restarts.
bot.fsm("form", {
  initial = "idle",
  states = {
    idle = { on = { begin = "name" } },
    name = {
      enter = function(ctx) ctx:reply(ctx:t "form.name") end,
      on = { answer = "town", cancel = "idle" },
      timeout = { after = "1h", to = "idle" },
    },
    town = {
      enter = function(ctx) ctx:reply(ctx:t "form.town") end,
      on = { answer = "idle", cancel = "idle" },
      timeout = { after = "1h", to = "idle" },
    },
  },
})

bot.command("form", function(ctx)
  local form = ctx:fsm("form")
  if form:can("cancel") then form:fire("cancel") end
  form:fire("begin")
end, { description = "Answer two questions" })

bot.command("cancel", function(ctx)
  local form = ctx:fsm("form")
  if not form:can("cancel") then return ctx:reply(ctx:t "form.none") end
  form:fire("cancel")
  ctx:reply(ctx:t "form.cancelled")
end, { description = "Leave the form" })

-- The last one takes what is left.
bot.on("message:text", function(ctx)
  local form = ctx:fsm("form")
  if form.state == "idle" then return ctx:reply(ctx:t "help") end
  form.data[form.state] = ctx.text
  form:fire("answer")
  if form.state == "idle" then ctx:reply(ctx:t("form.done", form.data)) end
end)
