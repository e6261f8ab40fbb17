-- /start, alone or with what a link carries: t.me/BOT?start=PAYLOAD.
local bot = require "moonlet.bot"
local keyboard = require "moonlet.keyboard"
local commands = require "commands"
local preferences = require "preferences"

local function greet(ctx, key)
  ctx:reply(ctx:t_html(key or "start.hello", { name = ctx.from.first_name }),
    { reply_markup = keyboard.inline()
      :text(ctx:t("start.add"), "add:begin"):row()
      :text(ctx:t("start.settings"), "settings")
      :text(ctx:t("start.help"), "help") })
end

-- Somebody's friend; only the first invitation counts.
local function invited(ctx, id)
  local mine = preferences.of(ctx)
  id = math.tointeger(id)
  if id == ctx.from.id then return greet(ctx, "start.yourself") end
  mine.invited_by = mine.invited_by or id
  greet(ctx, "start.invited")
end

-- The newest file that this person has added; others come with storage.
local function send_file(ctx, id)
  local item = ctx:fsm("add").data.kept
  if not item or item.id ~= math.tointeger(id) then
    return ctx:reply(ctx:t("start.no_file"))
  end
  local method = item.kind == "photo" and "sendPhoto" or "sendDocument"
  if not item.file_id then
    return ctx:reply(ctx:t_html("add.card", item))
  end
  ctx.api[method]{ chat_id = ctx.chat.id, [item.kind] = item.file_id,
    caption = ctx:t_html("add.card", item) }
end

bot.command("start", function(ctx)
  local kind, id = (ctx.args[1] or ""):match("^(%l+)_(%d+)$")
  if kind == "ref" then return invited(ctx, id) end
  if kind == "file" then return send_file(ctx, id) end
  greet(ctx, ctx.args[1] and "start.odd_link")
end, commands.described("start"))
