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
-- ctx:action
ctx:action("upload_photo")
-- ctx:while_action
ctx:while_action("upload_document", task.sleep, "6s")
-- ctx:while_typing
local sum = ctx:while_typing(function(a, b) return a + b end, 1, 2)
assert(sum == 3)
-- ctx:upload_document
ctx:upload_document("list.csv", { data = "1,2\n" })
