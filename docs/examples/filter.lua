-- filter.all
bot.on(filter.all("message:photo", filter.chat_type("private")), function(ctx)
  ctx:reply("A picture just for me")
end)
-- filter.any
bot.on(filter.any("message:voice", "message:audio"), function(ctx)
  ctx:reply("I hear you")
end)
-- filter.no
bot.on(filter.all("message:text", filter.no("::url")), function(ctx)
  ctx:reply("No link in it")
end)
-- filter.chat_type
bot.group(filter.chat_type("group", "supergroup"), function(group)
  group.command("poll", function(ctx) ctx:reply("Who is for tea?") end)
end)
-- filter.admin
bot.group(filter.admin, function(group)
  group.command("shout", function(ctx) ctx:reply("Yes, chief") end)
end)
