--- Filters say which updates a registration or a group is for. A filter is a
-- text such as "message:photo"; a function fn(ctx) that returns true for what
-- fits; a list of filters, of which one has to fit; or what the functions of
-- this module make. A text has up to three parts with colons: an update kind,
-- a field of that kind's object, and a part of that field. "message:text",
-- "edited_message:photo", "callback_query:data". A part is a type of
-- "entities" or "caption_entities" ("message:entities:url"), a field of the
-- field that is there and not false ("message:from:is_premium"), what kind of
-- object it is ("chat_member:new_chat_member:left"), or "me", this bot
-- ("message:new_chat_members:me"). Of a list one element has to fit. Without
-- a kind, ":photo", it is any new message: "message", "channel_post",
-- "business_message", "guest_message". "::url" is a type of entity in text or
-- caption; ":media" is a photo or video, ":file" whatever has a file. What the
-- Bot API does not know raises "misuse" with the nearest name, while scripts
-- load. A function may wait, but where the order of an update is looked for:
-- there it cannot, and the update waits for those of its chat.
local context = require "moonlet.ctx"
local core = require "moonlet.core"

local filter = {}

local new_messages = {
  "message", "channel_post", "business_message", "guest_message",
}

local entity_types = {
  "mention", "hashtag", "cashtag", "bot_command", "url", "email",
  "phone_number", "bold", "italic", "underline", "strikethrough", "spoiler",
  "blockquote", "expandable_blockquote", "code", "pre", "text_link",
  "text_mention", "custom_emoji", "date_time",
}
local is_entity_type = {}
for _, name in ipairs(entity_types) do is_entity_type[name] = true end

local shortcuts = {
  media = { "photo", "video" },
  file = { "photo", "animation", "audio", "document", "video", "video_note",
    "voice", "sticker" },
}
local entity_fields = { entities = true, caption_entities = true }

local chat_types = {
  private = true, group = true, supergroup = true, channel = true,
}

-- kinds: a set; nil: any. test(ctx): nil if every update of those kinds fits;
-- it is only asked about those.
local function make(kinds, test)
  local fits = test or function() return true end
  if kinds then
    fits = function(ctx)
      return kinds[ctx.kind] and (not test or test(ctx)) or false
    end
  end
  return { kinds = kinds, test = test, fits = fits }
end

local function set_of(list)
  local set = {}
  for _, each in ipairs(list) do set[each] = true end
  return set
end

-- --- texts

local function refuse(what, text, problem, name, names)
  core.misuse(("%s: %q: %s%s"):format(what, text, problem,
    require "moonlet.nearest".hint(name, names)))
end

-- The types that a field has, without "Array of".
local function object_type(types)
  return (types:gsub("Array of ", ""))
end

local function has_entity(fields, wanted)
  return function(ctx)
    for _, field in ipairs(fields) do
      for _, each in ipairs(ctx.event[field] or {}) do
        if each.type == wanted then return true end
      end
    end
    return false
  end
end

local function is_me(value)
  local me = context.me()
  return me ~= nil and value.id == me.id
end

-- holds(value) of a field's value, or of one element if it is a list.
local function has_part(field, holds)
  return function(ctx)
    local value = ctx.event[field]
    if type(value) ~= "table" then return false end
    if value[1] == nil then return holds(value) end
    for _, each in ipairs(value) do
      if holds(each) then return true end
    end
    return false
  end
end

local function part_test(what, text, field, part, types)
  if entity_fields[field] then
    if not is_entity_type[part] then
      refuse(what, text, ("there is no entity type %q"):format(part), part,
        entity_types)
    end
    return has_entity({ field }, part)
  end
  local name = object_type(types)
  if part == "me" and name == "User" then return has_part(field, is_me) end
  local form, of = core.part(name, part)
  if form == "field" then
    return has_part(field, function(value) return value[part] end)
  elseif form == "value" then
    return has_part(field, function(value) return value[of] == part end)
  end
  refuse(what, text, ("%s has no part %q"):format(field, part), part,
    core.parts(name))
end

local function field_test(field)
  local fields = shortcuts[field]
  if not fields then
    return function(ctx) return ctx.event[field] end
  end
  return function(ctx)
    for _, each in ipairs(fields) do
      if ctx.event[each] then return true end
    end
    return false
  end
end

