-- re.new
local word = re.new("^tea$", "i")
assert(word:match("TEA") == "TEA")
-- re:match
local day, month = re.new("(\\d+)\\.(\\d+)"):match("24.12")
assert(day == "24" and month == "12")
-- re:find
assert(re.new("b+"):find("abb") == 2)
-- re:gmatch
local sum = 0
for n in re.new("\\d+"):gmatch("1, 2, 3") do sum = sum + tonumber(n) end
assert(sum == 6)
-- re:gsub
assert(re.new("\\s+"):gsub("a  b", " ") == "a b")
-- re:groups
local date = re.new("(?<day>\\d+)\\.(?<month>\\d+)"):groups("on 24.12")
assert(date.day == "24" and date[2] == "12" and date[0] == "24.12")
