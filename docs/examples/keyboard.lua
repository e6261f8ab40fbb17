-- keyboard.inline
ctx:reply("Sure?", { reply_markup = keyboard.inline()
  :text("Yes", "yes"):text("No", "no") })
-- inline:text
local markup = keyboard.inline():text("Buy", "buy:7")
ctx:reply("Tea", { reply_markup = markup })
-- inline:url
local markup = keyboard.inline():url("Site", "https://example.org")
ctx:reply("More", { reply_markup = markup })
-- inline:row
local markup = keyboard.inline():text("Up", "up"):row():text("Down", "down")
ctx:reply("Where?", { reply_markup = markup })
-- keyboard.reply
ctx:reply("Colour?", { reply_markup = keyboard.reply()
  :text("Red"):text("Blue"):resize():once() })
-- reply:text
ctx:reply("Size?", { reply_markup = keyboard.reply():text("Small") })
-- reply:contact
ctx:reply("Who?", { reply_markup = keyboard.reply():contact("My number") })
-- reply:location
ctx:reply("Where?", { reply_markup = keyboard.reply():location("I am here") })
-- reply:row
local markup = keyboard.reply():text("Yes"):row():text("No")
ctx:reply("Well?", { reply_markup = markup })
-- reply:resize
ctx:reply("Go on", { reply_markup = keyboard.reply():text("On"):resize() })
-- reply:once
ctx:reply("Go on", { reply_markup = keyboard.reply():text("On"):once() })
-- keyboard.remove
ctx:reply("Thanks", { reply_markup = keyboard.remove() })
-- keyboard.columns
local rows = keyboard.columns(2, { "Mon", "Tue", "Wed" })
ctx:reply("When?", { reply_markup = keyboard.reply(rows) })
-- keyboard.force_reply
ctx:reply("Your name?", { reply_markup = keyboard.force_reply("Ann") })
-- inline:copy_text
local markup = keyboard.inline():copy_text("Copy code", "TEA-7")
ctx:reply("A voucher", { reply_markup = markup })
-- inline:columns
local markup = keyboard.inline():text("1", "n:1"):text("2", "n:2")
  :text("3", "n:3"):columns(2)
ctx:reply("How many?", { reply_markup = markup })
-- inline:switch_inline
local markup = keyboard.inline():switch_inline("Share", "tea")
ctx:reply("Tell others", { reply_markup = markup })
-- inline:switch_inline_here
local markup = keyboard.inline():switch_inline_here("Search", "tea")
ctx:reply("Search here", { reply_markup = markup })
-- reply:columns
local markup = keyboard.reply():text("1"):text("2"):text("3"):columns(2)
ctx:reply("How many?", { reply_markup = markup })
-- reply:persistent
ctx:reply("Menu", { reply_markup = keyboard.reply():text("Help"):persistent() })
-- reply:placeholder
local markup = keyboard.reply():text("Red"):placeholder("A colour")
ctx:reply("Colour?", { reply_markup = markup })
-- reply:selective
local markup = keyboard.reply():text("Me"):selective()
ctx:reply("Who?", { quote = true, reply_markup = markup })
-- inline:web_app
local markup = keyboard.inline():web_app("Shop", "https://example.org/shop")
ctx:reply("Come in", { reply_markup = markup })
-- inline:login
local markup = keyboard.inline():login("Log in", "https://example.org/login")
ctx:reply("The site", { reply_markup = markup })
-- inline:switch_inline_chosen
local markup = keyboard.inline():switch_inline_chosen("Share",
  { query = "tea", allow_group_chats = true })
ctx:reply("Tell your groups", { reply_markup = markup })
-- inline:pay
stars.send(ctx.chat.id, { title = "Tea", description = "A cup",
  payload = "tea:1", amount = 5,
  reply_markup = keyboard.inline():pay("Pay 5 Stars") })
-- inline:game
api.sendGame { chat_id = ctx.chat.id, game_short_name = "snake",
  reply_markup = keyboard.inline():game("Play") }
-- inline:rows
local markup = keyboard.inline():text("Back", "back")
  :rows { { { "Tea", "buy:1" }, { "Milk", "buy:2" } } }
ctx:reply("What?", { reply_markup = markup })
-- reply:users
local markup = keyboard.reply():users("Invite", 1, { max_quantity = 5 })
ctx:reply("Whom?", { reply_markup = markup })
-- reply:chat
local markup = keyboard.reply():chat("A channel", 2, { chat_is_channel = true })
ctx:reply("Where to?", { reply_markup = markup })
-- reply:poll
local markup = keyboard.reply():poll("Make a quiz", "quiz")
ctx:reply("Ask them", { reply_markup = markup })
-- reply:web_app
local markup = keyboard.reply():web_app("Form", "https://example.org/form")
ctx:reply("Fill it in", { reply_markup = markup })
-- reply:rows
local markup = keyboard.reply():text("All"):rows { { "Tea", "Milk" } }
ctx:reply("What?", { reply_markup = markup })
