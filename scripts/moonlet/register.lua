--- What the functions that register handlers share. Not for scripts of
-- authors.
local core = require "moonlet.core"
local filter = require "moonlet.filter"

local register = {}

local orders = { chat = true, user = true, none = true }

--- Handlers are registered while scripts load, and are functions.
function register.check(what, fn)
  if not core.loading() then
    core.misuse(what .. ": register handlers while main.lua loads, not later")
  end
  if type(fn) ~= "function" then
    core.misuse(what .. " needs a function, got " .. type(fn))
  end
end

--- A copy of the options, with allow made into a filter. known: the set of
-- those that the function has.
function register.options(what, opts, known)
  if opts == nil then return {} end
  if type(opts) ~= "table" then
    core.misuse(what .. ": the options must be a table")
  end
  local copy = {}
  for name, value in pairs(opts) do
    if not known[name] then
      core.misuse(("%s has no option %q"):format(what, tostring(name)))
    end
    copy[name] = value
  end
  if opts.order ~= nil and not orders[opts.order] then
    core.misuse(('%s: order must be "chat", "user" or "none", got %q'):format(
      what, tostring(opts.order)))
  end
  if opts.allow ~= nil then
    copy.allow = filter._compile(what .. ": allow", opts.allow)
  end
  return copy
end

--- Tells the tests of the bot which registrations have run; without them it
-- gives fn itself.
function register.counted(what, fn)
  local number = core.cover(what)
  if not number then return fn end
  return function(...)
    core.covered(number)
    return fn(...)
  end
end

--- A pattern as a text for people.
function register.words(pattern)
  return type(pattern) == "string" and pattern or "(re)"
end

return register
