--- Requests to other people's servers, over http:// and https:// with the
-- certificate checked (against SSL_CERT_FILE if it is set), through
-- HTTPS_PROXY if there is one, but for the hosts of NO_PROXY. Each function
-- waits without holding up other handlers and returns an answer. Any status is
-- an answer, not an error, unless opts.check says otherwise. An answer has
-- status (a number), ok (whether it is 200 to 299), headers (by their names in
-- lower case; several of one name joined by ", ", set-cookie always a list),
-- body (its bytes) and url (the last one, after redirects). Compressed answers
-- are not asked for; what comes compressed all the same stays so, as its
-- content-encoding says. A redirect to another host, port or scheme takes
-- neither Authorization nor Cookie along, but all other headers, also from
-- https:// to http://; only these two are followed.
-- Raises kind "http" (not connected, refused certificate, connection lost),
-- "timeout", "limit" (a larger answer; too many redirects; or 1,000 requests
-- wait already for one of the 64 that may be on the way at once), "fs" (of
-- opts.from and opts.to) and "misuse". Errors name the host, never the rest of
-- the address. Nothing is sent twice by itself: err.retryable says whether
-- moonlet.retry may, which is so if the request was surely not sent, and for
-- lost ones of GET and HEAD.
local core = require "moonlet.core"
local json = require "moonlet.json"
local web = require "moonlet.core.http"

local http = {}
local methods = {} -- of an answer

local MAX_SIZE = 8 << 20
local MAX_SIZE_MOST = 256 << 20
local TO_SIZE = 2 << 30
local TO_SIZE_MOST = 1 << 40
local REDIRECTS = 5
local REDIRECTS_MOST = 20

local verbs = {
  GET = true, HEAD = true, POST = true, PUT = true, PATCH = true,
  DELETE = true, OPTIONS = true,
}
local without_body = { GET = true, HEAD = true }

local function misuse(what, text, ...)
  core.misuse(what .. ": " .. text:format(...))
end

-- --- addresses

local function percent(byte) return ("%%%02X"):format(byte:byte()) end

local function escape(text) return (text:gsub("[^%w%-._~]", percent)) end

local function host_of(url)
  return url:match("^%a+://([^/?#]*)"):match("[^@]*$")
end

-- Without what is behind "#", which no server gets to see.
local function check_url(what, url)
  if type(url) ~= "string" then
    misuse(what, "the address must be a text, got %s", type(url))
  end
  local scheme, host, rest = url:match("^(%a+)://([^/?#]*)([^#]*)")
  scheme = (scheme or ""):lower()
  if scheme ~= "http" and scheme ~= "https" then
    misuse(what, "the address must begin with http:// or https://")
  end
  if host_of(url) == "" then misuse(what, "the address names no host") end
  if url:find("[%c ]") then
    misuse(what, "the address holds a space or a control character: write it "
      .. "as %%20, or use the option query")
  end
  if host:find("[\128-\255]") then
    misuse(what, "the host's name is not ASCII: write it as xn--...")
  end
  if rest:sub(1, 1) ~= "/" then rest = "/" .. rest end
  return scheme .. "://" .. host .. rest:gsub("[\128-\255]", percent)
end

-- --- names and values

local function text_of(what, name, value)
  local kind = type(value)
  if kind == "number" then
    return tostring(math.tointeger(value) or value)
  elseif kind == "string" or kind == "boolean" then
    return tostring(value)
  end
  misuse(what, "%s must be a text, a number, true or false, or a list of "
    .. "these, got %s", name, kind)
end

