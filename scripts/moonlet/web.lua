--- Requests over HTTP that scripts serve: which registration gets one, and
-- how what it returns becomes an answer. Not for scripts of authors.
local core = require "moonlet.core"
local http = require "moonlet.core.web"
local json = require "moonlet.json"
local requests = require "moonlet.request"

local web = {}

local routes = {} -- in the order of registration

local verbs = {
  GET = true, POST = true, PUT = true, PATCH = true, DELETE = true,
  HEAD = true, OPTIONS = true,
}

local function split(path)
  local segments = {}
  for segment in path:gmatch("/([^/]*)") do table.insert(segments, segment) end
  return segments
end

local function read_route(text)
  if type(text) ~= "string" then
    core.misuse("bot.http needs a text such as \"GET /feed/:id\", got "
      .. type(text))
  end
  local method, path = text:match("^(%u+) (/[^%s?#]*)$")
  if not verbs[method] then
    core.misuse(("bot.http: %q is not METHOD /path, where METHOD is GET, "
      .. "POST, PUT, PATCH, DELETE, HEAD or OPTIONS"):format(text))
  end
  local segments, seen = split(path), {}
  for _, segment in ipairs(segments) do
    local name = segment:match("^:(.*)$")
    if name and (not name:find("^[%a_][%w_]*$") or seen[name]) then
      core.misuse(("bot.http: %q: a segment that begins with \":\" needs a "
        .. "name of its own"):format(text))
    end
    if name then seen[name] = true end
  end
  return { method = method, segments = segments }
end

local serve -- defined below

--- Serves "METHOD /path" by fn; where that returns pass, the next one does.
function web.add(text, fn, pass)
  local route = read_route(text)
  route.fn, route.text, route.pass = fn, text, pass
  route.script, route.line = http.place()
  table.insert(routes, route)
  http.on_request(serve)
end

-- --- which one

-- The segments that the names of the route stand for, or nil.
local function fit(route, segments)
  local params = {}
  if #route.segments ~= #segments then return nil end
  for i, wanted in ipairs(route.segments) do
    local name = wanted:match("^:(.*)$")
    if name and segments[i] ~= "" then
      params[name] = segments[i]
    elseif wanted ~= segments[i] then
      return nil
    end
  end
  return params
end

-- --- answers

local known = {
  status = true, headers = true, body = true, json = true, html = true,
  redirect = true,
}
local contents = { "body", "json", "html", "redirect" }
-- What the server itself says of a body and of the connection.
local reserved = {
  ["content-length"] = true, ["transfer-encoding"] = true, connection = true,
}

local function fail(route, text, ...)
  http.fail(route.script, route.line,
    ("bot.http %q: "):format(route.text) .. text:format(...))
end

local function check_table(route, answer)
  local given
  for name in pairs(answer) do
    if not known[name] then
      fail(route, "an answer has no field %q", tostring(name))
    end
  end
  for _, name in ipairs(contents) do
    if answer[name] ~= nil and given then
      fail(route, "an answer has %s or %s, not both", given, name)
    elseif answer[name] ~= nil then
      given = name
    end
  end
  for _, name in ipairs { "body", "html", "redirect" } do
    if answer[name] ~= nil and type(answer[name]) ~= "string" then
      fail(route, "%s must be a text, got %s", name, type(answer[name]))
    end
  end
  local status = answer.status
  if status ~= nil and (math.type(status) ~= "integer" or status < 200
    or status > 599) then
    fail(route, "status must be an integer from 200 to 599, got %s",
      tostring(status))
  end
end

local function add_header(route, list, name, value)
  local kind = type(value)
  if kind == "number" then value, kind = tostring(value), "string" end
  if kind ~= "string" or value:find("[%c\127]") then
    fail(route, "the header %s must be one line of text", name)
  end
  table.insert(list, name)
  table.insert(list, value)
end

-- The server takes no larger head.
local HEAD_MAX = 8192

