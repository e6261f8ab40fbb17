-- Looks after a supergroup in which it is an admin: greets, deletes links of
-- people who are new, warns, mutes, and slows down who floods.
local bot = require "moonlet.bot"
local filter = require "moonlet.filter"
local format = require "moonlet.format"
local throttle = require "moonlet.throttle"
local time = require "moonlet.time"

-- One machine a member: whether they are new, and data.warnings.
bot.fsm("member", { initial = "known", states = {
  known = { on = { join = "new" } },
  new = { on = { join = "new" }, timeout = { after = "24h", to = "known" } },
} })

local function mute(ctx, user, seconds)
  ctx.api.restrictChatMember { chat_id = ctx.chat.id, user_id = user.id,
    permissions = { can_send_messages = false },
    until_date = os.time() + math.floor(seconds) }
  ctx:reply(format.html("%s is muted for now.", format.mention(user)))
end

-- A command for admins, about the person whose message it answers.
local function admin_command(group, name, fn)
  group.command(name, function(ctx)
    local answered = ctx.message.reply_to_message
    if not ctx:is_chat_admin "can_restrict_members" then
      return ctx:reply("That is for admins.")
    end
    if not answered then return ctx:reply("Answer to a message with it.") end
    fn(ctx, answered.from)
  end)
end

bot.use(throttle { limit = 5, per = "10s", on_limit = function(ctx)
  local where = ctx.chat and ctx.chat.type
  if where == "supergroup" then mute(ctx, ctx.from, 60) end
end })

bot.command("start", function(ctx) ctx:reply("Make me admin of a group.") end,
  { allow = filter.chat_type("private") })

bot.group(filter.chat_type("supergroup"), function(group)
  group.on("message:new_chat_members", function(ctx)
    for _, user in ipairs(ctx.message.new_chat_members) do
      ctx:fsm("member", user):fire("join")
      ctx:reply(format.html("Welcome, %s. No links on your first day, please.",
        format.mention(user)))
    end
  end)

  admin_command(group, "warn", function(ctx, user)
    local data = ctx:fsm("member", user).data
    data.warnings = (data.warnings or 0) % 3 + 1
    ctx:reply(format.html("%s, this is warning %d of 3.",
      format.mention(user), data.warnings))
    if data.warnings == 3 then mute(ctx, user, time.duration("1d")) end
  end)

  admin_command(group, "mute", function(ctx, user)
    local ok, seconds = pcall(time.duration, ctx.args[1] or "1h")
    if not ok then return ctx:reply("Say how long: /mute 30m") end
    mute(ctx, user, seconds)
  end)

  group.on({ "message::url", "message::text_link", "edited_message::url",
    "edited_message::text_link" }, function(ctx)
    if ctx:fsm("member").state == "new" then ctx:delete() end
  end)
end)

bot.catch(function(ctx, err)
  if err.kind == "api" then ctx:reply("That failed: " .. err.message) end
end)
