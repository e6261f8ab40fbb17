local t = require "moonlet.test"

-- A bot whose command /run does `body` and replies with what it returns, or
-- with "KIND: MESSAGE" of what it raises.
local function bot(body)
  return ([[
local bot = require "moonlet.bot"
local http = require "moonlet.http"
local json = require "moonlet.json"
local task = require "moonlet.task"
bot.command("run", function(ctx)
  local ok, said = pcall(function()
%s
  end)
  if not ok then
    said = ("%%s %%s: %%s"):format(said.kind, said.retryable, said.message)
  end
  ctx:reply(tostring(said))
end)
]]):gsub("%%s", function() return body end, 1):gsub("%%%%", "%%")
end

-- One case: what the web says, what the bot does, and what it replies.
local function case(name, body, reply, answers)
  local opts = { main = bot(body), config = { handler_timeout = "1d" } }
  t.case(name, opts, function()
    if answers then answers() end
    local ann = t.user { first_name = "Ann" }
    ann:send("/run")
    ann:expect(reply, { within = "2h" })
  end)
end

local SITE = "https://shop.example/"

case("get returns status, body, headers and the address",
  [[local r = http.get("HTTPS://shop.example/tea?x=1#part")
  return ("%d %s %s [%s] %s %s"):format(r.status, r.ok, r.url, r.body,
    r.headers["x-one"], table.concat(r.headers["set-cookie"], "+"))]],
  "201 true https://shop.example/tea?x=1 [green] a, b p=1+q=2",
  function()
    t.http("GET " .. SITE .. "tea", { status = 201, body = "green",
      headers = { ["X-One"] = { "a", "b" },
        ["Set-Cookie"] = { "p=1", "q=2" } } })
  end)

case("a text is an answer, and bytes are exact",
  [[local r = http.get("https://shop.example")
  return r.body == "a\0b\r\n\xff" and r.status]],
  "200", function() t.http(SITE, "a\0b\r\n\xff") end)

case("query is encoded, in order, with lists",
  [[return http.get("https://shop.example/s?a=1", { query = {
    z = "x y&=+", b = { 1, 2 }, c = true, ["n m"] = 3.0, f = false } }).body]],
  "a=1&b=1&b=2&c=true&f=false&n%20m=3&z=x%20y%26%3D%2B",
  function()
    t.http(SITE .. "s", function(request)
      assert(request.query.z == "x y&=+" and request.query.b[2] == "2")
      assert(request.path == "/s")
      return request.url:match("%?(.*)")
    end)
  end)

case("json goes both ways with exact integers",
  [[local r = http.post("https://shop.example/o", nil, { json = {
    id = 9007199254740991, tags = json.array() } })
  return r:json().id + 1]],
  "9007199254740992",
  function()
    t.http("POST " .. SITE .. "o", function(request)
      assert(request.headers["content-type"] == "application/json")
      assert(request.body == '{"id":9007199254740991,"tags":[]}')
      return { json = { id = request.json.id } }
    end)
  end)

case("a form is encoded",
  [[return http.post("https://shop.example/f", nil, { form = {
    a = "1 2", b = "ä" } }).body]],
  "application/x-www-form-urlencoded a=1%202&b=%C3%A4",
  function()
    t.http("POST " .. SITE .. "f", function(request)
      return request.headers["content-type"] .. " " .. request.body
    end)
  end)

