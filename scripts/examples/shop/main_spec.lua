local t = require "moonlet.test"

local ann
t.before(function()
  ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:expect { text = "In your cart: 0", buttons = { "›" } }
end)

local function order()
  ann:click("Green tea, 3 Stars")
  ann:expect { edited = "In your cart: 1" }
  ann:click("Pay 3 Stars")
  return ann:expect { invoice = "Your order" }
end

t.case("sells from several pages", function()
  ann:click("Green tea, 3 Stars")
  ann:expect { edited = "In your cart: 1" }
  ann:click("›")
  ann:click("Oolong, 6 Stars")
  ann:expect { edited = "In your cart: 2", buttons = { "‹", "›" } }
  ann:click("Pay 9 Stars")
  assert(ann:pay(ann:expect { invoice = "Your order" }))
  ann:expect("Thank you. On their way: 2 things")
  ann:send("/shop")
  ann:expect("In your cart: 0")
end)

t.case("an invoice is void when the cart has changed", function()
  local invoice = order()
  ann:click("Black tea, 2 Stars")
  ann:expect { edited = "In your cart: 2" }
  local paid, why = ann:pay(invoice)
  assert(not paid and why == "Your cart has changed. Please /shop again.")
end)

t.case("an invoice is void after an hour", function()
  local invoice = order()
  t.advance("61m")
  assert(not ann:pay(invoice))
end)

t.case("the cart lasts through a death, and a payment is taken", function()
  local invoice = order()
  t.crash()
  assert(ann:pay(invoice))
  t.crash()
  ann:expect("Thank you. On their way: 1 things")
end)
