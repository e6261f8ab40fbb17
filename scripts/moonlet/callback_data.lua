--- Typed data of buttons. Not for scripts of authors.
--
-- The text is NAME:VERSION:VALUE:VALUE... The version is made of the fields,
-- so that a button from before a change of them is known as such.
local api = require "moonlet.api"
local core = require "moonlet.core"
local log = require "moonlet.log"

local callback_data = {}

local BYTES_MAX = 64
local OUTDATED = "This button is outdated."

local declared = {} -- name -> true
local known_options = { outdated = true, version = true }

local function escape(text)
  return (text:gsub("[%%:]", { ["%"] = "%25", [":"] = "%3A" }))
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- write(value) gives a text, or nil for a value of another type; read(text)
-- the value or nil.
local types = {
  int = {
    write = function(value)
      local whole = math.type(value) == "float" and math.tointeger(value)
        or value
      return math.type(whole) == "integer" and tostring(whole) or nil
    end,
    read = function(text)
      return text:find("^%-?%d+$") and math.tointeger(tonumber(text)) or nil
    end,
  },
  text = {
    write = function(value)
      return type(value) == "string" and escape(value) or nil
    end,
    read = unescape,
  },
  bool = {
    write = function(value)
      if value == true then return "1" end
      return value == false and "0" or nil
    end,
    read = function(text)
      if text == "1" then return true end
      if text == "0" then return false end
    end,
  },
}

-- Two letters that differ when the declaration does, but for one in a
-- thousand.
local function version_of(text)
  local sum = 5381
  for i = 1, #text do sum = (sum * 33 + text:byte(i)) % 4294967296 end
  local digits = "0123456789abcdefghijklmnopqrstuvwxyz"
  local a, b = sum % 36 + 1, sum // 36 % 36 + 1
  return digits:sub(a, a) .. digits:sub(b, b)
end

local function check_fields(name, given)
  if type(given) ~= "table" then
    core.misuse("bot.callback_data needs a list of fields, { \"n:int\" }")
  end
  local fields, seen = {}, {}
  for i, each in ipairs(given) do
    local field, kind = tostring(each):match("^([%a_][%w_]*):(%l+)$")
    if not types[kind] or seen[field] then
      core.misuse(("bot.callback_data %q: %q is no field; write \"n:int\", "
        .. "\"tag:text\" or \"on:bool\", each name once"):format(name,
        tostring(each)))
    end
    seen[field] = true
    fields[i] = { name = field, kind = kind, form = types[kind] }
  end
  return fields, seen
end

local function check_options(name, opts)
  if opts ~= nil and type(opts) ~= "table" then
    core.misuse("bot.callback_data: the options must be a table")
  end
  for each in pairs(opts or {}) do
    if not known_options[each] then
      core.misuse(("bot.callback_data %q has no option %q"):format(name,
        tostring(each)))
    end
  end
  return opts or {}
end

local methods = {}
local meta = { __index = methods, __metatable = false }

local function check_self(self, what)
  if type(self) ~= "table" or not self.beginning then
    core.misuse(("callback data: %s is called with a colon"):format(what))
  end
end

--- Makes what bot.callback_data returns.
function callback_data.new(name, given, opts)
  if not core.loading() then
    core.misuse("bot.callback_data: declare it while main.lua loads")
  end
  if type(name) ~= "string" or not name:find("^[%a_][%w_]*$")
    or #name > 16 then
    core.misuse(("bot.callback_data: %q is no name (letters, digits, "
      .. "underscores; at most 16)"):format(tostring(name)))
  end
  if declared[name] then
    core.misuse(("bot.callback_data: %q is declared twice"):format(name))
  end
  opts = check_options(name, opts)
  local fields, names = check_fields(name, given)
  local signature = { tostring(opts.version) }
  for _, each in ipairs(fields) do
    table.insert(signature, each.name .. ":" .. each.kind)
  end
  declared[name] = true
  return setmetatable({
    name = name, fields = fields, names = names, beginning = name .. ":",
    version = version_of(table.concat(signature, " ")),
    outdated = opts.outdated or OUTDATED, count = 0,
  }, meta)
end

--- True for what bot.callback_data has made.
function callback_data.is(value)
  return type(value) == "table" and rawget(value, "beginning") ~= nil
end

--- data:pack(values): the text for callback_data.
function methods.pack(self, values)
  check_self(self, "pack")
  if type(values) ~= "table" then
    core.misuse(("callback data %q: pack needs a table of values"):format(
      self.name))
  end
  for name in pairs(values) do
    if not self.names[name] then
      core.misuse(("callback data %q has no field %q"):format(self.name,
        tostring(name)))
    end
  end
  local parts = { self.name, self.version }
  for _, each in ipairs(self.fields) do
    local text = each.form.write(values[each.name])
    if not text then
      core.misuse(("callback data %q: %s must be of type %s, got %s"):format(
        self.name, each.name, each.kind, type(values[each.name])))
    end
    table.insert(parts, text)
  end
  local packed = table.concat(parts, ":")
  if #packed > BYTES_MAX then
    return require "moonlet.payload".store(packed,
      ("callback data %q"):format(self.name))
  end
  return packed
end

--- The values in a text, or nil if it is of another declaration. Its name has
-- been compared.
function callback_data.unpack(self, text)
  local values, at = {}, 0
  for part in (text:sub(#self.beginning + 1) .. ":"):gmatch("([^:]*):") do
    local field = self.fields[at]
    if at == 0 and part ~= self.version or at > #self.fields then
      return nil
    end
    if field then
      values[field.name] = field.form.read(part)
      if values[field.name] == nil then return nil end
    end
    at = at + 1
  end
  return at == #self.fields + 1 and values or nil
end

--- Answers the press of a button from before a change.
function callback_data.answer_outdated(self, ctx)
  self.count = self.count + 1
  log.info("callback.outdated", { name = self.name, count = self.count })
  ctx.callback_answered = true
  api.answerCallbackQuery {
    callback_query_id = ctx.callback_query.id, text = self.outdated }
end

return callback_data
