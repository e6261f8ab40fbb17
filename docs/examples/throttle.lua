-- throttle
bot.use(throttle { limit = 3, per = "10s",
  on_limit = function(ctx) ctx:reply("Slower, please") end })
