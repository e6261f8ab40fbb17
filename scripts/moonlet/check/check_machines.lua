--- State machines that no bot.fsm declares, and events that they never take.
-- Not for scripts of authors.
local fsm = require "moonlet.fsm"
local nearest = require "moonlet.nearest"
local sorted = require "moonlet.sorted"
local value = require "moonlet.check_value"

local check_machines = {}

local takes_event = { fire = true, can = true }

-- The node of the name in ctx:fsm("order").
local function name_of(node)
  node = value.behind(node)
  local name = node.kind == "method" and node.name == "fsm"
    and value.is_context(node.object) and node.arguments[1]
  return name and name.kind == "text" and name or nil
end

local function check_machine(bot, file, node, known)
  local name = name_of(node)
  if not name or known[name.value] then return end
  bot.error(file, name.at, ('no bot.fsm declares "%s"%s'):format(name.value,
    nearest.hint(name.value, sorted(known))))
end

local function check_event(bot, file, node, known)
  local name = takes_event[node.name] and name_of(node.object)
  local events, event = name and known[name.value], node.arguments[1]
  if not events or not event or event.kind ~= "text"
    or events[event.value] then
    return
  end
  bot.error(file, event.at, ('no state of "%s" takes the event "%s"%s'):format(
    name.value, event.value, nearest.hint(event.value, sorted(events))))
end

-- Scripts may give contexts a method of their own by this name.
local function is_replaced(files)
  for _, file in ipairs(files) do
    for _, node in ipairs(file.nodes.index) do
      if node.set and value.key(node) == "fsm" then return true end
    end
  end
  return false
end

--- Tells of names of machines and events that nothing declares.
function check_machines.run(bot)
  if is_replaced(bot.files) then return end
  local known = fsm._events()
  for _, file in ipairs(bot.files) do
    if not file.is_spec then
      for _, node in ipairs(file.nodes.method) do
        check_machine(bot, file, node, known)
        check_event(bot, file, node, known)
      end
    end
  end
end

return check_machines
