--- Commands. Not for scripts of authors.
local core = require "moonlet.core"
local filter = require "moonlet.filter"
local register = require "moonlet.register"
local router = require "moonlet.router"

local command = {}

local options = {
  allow = true, description = true, hidden = true, order = true, scope = true,
}

local has_descriptions = false

local function check_names(what, name)
  local names = type(name) == "table" and name or { name }
  if #names == 0 then core.misuse(what .. " needs a name") end
  local wanted = {}
  for i, each in ipairs(names) do
    if type(each) ~= "string" or not each:find("^/?[%w_]+$")
      or #each:gsub("^/", "") > 32 then
      core.misuse(("%s: %q is no name of a command (letters, digits, "
        .. "underscores; at most 32)"):format(what, tostring(each)))
    end
    wanted[i] = each:gsub("^/", ""):lower()
  end
  return wanted
end

local function add(what, group, names, fn, opts)
  local number = router.number()
  for _, name in ipairs(names) do
    router.add(group, "message", {
      number = number, what = "/" .. name, name = name,
      fn = register.counted("/" .. name, fn),
      order = opts.order, allow = opts.allow,
    })
  end
  core.want("message")
  if opts.description ~= nil or opts.scope ~= nil or opts.hidden ~= nil then
    has_descriptions = true
    require "moonlet.menu_commands".add(what, names[1], opts)
  end
end

--- bot.command(name, fn [, opts]): a message "/name ...", in any letter case
-- and, with "@", only for this bot. ctx.args is the list of words behind it
-- (of a deep link the first is its payload), ctx.command the name in lower
-- case. name (letters, digits, underscores; at most 32) may be a list of
-- names. opts.description, at most 256 characters, puts the first name into
-- the menu of commands: a text, or texts by language, { "Begin", de = "Los" },
-- whose first one is for all other languages. opts.scope says whose menu:
-- "default", "all_private_chats", "all_group_chats",
-- "all_chat_administrators", { chat = id }, or a list of them; it does not
-- limit where the command works. Narrower menus hold the wider ones' commands
-- too. opts.hidden = true leaves it out. The menus are set when these scripts
-- take over and only if they have changed; without any description they are
-- left alone (Bot API setMyCommands).
function command.command(group, name, fn, opts)
  register.check("bot.command", fn)
  opts = register.options("bot.command", opts, options)
  add("bot.command", group, check_names("bot.command", name), fn, opts)
end

--- bot.admin(name, fn [, opts]): a command for the people of ADMIN_IDS alone.
-- For others it is as if it were not registered. Its description is shown in
-- the admins' own chats with the bot. opts as in bot.command, without scope.
function command.admin(group, name, fn, opts)
  register.check("bot.admin", fn)
  opts = register.options("bot.admin", opts, {
    allow = true, description = true, hidden = true, order = true,
  })
  opts.allow = opts.allow and filter.all(filter.admin, opts.allow)
    or filter.admin
  opts.scope = opts.description ~= nil and "admins" or nil
  add("bot.admin", group, check_names("bot.admin", name), fn, opts)
end

--- Is there something to put into the menus?
function command.has_menu() return has_descriptions end

return command
