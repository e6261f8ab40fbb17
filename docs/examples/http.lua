-- http.get
local answer = http.get("https://shop.example/teas",
  { query = { sort = "price" }, timeout = "5s" })
ctx:reply(answer.ok and answer.body or "The shop is closed")
-- http.post
local answer = http.post("https://shop.example/orders", nil,
  { json = { tea = 7, cups = 2 }, check = true })
assert(answer.status == 200)
-- http.request
local answer = http.request("DELETE", "https://shop.example/orders/7",
  { headers = { ["X-Key"] = "secret" } })
if answer.status == 404 then ctx:reply("There is no such order") end
-- response:json
local teas = http.get("https://shop.example/teas", { check = true }):json()
ctx:reply(teas[1].name)
