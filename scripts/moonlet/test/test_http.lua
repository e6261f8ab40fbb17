--- What a spec answers for the servers that the bot asks, and what it was
-- asked. Not for scripts of authors.
local core = require "moonlet.test.core"
local expect = require "moonlet.test_expect"

local web = {}

local REQUESTS_KEPT = 10000

--- A new world: nobody answers.
function web.reset()
  web.rows = {} -- { method, pattern, with_query, answer }
  web.requests = {}
end
web.reset()

-- A Lua pattern for an address in which "*" stands for anything.
local function pattern_of(address)
  local escaped = address:gsub("[^%w*]", "%%%0"):gsub("%*", ".*")
  return "^" .. escaped .. "$"
end

--- Splits "GET https://shop.example/*"; ends the case if it is none.
local function read_address(what, address)
  local method, url = tostring(address):match("^(%u+) +(.+)$")
  url = url or tostring(address)
  if not url:find("^https?://") then
    expect.misuse(('%s takes an address such as "GET https://shop.example/*"'
      .. ", got %q"):format(what, tostring(address)))
  end
  if not url:find("/", 9, true) and not url:find("*", 9, true) then
    url = url .. "/"
  end
  return { method = method, pattern = pattern_of(url),
    with_query = url:find("?", 1, true) ~= nil }
end

local function fits(row, request)
  local url = request.url
  if not row.with_query then url = url:match("^[^?]*") end
  return (row.method == nil or row.method == request.method)
    and url:find(row.pattern) ~= nil
end

-- --- requests

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function read_query(text)
  local query = {}
  for part in text:gmatch("[^&]+") do
    local name, value = part:match("^([^=]*)=?(.*)$")
    name, value = unescape(name), unescape(value)
    local before = query[name]
    if before == nil then
      query[name] = value
    elseif type(before) == "table" then
      table.insert(before, value)
    else
      query[name] = { before, value }
    end
  end
  return query
end

local function read_json(headers, body)
  local kind = headers["content-type"] or ""
  if not kind:find("json", 1, true) then return nil end
  local ok, value = pcall(core.decode, body)
  return ok and value or nil
end

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  .. "0123456789+/"

local function base64(text)
  return (text:gsub("..?.?", function(part)
    local a, b, c = part:byte(1, 3)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    local out = {}
    for i = 0, 3 do
      local digit = (bits >> (18 - 6 * i) & 63) + 1
      out[i + 1] = i <= #part and DIGITS:sub(digit, digit) or "="
    end
    return table.concat(out)
  end))
end

-- User and password of an address reach a server as a header.
local function take_user(url, headers)
  local user = url:match("^%a+://([^/?]*)@")
  if not user then return url end
  headers.authorization = headers.authorization
    or "Basic " .. base64(unescape((user:gsub("+", "%%2B"))))
  return (url:gsub("://[^/?]*@", "://", 1))
end

local function read_request(method, url, headers, body)
  url = take_user(url, headers)
  local rest = url:match("^%a+://[^/?]*(.*)$")
  local path, query = rest:match("^([^?]*)%??(.*)$")
  return {
    method = method,
    url = url,
    path = path == "" and "/" or unescape((path:gsub("+", "%%2B"))),
    query = read_query(query),
    headers = headers,
    body = body,
    json = read_json(headers, body),
  }
end

-- --- answers

local reasons = {
  cut = "connection closed without an answer",
  refused = "connection refused",
}

local answer_fields = {
  status = "number", body = "string", json = "any", headers = "table",
  delay = "any", fail = "string",
}

local function check_answer(answer)
  for name, value in pairs(answer) do
    local wanted = answer_fields[name]
    if not wanted then
      expect.misuse(("t.http: an answer has no field %q"):format(
        tostring(name)))
    elseif wanted ~= "any" and type(value) ~= wanted then
      expect.misuse(("t.http: %s of an answer must be a %s, got %s"):format(
        name, wanted, type(value)))
    end
  end
  local status = answer.status or 200
  if not math.tointeger(status) or status < 200 or status > 599 then
    expect.misuse(("t.http: status must be 200 to 599, got %s"):format(status))
  end
  for name, value in pairs(answer.headers or {}) do
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      if tostring(name):find("[%c: ]") or tostring(each):find("%c") then
        expect.misuse(("t.http: there can be no header %q with %q"):format(
          tostring(name), tostring(each)))
      end
    end
  end
  if answer.fail and not reasons[answer.fail] then
    expect.misuse('t.http: fail is "cut" or "refused", got '
      .. answer.fail)
  end
end

local function head_of(headers)
  local names, lines = {}, {}
  for name in pairs(headers) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = headers[name]
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      table.insert(lines, ("%s: %s\r\n"):format(name, each))
    end
  end
  return table.concat(lines)
end

local function encode_answer(answer)
  if type(answer) == "string" then answer = { body = answer } end
  if type(answer) ~= "table" then
    expect.misuse("t.http: an answer is a text or a table, got "
      .. type(answer))
  end
  check_answer(answer)
  local delay = answer.delay and expect.duration(answer.delay, "delay") or 0
  if answer.fail then
    return 0, "", "", delay, answer.fail == "cut", reasons[answer.fail]
  end
  local headers, body = {}, answer.body or ""
  for name, value in pairs(answer.headers or {}) do headers[name] = value end
  if answer.json ~= nil then
    body = core.encode(answer.json)
    headers["Content-Type"] = headers["Content-Type"] or "application/json"
  end
  return math.tointeger(answer.status or 200), head_of(headers), body, delay
end

-- As nobody listens there. The text is the author's only hint.
local function refused(request)
  return 0, "", "", 0, false, ("connection refused: no t.http of this case "
    .. "answers %s %s"):format(request.method, request.url:match("^[^?]*"))
end

local function answer(request)
  for at = #web.rows, 1, -1 do
    local row = web.rows[at]
    if fits(row, request) then
      if type(row.answer) == "function" then
        return encode_answer(row.answer(request))
      end
      return encode_answer(row.answer)
    end
  end
  return refused(request)
end

-- Called by the loop: what it returns is for test_http.c. An error is returned
-- behind nil.
core.on_web(function(method, url, headers, body)
  local request = read_request(method, url, headers, body)
  if #web.requests >= REQUESTS_KEPT then table.remove(web.requests, 1) end
  table.insert(web.requests, request)
  local results = table.pack(xpcall(answer, expect.to_report, request))
  if results[1] then return table.unpack(results, 2, results.n) end
  return nil, results[2]
end)

--- From now on `answer` is what that address says; the newest one wins.
function web.add(address, answer_of)
  local row = read_address("t.http", address)
  row.answer = answer_of
  if type(answer_of) == "table" then
    check_answer(answer_of)
  elseif type(answer_of) ~= "function" and type(answer_of) ~= "string" then
    expect.misuse("t.http takes an address and a text, a table or a "
      .. "function, got " .. type(answer_of))
  end
  table.insert(web.rows, row)
end

--- The requests so far, to that address or to any.
function web.asked(address)
  local row = address and read_address("t.http_calls", address)
  local found = {}
  for _, request in ipairs(web.requests) do
    if not row or fits(row, request) then table.insert(found, request) end
  end
  return found
end

return web
