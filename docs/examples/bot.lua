-- bot.use
bot.use(function(ctx, next)
  ctx.began = os.time()
  next()
end)
-- bot.on
bot.on("message:photo", function(ctx) ctx:reply("Nice picture") end)
-- bot.hears
bot.hears("^(%d+) cups$", function(ctx, n) ctx:reply(n .. " it is") end)
-- bot.inline_query
bot.inline_query("^nothing$", function(ctx) ctx:answer_inline({}) end)
-- bot.callback
bot.callback("^buy:(%d+)$", function(ctx, id) ctx:edit("Bought " .. id) end)
-- bot.album
bot.album(function(ctx) ctx:reply(#ctx.album .. " files") end)
-- bot.group
bot.group(filter.chat_type("private"), function(group)
  group.command("secret", function(ctx) ctx:reply("Only here") end)
end)
-- bot.command
bot.command("start", function(ctx) ctx:reply("Hello") end,
  { description = "Begin" })
-- bot.admin
bot.admin("stats", function(ctx) ctx:reply("All is well") end)
-- bot.pass
bot.hears("tea", function() return bot.pass end)
-- bot.callback_data
local buy = bot.callback_data("buy", { "id:int" })
bot.callback(buy, function(ctx, values) ctx:edit("Bought " .. values.id) end)
-- bot.catch
bot.catch(function(ctx, err)
  if ctx.chat then ctx:reply("Sorry: " .. err.message) end
end)
-- bot.on_start
bot.on_start(function(reason) log.info("hello", { reason = reason }) end)
-- bot.fsm
bot.fsm("order", { initial = "idle", states = {
  idle = { on = { pay = "paid" } },
  paid = { on = { again = "idle" } },
} })
-- bot.http
bot.http("GET /health", function() return "fine" end)
