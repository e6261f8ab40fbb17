--- Menus below a message, which a press changes in place. menu.new declares
-- one by a function that lays it out anew each time, from what the bot knows
-- then: build(m, ctx) calls m:text and adds buttons in rows. Nothing is kept in
-- memory: a button carries where it stands, and a fingerprint of the buttons
-- that it stood among. A press of one that stood among others does nothing but
-- show the menu as it is and say so: after an edit of the script, a restart,
-- or because somebody else was faster. After the function of a button the
-- menu is shown anew, unless that returns false or has shown another.
local bot = require "moonlet.bot"
local core = require "moonlet.core"
local keyboard = require "moonlet.keyboard"
local log = require "moonlet.log"
local rows = require "moonlet.core.state"

local menu = {}

local CHANGED = "This menu has changed."
local GONE = "This menu is gone."
local NOT_YOURS = "This menu belongs to somebody else."
local DEPTH_MAX = 10

local menus = {} -- by name
local known_options = { changed = true, personal = true, not_yours = true }
local known_range = { min = true, max = true, step = true, on_change = true,
  id = true }
local known_pages = { items = true, per_page = true, columns = true,
  label = true, on_pick = true, id = true }
local outdated = 0
local pressed = setmetatable({}, { __mode = "k" }) -- of a ctx, its page

-- --- where a button stands
--
-- A path is a list of menus from the first to the one that is shown:
-- { name, arg, page }, as a text NAME=ARG@PAGE>NAME...

local function escape(text)
  return (text:gsub("[%%@>=|]", function(sign)
    return ("%%%02X"):format(sign:byte())
  end))
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function write_path(path)
  local parts = {}
  for i, at in ipairs(path) do
    local arg = at.arg
    if math.type(arg) == "integer" then
      arg = "=#" .. arg
    elseif arg ~= nil then
      arg = "=" .. escape("$" .. arg)
    end
    parts[i] = at.name .. (arg or "") .. (at.page > 1 and "@" .. at.page or "")
  end
  return table.concat(parts, ">")
end

