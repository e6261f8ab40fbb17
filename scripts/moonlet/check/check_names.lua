--- Names that are not there: globals, modules, what a module has, methods of
-- the context. Not for scripts of authors.
local context = require "moonlet.ctx"
local nearest = require "moonlet.nearest"
local core = require "moonlet.core"
local value = require "moonlet.check_value"

local check_names = {}

local libraries = { string = true, table = true, math = true, utf8 = true,
  coroutine = true, os = true }

local standard = {}
for name in ([[_G _VERSION assert collectgarbage error getmetatable ipairs load
  next pairs pcall print rawequal rawget rawlen rawset require select
  setmetatable tonumber tostring type warn xpcall coroutine math os string
  table utf8]]):gmatch("%S+") do
  standard[name] = true
end

local absent = {
  io = "scripts have no io: files are for moonlet.fs",
  debug = "scripts have no debug",
  package = "scripts have no package",
  dofile = "scripts have no dofile: require loads a file",
  loadfile = "scripts have no loadfile: require loads a file",
  unpack = 'there is no global "unpack"; did you mean table.unpack?',
}

local function keys_of(...)
  local list = {}
  for i = 1, select("#", ...) do
    for name in pairs((select(i, ...))) do
      if type(name) == "string" and name:sub(1, 1) ~= "_" then
        list[#list + 1] = name
      end
    end
  end
  table.sort(list)
  return list
end

-- --- globals

-- Scripts that reach for the table of globals may do anything with it.
local function is_free(files)
  for _, file in ipairs(files) do
    for _, node in ipairs(file.nodes.name) do
      if not node.var and (node.name == "_G" or node.name == "_ENV") then
        return true
      end
    end
  end
  return false
end

local function unset(file, name, given)
  local hint = file.nodes.declared[name]
    and "; the local of this name does not reach here"
    or nearest.hint(name, keys_of(standard, given, file.nodes.declared))
  return ('nothing sets the global "%s"%s'):format(name, hint)
end

local function check_globals(bot)
  local given = {}
  for _, file in ipairs(bot.files) do
    for _, node in ipairs(file.nodes.name) do
      if node.set then given[node.name] = true end
    end
  end
  for _, file in ipairs(bot.files) do
    for _, node in ipairs(file.nodes.name) do
      local name = node.name
      local is_known = node.var or standard[name]
        or file.is_config and name == "env"
      if node.set and not is_known then
        bot.warn(file, node.at, ('"%s" becomes a global, which is read-only '
          .. "once the scripts have loaded; write local before it")
          :format(name))
      elseif not is_known and not given[name] and _G[name] == nil then
        bot.error(file, node.at, absent[name] or unset(file, name, given))
      end
    end
  end
end

-- --- modules

-- As if a script required it: what is wrong, or nil and the module.
local require_as_script = load("return require(...)", "=(check)")

local function problem_of(name)
  local ok, module = pcall(require_as_script, name)
  if ok then return nil, module end
  return type(module) == "table" and module.message or tostring(module)
end

local function public_modules()
  local list = {}
  for _, name in ipairs(core.modules()) do
    if not problem_of(name) then list[#list + 1] = name end
  end
  return list
end

local function is_ours(name)
  return name:find("^moonlet%.") and not name:find("^moonlet%.test")
    and name ~= "moonlet.config"
end

local function check_require(bot, file, node)
  local name = value.module(node)
  if not name or not is_ours(name) then return end
  local problem = problem_of(name)
  if problem then
    local at = node.arguments[1].at
    if problem:find("^moonlet has no module") then
      problem = problem .. nearest.hint(name, public_modules())
    end
    bot.error(file, at, problem)
  end
end

-- What a module says of a name that it does not have; nil if it has it.
local function missing(module, short, name)
  local ok, found = pcall(function() return module[name] end)
  if ok and found ~= nil then return nil end
  local message = not ok and type(found) == "table" and found.message or ""
  if message:find("^not built yet") then return message end
  return ('%s has no "%s"%s'):format(short, name,
    nearest.hint(name, keys_of(module)))
end

local function check_field(bot, file, object, name, at)
  local module_name = value.module(object)
  local node = value.behind(object)
  local module, short
  if module_name and is_ours(module_name)
    and module_name ~= "moonlet.api" then
    local problem
    problem, module = problem_of(module_name)
    short = module_name:match("[^.]+$")
    if problem then return end
  elseif node.kind == "name" and not node.var and libraries[node.name] then
    module, short = _G[node.name], node.name
  end
  if type(module) ~= "table" then return end
  local problem = missing(module, short, name)
  if problem then bot.error(file, at, problem) end
end

-- --- the context

-- What scripts give to tables, whichever they are.
local function given_names(files)
  local given = {}
  for _, file in ipairs(files) do
    for _, node in ipairs(file.nodes.index) do
      if node.set then
        given[value.key(node) or "*"] = true
      end
    end
    for _, node in ipairs(file.nodes.table) do
      for _, field in ipairs(node.fields) do
        if field.name then given[field.name] = true end
      end
    end
  end
  return given
end

local function check_method(bot, file, node, given)
  if not value.is_context(node.object) or given[node.name] or given["*"] then
    return
  end
  local ctx = context.new { update_id = 0, message = {} }
  local ok, found = pcall(function() return ctx[node.name] end)
  if ok and found == nil then
    bot.error(file, node.at, ('ctx has no method "%s"%s'):format(node.name,
      nearest.hint(node.name, keys_of(context.methods))))
  elseif not ok then
    bot.error(file, node.at, type(found) == "table" and found.message
      or tostring(found))
  end
end

--- Tells of all of them.
function check_names.run(bot)
  if not is_free(bot.files) then check_globals(bot) end
  local given = given_names(bot.files)
  for _, file in ipairs(bot.files) do
    for _, node in ipairs(file.nodes.call) do
      check_require(bot, file, node)
    end
    for _, node in ipairs(file.nodes.index) do
      local name = value.key(node)
      if name and not node.set then
        check_field(bot, file, node.object, name, node.key.at)
      end
    end
    for _, node in ipairs(file.nodes.method) do
      check_field(bot, file, node.object, node.name, node.at)
      check_method(bot, file, node, given)
    end
  end
end

return check_names
