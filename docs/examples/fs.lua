-- fs.read
fs.write("greeting.txt", "Hello")
assert(fs.read("greeting.txt") == "Hello")
-- fs.write
fs.write("notes.txt", "tea, 2 cups\n")
-- fs.append
fs.append("log.txt", ctx.from.first_name .. " was here\n")
-- fs.list
local files = fs.list()
ctx:reply(#files .. " files")
-- fs.stat
fs.write("size.txt", "12345")
assert(fs.stat("size.txt").size == 5)
-- fs.remove
fs.write("old.txt", "x")
fs.remove("old.txt")
-- fs.rename
fs.write("draft.txt", "x")
fs.rename("draft.txt", "final.txt")
-- fs.mkdir
fs.mkdir("reports")
