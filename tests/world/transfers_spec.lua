-- Uploads and downloads of scripts, as their authors write them.
local t = require "moonlet.test"

-- A text is Lua code; the answer is what it returns or raises.
t.use { main = [[
local api = require "moonlet.api"
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local json = require "moonlet.json"
local task = require "moonlet.task"

bot.on("message:text", function(ctx)
  local env = { api = api, ctx = ctx, fs = fs, os = os, task = task }
  local code = assert(load(ctx.message.text, "=code", "t",
    setmetatable(env, { __index = _G })))
  local ok, value = pcall(code)
  if not ok then value = value.kind .. ": " .. value.message end
  if type(value) == "table" then value = json.encode(value) end
  ctx:reply("= " .. tostring(value))
end)

bot.on("message", function(ctx)
  local file = ctx:download(ctx.message, { to = "in" })
  ctx:reply(("= %s %s %d"):format(file.path, file.name, file.size))
end)
]] }

local function person() return t.user { first_name = "Ann" } end

-- Runs code and expects its value.
local function run(who, code, value, within)
  who:send(code)
  return who:expect({ pattern = "^= .*" .. value }, { within = within })
end

t.case("a file below DATA_DIR is sent under another name", function()
  local ann = person()
  run(ann, 'fs.write("out/r.pdf", ("x"):rep(600000))', "nil")
  ann:send 'ctx:upload_document("report.pdf", { path = "out/r.pdf" })'
  local seen = ann:expect { document = "report.pdf" }
  assert(t.file(seen) == ("x"):rep(600000))
end)

t.each({
  { "photo", "p.jpg" }, { "video", "v.mp4" }, { "audio", "a.mp3" },
  { "voice", "v.ogg" }, { "animation", "a.gif" }, { "video_note", "n.mp4" },
  { "sticker", "s.webp" }, { "document", "d.txt" },
}, "a %s of bytes", function(row)
  local ann = person()
  ann:send(("ctx:upload_%s(%q, { data = 'some bytes' }, { protect_content = "
    .. "true })"):format(row[1], row[2]))
  local seen = ann:expect { [row[1]] = true }
  assert(t.file(seen) == "some bytes" and seen.has_protected_content)
end)

t.case("an album of a file and of bytes", function()
  local ann = person()
  run(ann, 'fs.write("a.txt", "first")', "nil")
  ann:send [[ctx:send_album({
    { type = "document", media = { path = "a.txt" }, caption = "one" },
    { type = "document", media = { data = "second", name = "b.txt" } } })]]
  local one = ann:expect { document = "a.txt", text = "one" }
  local two = ann:expect { document = "b.txt" }
  assert(t.file(one) == "first" and t.file(two) == "second")
  assert(one.media_group_id == two.media_group_id)
end)

t.case("a file in the middle of other things", function()
  local ann = person()
  run(ann, [[local m = ctx:upload_document("a", { data = "old" })
    local item = { type = "document", media = { data = "new", name = "n" },
      thumbnail = { data = "small" } }
    api.editMessageMedia { chat_id = ctx.chat.id, message_id = m.message_id,
      media = item }
    return type(item.media) .. item.media.data]], "tablenew")
  local params = t.calls("editMessageMedia")[1].params
  assert(params.file0 or params.file1, "no part of a file")
end)

t.each({
  { 'api.sendMessage { chat_id = 1, text = { path = "a" } }',
    "takes no file here: \"text\"" },
  { 'api.sendDocument { chat_id = 1, document = { path = "../a" } }',
    "must not hold" },
  { 'api.sendDocument { chat_id = 1, document = { path = ".moonlet/a" } }',
    "the engine's own folder" },
  { 'api.sendDocument { chat_id = 1, document = { path = "a", data = "b" } }',
    "either path or data" },
  { 'api.sendDocument { chat_id = 1, document = { path = 5 } }',
    "the path of a file must be a text" },
  { 'api.sendDocument({ chat_id = 1, document = "x" }, { progress = 5 })',
    "progress must be a function" },
  { 'api.sendDocument({ chat_id = 1, document = "x" }, { action = 5 })',
    "action must be true or false" },
  { 'ctx:upload_photo({ path = "a" })', "needs the file's name" },
  { 'ctx:upload_photo("a")', "needs { path = }" },
  { 'ctx.upload_photo("a")', "called with a colon" },
  { 'ctx:send_album("a")', "needs a list" },
  { 'ctx:download({})', "needs a file_id" },
  { 'ctx:download("F", { from = "x" })', "no option \"from\"" },
  { 'ctx:download("F", { to = "../x" })', "the folder must not hold" },
  { 'ctx:download("F", { name = "a/b" })', "must not hold \"/\"" },
  { 'ctx:download("F", { max_size = "1" })', "max_size must be a number" },
  { 'ctx:download("F", { max_size = 0 })', "a whole number of bytes, got 0" },
}, "misuse: %s", function(row)
  local ann = person()
  ann:send("return " .. row[1])
  local text = ann:expect("= misuse: ").text
  assert(text:find(row[2], 1, true), text)
end)

