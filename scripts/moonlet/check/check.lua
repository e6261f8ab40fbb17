--- What is wrong with the scripts of a bot, as far as it is certain without
-- running them. Not for scripts of authors.
local core = require "moonlet.core"
local tree = require "moonlet.check_tree"

local check = {}

local rules = {
  require "moonlet.check_names", require "moonlet.check_api",
  require "moonlet.check_texts", require "moonlet.check_buttons",
  require "moonlet.check_machines",
}

local function is_meta(text) return text:find("^%-%-%-@meta") ~= nil end

-- Line and column, counted in characters, of a byte of the text.
local function place_of(text, at)
  local line, start = 1, 1
  for behind in text:gmatch("()\n") do
    if behind >= at then break end
    line, start = line + 1, behind + 1
  end
  local before = text:sub(start, at - 1)
  return line, (utf8.len(before) or #before) + 1
end

-- A file of the bot: path, text, nodes (nil: it does not compile), is_spec.
local function read(path, tell)
  local text = core.script_text(path)
  if not text then
    tell({ path = path, text = "" }, 1, "cannot be read, or is over 4 MiB")
    return nil
  end
  text = text:gsub("^\xEF\xBB\xBF", "")
  if is_meta(text) then return nil end
  local file = { path = path, text = text,
    is_spec = path:find("_spec%.lua$") ~= nil,
    is_config = path == "config.lua" }
  local compiled, why = load(text, "=s")
  if compiled then
    file.nodes = tree.of(text)
    return file
  end
  local line, message = why:match("^s:(%d+): (.*)$")
  local at = 1
  for _ = 2, tonumber(line or 1) do
    at = (text:find("\n", at, true) or #text) + 1
  end
  tell(file, at + #(text:match("^[ \t]*", at) or ""), message or why)
  return nil
end

local function is_before(a, b)
  if a.path ~= b.path then return a.path < b.path end
  if a.line ~= b.line then return a.line < b.line end
  if a.column ~= b.column then return a.column < b.column end
  return a.text < b.text
end

local function written(found)
  table.sort(found, is_before)
  local lines, last = {}, nil
  for _, each in ipairs(found) do
    local line = ("%s%s:%d:%d: %s\n"):format(each.mark, each.path, each.line,
      each.column, each.text:gsub("%c", " "))
    if line ~= last then lines[#lines + 1] = line end
    last = line
  end
  return table.concat(lines)
end

--- All findings as lines "Efile:line:column: text", sorted; E: an error, W: a
-- warning.
function check.run()
  local found, files = {}, {}
  local function teller(mark, word)
    return function(file, at, text)
      local line, column = place_of(file.text, at)
      found[#found + 1] = { mark = mark, path = file.path, line = line,
        column = column, text = word .. text }
    end
  end
  local bot = { files = files, error = teller("E", ""),
    warn = teller("W", "warning: ") }
  for _, path in ipairs(core.script_files()) do
    files[#files + 1] = read(path, bot.error)
  end
  for _, rule in ipairs(rules) do rule.run(bot) end
  return written(found)
end

return check
