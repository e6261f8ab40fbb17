-- Shows the newest entries of a feed, RSS or JSON Feed, on command.
local bot = require "moonlet.bot"
local config = require "moonlet.config"
local format = require "moonlet.format"
local http = require "moonlet.http"
local retry = require "moonlet.retry"

local NEWEST = 3

local entities = { lt = "<", gt = ">", quot = '"', apos = "'", amp = "&" }

-- The text of <name>...</name>, as a reader sees it.
local function element(xml, name)
  local text = xml:match("<" .. name .. "[^>]*>(.-)</" .. name .. ">") or ""
  text = text:match("^%s*<!%[CDATA%[(.-)%]%]>") or text
  return text:gsub("&(%a+);", entities):match("^%s*(.-)%s*$")
end

local function read_rss(xml)
  local items = {}
  for item in xml:gmatch("<item[%s>].-</item>") do
    table.insert(items, { title = element(item, "title"),
      url = element(item, "link") })
  end
  return items
end

local function fetch()
  local answer = retry(function()
    return http.get(config.feed_url, { check = true, timeout = "10s" })
  end)
  local is_json = (answer.headers["content-type"] or ""):find("json", 1, true)
  return is_json and answer:json().items or read_rss(answer.body)
end

bot.command({ "feed", "start" }, function(ctx)
  local ok, items = ctx:while_typing(pcall, fetch)
  if not ok then
    if items.kind ~= "http" and items.kind ~= "timeout" then error(items) end
    return ctx:reply("The feed cannot be read now. Please try again later.")
  end
  local lines = {}
  for i = 1, math.min(NEWEST, #items) do
    lines[i] = format.link(items[i].title, items[i].url)
  end
  ctx:reply(#lines > 0 and format.join(lines, "\n") or "There is nothing yet.",
    { link_preview_options = { is_disabled = true } })
end, { description = "What is new" })
