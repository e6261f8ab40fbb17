-- request:json
bot.http("POST /orders", function(request)
  local order, why = request:json()
  if not order then return { status = 400, body = why } end
  return { json = { cups = order.cups } }
end)
-- request:form
bot.http("POST /contact", function(request)
  local form = request:form()
  if not form or not form.name then return { status = 400 } end
  return "Thanks, " .. form.name
end)
