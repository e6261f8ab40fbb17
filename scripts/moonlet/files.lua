--- What ctx's uploads and downloads do. Not for scripts to require.
local api = require "moonlet.api"
local context = require "moonlet.ctx"
local core = require "moonlet.core"
local errors = require "moonlet.errors"
local tasks = require "moonlet.core.task"
local transfers = require "moonlet.core.transfer"

local files = {}

--- The kinds of files that a message may carry, each with the method that
-- sends it. In this order a Message is searched for its file: an animation is
-- a document too.
files.kinds = {
  { "animation", "sendAnimation" },
  { "audio", "sendAudio" },
  { "document", "sendDocument" },
  { "photo", "sendPhoto" },
  { "sticker", "sendSticker" },
  { "video", "sendVideo" },
  { "video_note", "sendVideoNote" },
  { "voice", "sendVoice" },
}

local download_options = {
  max_size = true, name = true, progress = true, timeout = true, to = true,
}

local PATIENCE = 10 -- seconds for the last call, when the transfer is over

-- Tells the script's function how far it is, until there is no more to tell.
local function tell(box, progress)
  local done, total = transfers.next(box)
  while done do
    progress(done, total)
    done, total = transfers.next(box)
  end
end

local function end_of(teller)
  if tasks.wait(PATIENCE, teller) then return tasks.result(teller) end
  tasks.cancel(teller)
  return false, "the progress function did not return within 10 s of the end"
end

--- start(params, options) with options.progress called beside it. Its error
-- is reported; the transfer's result does not depend on it.
local function follow(start, params, opts)
  local box, options = transfers.box(), {}
  for name, value in pairs(opts) do options[name] = value end
  options.progress = box
  local teller = tasks.spawn(tell, box, opts.progress)
  local function pass_on(ok, ...)
    transfers.over(box)
    local told, problem = end_of(teller)
    if not told then errors.capture(problem, { where = "progress" }) end
    if ok then return ... end
    error((...), 0)
  end
  return pass_on(pcall(start, params, options))
end
transfers.on_progress(follow)

--- The chat, topic and business connection of an update, as parameters.
function files.target(name, ctx)
  if not ctx.chat then
    core.misuse(("ctx:%s: a %s update has no chat"):format(name, ctx.kind))
  end
  local message = ctx.message or {}
  return {
    chat_id = ctx.chat.id,
    message_thread_id = message.is_topic_message and message.message_thread_id
      or nil,
    business_connection_id = message.business_connection_id,
  }
end

-- The largest of a list of sizes, nil if it is none.
local function largest(sizes)
  local found, most
  for _, size in ipairs(sizes) do
    if type(size) ~= "table" or not size.file_id then return nil end
    local area = (size.width or 0) * (size.height or 0)
    if not most or area >= most then found, most = size, area end
  end
  return found
end

-- The object with file_id that is meant; nil if there is none.
local function find(what)
  if type(what) == "string" and what ~= "" then return { file_id = what } end
  if type(what) ~= "table" then return nil end
  if type(what.file_id) == "string" then return what end
  if type(what.big_file_id) == "string" then
    return { file_id = what.big_file_id }
  end
  local size = largest(what)
  if size then return size end
  for _, row in ipairs(files.kinds) do
    local part = what[row[1]]
    if type(part) == "table" then return find(part) end
  end
  return nil
end

-- What the API takes for a file of an author; nil if it is none.
local function upload_of(file, shown)
  if type(file) == "string" then return file end
  if type(file) ~= "table" then return nil end
  if file.path ~= nil or file.data ~= nil then
    return { path = file.path, data = file.data, name = file.name or shown }
  end
  local sent = find(file)
  return sent and sent.file_id
end

--- Sends one file by a method whose parameter for it is `kind`.
function files.upload(ctx, kind, method, shown, file, opts)
  local name = "upload_" .. kind
  if type(shown) ~= "string" then
    core.misuse(("ctx:%s needs the file's name as a text, got %s")
      :format(name, type(shown)))
  end
  local upload = upload_of(file, shown)
  if not upload then
    core.misuse(("ctx:%s needs { path = }, { data = }, a file that was sent, "
      .. "a file_id or a URL, got %s"):format(name, type(file) == "table"
      and "a table that is none" or type(file)))
  end
  local params = files.target(name, ctx)
  local options = context.part(name, params, opts)
  params[kind] = upload
  return api[method](params, options)
end

--- Sends an album.
function files.send_album(ctx, items, opts)
  if type(items) ~= "table" then
    core.misuse("ctx:send_album needs a list of items, got " .. type(items))
  elseif #items < 1 or #items > 10 then
    core.misuse("ctx:send_album needs 2 to 10 items, got " .. #items)
  end
  local params = files.target("send_album", ctx)
  local options = context.part("send_album", params, opts)
  params.media = items
  return api.sendMediaGroup(params, options)
end

local function check_options(opts)
  if type(opts) ~= "table" then
    core.misuse("ctx:download: the options must be a table, got "
      .. type(opts))
  end
  for key in pairs(opts) do
    if not download_options[key] then
      core.misuse(("ctx:download has no option %q"):format(tostring(key)))
    end
  end
  for key, wanted in pairs {
    max_size = "number", name = "string", progress = "function", to = "string",
  } do
    if opts[key] ~= nil and type(opts[key]) ~= wanted then
      core.misuse(("ctx:download: %s must be a %s, got %s")
        :format(key, wanted, type(opts[key])))
    end
  end
end

local function check_max(max)
  if max ~= nil and (math.type(max) ~= "integer" or max < 1) then
    core.misuse("ctx:download: max_size must be a whole number of bytes, got "
      .. tostring(max))
  end
end

local function start_download(params, options)
  params.progress = options.progress
  return transfers.download(params)
end

--- Fetches a file of Telegram's.
function files.download(what, opts)
  opts = opts or {}
  check_options(opts)
  check_max(opts.max_size)
  local object = find(what)
  if not object then
    core.misuse("ctx:download needs a file_id, an object that has one "
      .. "(a document, a list of photo sizes ...) or a Message with a file")
  end
  local params = {
    file_id = object.file_id,
    name = object.file_name,
    mime = object.mime_type,
    size = object.file_size,
    to = opts.to,
    as = opts.name,
    max_size = opts.max_size,
    timeout = opts.timeout,
  }
  if opts.progress then return follow(start_download, params, opts) end
  return transfers.download(params)
end

return files
