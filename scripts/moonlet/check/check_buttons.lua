--- Data of buttons that no handler of presses takes. Not for scripts of
-- authors.
local router = require "moonlet.router"
local value = require "moonlet.check_value"

local check_buttons = {}

-- Is it keyboard.inline(...), maybe with calls behind it?
local function is_inline(node)
  node = value.behind(node)
  while node.kind == "method" do node = value.behind(node.object) end
  local fn = node.kind == "call" and node.fn
  return fn and fn.kind == "index" and value.key(fn) == "inline"
    and value.module(fn.object) == "moonlet.keyboard"
end

local function in_field(field, tell)
  if field.name == "callback_data" and field.value.kind == "text" then
    tell(field.value)
  end
end

-- { { { "Yes", "yes:1" } } }
local function in_rows(rows, tell)
  if not rows or rows.kind ~= "table" then return end
  for _, row in ipairs(rows.fields) do
    for _, button in ipairs(row.value.fields or {}) do
      local places = {}
      for _, field in ipairs(button.value.fields or {}) do
        if not field.name and not field.key then
          places[#places + 1] = field.value
        end
      end
      if places[2] and places[2].kind == "text" then tell(places[2]) end
    end
  end
end

local function each_data(file, tell)
  for _, node in ipairs(file.nodes.table) do
    for _, field in ipairs(node.fields) do in_field(field, tell) end
  end
  for _, node in ipairs(file.nodes.method) do
    local data = node.name == "text" and node.arguments[2]
    if data and data.kind == "text" and is_inline(node.object) then
      tell(data)
    elseif node.name == "rows" and is_inline(node.object) then
      in_rows(node.arguments[1], tell)
    end
  end
  for _, node in ipairs(file.nodes.call) do
    if is_inline(node) then in_rows(node.arguments[1], tell) end
  end
end

-- Scripts that read the data themselves may know it anywhere.
local function is_read(files)
  for _, file in ipairs(files) do
    for _, node in ipairs(file.nodes.index) do
      local above = value.key(node) == "data" and value.behind(node.object)
      local name = above and above.kind == "index" and value.key(above)
      if name == "callback_query" or name == "event" then return true end
    end
  end
  return false
end

-- Whatever is no bot.callback may take any press.
local function is_open(entries)
  for _, entry in ipairs(entries) do
    if not entry.what:find("^callback ") then return true end
  end
  return false
end

local function is_taken(entries, data)
  for _, entry in ipairs(entries) do
    local ok, from = pcall(entry.match, { event = { data = data } })
    if not ok or from then return true end
  end
  return false
end

--- Tells of data that is written down and fits no bot.callback.
function check_buttons.run(bot)
  local entries = router.all("callback_query")
  if is_open(entries) or is_read(bot.files) then return end
  for _, file in ipairs(bot.files) do
    if not file.is_spec then
      each_data(file, function(node)
        if not is_taken(entries, node.value) then
          bot.warn(file, node.at, ('no bot.callback fits the data "%s"')
            :format(node.value))
        end
      end)
    end
  end
end

return check_buttons
