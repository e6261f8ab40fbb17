-- Files between people and bots, as specs send and see them.
local t = require "moonlet.test"

t.use { main = [[
local api = require "moonlet.api"
local bot = require "moonlet.bot"

bot.on("message:document", function(ctx)
  local document = ctx.message.document
  local ok, file = pcall(api.getFile, { file_id = document.file_id })
  if not ok then return ctx:reply(file.message) end
  ctx:reply(file.file_path .. " " .. file.file_size)
  api.sendDocument{ chat_id = ctx.chat.id, document = document.file_id }
end)

bot.on("message:photo", function(ctx)
  local photo = ctx.message.photo
  api.sendPhoto{ chat_id = ctx.chat.id, photo = photo[#photo].file_id,
    caption = #photo .. " sizes" }
end)

bot.command("page", function(ctx)
  api.sendDocument{ chat_id = ctx.chat.id,
    document = "https://a.example/files/report.pdf" }
end)
]] }

t.case("a document has a name, bytes and a path", function()
  local ann = t.user { first_name = "Ann" }
  local sent = ann:send { document = { name = "list.csv", text = "a,b\n1,2" } }
  ann:expect("documents/file_1.csv 7")
  local back = ann:expect { document = "list.csv" }
  assert(back.document.file_unique_id == sent.document.file_unique_id)
  assert(t.file(back) == "a,b\n1,2")
  assert(t.file(sent.document) == "a,b\n1,2")
  assert(t.file(sent.document.file_id) == "a,b\n1,2")
end)

t.case("bytes may be base64, or as many as are wanted", function()
  local ann = t.user { first_name = "Ann" }
  assert(t.file(ann:send { document = { base64 = "AAH/" } }) == "\0\1\255")
  assert(#t.file(ann:send { document = { name = "big", size = 5000 } }) == 5000)
end)

t.case("a photo has its sizes", function()
  local ann = t.user { first_name = "Ann" }
  local sent = ann:send { photo = { width = 1280, height = 640 } }
  local back = ann:expect { photo = true, text = "4 sizes" }
  assert(back.photo[4].width == 1280 and back.photo[1].height == 45)
  assert(back.photo[1].file_id == sent.photo[1].file_id)
  assert(t.file(back):sub(2, 4) == "PNG")
end)

t.case("a file from an address is named by it", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/page")
  ann:expect { document = "report.pdf" }
  local call = t.calls("sendDocument")[1]
  assert(call.params.document:find("report.pdf", 1, true))
end)

t.case("what the public server refuses can be had", function()
  local ann = t.user { first_name = "Ann" }
  t.limits { download_max = 10 }
  ann:send { document = { name = "big", size = 11 } }
  ann:expect("file is too big")
end)

t.each({ { "500", 500 }, { "502html", 502 }, { "cut_before", 0 },
  { "cut_after", 0 }, { "slow", 200 } }, "getFile meets a %s", function(row)
  local ann = t.user { first_name = "Ann" }
  t.fault { method = "getFile", mode = row[1], seconds = 2 }
  ann:send { document = { name = "a.txt", text = "abc" } }
  local call = t.await(function() return t.calls("getFile")[1] end)
  assert(call.fault == row[1] and call.status == row[2])
end)

t.case("a document of another name does not fit", function()
  local ann = t.user { first_name = "Ann" }
  ann:send { document = { name = "a.txt", text = "abc" } }
  local ok, why = pcall(ann.expect, ann, { document = "b.txt" })
  assert(not ok and tostring(why):find('document "b.txt"', 1, true))
  assert(tostring(why):find("(document a.txt)", 1, true))
  ok, why = pcall(ann.expect, ann, { photo = 5 })
  assert(not ok and tostring(why):find("photo must be true or", 1, true))
end)

t.case("a file of JSON is bytes to a spec, which can read it", function()
  local json = require "moonlet.json"
  local ann = t.user { first_name = "Ann" }
  local text = '{ "cups": [1, null] }'
  local sent = ann:send { document = { name = "a.json", text = text } }
  assert(t.file(sent) == text)
  local value = json.decode(text)
  assert(value.cups[1] == 1 and value.cups[2] == json.null)
  assert(json.encode(json.array()) == "[]")
  local ok, why = pcall(t.file, "none")
  assert(not ok and tostring(why):find("files_spec.lua:", 1, true))
end)

t.case("a file that was sent is sent on, and what is no file is told",
  { main = [[
local bot = require "moonlet.bot"
bot.on("message:document", function(ctx)
  ctx:upload_document("x", ctx.message.document)
end)
bot.on("message:photo", function(ctx)
  ctx:upload_photo("x", ctx.message.photo)
end)
local function tries(name, fn)
  bot.command(name, function(ctx)
    local ok, err = pcall(fn, ctx)
    ctx:reply(ok and "sent" or err.kind .. " " .. err.message)
  end)
end
tries("table", function(ctx) ctx:upload_photo("x", { file = "x" }) end)
tries("none", function(ctx) ctx:upload_photo("x") end)
tries("empty", function(ctx) ctx:send_album {} end)
tries("many", function(ctx)
  local items = {}
  for i = 1, 11 do
    items[i] = { type = "photo", media = { data = "picture " .. i } }
  end
  ctx:send_album(items)
end)
]] }, function()
  local ann = t.user { first_name = "Ann" }
  ann:send { document = { name = "a.csv", text = "1,2" } }
  assert(t.file(ann:expect { document = "a.csv" }) == "1,2")
  ann:send { photo = true }
  ann:expect { photo = true }
  local needs = "misuse ctx:upload_photo needs { path = }, { data = }, a file "
    .. "that was sent, a file_id or a URL, got "
  ann:send("/table")
  ann:expect(needs .. "a table that is none")
  ann:send("/none")
  ann:expect(needs .. "nil")
  ann:send("/empty")
  ann:expect("misuse ctx:send_album needs 2 to 10 items, got 0")
  ann:send("/many")
  ann:expect("misuse ctx:send_album needs 2 to 10 items, got 11")
end)
