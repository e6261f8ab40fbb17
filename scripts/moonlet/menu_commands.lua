--- The menus of commands that clients show, from the descriptions of the
-- registrations. Not for scripts of authors.
local api = require "moonlet.api"
local core = require "moonlet.core"
local json = require "moonlet.json"
local log = require "moonlet.log"

local menu = {}

local COMMANDS_MAX = 100 -- in one menu
local DESCRIPTION_MAX = 256

-- A client shows the narrowest menu alone, so that each holds what the wider
-- ones have. "admins" stands for the chats of ADMIN_IDS.
local wider = {
  default = { "default" },
  all_private_chats = { "default", "all_private_chats" },
  all_group_chats = { "default", "all_group_chats" },
  all_chat_administrators = { "default", "all_group_chats",
    "all_chat_administrators" },
}
local broad = { "default", "all_private_chats", "all_group_chats",
  "all_chat_administrators" }

local items = {}     -- { name, texts, scopes }, in order of registration
local languages = {} -- of all descriptions, in order of appearance
local chats = {}     -- ids of single chats that have a menu of their own

local function check_text(what, text)
  local length = type(text) == "string" and utf8.len(text)
  if not length or length < 1 or length > DESCRIPTION_MAX then
    core.misuse(("%s: a description is a text of 1 to %d characters"):format(
      what, DESCRIPTION_MAX))
  end
end

local function add_once(list, value)
  for _, each in ipairs(list) do
    if each == value then return end
  end
  table.insert(list, value)
end

-- Texts by language; that for all others has the language "".
local function check_description(what, given)
  if type(given) ~= "table" then given = { given } end
  local texts = { [""] = given[1] or given.en }
  if not texts[""] then
    core.misuse(what .. ": a description by language needs a text for all "
      .. "others, the first or that of en")
  end
  for language, text in pairs(given) do
    check_text(what, text)
    if language ~= 1 then
      if type(language) ~= "string" or not language:find("^%l%l$") then
        core.misuse(("%s: a language is two letters, \"de\", got %q"):format(
          what, tostring(language)))
      end
      texts[language] = text
      add_once(languages, language)
    end
  end
  return texts
end

local function scope_of_chat(what, scope)
  local id = type(scope) == "table" and (scope.chat or scope.chat_id)
  if math.type(id) ~= "integer" then
    core.misuse(("%s: scope must be \"default\", \"all_private_chats\", "
      .. "\"all_group_chats\", \"all_chat_administrators\" or { chat = id }, "
      .. "got %q"):format(what, tostring(scope)))
  end
  add_once(chats, id)
  return id
end

local function check_scopes(what, given)
  local single = type(given) ~= "table" or given.chat or given.chat_id
  local scopes = {}
  for _, scope in ipairs(single and { given } or given) do
    if not wider[scope] and scope ~= "admins" then
      scope = scope_of_chat(what, scope)
    end
    scopes[scope] = true
  end
  return scopes
end

-- The scopes that no wider menu has.
local function own_of(scope)
  local list = { scope }
  for _, id in ipairs(core.admins()) do
    if id == scope then table.insert(list, "admins") end
  end
  return list
end

-- The scopes whose commands the menu of a scope shows.
local function shown_in(scope)
  if wider[scope] then return wider[scope] end
  return { "default", scope > 0 and "all_private_chats" or "all_group_chats",
    table.unpack(own_of(scope)) }
end

local function is_in(item, list)
  for _, scope in ipairs(list) do
    if item.scopes[scope] then return true end
  end
  return false
end

-- The items of a menu; none if the next wider menu does.
local function items_of(scope)
  local own, shown, found, needed = own_of(scope), shown_in(scope), {}, false
  for _, item in ipairs(items) do
    needed = needed or is_in(item, own)
    if is_in(item, shown) then table.insert(found, item) end
  end
  return needed and found or {}
end

local function scopes()
  local list = { table.unpack(broad) }
  for _, id in ipairs(core.admins()) do add_once(list, id) end
  for _, id in ipairs(chats) do add_once(list, id) end
  return list
end

--- A registration has a description; what it says is checked.
function menu.add(what, name, opts)
  if opts.description == nil then
    if opts.scope ~= nil then
      core.misuse(what .. ": a scope is of no use without a description")
    end
    return
  end
  local item = { name = name, texts = check_description(what,
    opts.description), scopes = check_scopes(what, opts.scope or "default") }
  if opts.hidden then return end
  table.insert(items, item)
  if #items <= COMMANDS_MAX then return end
  for _, scope in ipairs(scopes()) do
    if #items_of(scope) > COMMANDS_MAX then
      core.misuse(("%s: more than %d commands in one menu; hide some: "
        .. "{ hidden = true }"):format(what, COMMANDS_MAX))
    end
  end
end

-- --- setting them

local function scope_object(scope)
  if wider[scope] then return { type = scope } end
  return { type = "chat", chat_id = scope }
end

-- The menu of a scope in a language; empty if that for all languages does.
local function commands_of(scope, language)
  local list, own = json.array {}, language == ""
  for _, item in ipairs(items_of(scope)) do
    own = own or item.texts[language] ~= nil
    table.insert(list, { command = item.name,
      description = item.texts[language] or item.texts[""] })
  end
  return own and list or {}
end

local function is_same(a, b)
  if #a ~= #b then return false end
  for i, each in ipairs(a) do
    if each.command ~= b[i].command
      or each.description ~= b[i].description then
      return false
    end
  end
  return true
end

local function set(scope, language)
  local place = { scope = scope_object(scope),
    language_code = language ~= "" and language or nil }
  local wanted = commands_of(scope, language)
  if is_same(wanted, api.getMyCommands(place)) then return end
  if #wanted == 0 then
    api.deleteMyCommands(place)
  else
    place.commands = wanted
    api.setMyCommands(place)
  end
  log.info("menu.set", { scope = scope, language = language,
    commands = #wanted })
end

--- Brings Telegram's menus up to the registrations; waits.
function menu.apply()
  if #items == 0 then return end
  for _, scope in ipairs(scopes()) do
    for i = 0, #languages do
      local ok, err = pcall(set, scope, languages[i] or "")
      if not ok then
        log.warn("menu.not_set", { scope = scope, error = err })
        break
      end
    end
  end
end

return menu
