-- ctx:reply
ctx:reply("Hello", { quote = true })
-- ctx:delete
ctx:delete()
-- ctx:forward
ctx:forward(ctx.chat.id)
-- ctx:copy
ctx:copy(ctx.chat.id)
-- ctx:react
ctx:react("👍")
-- ctx:is_chat_admin
if not ctx:is_chat_admin "can_pin_messages" then
  ctx:reply("That is for admins")
end
-- ctx:action
ctx:action("upload_photo")
-- ctx:while_action
ctx:while_action("upload_document", task.sleep, "6s")
-- ctx:while_typing
local sum = ctx:while_typing(function(a, b) return a + b end, 1, 2)
assert(sum == 3)
-- ctx:upload_document
ctx:upload_document("list.csv", { data = "1,2\n" })
-- ctx:answer_callback
bot.callback("^like:", function(ctx) ctx:answer_callback("Thank you") end)
-- ctx:answer_inline
bot.inline_query("^tea", function(ctx)
  ctx:answer_inline({
    inline.article { id = "1", title = "Green tea", text = "Green, please" },
  }, { cache_time = 60 })
end)
-- ctx:answer_pre_checkout
bot.on("pre_checkout_query", function(ctx)
  local known = ctx.update.pre_checkout_query.invoice_payload == "tea"
  ctx:answer_pre_checkout(known, "That is sold out")
end)
-- ctx:download
bot.on("message:document", function(ctx)
  local file = ctx:download(ctx.message.document, { to = "inbox" })
  ctx:reply("Saved " .. file.size .. " bytes as " .. file.path)
end)
-- ctx:edit
local message = ctx:reply("Working ...")
ctx:edit("Done", { message = message })
-- ctx:fsm
local order = ctx:fsm("order")
ctx:reply("Your order is " .. order.state)
-- ctx:send_album
ctx:send_album({
  { type = "document", media = { data = "1,2\n" } },
  { type = "document", media = { data = "3,4\n" }, caption = "Two lists" },
})
-- ctx:set_language
i18n.remember()
bot.command("german", function(ctx)
  ctx:set_language("de")
  ctx:reply(ctx:t("welcome", { name = ctx.from.first_name }))
end)
-- ctx:show_menu
local drinks = menu.new("drinks", function(m)
  m:text("Drinks")
  m:button("Tea", function(ctx) ctx:answer_callback("It is coming") end)
end)
bot.command("drinks", function(ctx) ctx:show_menu(drinks) end)
-- ctx:t
ctx:reply(ctx:t("welcome", { name = ctx.from.first_name }))
-- ctx:t_html
ctx:reply(ctx:t_html("rules", { name = ctx.from.first_name }))
-- ctx:upload_animation
ctx:upload_animation("cat.gif", { data = "GIF89a" }, { caption = "A cat" })
-- ctx:upload_audio
ctx:upload_audio("song.mp3", { data = "ID3" }, { performer = "Ann" })
-- ctx:upload_photo
fs.write("cup.jpg", "picture")
ctx:upload_photo("cup.jpg", { path = "cup.jpg" }, { caption = "A cup" })
-- ctx:upload_sticker
ctx:upload_sticker("cup.webp", { data = "RIFF" }, { emoji = "🍵" })
-- ctx:upload_video
ctx:upload_video("tea.mp4", { data = "video" }, { supports_streaming = true })
-- ctx:upload_video_note
ctx:upload_video_note("hello.mp4", { data = "video" }, { length = 240 })
-- ctx:upload_voice
ctx:upload_voice("hello.ogg", { data = "OggS" }, { duration = 3 })
