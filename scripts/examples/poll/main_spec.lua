local t = require "moonlet.test"

local ann, bob, team
t.before(function()
  ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  team = t.group { title = "Team", members = { ann, bob } }
end)

local function ask()
  ann:send("/poll Tea or coffee? | Tea | Coffee", team)
  return team:expect { poll = true }
end

t.case("tells who chose what, and counts", function()
  local poll = ask()
  ann:vote(poll, "Tea")
  team:expect("Ann is for Tea")
  bob:vote(poll, "Coffee")
  team:expect("Bob is for Coffee")
  bob:vote(poll)
  team:expect("Bob is undecided again")
  ann:reply(poll, "/results")
  team:expect("Tea: 1\nCoffee: 0")
end)

t.case("votes last through a death", function()
  local poll = ask()
  ann:vote(poll, "Tea")
  team:expect("Ann is for Tea")
  t.crash()
  bob:vote(poll, "Tea")
  team:expect("Bob is for Tea")
  ann:reply(poll, "/results")
  team:expect("Tea: 2")
end)

t.case("explains itself", function()
  ann:send("/start")
  ann:expect("Write it as")
  ann:send("/poll Tea?", team)
  team:expect("Write it as")
  ann:send("/results", team)
  team:expect("Answer to one of my polls")
end)
