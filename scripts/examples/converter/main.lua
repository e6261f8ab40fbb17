-- Converts text documents: CSV into JSON, any other text into capitals.
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local json = require "moonlet.json"
local re = require "moonlet.re"

local SIZE_MAX = 1 << 20 -- bytes

local field = re.new('(?:"((?:[^"]|"")*)"|([^,]*)),')

local function fields_of(line)
  local fields = {}
  for quoted, plain in field:gmatch(line .. ",") do
    table.insert(fields, quoted and quoted:gsub('""', '"') or plain)
  end
  return fields
end

-- A list of objects, named by the first line.
local function csv_to_json(text)
  local names, rows = nil, json.array()
  for line in text:gmatch("[^\r\n]+") do
    local fields = fields_of(line)
    if names then
      local row = {}
      for i, name in ipairs(names) do row[name] = fields[i] or "" end
      table.insert(rows, row)
    end
    names = names or fields
  end
  return json.encode(rows)
end

local function convert(name, text)
  if not utf8.len(text) then return nil end
  local stem, extension = name:match("^(.*)%.(%w+)$")
  if (extension or ""):lower() == "csv" then
    return stem .. ".json", csv_to_json(text)
  end
  return name, text:upper()
end

bot.command("start", function(ctx)
  ctx:reply("Send me a CSV file or another text document.")
end, { description = "Begin" })

bot.on("message:document", function(ctx)
  local ok, file = pcall(ctx.download, ctx, ctx.message, { to = "in",
    max_size = SIZE_MAX })
  if not ok then
    if file.kind ~= "limit" then error(file, 0) end
    return ctx:reply("At most 1 MB, please.")
  end
  local name, text = convert(file.name, fs.read(file.path))
  fs.remove(file.path)
  if not name then return ctx:reply("That is no text in UTF-8.") end
  local status = ctx:reply("Uploading")
  ctx:upload_document(name, { data = text }, { progress = function(done, total)
    ctx:edit(("Uploading: %d %%"):format(done * 100 // total),
      { message = status })
  end })
end)

bot.catch(function(ctx)
  if ctx.chat then ctx:reply("That went wrong. Please send it again.") end
end)