local function text_test(what, text, kind, field, part)
  local _, kind_type = core.part("Update", kind)
  if field == "" and part == "" then return nil end
  if field == "" then
    if not is_entity_type[part] or kind_type ~= "Message" then
      refuse(what, text, ("there is no entity type %q"):format(part), part,
        entity_types)
    end
    return has_entity({ "entities", "caption_entities" }, part)
  end
  local form, types = core.part(kind_type, field)
  local is_shortcut = shortcuts[field] and kind_type == "Message"
  if form ~= "field" and not is_shortcut or is_shortcut and part ~= "" then
    refuse(what, text, ("a %s has no field %q"):format(kind, field), field,
      core.parts(kind_type))
  end
  if part == "" then return field_test(field) end
  return part_test(what, text, field, part, types)
end

local function from_text(what, text)
  local kind, field, part = text:match("^([%l_]*):?([%l_]*):?([%w_]*)$")
  if not kind or text == "" or text:sub(-1) == ":" then
    core.misuse(("%s: %q is no filter; a filter is like \"message\", "
      .. "\"message:photo\" or \"message:entities:url\""):format(what, text))
  end
  local kinds = kind == "" and new_messages or { kind }
  if kind ~= "" and not context.kinds[kind] then
    refuse(what, text, ("there is no update kind %q"):format(kind), kind,
      core.kinds())
  end
  return make(set_of(kinds), text_test(what, text, kinds[1], field, part))
end

-- --- composition

local function either(filters)
  if #filters == 1 then return filters[1] end
  local kinds = {}
  for _, each in ipairs(filters) do
    if kinds and each.kinds then
      for kind in pairs(each.kinds) do kinds[kind] = true end
    else
      kinds = nil
    end
  end
  return make(kinds, function(ctx)
    for _, each in ipairs(filters) do
      if each.fits(ctx) then return true end
    end
    return false
  end)
end

-- The kinds that both sets have; nil is the set of all.
local function common(a, b)
  if not a or not b then return a or b end
  local kinds = {}
  for kind in pairs(a) do
    if b[kind] then kinds[kind] = true end
  end
  return kinds
end

-- Makes a filter of whatever an author may give.
local function compile(what, given)
  if type(given) == "string" then return from_text(what, given) end
  if type(given) == "function" then return make(nil, given) end
  if type(given) ~= "table" or given.fits == nil and #given == 0 then
    core.misuse(("%s needs a filter: a text, a function, a list, or what "
      .. "moonlet.filter makes; got %s"):format(what, type(given) == "table"
      and "an empty table" or type(given)))
  end
  if given.fits then return given end
  local filters = {}
  for i, each in ipairs(given) do filters[i] = compile(what, each) end
  return either(filters)
end

local function compile_all(what, ...)
  if select("#", ...) == 0 then core.misuse(what .. " needs a filter") end
  local filters = { ... }
  for i = 1, select("#", ...) do filters[i] = compile(what, filters[i]) end
  return filters
end

--- filter.all(...): what fits all of the filters.
function filter.all(...)
  local filters = compile_all("filter.all", ...)
  local kinds
  for _, each in ipairs(filters) do kinds = common(kinds, each.kinds) end
  if kinds and next(kinds) == nil then
    core.misuse("filter.all: no update is of all these kinds")
  end
  return make(kinds, function(ctx)
    for _, each in ipairs(filters) do
      if not each.fits(ctx) then return false end
    end
    return true
  end)
end

--- filter.any(...): what fits at least one of the filters.
function filter.any(...)
  return either(compile_all("filter.any", ...))
end

--- filter.no(...): what fits none of the filters.
function filter.no(...)
  local wrong = either(compile_all("filter.no", ...))
  return make(nil, function(ctx) return not wrong.fits(ctx) end)
end

--- filter.chat_type(...): updates of chats of these types: "private",
-- "group", "supergroup", "channel".
function filter.chat_type(...)
  local wanted = {}
  for _, each in ipairs { ... } do
    if not chat_types[each] then
      core.misuse(("filter.chat_type: there is no type %q; there are "
        .. "\"private\", \"group\", \"supergroup\" and \"channel\""):format(
        tostring(each)))
    end
    wanted[each] = true
  end
  if next(wanted) == nil then core.misuse("filter.chat_type needs a type") end
  return make(nil, function(ctx)
    return ctx.chat ~= nil and wanted[ctx.chat.type] or false
  end)
end

local admins -- a set, once somebody asks
local function is_admin(ctx)
  admins = admins or set_of(core.admins())
  return ctx.from ~= nil and admins[ctx.from.id] or false
end

--- filter.admin: updates of the people of ADMIN_IDS.
filter.admin = make(nil, is_admin)

filter._compile = compile
filter._new_messages = new_messages
filter._common = common

return setmetatable(filter, {
  __index = function(_, name)
    core.misuse(("filter has no function %q"):format(tostring(name)))
  end,
})
