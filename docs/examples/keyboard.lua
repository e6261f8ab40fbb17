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