local function read_path(text)
  local path = {}
  for part in text:gmatch("[^>]+") do
    local name, arg, page = part:match("^([%w_]+)=?([^@]*)@?(%d*)$")
    if not menus[name] then return nil end
    local kind = arg:sub(1, 1)
    arg = kind == "#" and math.tointeger(tonumber(arg:sub(2)))
      or kind == "$" and unescape(arg):sub(2) or nil
    path[#path + 1] = { name = name, arg = arg, page = tonumber(page) or 1 }
  end
  return path[1] and path
end

-- The path as it is but for its last menu's page; with one more; with one
-- less.
local function at_page(path, page)
  local last = path[#path]
  local copy = table.move(path, 1, #path, 1, {})
  copy[#copy] = { name = last.name, arg = last.arg, page = page }
  return copy
end

-- One that is on the path already is gone back to: a way round is no way down.
local function below(path, name, arg)
  for i, at in ipairs(path) do
    if at.name == name and at.arg == arg then
      return table.move(path, 1, i, 1, {})
    end
  end
  local copy = table.move(path, 1, #path, 1, {})
  copy[#copy + 1] = { name = name, arg = arg, page = 1 }
  if #copy > DEPTH_MAX then table.remove(copy, 1) end
  return copy
end

local function above(path) return table.move(path, 1, #path - 1, 1, {}) end

-- --- laying out

local function fail(self, words, ...)
  core.misuse(("menu %q: "):format(self.name) .. words:format(...))
end

local function check_function(self, what, fn)
  if type(fn) ~= "function" then
    fail(self, "%s needs a function, got %s", what, type(fn))
  end
end

local function add(page, label, id, button)
  if type(label) ~= "string" and type(label) ~= "number" then
    fail(page.menu, "a button needs a label, got %s", type(label))
  elseif label == "" then
    fail(page.menu, "a button needs a label, got an empty one")
  end
  button.text = tostring(label)
  button.id = id ~= nil and "#" .. tostring(id) or button.text
  if page.begins_row then
    page.rows[#page.rows + 1] = {}
    page.begins_row = false
  end
  table.insert(page.rows[#page.rows], button)
end

local function check_arg(self, arg)
  if arg ~= nil and type(arg) ~= "string" and math.type(arg) ~= "integer" then
    fail(self, "what a menu is opened with must be a text or an integer, "
      .. "got %s", type(arg))
  end
end

local function name_of(self, target)
  if type(target) == "string" and menus[target] then return target end
  if type(target) == "table" and menus[target.name] == target then
    return target.name
  end
  fail(self, "m:open needs a menu of menu.new or its name, got %s",
    type(target) == "string" and ("%q"):format(target) or type(target))
end

local function add_pages(page, opts)
  local per_page = opts.per_page or 8
  local count = math.max(1, (#opts.items + per_page - 1) // per_page)
  local at = math.min(page.path[#page.path].page, count)
  local columns = opts.columns or 1
  for i = (at - 1) * per_page + 1, math.min(at * per_page, #opts.items) do
    local item = opts.items[i]
    if ((i - 1) % per_page) % columns == 0 then page.begins_row = true end
    add(page, (opts.label or tostring)(item), opts.id and opts.id(item),
      { fn = opts.on_pick, value = item })
  end
  page.begins_row = true
  if count == 1 then return end
  local function go(label, to)
    add(page, label, nil, { path = at_page(page.path, (to - 1) % count + 1) })
  end
  go("‹", at - 1)
  go(at .. "/" .. count, at)
  go("›", at + 1)
  page.begins_row = true
end

local function check_options(self, what, opts, known)
  for name in pairs(opts) do
    if not known[name] then
      fail(self, "m:%s has no option %q", what, tostring(name))
    end
  end
end

local function check_pages(self, opts)
  if type(opts) ~= "table" or type(opts.items) ~= "table" then
    fail(self, "m:pages needs a table with items, a list")
  end
  check_options(self, "pages", opts, known_pages)
  check_function(self, "on_pick of m:pages", opts.on_pick)
  for _, name in ipairs { "per_page", "columns" } do
    local n = opts[name]
    if n ~= nil and (math.type(n) ~= "integer" or n < 1) then
      fail(self, "%s of m:pages must be a number from 1 on", name)
    end
  end
end

-- What build gets as m; of each its page.
local Builder = {}
local pages = setmetatable({}, { __mode = "k" })
local builder_meta = { __metatable = false }

function builder_meta.__index(m, name)
  if not Builder[name] then
    fail(pages[m].menu, "m has no function %q", tostring(name))
  end
  return Builder[name]
end

local function page_of(m, what)
  if not pages[m] then
    core.misuse("m:" .. what .. " is called with a colon")
  end
  return pages[m]
end

--- m:text(text [, opts]): what the message says, a text or a piece
-- (moonlet.format). opts: sendMessage's parameters.
function Builder.text(m, text, opts)
  local page = page_of(m, "text")
  page.text, page.opts = text, opts
end

--- m:row(): the next button begins a row.
function Builder.row(m) page_of(m, "row").begins_row = true end

--- m:button(label, fn [, id]): a button that calls fn(ctx). id: what tells it
-- from others in place of the label, for one that changes all the time.
function Builder.button(m, label, fn, id)
  local page = page_of(m, "button")
  check_function(page.menu, "m:button", fn)
  add(page, label, id, { fn = fn })
end

--- m:toggle(label, on, fn [, id]): a switch that is on or off, which calls
-- fn(ctx, wanted) with true or false.
function Builder.toggle(m, label, on, fn, id)
  local page = page_of(m, "toggle")
  check_function(page.menu, "m:toggle", fn)
  label = tostring(label)
  add(page, (on and "✅ " or "⬜ ") .. label,
    tostring(id or label) .. (on and "+" or "-"),
    { fn = fn, value = not on })
end

local function check_range(self, value, opts)
  if type(opts) ~= "table" then
    fail(self, "m:range needs a table of options, got %s", type(opts))
  end
  check_options(self, "range", opts, known_range)
  check_function(self, "on_change of m:range", opts.on_change)
  if type(value) ~= "number" then
    fail(self, "m:range needs its value, a number, got %s", type(value))
  end
  for _, name in ipairs { "min", "max", "step" } do
    local n = opts[name]
    if n ~= nil and type(n) ~= "number" then
      fail(self, "%s of m:range must be a number, got %s", name, type(n))
    end
  end
  if opts.step and opts.step <= 0 then
    fail(self, "step of m:range must be more than 0")
  end
end

local function nothing() end

--- m:range(label, value, opts): a number between buttons that take opts.step
-- (1) from it and add it, as far as opts.min and opts.max (without one: no
-- bound); they call opts.on_change(ctx, wanted). A row of its own. opts.id:
-- what tells it from others in place of the label.
function Builder.range(m, label, value, opts)
  local page = page_of(m, "range")
  check_range(page.menu, value, opts)
  local id = tostring(opts.id or label)
  -- Of the value at the press: who presses three times goes three steps.
  local function go(sign, by)
    local wanted = math.min(math.max(value + by, opts.min or -math.huge),
      opts.max or math.huge)
    add(page, sign, id .. sign, wanted == value and { fn = nothing }
      or { fn = opts.on_change, value = wanted })
  end
  page.begins_row = true
  go("−", -(opts.step or 1))
  add(page, label .. ": " .. value, id, { fn = nothing })
  go("+", opts.step or 1)
  page.begins_row = true
end

--- m:url(label, url): a link.
function Builder.url(m, label, url)
  add(page_of(m, "url"), label, nil, { raw = { text = label, url = url } })
end

--- m:add(button): a button of another kind, a table of the Bot API's fields
-- (Bot API InlineKeyboardButton), such as text and web_app. One with
-- callback_data is answered by bot.callback.
function Builder.add(m, button)
  local page = page_of(m, "add")
  if type(button) ~= "table" then
    fail(page.menu, "m:add needs a table, got %s", type(button))
  end
  add(page, button.text, nil, { raw = button })
end

--- m:open(label, menu [, arg]): shows another menu, whose m.arg is arg, a text
-- or an integer.
function Builder.open(m, label, target, arg)
  local page = page_of(m, "open")
  check_arg(page.menu, arg)
  local name = name_of(page.menu, target)
  add(page, label, nil, { path = below(page.path, name, arg) })
end

--- m:back(label): shows the menu from which this one was opened, by m:open or
-- by ctx:show_menu in the function of a button. Without one there is no such
-- button.
function Builder.back(m, label)
  local page = page_of(m, "back")
  if #page.path > 1 then add(page, label, nil, { path = above(page.path) }) end
end

local function close(ctx)
  ctx:delete()
  return false
end

--- m:close(label): deletes the message.
function Builder.close(m, label)
  add(page_of(m, "close"), label, nil, { fn = close })
end

--- m:pages(opts): a button for each of opts.items, a list, in rows of their
-- own: opts.label(item) is its label, opts.on_pick(ctx, item) is called, and
-- opts.id(item) tells it from others. opts.per_page (8) stand there at once,
-- opts.columns (1) in a row, with buttons that turn the pages. Once a menu.
function Builder.pages(m, opts)
  local page = page_of(m, "pages")
  check_pages(page.menu, opts)
  if page.has_pages then fail(page.menu, "m:pages is called twice") end
  page.has_pages = true
  add_pages(page, opts)
end

local function builder(page)
  local m = setmetatable({ arg = page.path[#page.path].arg or false },
    builder_meta)
  pages[m] = page
  return m
end

local function labels_of(page)
  local labels = {}
  for _, row in ipairs(page.rows) do
    for _, button in ipairs(row) do labels[#labels + 1] = button.text end
    labels[#labels + 1] = "\n"
  end
  return table.concat(labels, "\0")
end

-- Two that differ in this differ in what their buttons mean.
local function fingerprint_of(page)
  local parts = { write_path(page.path), page.owner or "" }
  for _, row in ipairs(page.rows) do
    for _, button in ipairs(row) do
      parts[#parts + 1] = button.id
      parts[#parts + 1] = button.path and write_path(button.path) or "|"
    end
    parts[#parts + 1] = "\n"
  end
  return rows.hash(table.concat(parts, "\0")):sub(1, 8)
end

local function lay_out(ctx, path, owner)
  local self = menus[path[#path].name]
  local page = { menu = self, path = path, owner = owner, rows = {},
    begins_row = true }
  self.build(builder(page), ctx)
  if page.text == nil then fail(self, "its function has not called m:text") end
  page.mark = fingerprint_of(page)
  return page
end

local function markup_of(page)
  local tail = ":" .. (page.owner or "") .. ":" .. write_path(page.path)
  local number, list = 0, {}
  for i, row in ipairs(page.rows) do
    list[i] = {}
    for j, button in ipairs(row) do
      number = number + 1
      list[i][j] = button.raw
        or { button.text, "mn:" .. page.mark .. ":" .. number .. tail }
    end
  end
  return keyboard.inline(list)
end

local function params_of(page)
  local params = { reply_markup = markup_of(page) }
  for name, value in pairs(page.opts or {}) do params[name] = value end
  return params
end

-- Shown in place of the message with the button. One that somebody has
-- deleted meanwhile is no error.
local function redraw(ctx, page)
  ctx.menu_shown = true
  local ok, result, why = pcall(ctx.edit, ctx, page.text, params_of(page))
  if ok then return result, why end
  local is_gone = type(result) == "table" and result.code == 400
    and result.message:find("message to edit not found", 1, true)
  if not is_gone then error(result, 0) end
  log.info("menu.not_shown", { menu = page.menu.name, error = result })
  return false, result
end

-- --- presses

local function button_at(page, number)
  for _, row in ipairs(page.rows) do
    if number <= #row then return row[number] end
    number = number - #row
  end
end

local function answer(ctx, text)
  if type(text) == "function" then text = text(ctx) end
  if not ctx.callback_answered then ctx:answer_callback(text) end
end

local function tell_outdated(ctx, page)
  outdated = outdated + 1
  log.info("menu.outdated", { menu = page.menu.name, count = outdated })
  redraw(ctx, page)
  -- Of a press that comes again, its first time has changed the menu.
  if not ctx.update.redelivered then answer(ctx, page.menu.changed) end
end

local function act(ctx, page, button)
  if button.path then
    redraw(ctx, lay_out(ctx, button.path, page.owner))
    return
  end
  if button.fn(ctx, button.value) == false or ctx.menu_shown then return end
  local after = lay_out(ctx, page.path, page.owner)
  if after.mark ~= page.mark or after.text ~= page.text
    or labels_of(after) ~= labels_of(page) then
    redraw(ctx, after)
  end
end

local function press(ctx, mark, number, owner, text)
  local path = read_path(text)
  if not path then
    outdated = outdated + 1
    log.info("menu.gone", { path = text, count = outdated })
    return answer(ctx, GONE)
  end
  local self = menus[path[#path].name]
  if owner ~= "" and owner ~= tostring(ctx.from.id) then
    return answer(ctx, self.not_yours)
  end
  local page = lay_out(ctx, path, owner ~= "" and owner or nil)
  local button = mark == page.mark and button_at(page, tonumber(number))
  if not button or button.raw then return tell_outdated(ctx, page) end
  pressed[ctx] = page
  act(ctx, page, button)
end

-- --- what scripts call

--- menu.new(name, build [, opts]): declares a menu while scripts load.
-- build(m, ctx) lays it out. opts: personal (true: only whom it was shown to
-- may press), and what those who press are told, a text or a function of ctx:
-- changed ("This menu has changed.") and not_yours.
function menu.new(name, build, opts)
  if not core.loading() then
    core.misuse("menu.new: declare menus while main.lua loads, not later")
  end
  if type(name) ~= "string" or not name:find("^[%a_][%w_]*$")
    or #name > 16 then
    core.misuse(("menu.new: %q is no name (letters, digits, underscores; at "
      .. "most 16)"):format(tostring(name)))
  end
  if menus[name] then
    core.misuse(("menu.new: %q is declared twice"):format(name))
  end
  local self = { name = name, build = build, changed = CHANGED,
    not_yours = NOT_YOURS }
  check_function(self, "menu.new", build)
  for option, value in pairs(opts or {}) do
    if not known_options[option] then
      fail(self, "there is no option %q", tostring(option))
    end
    self[option] = value
  end
  if next(menus) == nil then
    bot.callback("^mn:(%x+):(%d+):(%d*):(.+)$", press)
  end
  menus[name] = self
  return self
end

--- What ctx:show_menu is, and is documented as.
function menu._show(ctx, target, arg)
  local self = type(target) == "table" and target or menus[target] or {}
  if menus[self.name or ""] ~= self then
    core.misuse("ctx:show_menu needs a menu of menu.new, or its name")
  end
  check_arg(self, arg)
  local above_it = pressed[ctx] or { path = {} }
  local owner = above_it.owner
  if self.personal then owner = tostring(ctx.from.id) end
  local page = lay_out(ctx, below(above_it.path, self.name, arg), owner)
  if ctx.callback_query then return redraw(ctx, page) end
  return ctx:reply(page.text, params_of(page))
end

return setmetatable(menu, { __index = function(_, name)
  core.misuse(("menu has no function %q"):format(tostring(name)))
end })
