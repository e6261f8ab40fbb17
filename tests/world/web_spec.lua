-- Requests over HTTP that a bot serves.
local t = require "moonlet.test"

local function bot(text)
  return [[
local bot = require "moonlet.bot"
local task = require "moonlet.task"
]] .. text
end

-- A bot that answers GET /x/ with what the Lua expression gives.
local function answering(expression)
  return { main = bot('bot.http("GET /", function(request) return '
    .. expression .. " end)") }
end

local function equal(have, want)
  assert(have == want, ("%s, not %s"):format(tostring(have), tostring(want)))
end

local function errors(count)
  local _, found = t.api("GET", "/api/errors")
  equal(#found.errors, count)
  return found.errors[1]
end

-- --- what a handler is given

t.case("a handler sees the request", { main = bot [[
bot.http("POST /feed/:id/items/:item", function(request)
  return { json = { method = request.method, path = request.path,
    params = request.params, query = request.query,
    agent = request.headers["x-agent"], body = request.body,
    value = request:json() } }
end)]] }, function()
  local answer = t.request { path = "/x/feed/7/items/a%20b?x=1&y=a+%2Bb&z",
    method = "POST", headers = { ["X-Agent"] = "spec" }, json = { n = 7 } }
  equal(answer.status, 200)
  equal(answer.headers["content-type"], "application/json")
  local seen = answer.json
  equal(seen.method, "POST")
  equal(seen.path, "/feed/7/items/a b")
  equal(seen.params.id, "7")
  equal(seen.params.item, "a b")
  equal(seen.query.x, "1")
  equal(seen.query.y, "a +b")
  equal(seen.query.z, "")
  equal(seen.agent, "spec")
  equal(seen.body, '{"n":7}')
  equal(seen.value.n, 7)
end)

t.case("a path is decoded name by name", { main = bot [[
bot.http("GET /one/:name", function(request)
  return request.params.name .. "|" .. request.path
end)
bot.http("GET /two/:a/:b", function(request)
  return request.params.a .. "|" .. request.params.b
end)
bot.http("GET /ä/c", function() return "as it is meant" end)
]] }, function()
  for _, row in ipairs {
    { "/x/one/a%2Fb", "a/b|/one/a%2Fb" }, -- no slash that separates
    { "/x/one/%2f", "/|/one/%2f" },
    { "/x/one/%252F", "%2F|/one/%2F" }, -- decoded once
    { "/x/one/%2e%2e", "..|/one/.." }, -- nobody steps back
    { "/x/one/a%00b", "a%00b|/one/a%00b" },
    { "/x/one/%zz%4%", "%zz%4%|/one/%zz%4%" },
    { "/%78/%6Fne/a", "a|/one/a" },
    { "/x/one/a+b?c=/d", "a+b|/one/a+b" },
    { "/x/two/%2F/a%2Fb", "/|a/b" },
    { "/x/%C3%A4/c", "as it is meant" },
  } do
    local answer = t.request { path = row[1] }
    equal(answer.status, 200)
    equal(answer.body, row[2])
  end
  for _, path in ipairs {
    "/x/two%2Fa/b", "/x/one//a", "/x//one/a", "/x/one/a/", "/x/one/",
    "/x/one/../one/a",
  } do
    equal(t.request { path = path }.status, 404)
  end
  -- Not below /x/ at all, so it is the console's guard that looks at it.
  assert(t.request { path = "/x%2Fone/a" }.status >= 403)
end)

t.case("bodies and answers may hold any byte", { main = bot [[
bot.http("POST /mirror", function(request)
  return { body = request.body:reverse(),
    headers = { ["Content-Type"] = "application/octet-stream" } }
end)]] }, function()
  local bytes = {}
  for i = 0, 255 do bytes[i + 1] = string.char(i) end
  local all = table.concat(bytes)
  local answer = t.request { path = "/x/mirror", body = all }
  equal(answer.body, all:reverse())
  equal(answer.headers["content-type"], "application/octet-stream")
end)

local forms = { main = bot [[
bot.http("POST /form", function(request)
  local form, why = request:form()
  return form and form.name .. "/" .. form.city or why
end)
bot.http("POST /json", function(request)
  local value, why = request:json()
  return value and "a value" or why
end)]] }

t.case("forms are read", forms, function()
  local headers =
    { ["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8" }
  local answer = t.request { path = "/x/form", headers = headers,
    body = "name=Ann+B&city=K%C3%B6ln&name=Ann%26Bob" }
  equal(answer.body, "Ann&Bob/Köln")
end)

t.case("what is no form and no JSON is said to be none", forms, function()
  equal(t.request { path = "/x/form", body = "a=b" }.body,
    "the body is no form")
  equal(t.request { path = "/x/json", body = "{" }.body,
    "the body is no JSON")
end)

-- --- which registration

local several = { main = bot [[
bot.http("GET /feed", function() return "all" end)
bot.http("GET /feed/new", function() return "new" end)
bot.http("GET /feed/:id", function(request)
  if request.params.id == "0" then return bot.pass end
  return "one " .. request.params.id
end)
bot.http("DELETE /feed/:id", function() end)
bot.http("GET /:any/0", function(request) return request.params.any end)
]] }

t.case("the first registration that fits answers", several, function()
  equal(t.request { path = "/x/feed" }.body, "all")
  equal(t.request { path = "/x/feed/new" }.body, "new")
  equal(t.request { path = "/x/feed/7" }.body, "one 7")
  equal(t.request { path = "/x/feed/0" }.body, "feed")
  equal(t.request { path = "/x/other/0" }.body, "other")
end)

t.case("unknown paths are 404, other methods 405", several, function()
  for _, path in ipairs { "/x/", "/x/feed/", "/x/feed/7/8", "/x/Feed" } do
    equal(t.request { path = path }.status, 404)
  end
  local answer = t.request { path = "/x/feed/7", body = "x" }
  equal(answer.status, 405)
  equal(answer.headers.allow, "DELETE, GET, HEAD")
  assert(answer.json.error:find("POST", 1, true))
  errors(0)
end)

t.case("GET takes HEAD", several, function()
  equal(t.request { path = "/x/feed", method = "HEAD" }.status, 200)
end)

t.case("a bot without registrations has no paths", { main = bot "" },
  function()
    equal(t.request { path = "/x/feed" }.status, 404)
  end)

-- --- answers

t.case("nothing is 204", answering "nil", function()
  local answer = t.request { path = "/x/" }
  equal(answer.status, 204)
  equal(answer.body, "")
end)

t.case("a text is 200", answering '"hello"', function()
  local answer = t.request { path = "/x/" }
  equal(answer.status, 200)
  equal(answer.body, "hello")
  equal(answer.headers["content-type"], "text/plain; charset=utf-8")
end)

t.case("HTML has its type", answering '{ html = "<b>", status = 404 }',
  function()
    local answer = t.request { path = "/x/" }
    equal(answer.status, 404)
    equal(answer.body, "<b>")
    equal(answer.headers["content-type"], "text/html; charset=utf-8")
  end)

t.case("false is JSON too", answering "{ json = false }", function()
  equal(t.request { path = "/x/" }.body, "false")
end)

t.case("a redirect says where to", answering '{ redirect = "/x/there?a=b" }',
  function()
    local answer = t.request { path = "/x/" }
    equal(answer.status, 302)
    equal(answer.headers.location, "/x/there?a=b")
  end)

t.case("headers may come several times",
  answering [[{ status = 201, body = "x", headers = {
    ["Set-Cookie"] = { "a=1", "b=2" }, ["X-Count"] = 7,
    ["content-type"] = "a/b" } }]], function()
    local answer = t.request { path = "/x/" }
    equal(answer.status, 201)
    equal(answer.headers["set-cookie"], "a=1, b=2")
    equal(answer.headers["x-count"], "7")
    equal(answer.headers["content-type"], "a/b")
  end)

t.case("an empty list is no header",
  answering [[{ body = "x", headers = { A = "1", B = {},
    ["Content-Type"] = {} } }]], function()
    local answer = t.request { path = "/x/" }
    equal(answer.headers.a, "1")
    equal(answer.headers.b, nil)
    equal(answer.headers["content-type"], "text/plain; charset=utf-8")
  end)

for _, row in ipairs {
  { "7", "not a number" },
  { "true", "not a boolean" },
  { '{ text = "x" }', 'no field "text"' },
  { '{ body = "x", html = "y" }', "body or html, not both" },
  { "{ body = 7 }", "body must be a text" },
  { '{ status = "200" }', "status must be an integer" },
  { "{ status = 99 }", "status must be an integer" },
  { "{ json = print }", "json: " },
  { "{ headers = 1 }", "headers must be a table" },
  { '{ headers = { ["a b"] = "c" } }', '"a b" cannot be a header' },
  { '{ headers = { ["Content-Length"] = "9" } }', "cannot be a header" },
  { '{ headers = { A = "b\\r\\nC: d" } }', "one line of text" },
  { '{ redirect = "/\\r\\nC: d" }', "one line of text" },
} do
  t.case("no answer, so 500 at the line of bot.http: " .. row[1],
    answering(row[1]), function()
      local answer = t.request { path = "/x/" }
      equal(answer.status, 500)
      equal(answer.body, '{"error":"the bot failed"}')
      local found = errors(1)
      equal(found.script, "main.lua")
      equal(found.line, 3)
      assert(found.message:find(row[2], 1, true), found.message)
    end)
end

-- --- handlers that go wrong, or take long

t.case("an error is 500 without a word of it", answering 'error("secret")',
  function()
    for _ = 1, 2 do
      local answer = t.request { path = "/x/" }
      equal(answer.status, 500)
      assert(not answer.body:find("secret", 1, true))
    end
    local found = errors(1)
    equal(found.count, 2)
    equal(found.message, "secret")
    equal(found.line, 3)
  end)

t.case("captured errors do not end the request",
  { main = bot [[
bot.http("GET /", function()
  require "moonlet.errors".capture("half")
  return "whole"
end)]] }, function()
    equal(t.request { path = "/x/" }.body, "whole")
    equal(errors(1).message, "half")
  end)

t.case("handlers may wait", answering 'task.sleep("5m") or "awake"', function()
  local began = t.now()
  equal(t.request { path = "/x/" }.body, "awake")
  assert(t.now() - began >= 300)
end)

t.case("HANDLER_TIMEOUT is 504", { main = bot [[
bot.http("GET /", function() task.sleep("5m") end)]],
  config = { HANDLER_TIMEOUT = "1m" } }, function()
  equal(t.request { path = "/x/" }.status, 504)
  equal(errors(1).kind, "timeout")
end)

t.case("HANDLER_CPU_LIMIT is 500", answering [[
(function() while true do end end)()]], function()
  equal(t.request { path = "/x/" }.status, 500)
  equal(errors(1).kind, "limit")
end)

t.case("a body over 1 MiB is 413", { main = bot [[
bot.http("POST /", function(request) return tostring(#request.body) end)]] },
  function()
    local most = 1024 * 1024
    equal(t.request { path = "/x/", body = ("x"):rep(most) }.body,
      tostring(most))
    equal(t.request { path = "/x/", body = ("x"):rep(most + 1) }.status, 413)
  end)

t.case("a handler may call Telegram", { main = bot [[
local api = require "moonlet.api"
bot.http("POST /tell/:id", function(request)
  api.sendMessage { chat_id = tonumber(request.params.id),
    text = request.body }
end)]] }, function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start")
  equal(t.request { path = "/x/tell/" .. ann.id, body = "Paid" }.status, 204)
  ann:expect("Paid")
end)

-- --- reload, end

t.case("after a reload the new routes count", { copy = true, bot = ".",
  start = false }, function()
  t.write("main.lua", bot 'bot.http("GET /a", function() return "a" end)')
  t.start()
  equal(t.request { path = "/x/a" }.body, "a")
  t.write("main.lua", bot 'bot.http("GET /b", function() return "b" end)')
  t.reload()
  equal(t.request { path = "/x/a" }.status, 404)
  equal(t.request { path = "/x/b" }.body, "b")
  t.write("main.lua", bot "")
  t.reload()
  equal(t.request { path = "/x/b" }.status, 404)
end)

t.case("a bot that does not run answers nobody", several, function()
  t.stop()
  local ok, why = pcall(t.request, { path = "/x/feed" })
  assert(not ok and tostring(why):find("no answer", 1, true))
  t.start()
  equal(t.request { path = "/x/feed" }.status, 200)
end)

-- --- registrations

for _, row in ipairs {
  { "7", "such as" },
  { '"/feed"', "METHOD /path" },
  { '"get /feed"', "METHOD /path" },
  { '"LOAD /feed"', "METHOD /path" },
  { '"GET feed"', "METHOD /path" },
  { '"GET /feed?a=b"', "METHOD /path" },
  { '"GET /:"', "a name of its own" },
  { '"GET /:a/:a"', "a name of its own" },
} do
  t.case("no route: " .. row[1], { start = false, main = bot(
    "bot.http(" .. row[1] .. ", function() end)") }, function()
    local ok, why = pcall(t.start)
    assert(not ok and tostring(why):find(row[2], 1, true), tostring(why))
    assert(tostring(why):find("main.lua:3", 1, true), tostring(why))
  end)
end

t.case("routes are registered while main.lua loads",
  answering 'bot.http("GET /late", print)', function()
    equal(t.request { path = "/x/" }.status, 500)
    equal(errors(1).kind, "misuse")
  end)
