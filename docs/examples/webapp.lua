-- webapp.check
bot.http("POST /cart", function(request)
  local data, why = webapp.check(request.headers["x-init-data"] or "")
  if not data then return { status = 403, body = why } end
  return "The cart of " .. data.user.first_name
end)