-- A list of { name, text }, in order of the names.
local function rows_of(what, option, fields)
  local names, rows = {}, {}
  for name in pairs(fields) do
    if type(name) ~= "string" then
      misuse(what, "%s must have texts as keys, got %s", option, type(name))
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = fields[name]
    local where = option .. "." .. name
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      rows[#rows + 1] = { name, text_of(what, where, each) }
    end
  end
  return rows
end

local function encode(what, option, fields)
  local parts = {}
  for _, row in ipairs(rows_of(what, option, fields)) do
    parts[#parts + 1] = escape(row[1]) .. "=" .. escape(row[2])
  end
  return table.concat(parts, "&")
end

local function add_query(what, url, query)
  local text = encode(what, "query", query)
  if text == "" then return url end
  local mark = not url:find("?", 1, true) and "?"
    or url:find("[?&]$") and "" or "&"
  return url .. mark .. text
end

-- Those that say where a request ends are the engine's.
local own_headers = {
  ["content-length"] = true, ["transfer-encoding"] = true, connection = true,
  expect = true, te = true, upgrade = true,
}

-- Names and values in turn, and the Content-Type, which stands apart.
local function read_headers(what, headers)
  local flat, content_type = {}, nil
  for _, row in ipairs(rows_of(what, "headers", headers)) do
    local name, value = row[1], row[2]
    local lower = name:lower()
    if not name:find("^[%w!#$%%&'*+.^_`|~-]+$") or value:find("[%c]") then
      misuse(what, "the header %q has a character that no header may have",
        name)
    elseif not value:find("[^ ]") then -- libcurl would leave it out
      misuse(what, "the header %s has no value", name)
    elseif own_headers[lower] then
      misuse(what, "the header %s is not for scripts to set", name)
    elseif lower == "content-type" then
      content_type = value
    else
      flat[#flat + 1] = name
      flat[#flat + 1] = value
    end
  end
  return flat, content_type
end

-- --- options

local option_types = {
  headers = "table", query = "table", form = "table", body = "string",
  json = "any", timeout = "any", max_size = "integer", redirects = "integer",
  check = "boolean", from = "string", to = "string",
}

local function check_options(what, opts)
  if opts == nil then return {} end
  if type(opts) ~= "table" then
    misuse(what, "the options must be a table, got %s", type(opts))
  end
  for name, value in pairs(opts) do
    local wanted = option_types[name]
    if not wanted then
      misuse(what, "there is no option %q", tostring(name))
    end
    local got = wanted == "integer" and math.type(value) or type(value)
    if wanted ~= "any" and got ~= wanted then
      misuse(what, "%s must be of type %s, got %s", name, wanted,
        got or type(value))
    end
  end
  return opts
end

local function bounded(what, opts, name, otherwise, most)
  local value = opts[name] or otherwise
  if value < 0 or value > most then
    misuse(what, "%s must be 0 to %d, got %d", name, most, value)
  end
  return value
end

local function max_size(what, opts)
  if opts.to then
    return bounded(what, opts, "max_size", TO_SIZE, TO_SIZE_MOST)
  end
  return bounded(what, opts, "max_size", MAX_SIZE, MAX_SIZE_MOST)
end

local bodies = {}

function bodies.json(what, value)
  local ok, text = pcall(json.encode, value)
  if not ok then misuse(what, "json: %s", text.message or tostring(text)) end
  return text, "application/json"
end

function bodies.form(what, fields)
  return encode(what, "form", fields), "application/x-www-form-urlencoded"
end

function bodies.body(_, bytes) return bytes end

-- The engine reads it.
function bodies.from() return nil end

-- The bytes and their type; nil if there is no body.
local function read_body(what, method, opts)
  local found
  for name in pairs(bodies) do
    if opts[name] ~= nil then
      if found then
        misuse(what, "there can be only one of body, form, from and json")
      end
      found = name
    end
  end
  if not found then return nil end
  if without_body[method] then
    misuse(what, "a %s has no body: see the option query", method)
  end
  return bodies[found](what, opts[found])
end

-- --- answers

local function add_header(headers, name, value)
  if name == "set-cookie" then
    headers[name] = headers[name] or {}
    table.insert(headers[name], value)
  else
    local before = headers[name]
    headers[name] = before and before .. ", " .. value or value
  end
end

-- No patterns that look back: the server chooses the text.
local function parse_head(head)
  local headers, from = {}, 1
  while true do
    local stop = head:find("\r\n", from, true)
    if not stop then return headers end
    local line = head:sub(from, stop - 1)
    local colon = line:find(":", 1, true)
    if colon and colon > 1 then
      local value = line:match("^[ \t]*(.*)$", colon + 1)
      add_header(headers, line:sub(1, colon - 1):lower(),
        value:match("^.*[^ \t]") or "")
    end
    from = stop + 2
  end
end

local meta = { __index = methods, __metatable = false }

--- response:json(): the value that the body of an answer holds as JSON; null
-- becomes json.null of moonlet.json. Raises kind "http" if it is none.
function methods.json(response)
  local ok, value = pcall(json.decode, response.body)
  if ok then return value end
  core.raise("http", ("%s: the answer (status %d, %d bytes) is not JSON: %s")
    :format(host_of(response.url), response.status, #response.body,
      tostring(value)))
end

local refusals = { [429] = true, [503] = true } -- surely nothing was done
local passing = { [408] = true, [500] = true, [502] = true, [504] = true }

local function refuse(method, response, retry_after)
  local status = response.status
  local err = web.failure(("%s answers %d"):format(host_of(response.url),
    status))
  err.code = status
  if retry_after > 0 then
    err.retry_after = math.tointeger(retry_after) or retry_after
  end
  err.retryable = refusals[status]
    or passing[status] and without_body[method] or false
  err.response = response
  error(err, 0)
end

local function send(what, method, url, opts)
  opts = check_options(what, opts)
  url = check_url(what, url)
  if opts.query then url = add_query(what, url, opts.query) end
  if opts.to and method == "HEAD" then
    misuse(what, "a HEAD has no answer for a file")
  end
  local headers, content_type = read_headers(what, opts.headers or {})
  local body, body_type = read_body(what, method, opts)
  local status, bytes, head, last_url, retry_after, size = web.send(what,
    method, url, {
      headers = headers,
      type = content_type or body_type,
      body = body,
      from = opts.from,
      to = opts.to,
      timeout = opts.timeout,
      max_size = max_size(what, opts),
      redirects = bounded(what, opts, "redirects", REDIRECTS, REDIRECTS_MOST),
    })
  local shown_url = last_url:gsub("^(%a+://)[^/?#]*@", "%1")
  local response = setmetatable({
    status = status,
    ok = status >= 200 and status <= 299,
    headers = parse_head(head),
    body = bytes,
    url = shown_url,
    path = size >= 0 and opts.to or nil,
    size = size >= 0 and size or nil,
  }, meta)
  if opts.check and not response.ok then
    refuse(method, response, retry_after)
  end
  return response
end

--- http.get(url [, opts]): asks for what is there. opts: as http.request,
-- but for those that make a body.
function http.get(url, opts) return send("http.get", "GET", url, opts) end

--- http.post(url [, body [, opts]]): sends bytes; or nil and what opts.json,
-- opts.form or opts.from give. opts: as http.request.
function http.post(url, body, opts)
  if body == nil then return send("http.post", "POST", url, opts) end
  if type(body) ~= "string" then
    core.misuse("http.post: the body must be a text, got " .. type(body)
      .. ": see the options json and form")
  end
  local with = {}
  for name, value in pairs(check_options("http.post", opts)) do
    with[name] = value
  end
  if with.body then core.misuse("http.post: there are two bodies") end
  with.body = body
  return send("http.post", "POST", url, with)
end

--- http.request(method, url [, opts]): a request of any method: "PUT",
-- "PATCH", "DELETE", "HEAD", "OPTIONS", "GET", "POST". opts.headers: a table;
-- a value may be a list. opts.query: a table that is encoded and added to the
-- address; a value may be a list. opts.timeout: of the whole call;
-- REQUEST_TIMEOUT unless it is given. opts.max_size: bytes of the answer, 8 MiB
-- unless it is given. opts.redirects: how many are followed, 5 unless it is
-- given; 0: none, the answer that redirects is the answer. opts.check: true:
-- another status than 200 to 299 raises kind "http", with the status as
-- err.code and the answer as err.response. The body is one of opts.json (any
-- value), opts.form (a table), opts.body (bytes, with a Content-Type in
-- opts.headers if it needs one) and opts.from (the path of a file of
-- moonlet.fs, which is sent a piece at a time). opts.to: the path of a file of
-- moonlet.fs: an answer of status 200 to 299 goes there a piece at a time and
-- is never seen half; the answer then has path and size and an empty body,
-- and opts.max_size is 2 GiB unless it is given. Of another answer the first
-- 64 KiB are its body, and the file stays as it was. With opts.from or opts.to
-- the call may take FILE_DOWNLOAD_TIMEOUT, and stand still for
-- TRANSFER_STALL_TIMEOUT.
function http.request(method, url, opts)
  local verb = type(method) == "string" and method:upper() or ""
  if not verbs[verb] then
    core.misuse(("http.request: there is no method %q"):format(
      tostring(method)))
  end
  return send("http.request", verb, url, opts)
end

return setmetatable(http, {
  __index = function(_, name)
    core.misuse(("http has no function %q"):format(tostring(name)))
  end,
})