case("other methods, own headers and a body of bytes",
  [[return http.request("put", "https://shop.example/x", {
    headers = { ["X-Key"] = 7, ["Content-Type"] = "image/png" },
    body = "\0\1" }).body]],
  "PUT 7 image/png 2",
  function()
    t.http("PUT " .. SITE .. "x", function(request)
      return ("%s %s %s %d"):format(request.method, request.headers["x-key"],
        request.headers["content-type"], #request.body)
    end)
  end)

case("an error status is an answer", [[
  local r = http.get("https://shop.example/no")
  return r.status .. " " .. tostring(r.ok) .. " " .. r:json().why]],
  "404 false gone",
  function() t.http(SITE .. "*", { status = 404, json = { why = "gone" } }) end)

case("check raises for it, with the answer", [[
  local ok, err = pcall(http.get, "https://u:pw@shop.example/no?key=1",
    { check = true })
  return ("%s %s %s %s %s %s"):format(err.kind, err.code, err.message,
    err.retryable, err.retry_after, err.response.body)]],
  "http 503 shop.example answers 503 true 7 later",
  function()
    t.http("https://*", { status = 503, body = "later",
      headers = { ["Retry-After"] = 7 } })
  end)

case("what is not JSON raises", [[
  return http.get("https://shop.example/x"):json()]],
  "http false: shop.example: the answer (status 200, 5 bytes) is not JSON",
  function() t.http(SITE .. "x", "<html") end)

case("nobody answers without t.http, and says so", [[
  return http.get("https://u:secret@shop.example/x?key=secret").body]],
  "http true: shop.example: connection refused: no t.http of this case "
    .. "answers GET https://shop.example/x")

case("user and password become a header and stay out of the address",
  [[local r = http.get("https://Aladdin:open%20sesame@shop.example/x")
  return r.url .. " " .. r.body]],
  "https://shop.example/x Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
  function()
    t.http(SITE .. "x", function(request)
      assert(request.url == SITE .. "x")
      return request.headers.authorization
    end)
  end)

case("a cut POST is not to be repeated, a cut GET may be", [[
  local _, a = pcall(http.get, "https://shop.example/")
  local _, b = pcall(http.post, "https://shop.example/", "x")
  return tostring(a.retryable) .. " " .. tostring(b.retryable) .. " "
    .. b.kind .. " " .. b.message]],
  "true false http shop.example: connection closed without an answer",
  function() t.http(SITE, { fail = "cut" }) end)

case("REQUEST_TIMEOUT bounds the whole call", [[
  local began = os.time()
  local _, err = pcall(http.get, "https://shop.example/")
  return ("%d %s %s"):format(os.time() - began, err.kind, err.message)]],
  "30 timeout shop.example: timed out after 30 s",
  function() t.http(SITE, { delay = "1h" }) end)

case("timeout of its own", [[
  return http.get("https://shop.example/", { timeout = "40m" }).body]],
  "slow", function() t.http(SITE, { delay = "39m", body = "slow" }) end)

case("max_size bounds the answer", [[
  assert(#http.get("https://shop.example/", { max_size = 5 }).body == 5)
  return http.get("https://shop.example/", { max_size = 4 }).body]],
  "limit false: shop.example: the answer is over 4 bytes",
  function() t.http(SITE, "12345") end)

case("redirects are followed, without the key to another host", [[
  local r = http.get("https://shop.example/a/b", {
    headers = { Authorization = "Bearer x", ["X-Other"] = "y" } })
  return r.url .. " " .. r.body]],
  "https://other.example/d none y",
  function()
    t.http(SITE .. "a/b", { status = 302, headers = { Location = "c" } })
    t.http(SITE .. "a/c", function(request)
      assert(request.headers.authorization == "Bearer x")
      return { status = 301,
        headers = { Location = "https://other.example/d" } }
    end)
    t.http("https://other.example/d", function(request)
      return (request.headers.authorization or "none") .. " "
        .. request.headers["x-other"]
    end)
  end)

case("a POST that is sent elsewhere becomes a GET", [[
  return http.post("https://shop.example/p", "x").body]],
  "GET 0",
  function()
    t.http("POST " .. SITE .. "p", { status = 303,
      headers = { Location = "/q" } })
    t.http(SITE .. "q", function(request)
      return request.method .. " " .. #request.body
    end)
  end)

case("redirects are bounded, and may be none", [[
  local r = http.get("https://shop.example/", { redirects = 0 })
  assert(r.status == 302 and r.headers.location == "/")
  return http.get("https://shop.example/")]],
  "limit false: shop.example: over 5 redirects",
  function() t.http(SITE, { status = 302, headers = { Location = "/" } }) end)

case("64 at once, then others wait, then they are refused", [[
  local kinds, handles = {}, {}
  for i = 1, 64 + 1000 + 1 do
    handles[i] = task.spawn(function()
      local ok, err = pcall(http.get, "https://shop.example/", {
        timeout = i <= 64 and "3m" or "150s" })
      local kind = ok and "ok" or err.kind
      kinds[kind] = (kinds[kind] or 0) + 1
    end)
  end
  for _, handle in ipairs(handles) do task.join(handle) end
  return ("%d ok, %d timeout, %d limit"):format(kinds.ok, kinds.timeout,
    kinds.limit)]],
  "128 ok, 936 timeout, 1 limit",
  function() t.http(SITE, { delay = "1m" }) end)

t.case("a handler that ends gives its place back", { main = [[
local bot = require "moonlet.bot"
local http = require "moonlet.http"
local task = require "moonlet.task"
bot.command("run", function(ctx)
  for _ = 1, 100 do
    task.spawn(http.get, "https://shop.example/slow", { timeout = "1h" })
  end
  task.sleep("1s")
  ctx:reply("leaves")
end)
bot.command("quick", function(ctx)
  ctx:reply(http.get("https://shop.example/quick").body)
end)]] }, function()
  local ann = t.user { first_name = "Ann" }
  t.http(SITE .. "slow", { delay = "50m" })
  t.http(SITE .. "quick", "well")
  ann:send("/run")
  ann:expect("leaves")
  ann:send("/quick")
  ann:expect("well")
  assert(#t.http_calls("GET " .. SITE .. "slow") == 64)
  assert(#t.http_calls() == 65)
end)

-- --- files

case("an answer goes into a file", [[
  local fs = require "moonlet.fs"
  local r = http.get("https://shop.example/big", { to = "in/big" })
  local text = fs.read("in/big")
  return ("%s %d %d %s %d"):format(r.path, r.size, #text,
    text == ("0123456789"):rep(70000), #r.body)]],
  "in/big 700000 700000 true 0",
  function() t.http(SITE .. "big", ("0123456789"):rep(70000)) end)

case("without success the file stays as it was", [[
  local fs = require "moonlet.fs"
  fs.write("big", "old")
  local r = http.get("https://shop.example/big", { to = "big" })
  return ("%d %s %s %s %d %s"):format(r.status, r.path, r.size,
    r.body:sub(1, 4), #r.body, fs.read("big"))]],
  "404 nil nil gone 65536 old",
  function()
    t.http(SITE .. "big", { status = 404, body = ("gone"):rep(100000) })
  end)

case("a file is bounded by max_size", [[
  local fs = require "moonlet.fs"
  fs.write("big", "old")
  assert(http.get("https://shop.example/", { to = "x", max_size = 5 }).size
    == 5)
  local ok, err = pcall(http.get, "https://shop.example/", { to = "big",
    max_size = 4 })
  assert(not ok)
  return err.kind .. " " .. err.message .. " " .. fs.read("big")]],
  "limit big: the answer is over 4 bytes old",
  function() t.http(SITE, "12345") end)

case("an empty answer makes an empty file", [[
  local fs = require "moonlet.fs"
  local r = http.get("https://shop.example/", { to = "a/b" })
  return r.size .. " " .. fs.stat("a/b").size]],
  "0 0", function() t.http(SITE, "") end)

case("a file is sent", [[
  local fs = require "moonlet.fs"
  fs.write("out", ("0123456789"):rep(70000))
  return http.request("PUT", "https://shop.example/", { from = "out",
    headers = { ["Content-Type"] = "text/x" } }).body]],
  "PUT text/x 700000 true",
  function()
    t.http(SITE, function(request)
      return ("%s %s %d %s"):format(request.method,
        request.headers["content-type"], #request.body,
        request.body == ("0123456789"):rep(70000))
    end)
  end)

case("a file that is not there", [[
  return http.request("PUT", "https://shop.example/", { from = "none" })]],
  "fs false: none: No such file or directory")

case("a file that cannot be made", [[
  local fs = require "moonlet.fs"
  fs.write("a", "")
  return http.get("https://shop.example/", { to = "a/b" })]],
  "fs false: a/b: Not a directory", function() t.http(SITE, "x") end)

case("a transfer that stands still ends", [[
  local fs = require "moonlet.fs"
  local began = os.time()
  local _, err = pcall(http.get, "https://shop.example/", { to = "big" })
  return ("%d %s %s %s"):format(os.time() - began, err.kind, err.message,
    fs.stat("big"))]],
  "30 timeout shop.example: no byte for 30 s nil",
  function() t.http(SITE, { delay = "1h" }) end)

local DOWNLOADER = [[
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local http = require "moonlet.http"
bot.command("run", function(ctx)
  local r = http.get("https://shop.example/big", { to = "big" })
  ctx:reply(("%d bytes, %s"):format(r.size,
    ctx.update.redelivered and "again" or "at once"))
end)
bot.command("look", function(ctx)
  local row = fs.stat("big")
  ctx:reply(row and row.size .. " bytes there" or "nothing there")
end)
]]

t.case("a crash within a download leaves nothing half", { main = DOWNLOADER },
  function()
    local ann = t.user { first_name = "Ann" }
    t.http(SITE .. "big", { delay = "10s", body = ("x"):rep(900000) })
    ann:send("/run")
    t.advance("5s")
    t.crash()
    ann:send("/look")
    ann:expect("900000 bytes, again")
    ann:expect("900000 bytes there")
    assert(#t.http_calls() == 2)
  end)

t.case("a handler that is ended within a download leaves nothing",
  { main = DOWNLOADER, config = { handler_timeout = "5s" } }, function()
    local ann = t.user { first_name = "Ann" }
    t.http(SITE .. "big", { delay = "10s", body = ("x"):rep(900000) })
    ann:send("/run")
    t.advance("20s")
    ann:send("/look")
    ann:expect("nothing there")
    assert(t.errors()[1].kind == "timeout")
  end)

local misuses = {
  { "http.get(1)", "http.get: the address must be a text, got number" },
  { "http.get('ftp://x/')",
    "http.get: the address must begin with http:// or https://" },
  { "http.get('https:///x')", "http.get: the address names no host" },
  { "http.get('https://u:p@/x')", "http.get: the address names no host" },
  { "http.get('https://x/a b')", "http.get: the address holds a space" },
  { "http.get('https://x/', { query = { 'a' } })",
    "http.get: query must have texts as keys, got number" },
  { "http.get('https://x/', { query = { a = print } })",
    "http.get: query.a must be a text" },
  { "http.get('https://x/', { querry = {} })",
    'http.get: there is no option "querry"' },
  { "http.get('https://x/', { json = 1 })", "http.get: a GET has no body" },
  { "http.get('https://x/', { timeout = 'soon' })",
    "http.get: timeout must be a number of seconds" },
  { "http.get('https://x/', { redirects = 21 })",
    "http.get: redirects must be 0 to 20, got 21" },
  { "http.get('https://x/', { max_size = 1.5 })",
    "http.get: max_size must be of type integer, got float" },
  { "http.get('https://x/', { headers = { ['a b'] = 1 } })",
    'http.get: the header "a b" has a character' },
  { "http.get('https://x/', { headers = { a = 'x\\r\\nb: c' } })",
    'http.get: the header "a" has a character' },
  { "http.get('https://x/', { headers = { a = '' } })",
    "http.get: the header a has no value" },
  { "http.get('https://x/', { headers = { a = '  ' } })",
    "http.get: the header a has no value" },
  { "http.get('https://x/', { headers = { ['Content-Length'] = 1 } })",
    "http.get: the header Content-Length is not for scripts to set" },
  { "http.post('https://x/', {})",
    "http.post: the body must be a text, got table" },
  { "http.post('https://x/', 'a', { body = 'b' })",
    "http.post: there are two bodies" },
  { "http.post('https://x/', 'a', { json = 1 })",
    "http.post: there can be only one of body, form, from and json" },
  { "http.post('https://x/', nil, { json = print })", "http.post: json: " },
  { "http.request('FETCH', 'https://x/')",
    'http.request: there is no method "FETCH"' },
  { "http.get('https://x/', { to = '../x' })", "http.get: to: the path " },
  { "http.post('https://x/', nil, { from = '/x' })",
    "http.post: from: the path " },
  { "http.request('HEAD', 'https://x/', { to = 'x' })",
    "http.request: a HEAD has no answer for a file" },
  { "http.fetch('https://x/')", 'http has no function "fetch"' },
}
for _, row in ipairs(misuses) do
  case("misuse: " .. row[1], row[1], "misuse false: " .. row[2])
end

-- --- t.http itself

t.case("an answer that fails ends the case", { main = bot(
  'return http.get("https://shop.example/").body') }, function()
  local ann = t.user { first_name = "Ann" }
  t.http(SITE, function() error("told so") end)
  ann:send("/run")
  local ok, report = pcall(ann.expect, ann, t.any)
  assert(not ok and tostring(report):find("http_spec.lua:%d+: told so"),
    tostring(report))
end)

t.case("an answer cannot turn the world", { main = bot(
  'return http.get("https://shop.example/").body') }, function()
  local ann = t.user { first_name = "Ann" }
  t.http(SITE, function()
    t.advance("1s")
    return "x"
  end)
  ann:send("/run")
  local ok, report = pcall(ann.expect, ann, t.any)
  assert(not ok and tostring(report):find("the world stands still"),
    tostring(report))
end)

t.case("wrong answers and addresses are the spec's mistakes", function()
  for _, wrong in ipairs {
    function() t.http("shop.example", "x") end,
    function() t.http(SITE, 1) end,
    function() t.http(SITE, { code = 200 }) end,
    function() t.http(SITE, { fail = "slow" }) end,
  } do
    local ok, report = pcall(wrong)
    assert(not ok and tostring(report):find("http_spec.lua:"))
  end
end)

t.case("the last case's answers are gone", { main = bot(
  'return http.get("https://shop.example/").body') }, function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/run")
  ann:expect("connection refused")
  assert(#t.http_calls() == 1)
end)
