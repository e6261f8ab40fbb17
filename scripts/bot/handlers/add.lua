-- A form in three questions: title, tags, and whether all is right. Where a
-- person stands in it lasts through a restart; who goes away for half an hour
-- begins anew. A file that arrives meanwhile belongs to it.
local bot = require "moonlet.bot"
local keyboard = require "moonlet.keyboard"
local link = require "moonlet.link"
local commands = require "commands"
local preferences = require "preferences"

local LONGEST = 200 -- characters of a title or of the tags
local timeout = { after = "30m", to = "expired" }

local function show_file(ctx, item)
  local method = item.kind == "photo" and "sendPhoto" or "sendDocument"
  ctx.api[method]{ chat_id = ctx.chat.id, [item.kind] = item.file_id }
end

local function ask_title(ctx)
  local item = ctx:fsm("add").data.item
  ctx:reply(ctx:t(item.file_id and "add.title_of_file" or "add.title"),
    { reply_markup = keyboard.force_reply(ctx:t("add.title_hint")) })
end

local function ask_tags(ctx)
  ctx:reply(ctx:t("add.tags"), { reply_markup = keyboard.reply()
    :text(ctx:t("add.no_tags")):resize():once()
    :placeholder(ctx:t("add.tags_hint")) })
end

local function ask_whether(ctx)
  local item = ctx:fsm("add").data.item
  if item.file_id and preferences.of(ctx).preview then show_file(ctx, item) end
  ctx:reply(ctx:t_html("add.card", item), { reply_markup = keyboard.inline()
    :text(ctx:t("add.save"), "add:save"):row()
    :text(ctx:t("add.again"), "add:again")
    :text(ctx:t("add.cancel"), "add:cancel") })
end

local function keep(ctx)
  local data = ctx:fsm("add").data
  data.kept, data.item = data.item, nil
  data.kept.id = ctx.update.update_id
  local keys = { reply_markup = keyboard.remove() }
  if data.kept.file_id then
    local url = link.start("file_" .. data.kept.id)
    return ctx:reply(ctx:t("add.saved_file", { link = url }), keys)
  end
  ctx:reply(ctx:t("add.saved"), keys)
end

local function leave_with(key)
  return function(ctx)
    ctx:fsm("add").data.item = nil
    ctx:reply(ctx:t(key), { reply_markup = keyboard.remove() })
  end
end

local begin = {
  { to = "tags", guard = function(_, data) return data.item.title end },
  { to = "title" },
}

bot.fsm("add", {
  initial = "idle",
  states = {
    idle = { on = { begin = begin } },
    title = { enter = ask_title, timeout = timeout,
      on = { answer = "tags", cancel = "cancelled", begin = begin } },
    tags = { enter = ask_tags, timeout = timeout,
      on = { answer = "whether", cancel = "cancelled", begin = begin } },
    whether = { enter = ask_whether, timeout = timeout, on = {
      save = "saved", again = "title", cancel = "cancelled", begin = begin } },
    saved = { enter = keep, on = { begin = begin } },
    cancelled = { enter = leave_with("add.cancelled"), on = { begin = begin } },
    expired = { enter = leave_with("add.expired"), on = { begin = begin } },
  },
})

local function new_item(ctx, item)
  local form = ctx:fsm("add")
  form.data.item = item or {}
  form:fire("begin")
end

bot.command("add", function(ctx)
  local title = table.concat(ctx.args, " ")
  new_item(ctx, { title = title ~= "" and title or nil })
end, commands.described("add"))

bot.command("cancel", function(ctx)
  local form = ctx:fsm("add")
  if form:can("cancel") then return form:fire("cancel") end
  ctx:reply(ctx:t("add.nothing"))
end)

-- Keeps what arrives with the form; without one it begins one.
local function take_file(ctx, kind, file)
  local form = ctx:fsm("add")
  local item = { kind = kind, file_id = file.file_id, title = ctx.text }
  if not form:can("answer") then return new_item(ctx, item) end
  form.data.item.kind, form.data.item.file_id = kind, file.file_id
  ctx:reply(ctx:t("add.file_kept"))
end

bot.on("message:document", function(ctx)
  take_file(ctx, "document", ctx.message.document)
end)

bot.on("message:photo", function(ctx)
  take_file(ctx, "photo", ctx.message.photo[#ctx.message.photo])
end)

bot.on("message:text", function(ctx)
  local form = ctx:fsm("add")
  if not form:can("answer") or ctx.text:find("^/") then return bot.pass end
  if utf8.len(ctx.text) > LONGEST then
    return ctx:reply(ctx:t("add.too_long", { count = LONGEST }))
  end
  local skipped = ctx.text == ctx:t("add.no_tags")
  form.data.item[form.state] = skipped and ctx:t("add.none") or ctx.text
  form:fire("answer")
end)

bot.callback("^add:(%l+)$", function(ctx, event)
  if event == "begin" then return new_item(ctx) end
  local form = ctx:fsm("add")
  if not form:can(event) then
    return ctx:answer_callback(ctx:t("add.outdated"), { show_alert = true })
  end
  ctx.api.editMessageReplyMarkup{ chat_id = ctx.chat.id,
    message_id = ctx.message.message_id }
  form:fire(event)
end)
