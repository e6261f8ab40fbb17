local t = require "moonlet.test"

t.case("nothing happens for 90 days", function() t.advance("90d") end)