local function check_head(route, list)
  local size = 0
  for _, text in ipairs(list) do size = size + #text + 2 end
  if size > HEAD_MAX then
    fail(route, "the headers of an answer have %d bytes, %d are the most", size,
      HEAD_MAX)
  end
end

-- A flat list of names and values, and the Content-Type.
local function read_headers(route, given)
  local list, kind = {}, nil
  if type(given) ~= "table" then
    fail(route, "headers must be a table, got %s", type(given))
  end
  local names = {}
  for name in pairs(given) do
    if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+.^_`|~-]+$")
      or reserved[name:lower()] then
      fail(route, "%q cannot be a header of an answer", tostring(name))
    end
    table.insert(names, name)
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local values, to = given[name], list
    if name:lower() == "content-type" then to = {} end
    if type(values) ~= "table" then values = { values } end
    for _, value in ipairs(values) do add_header(route, to, name, value) end
    if to ~= list then kind = to[#to] end
  end
  return list, kind
end

local function encode(route, value)
  local ok, text = pcall(json.encode, value)
  if not ok then
    fail(route, "json: %s", type(text) == "table" and text.message
      or tostring(text))
  end
  return text
end

local function read_table(route, answer)
  check_table(route, answer)
  local list, own_kind = read_headers(route, answer.headers or {})
  local status, kind, body = 200, nil, answer.body or ""
  if answer.body then kind = "text/plain; charset=utf-8" end
  if answer.html then
    kind, body = "text/html; charset=utf-8", answer.html
  elseif answer.json ~= nil then
    kind, body = "application/json", encode(route, answer.json)
  elseif answer.redirect then
    status = 302
    add_header(route, list, "Location", answer.redirect)
  end
  check_head(route, list)
  return answer.status or status, own_kind or kind, list, body
end

-- Status, content type, headers, body.
local function read_answer(route, answer)
  if answer == nil then return 204, nil, {}, "" end
  if type(answer) == "string" then
    return 200, "text/plain; charset=utf-8", {}, answer
  end
  if type(answer) ~= "table" then
    fail(route, "a handler returns nothing, a text or a table, not a %s",
      type(answer))
  end
  return read_table(route, answer)
end

local function refuse(id, status, headers, why)
  http.answer(id, status, "application/json", headers,
    json.encode { error = why })
end

-- What the names of a path stand for: they are decoded one by one, since a
-- slash that is escaped (%2F) separates none. A zero byte stays escaped.
local function names_of(raw_path)
  local names = split(raw_path)
  for i, name in ipairs(names) do
    names[i] = name:gsub("%%(%x%x)", function(hex)
      return hex ~= "00" and string.char(tonumber(hex, 16)) or nil
    end)
  end
  return names
end

-- The routes of the path that take the method, and the methods of all.
local function candidates(method, raw_path)
  local segments, fitting, allowed = names_of(raw_path), {}, {}
  for _, route in ipairs(routes) do
    local params = fit(route, segments)
    if params then
      if route.method == method
        or route.method == "GET" and method == "HEAD" then
        table.insert(fitting, { route = route, params = params })
      end
      allowed[route.method] = true
      if route.method == "GET" then allowed.HEAD = true end
    end
  end
  return fitting, allowed
end

-- Runs as a task for each request: the first registration that fits and does
-- not pass answers.
function serve(raw)
  local fitting, allowed = candidates(raw.method, raw.raw_path)
  local request = requests.new(raw, http.body(raw.id) or "")
  for _, each in ipairs(fitting) do
    request.params = each.params
    local answer = each.route.fn(request)
    if answer ~= each.route.pass then
      http.answer(raw.id, read_answer(each.route, answer))
      return
    end
  end
  local names = require "moonlet.sorted"(allowed)
  if #fitting > 0 or #names == 0 then
    refuse(raw.id, 404, {}, "nothing here")
  else
    refuse(raw.id, 405, { "Allow", table.concat(names, ", ") },
      ("method %s is not allowed here"):format(raw.method))
  end
end

return web
