local t = require "moonlet.test"

t.each({ "format", "i18n", "keyboard", "link", "stars", "time", "webapp" },
  "cases of %s", function(name)
  local ann = t.user { first_name = "Ann", username = "ann" }
  ann:send("/cases " .. name)
  ann:expect { pattern = "^%d+ cases are fine$" }
end)
