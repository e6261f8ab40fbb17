--- Reads a Lua source that compiles into a tree. Not for scripts of authors.
--
-- A node has kind and at, the place of its first byte. Kinds: "name" (var:
-- what `local` or a parameter it is, nil: a global), "index" (object, key),
-- "call" (fn, arguments), "method" (object, name, arguments), "function"
-- (parameters), "table" (fields: a list of name or key, and value), "text"
-- (value), "other" (of which nothing is known). A var has name, value (the
-- node that `local` gave it), parameter (its number) and changed.
local words_of = require "moonlet.check_words".of

local check_tree = {}

local Reader = {}
Reader.__index = Reader

local binary = {}
for sign in ([[+ - * / // ^ % & ~ | >> << .. < <= > >= == ~= and or]])
  :gmatch("%S+") do
  binary[sign] = true
end
local unary = { ["not"] = true, ["-"] = true, ["#"] = true, ["~"] = true }

-- --- words

function Reader:word() return self.words[self.place] end

function Reader:is(text)
  local word = self:word()
  return word.kind == "sign" and word.text == text
end

function Reader:take()
  local word = self:word()
  self.place = self.place + 1
  return word
end

function Reader:accept(text)
  if not self:is(text) then return false end
  self.place = self.place + 1
  return true
end

-- --- names

function Reader:open() self.scope = { above = self.scope, vars = {} } end

function Reader:close() self.scope = self.scope.above end

function Reader:declare(name, var)
  var = var or {}
  var.name = name
  self.scope.vars[name] = var
  self.file.declared[name] = true
  return var
end

function Reader:find(name)
  local scope = self.scope
  while scope do
    if scope.vars[name] then return scope.vars[name] end
    scope = scope.above
  end
end

function Reader:node(kind, at, fields)
  fields = fields or {}
  fields.kind, fields.at = kind, at
  local list = self.file[kind]
  if list then list[#list + 1] = fields end
  return fields
end

function Reader:name(word)
  return self:node("name", word.at, { name = word.text,
    var = self:find(word.text) })
end

-- --- expressions

local function text_value(text)
  return load("return " .. text, "=(text)")()
end

function Reader:text()
  local word = self:take()
  return self:node("text", word.at, { value = text_value(word.text) })
end

function Reader:key_name()
  local word = self:take()
  return self:node("text", word.at, { value = word.text })
end

function Reader:list()
  local found = { self:expression() }
  while self:accept(",") do found[#found + 1] = self:expression() end
  return found
end

function Reader:field()
  local word, following = self:word(), self.words[self.place + 1]
  if self:accept("[") then
    local key = self:expression()
    self:take() -- ]
    self:take() -- =
    return { key = key, at = word.at, value = self:expression() }
  end
  if word.kind == "name" and following.kind == "sign"
    and following.text == "=" then
    self.place = self.place + 2
    return { name = word.text, at = word.at, value = self:expression() }
  end
  return { at = word.at, value = self:expression() }
end

function Reader:table()
  local at, fields = self:take().at, {}
  while not self:accept("}") do
    fields[#fields + 1] = self:field()
    if not self:accept(",") then self:accept(";") end
  end
  return self:node("table", at, { fields = fields })
end

function Reader:arguments()
  if self:word().kind == "text" then return { self:text() } end
  if self:is("{") then return { self:table() } end
  self:take() -- (
  if self:accept(")") then return {} end
  local found = self:list()
  self:take() -- )
  return found
end

-- Parameters and body, behind the word "function" and a name.
function Reader:body(at, has_self)
  self:open()
  local parameters = {}
  if has_self then self:declare("self", { parameter = 0 }) end
  self:take() -- (
  while not self:accept(")") do
    local word = self:take()
    if word.kind == "name" then
      parameters[#parameters + 1] = self:declare(word.text,
        { parameter = #parameters + 1 })
    end
    self:accept(",")
  end
  self.depth = self.depth + 1
  self:block()
  self.depth = self.depth - 1
  self:take() -- end
  self:close()
  return self:node("function", at, { parameters = parameters })
end

function Reader:primary()
  if self:accept("(") then
    local inner = self:expression()
    self:take() -- )
    return inner
  end
  return self:name(self:take())
end

function Reader:suffix(node)
  local word = self:word()
  if self:accept(".") then
    return self:node("index", word.at, { object = node,
      key = self:key_name() })
  elseif self:accept("[") then
    local key = self:expression()
    self:take() -- ]
    return self:node("index", word.at, { object = node, key = key })
  elseif self:accept(":") then
    local name = self:take()
    return self:node("method", name.at, { object = node, name = name.text,
      arguments = self:arguments() })
  elseif word.kind == "text" or self:is("(") or self:is("{") then
    return self:node("call", node.at, { fn = node,
      arguments = self:arguments() })
  end
end

function Reader:suffixed()
  local node = self:primary()
  while true do
    local longer = self:suffix(node)
    if not longer then return node end
    node = longer
  end
end

function Reader:simple()
  local word = self:word()
  if word.kind == "text" then return self:text() end
  if word.kind == "name" or self:is("(") then return self:suffixed() end
  if self:is("{") then return self:table() end
  self.place = self.place + 1
  if word.kind == "sign" and word.text == "function" then
    return self:body(word.at)
  end
  return self:node("other", word.at)
end

-- Which operator binds how does not matter here.
function Reader:expression()
  local at, operators, found = self:word().at, 0
  repeat
    while self:word().kind == "sign" and unary[self:word().text] do
      self.place = self.place + 1
      operators = operators + 1
    end
    found = self:simple()
    local goes_on = self:word().kind == "sign" and binary[self:word().text]
    if goes_on then
      self.place = self.place + 1
      operators = operators + 1
    end
  until not goes_on
  return operators == 0 and found or self:node("other", at)
end

-- --- statements

local statements = {}

function Reader:assign(target, value)
  if target.kind == "name" then
    if target.var then
      target.var.changed = true
    else
      target.set = true
      target.inside = self.depth > 0
    end
  elseif target.kind == "index" then
    target.set, target.given = true, value
  end
end

statements["local"] = function(self)
  if self:accept("function") then
    local word = self:take()
    local var = self:declare(word.text)
    var.value = self:body(word.at)
    return
  end
  local names, values = {}, {}
  repeat
    names[#names + 1] = self:take().text
    if self:accept("<") then self.place = self.place + 2 end
  until not self:accept(",")
  if self:accept("=") then values = self:list() end
  for i, name in ipairs(names) do self:declare(name, { value = values[i] }) end
end

statements["function"] = function(self)
  local node, has_self = self:name(self:take()), false
  while self:is(".") or self:is(":") do
    local word = self:take()
    has_self = word.text == ":"
    node = self:node("index", word.at, { object = node,
      key = self:key_name() })
  end
  self:assign(node)
  local made = self:body(node.at, has_self)
  if node.kind == "index" then node.given = made end
end

function Reader:scoped_block()
  self:open()
  self:block()
  self:close()
end

statements["if"] = function(self)
  repeat
    self:expression()
    self:take() -- then
    self:scoped_block()
  until not self:accept("elseif")
  if self:accept("else") then self:scoped_block() end
  self:take() -- end
end

statements["while"] = function(self)
  self:expression()
  self:take() -- do
  self:scoped_block()
  self:take() -- end
end

statements["do"] = function(self)
  self:scoped_block()
  self:take() -- end
end

statements["for"] = function(self)
  local names = {}
  repeat names[#names + 1] = self:take().text until not self:accept(",")
  self:take() -- = or in
  self:list()
  self:take() -- do
  self:open()
  for _, name in ipairs(names) do self:declare(name) end
  self:block()
  self:close()
  self:take() -- end
end

statements["repeat"] = function(self)
  self:open()
  self:block()
  self:take() -- until, which sees the names of the block
  self:expression()
  self:close()
end

statements["return"] = function(self)
  local word = self:word()
  if word.kind ~= "end" and not self:is(";") and not self:is("end")
    and not self:is("else") and not self:is("elseif")
    and not self:is("until") then
    local values = self:list()
    if self.depth == 0 then self.file.result = values[1] end
  end
  self:accept(";")
end

statements["goto"] = function(self) self:take() end
statements["break"] = function() end
statements[";"] = function() end
statements["::"] = function(self) self.place = self.place + 2 end

local ends = { ["end"] = true, ["else"] = true, ["elseif"] = true,
  ["until"] = true }

function Reader:block()
  while true do
    local word = self:word()
    if word.kind == "end" or word.kind == "sign" and ends[word.text] then
      return
    end
    local statement = word.kind == "sign" and statements[word.text]
    if statement then
      self.place = self.place + 1
      statement(self)
    else
      self:action()
    end
  end
end

-- A call or an assignment.
function Reader:action()
  local targets = { self:suffixed() }
  while self:accept(",") do targets[#targets + 1] = self:suffixed() end
  if not self:accept("=") then return end
  local values = self:list()
  for i, target in ipairs(targets) do self:assign(target, values[i]) end
end

--- All nodes of a source by kind, as lists in their order; declared, the set
-- of its local names; result, what it returns.
function check_tree.of(text)
  local file = { name = {}, index = {}, call = {}, method = {}, table = {},
    ["function"] = {}, declared = {} }
  local reader = setmetatable({ words = words_of(text), place = 1, depth = 0,
    file = file }, Reader)
  reader:open()
  reader:block()
  return file
end

return check_tree
