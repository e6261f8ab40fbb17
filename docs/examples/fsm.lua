-- machine:fire
local order = ctx:fsm("order")
order.data.cups = 2
order:fire("pay")
ctx:reply("It is " .. order.state)
-- machine:can
local order = ctx:fsm("order")
if order:can("pay") then ctx:reply("Not paid yet") end
-- machine:reset
ctx:fsm("order"):reset()
-- ctx:fsm
local order = ctx:fsm("order")
assert(order.state == "idle")