t.case("a missing file is told as moonlet.fs tells it", function()
  local ann = person()
  run(ann, 'return ctx:upload_photo("a", { path = "no/such" })',
    "fs: no/such: No such file or directory")
  assert(#t.calls("sendPhoto") == 0)
end)

t.case("an upload that takes long shows an action", function()
  local ann = person()
  t.fault { method = "sendVideo", mode = "slow", seconds = 12 }
  run(ann, 'ctx:upload_video("v.mp4", { data = "v" })', "nil")
  local actions = t.calls("sendChatAction")
  assert(#actions == 3, #actions)
  assert(actions[1].params.action == "upload_video")
  t.fault { method = "sendVideo", mode = "slow", seconds = 12 }
  run(ann, 'ctx:upload_video("v.mp4", { data = "v" }, { action = false })',
    "nil")
  assert(#t.calls("sendChatAction") == 3)
end)

t.case("an action that fails or hangs delays nothing", function()
  local ann = person()
  t.fault { method = "sendChatAction", mode = "slow", seconds = 50 }
  t.fault { method = "sendVideo", mode = "slow", seconds = 3 }
  run(ann, 'local t0 = os.time() ctx:upload_video("v.mp4", { data = "v" }) '
    .. 'return os.time() - t0', "[34]$")
end)

t.case("a progress that fails or waits loses nothing", function()
  local ann = person()
  run(ann, [[local seen = {}
    local m = ctx:upload_document("d", { data = ("x"):rep(5000) }, {
      progress = function(done, total)
        task.sleep("3s")
        seen[#seen + 1] = done .. "/" .. total
        error("of the progress")
      end })
    return m.document.file_size .. " " .. table.concat(seen, " ")]],
    "5000 5000/5000")
  ann:send 'ctx:upload_document("d", { path = "no" }, { progress = print })'
  ann:expect("= fs: no: No such file")
end)

t.case("a progress that never returns ends with the transfer", function()
  local ann = person()
  run(ann, [[local began = os.time()
    local m = ctx:upload_document("d", { data = "text" }, {
      progress = function() task.sleep("1h") end })
    return m.document.file_size .. " " .. os.time() - began]], "4 1[01]$")
  local _, found = t.api("GET", "/api/errors")
  assert(found.errors[1].message:find("progress function did not return"))
end)

t.case("an unchanged file is sent once", function()
  local ann = person()
  run(ann, 'fs.write("a", "text") for i = 1, 3 do '
    .. 'ctx:upload_document("a", { path = "a" }) end', "nil")
  local calls = t.calls("sendDocument")
  assert(#calls == 3 and calls[1].params.document.size == 4)
  assert(type(calls[2].params.document) == "string")
  assert(calls[3].params.document == calls[2].params.document)
  -- As another kind it is another file, and so it is when it has changed.
  run(ann, 'ctx:upload_photo("a", { path = "a" })', "nil")
  assert(t.calls("sendPhoto")[1].params.photo.size == 4)
  run(ann, 'fs.write("a", "texts") ctx:upload_document("a", '
    .. '{ path = "a" })', "nil")
  assert(t.calls("sendDocument")[4].params.document.size == 5)
end)

-- Captions are people's words, which may look like what stands for a file.
t.case("a caption that names a file is a caption", function()
  local ann = person()
  local send = 'ctx:upload_document("a", { path = "a" }, '
    .. '{ caption = "attach://file0" })'
  run(ann, 'fs.write("a", "text")', "nil")
  for _ = 1, 2 do -- the second time by its file_id
    ann:send(send)
    local seen = ann:expect { document = "a" }
    assert(seen.caption == "attach://file0")
    assert(t.file(seen) == "text")
  end
  local calls = t.calls("sendDocument")
  assert(type(calls[1].params.document) == "table")
  assert(type(calls[2].params.document) == "string")
  ann:send [[ctx:send_album({
    { type = "document", media = { path = "a" }, caption = "attach://file1" },
    { type = "document", media = { data = "b", name = "b" },
      caption = '{"moonlet.file":1}' } })]]
  local seen = ann:expect { document = "a" }
  assert(seen.caption == "attach://file1" and t.file(seen) == "text")
  seen = ann:expect { document = "b" }
  assert(seen.caption == '{"moonlet.file":1}' and t.file(seen) == "b")
end)

t.case("a file of the same size is another file", function()
  local ann = person()
  run(ann, [[for i = 10, 39 do
    fs.write("a", tostring(i))
    ctx:upload_document("a", { path = "a" })
  end]], "nil")
  for i, call in ipairs(t.calls("sendDocument")) do
    assert(type(call.params.document) == "table", i)
  end
end)

t.case("a name with a zero byte is none", function()
  local ann = person()
  for _, row in ipairs { { "name", "a\\0b", "name" },
    { "to", "in\\0/b", "folder" } } do
    run(ann, ('ctx:download("ID", { %s = "%s" })'):format(row[1], row[2]),
      "misuse: ctx:download: the " .. row[3] .. " holds a zero byte")
  end
end)

t.case("what people send is fetched", function()
  local ann = person()
  ann:send { document = { name = "list.csv", text = "a,b\n1,2" } }
  local text = ann:expect { pattern = "^= in/[%w_-]+%.csv list%.csv 7$" }.text
  run(ann, ("return fs.read(%q)"):format(text:match("in/%S+")), "a,b\n1,2")
  ann:send { photo = { width = 1280, height = 640 } }
  ann:expect { pattern = "^= in/[%w_-]+%.%a+ [%w_-]+%.%a+ %d+$" }
end)

t.case("the picture of a chat is fetched by its larger size", function()
  local ann = person()
  local sent = ann:send { photo = { width = 640, height = 640 } }
  ann:expect "= in/"
  run(ann, ([[return ctx:download({ small_file_id = "no", big_file_id = %q })
    .path]]):format(sent.photo[#sent.photo].file_id), "[%w_-]+%.%a+$")
end)

t.case("the place, the name and the size are the script's", function()
  local ann = person()
  local sent = ann:send { document = { name = "big", size = 5000 } }
  ann:expect "= in/"
  local id = sent.document.file_id
  run(ann, ([[local seen
    local file = ctx:download(%q, { to = "a/b", name = "c.bin",
      progress = function(done, total) seen = done .. "/" .. total end })
    return file.path .. " " .. file.name .. " " .. seen]]):format(id),
    "a/b/c.bin c.bin 5000/5000")
  run(ann, ("return ctx:download(%q, { max_size = 4999 })"):format(id),
    "limit: the file has 5000 bytes, max_size is 4999")
end)

t.each({ "500", "502html", "cut_before", "429" },
  "a download meets a %s and succeeds", function(row)
    local ann = person()
    t.fault { method = "file", mode = row[1] or row, count = 2 }
    ann:send { document = { name = "big", size = 300000 } }
    ann:expect("300000", { within = "1m" })
    assert(#t.calls("file") == 3)
  end)

t.case("a download that takes too long leaves nothing", function()
  local ann = person()
  local sent = ann:send { document = { name = "big", size = 300000 } }
  ann:expect "= in/"
  t.fault { method = "file", mode = "slow", seconds = 20 }
  run(ann, ([[local ok, err = pcall(ctx.download, ctx, %q,
    { timeout = "5s", to = "late" })
    return err.kind .. #fs.list()]]):format(sent.document.file_id),
    "timeout1")
end)

t.case("a crash in the middle of it runs the handler again", function()
  local ann = person()
  t.fault { method = "file", mode = "slow", seconds = 20 }
  ann:send { document = { name = "big.bin", size = 300000 } }
  t.advance("5s")
  t.crash()
  ann:expect("big.bin 300000", { within = "2m" })
end)

t.case("progress needs nothing else of the library", { main = [[
local api = require "moonlet.api"
local bot = require "moonlet.bot"
bot.command("go", function(ctx)
  local last
  api.sendDocument({ chat_id = ctx.chat.id, document = { data = "text" } },
    { progress = function(done, total) last = done .. " of " .. total end })
  api.sendMessage{ chat_id = ctx.chat.id, text = last }
end)
]] }, function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/go")
  local text = ann:expect { pattern = "^%d+ of %d+$" }.text
  local done, total = text:match("(%d+) of (%d+)")
  assert(done == total and tonumber(total) >= 4)
end)
