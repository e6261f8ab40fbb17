-- format.html
ctx:reply(format.html("<b>%s</b> joined", ctx.from.first_name))
-- format.text
ctx:reply(format { format.text("2 < 3: "), format.bold("true") })
-- format.bold
ctx:reply(format { "Hello ", format.bold(ctx.from.first_name) })
-- format.italic
ctx:reply(format.italic("whispered"))
-- format.underline
ctx:reply(format.underline("read this"))
-- format.strike
ctx:reply(format { format.strike("12 EUR"), " 9 EUR" })
-- format.spoiler
ctx:reply(format.spoiler("The butler did it"))
-- format.code
ctx:reply(format { "Type ", format.code("/start") })
-- format.pre
ctx:reply(format.pre("print(1)", "lua"))
-- format.link
ctx:reply(format.link("Our site", "https://example.org"))
-- format.mention
ctx:reply(format { "Thanks, ", format.mention(ctx.from) })
-- format.quote
ctx:reply(format.quote("To be or not to be"))
-- format.join
local names = { format.bold("Ann"), "Ben", "Cem" }
ctx:reply(format.join(names, ", "))
-- format.to_html
assert(format.to_html(format.bold("a")) == "<b>a</b>")
-- format.escape_html
assert(format.escape_html("a < b") == "a &lt; b")
-- format.escape_markdown
assert(format.escape_markdown("a*b") == "a\\*b")
-- format.length
assert(format.length(format.bold("tea")) == 3)
-- format.utf16_length
assert(format.utf16_length("😀") == 2)
-- format.split
for _, part in ipairs(format.split(("tea "):rep(2000))) do ctx:reply(part) end
-- format.markdown
ctx:reply(format.markdown("*%s* joined", ctx.from.first_name))
-- format.message
ctx:reply(format.message(ctx.message))
-- format.emoji
ctx:reply(format { "Tea is ready ", format.emoji("5368324170671202286", "🍵") })
-- format.entities
local text, entities = format.entities(format.bold("Tea"))
ctx:reply(text, { entities = entities })
-- format
ctx:reply(format { "Two ", format.bold("green"), " teas" })
