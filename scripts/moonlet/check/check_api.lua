--- Calls of the Bot API: methods and parameters. Not for scripts of authors.
local context = require "moonlet.ctx"
local core = require "moonlet.core"
local value = require "moonlet.check_value"

local check_api = {}

-- The method that a node is: "sendMessage".
local function method_of(node)
  node = value.behind(node)
  if node.kind == "index" and value.is_api(node.object) then
    return value.key(node)
  end
end

local function joined(names)
  if #names == 1 then return names[1] end
  return table.concat(names, ", ", 1, #names - 1) .. " and " .. names[#names]
end

local function is_unchecked(options)
  if not options then return false end
  if options.kind ~= "table" then return true end
  for _, field in ipairs(options.fields) do
    if field.name == "unchecked" or not field.name then return true end
  end
  return false
end

local function check_params(bot, file, method, params, at)
  local given, is_whole = {}, true
  for _, field in ipairs(params.fields) do
    local name = field.name
      or field.key and field.key.kind == "text" and field.key.value
    if name then
      given[name] = true
      local problem = core.api_problem(method, name)
      if problem then
        is_whole = false -- it may be the one that lacks
        bot.error(file, field.at, problem)
      end
    else
      is_whole = false
    end
  end
  if not is_whole then return end
  local lacking = {}
  for _, name in ipairs(core.api_required(method)) do
    if not given[name] then lacking[#lacking + 1] = name end
  end
  if #lacking > 0 then
    bot.error(file, at, ("%s needs %s"):format(method, joined(lacking)))
  end
end

-- api.METHOD{...}, or pcall(api.METHOD, {...}).
local function check_call(bot, file, node)
  local fn, first = node.fn, 1
  if fn.kind == "name" and not fn.var and fn.name == "pcall"
    and node.arguments[1] then
    fn, first = node.arguments[1], 2
  end
  local method = method_of(fn)
  local params = node.arguments[first]
  if not method or not params or params.kind ~= "table"
    or core.api_problem(method)
    or is_unchecked(node.arguments[first + 1]) then
    return
  end
  check_params(bot, file, method, params, value.behind(fn).key.at)
end

-- Methods of the context whose last argument is a table of parameters, and of
-- what is said of the call itself.
local with_options = {
  reply = { method = "sendMessage", at = 2, own = { quote = true } },
  edit = { method = "editMessageText", at = 2, own = { message = true } },
  answer_callback = { method = "answerCallbackQuery", at = 2, own = {} },
}

-- Scripts may give contexts methods of their own by these names.
local function replaced(files)
  local found = {}
  for _, file in ipairs(files) do
    for _, node in ipairs(file.nodes.index) do
      if node.set then found[value.key(node) or ""] = true end
    end
  end
  return found
end

local function check_options(bot, file, node, own)
  local known = value.is_context(node.object) and not own[node.name]
    and with_options[node.name]
  local options = known and node.arguments[known.at]
  if not options or options.kind ~= "table" or is_unchecked(options) then
    return
  end
  for _, field in ipairs(options.fields) do
    local problem = field.name and not known.own[field.name]
      and not context.call_options[field.name]
      and core.api_problem(known.method, field.name)
    if problem then
      bot.error(file, field.at, ("ctx:%s: %s"):format(node.name, problem))
    end
  end
end

-- Methods that some call makes unchecked: they may be newer than the tables.
local function unchecked_methods(file)
  local found = {}
  for _, node in ipairs(file.nodes.call) do
    local method = method_of(node.fn)
    if method and is_unchecked(node.arguments[2]) then found[method] = true end
  end
  return found
end

--- Tells of wrong names of methods and parameters, and of missing ones.
function check_api.run(bot)
  local own = replaced(bot.files)
  for _, file in ipairs(bot.files) do
    local unchecked = unchecked_methods(file)
    for _, node in ipairs(file.nodes.index) do
      local method = not node.set and method_of(node)
      local problem = method and not unchecked[method]
        and core.api_problem(method)
      if problem then bot.error(file, node.key.at, problem) end
    end
    if not file.is_spec then
      for _, node in ipairs(file.nodes.call) do check_call(bot, file, node) end
      for _, node in ipairs(file.nodes.method) do
        check_options(bot, file, node, own)
      end
    end
  end
end

return check_api
