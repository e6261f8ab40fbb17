--- The bot of the shipped library's specs. What needs no chat is a function in
-- cases/NAME.lua, and /cases NAME runs them all; the rest are commands.
local bot = require "moonlet.bot"
local format = require "moonlet.format"
local i18n = require "moonlet.i18n"
local keyboard = require "moonlet.keyboard"
local link = require "moonlet.link"
local stars = require "moonlet.stars"
local task = require "moonlet.task"
local throttle = require "moonlet.throttle"
local webapp = require "moonlet.webapp"

local lists = {}
for _, name in ipairs { "format", "i18n", "keyboard", "link", "stars", "time",
  "webapp" } do
  lists[name] = require("cases." .. name)
end

-- In the order of their names; the first failures are what is said.
bot.command("cases", function(ctx)
  local names, failed = {}, {}
  for name in pairs(lists[ctx.args[1]]) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local ok, err = pcall(lists[ctx.args[1]][name], ctx)
    if not ok then failed[#failed + 1] = name .. ": " .. tostring(err) end
  end
  ctx:reply(#failed == 0 and #names .. " cases are fine"
    or table.concat(failed, "\n"):sub(1, 4000))
end)

-- --- format

bot.command("bold", function(ctx)
  ctx:reply(format { "Hi 😀 ", format.bold(ctx.from.first_name), "!" },
    { reply_markup = keyboard.inline():text("Again", "again") })
end)

bot.callback("^again$", function(ctx)
  ctx:edit(format.italic("edited"))
  ctx:answer_callback(format.bold("seen"))
end)

bot.command("caption", function(ctx)
  local id = ctx.chat.id
  ctx.api.sendPhoto { chat_id = id, photo = "https://e.org/a.jpg",
    caption = format { format.bold("a"), " b" } }
  pcall(ctx.api.sendMediaGroup, { chat_id = id, media = {
    { type = "photo", media = "https://e.org/a.jpg",
      caption = format.bold("first") },
    { type = "photo", media = "https://e.org/b.jpg", caption = "plain" } } })
  pcall(ctx.api.sendPoll, { chat_id = id, question = format.italic("which?"),
    options = { { text = format.bold("A") }, { text = "B" } } })
  pcall(ctx.api.sendGift, { chat_id = id, gift_id = "1",
    text = format { "for ", format.bold("you") } })
  ctx:reply("done")
end)

local template = '<b>a<i>b&lt;😀</i></b> <pre><code class="language-lua">x'
  .. '</code></pre><a href="https://e.org/x?a=1&amp;b=2">link</a>'
  .. "<blockquote>q <u>u</u></blockquote><tg-spoiler>s</tg-spoiler>"

local marked = "*a _b😀_* __u _i_ __ ~s~ ||p||\\! ```lua\nx = 1```"
  .. "[link](https://e.org/x?a=1) `c\\`d`"

bot.command("same", function(ctx)
  local theirs = ctx:reply(template, { parse_mode = "HTML" })
  local ours = ctx:reply(format.html(template))
  local one, other = format.message(theirs), format.message(ours)
  assert(one == other)
  assert(format.to_html(one) == template and format.to_html(other) == template)
  theirs = ctx:reply(marked, { parse_mode = "MarkdownV2" })
  ours = ctx:reply(format.markdown(marked))
  assert(format.message(theirs) == format.message(ours))
  ctx:reply("the same")
end)

bot.command("long", function(ctx)
  local long = format.bold(("word "):rep(1000))
  for _, part in ipairs(format.split(long)) do ctx:reply(part) end
end)

bot.command("broken", function(ctx)
  local ok, err = pcall(ctx.reply, ctx, "Hi </b>x", { parse_mode = "HTML" })
  ctx:reply(ok and "sent" or tostring(err))
  ok, err = pcall(function() ctx:reply((format.html("Hi <b>%s", "x"))) end)
  ctx:reply(ok and "sent" or tostring(err))
end)

-- --- keyboards

bot.command("choose", function(ctx)
  ctx:reply("Which?", { reply_markup = keyboard.reply { { "Tea", "Water" } }
    :contact("Phone"):resize() })
end)

bot.command("long_data", function(ctx)
  local ok, err = pcall(function()
    local data = ("ж"):rep(tonumber(ctx.args[1]))
    ctx:reply("Here", { reply_markup = keyboard.inline { { { "Да", data } } } })
  end)
  if not ok then ctx:reply(err.message) end
end)

bot.callback("^ж", function(ctx)
  ctx:reply(#ctx.callback_query.data .. " bytes came")
end)

bot.hears("^Tea$", function(ctx)
  ctx:reply("Tea it is", { reply_markup = keyboard.remove() })
end)

-- --- languages

local chosen = {} -- by the person's id

i18n.default("en")
i18n.choose(function(ctx) return chosen[ctx.from.id] end)

local function hello(ctx)
  ctx:reply(ctx:t("hello", { name = ctx.from.first_name }))
end

bot.command("hello", hello)

bot.command("language", function(ctx)
  chosen[ctx.from.id] = ctx.args[1]
  i18n.use(ctx, ctx.args[1])
  hello(ctx)
end)

bot.command("hello_html", function(ctx)
  ctx:reply(ctx:t_html("card", { name = ctx.from.first_name, count = 3 }))
end)

bot.command("cups", function(ctx)
  ctx:reply(ctx:t("cups", { count = tonumber(ctx.args[1]) }))
end)

bot.command("key", function(ctx) ctx:reply(ctx:t(ctx.args[1])) end)

bot.command("keys", function(ctx)
  local t = i18n.t
  ctx:reply(t "menu.title" .. " " .. t("hello", { name = "Bob" }))
  ctx:reply(i18n.html("card", { name = "Bob", count = 3 }))
  task.all { function()
    task.sleep(1)
    ctx:reply("child " .. t "menu.title")
  end }
  task.detach(function() ctx:reply("detached " .. t "menu.title") end)
end)

bot.command("plurals", function(ctx)
  local all = {}
  for i = 2, #ctx.args do
    all[#all + 1] = i18n.t(ctx.args[1], "n", { count = tonumber(ctx.args[i]) })
  end
  ctx:reply(table.concat(all, " "))
end)

-- --- Web Apps

bot.command("webapp", function(ctx)
  local values, why = webapp.check(ctx.args[1])
  ctx:reply(values and values.user.first_name .. " " .. values.start_param
    or why)
end)

-- Everything that a script can reach, by fields and metatables.
local function reaches(value, wanted, seen)
  if type(value) == "string" then
    return value:find(wanted, 1, true) ~= nil
  elseif type(value) ~= "table" or seen[value] then
    return false
  end
  seen[value] = true
  for k, v in pairs(value) do
    if reaches(k, wanted, seen) or reaches(v, wanted, seen) then return true end
  end
  local meta = getmetatable(value)
  return type(meta) == "table" and reaches(meta, wanted, seen)
end

bot.command("token", function(ctx)
  local wanted = "1:" .. "PLAY"
  ctx:reply(reaches({ _G, ctx, webapp, bot, require "moonlet.api",
    require "moonlet.config" }, wanted, {}) and "found" or "not found")
end)

-- --- actions

bot.command("act", function(ctx)
  ctx:reply("shown " .. tostring(ctx:action(ctx.args[1])))
end)

bot.command("work", function(ctx)
  local ok, said, more = pcall(function()
    return ctx:while_typing(function(seconds, how)
      task.sleep(seconds)
      if how == "fail" then error("it broke", 0) end
      return ("worked %d s"):format(seconds), "all of it"
    end, tonumber(ctx.args[1]), ctx.args[2])
  end)
  ctx:reply(ok and said .. ", " .. more or "failed: " .. said)
end)

bot.command("dance", function(ctx)
  ctx:reply(ctx:while_action("dancing", function(seconds)
    task.sleep(seconds)
    return "danced " .. seconds .. " s"
  end, 10))
end)

-- --- throttle

local limited = throttle { per = "30s", limit = 3, on_limit = function(ctx)
  ctx:reply("slower, please")
end }
local shared = throttle { per = 60, limit = 1, by = "chat" }

bot.command("limited", function(ctx)
  limited(ctx, function() ctx:reply("taken " .. ctx.args[1]) end)
end)

bot.command("shared", function(ctx)
  shared(ctx, function() ctx:reply("taken " .. ctx.args[1]) end)
end)

bot.on("message:successful_payment", function(ctx)
  limited(ctx, function()
    ctx:reply("paid " .. ctx.message.successful_payment.total_amount)
  end)
end)

bot.command("many", function(ctx)
  local once, passed = throttle { per = "1h", limit = 1 }, nil
  local function try(id)
    passed = false
    once({ kind = "message", event = {}, from = { id = id } },
      function() passed = true end)
    return passed
  end
  local first, kept = try(1), try(1)
  for id = 2, tonumber(ctx.args[1]) do try(id) end
  ctx:reply(("first: %s, kept: %s, forgotten: %s"):format(first, kept, try(1)))
end)

-- --- payments and links

bot.command("buy", function(ctx)
  stars.send(ctx.chat.id, { title = "Tea", description = "A cup",
    payload = "tea:1", amount = 5 })
end)

bot.on("pre_checkout_query", function(ctx)
  if ctx.event.invoice_payload == "tea:1" then
    ctx:answer_pre_checkout()
  else
    ctx:answer_pre_checkout(false, "Sold out")
  end
end)

bot.command("checkout", function(ctx)
  local _, err = pcall(ctx.answer_pre_checkout, ctx, true)
  ctx:reply(err.message)
end)

bot.command("refund", function(ctx) stars.refund(ctx.from.id, ctx.args[1]) end)

bot.command("subscribe", function(ctx)
  ctx:reply(stars.link { title = "Club", description = "Tea all month",
    payload = "club", amount = 50, subscription_period = 2592000 })
end)

bot.command("balance", function(ctx)
  ctx:reply(tostring(stars.balance()) .. " Stars")
end)

bot.command("start", function(ctx)
  ctx:reply("started with " .. link.decode(ctx.args[1]))
end)
