local check = require "check"
local time = require "moonlet.time"

local case = {}

function case.now_has_fractions_and_is_that_of_the_world()
  local now = time.now()
  check.equal(math.floor(now), os.time())
  check.equal(math.type(now), "float")
end

function case.durations()
  check.equal(time.duration("5m"), 300.0)
  check.equal(time.duration("500ms"), 0.5)
  check.equal(time.duration(7), 7.0)
  check.raises("time.duration must be a number of seconds", time.duration,
    "soon")
end

function case.dates_of_a_zone()
  check.equal(time.format(1767603600, nil, "UTC"), "2026-01-05 09:00")
  check.equal(time.format(1767603600.9, "%H:%M:%S", "UTC"), "09:00:00")
  check.equal(time.format(1767603600, "%d. %H:%M", "+05:30"), "05. 14:30")
  check.equal(time.format(1767603600, "%d. %H:%M", "-10:00"), "04. 23:00")
  check.equal(time.format(1767603600), os.date("%Y-%m-%d %H:%M", 1767603600))
end

function case.dates_are_read()
  check.equal(time.parse("2026-01-05 09:00", "UTC"), 1767603600)
  check.equal(time.parse("2026-01-05T09:00:07", "UTC"), 1767603607)
  check.equal(time.parse("2026-01-05 14:30", "+05:30"), 1767603600)
  check.equal(time.parse("1970-01-01", "UTC"), 0)
  check.equal(time.parse("2026-01-05 09:00"), os.time { year = 2026, month = 1,
    day = 5, hour = 9, min = 0, sec = 0 })
  check.equal(time.parse("2024-02-29", "UTC"), 1709164800)
  for _, text in ipairs { "2026-02-29", "2026-13-01", "2026-01-00",
    "2026-01-01 24:00", "2026-01-01 09:60", "tomorrow", "2026-1-1", "" } do
    check.equal(time.parse(text, "UTC"), nil)
  end
  for _ = 1, 200 do
    local at = math.random(0, 4102444800)
    check.equal(time.parse(time.format(at, "%Y-%m-%d %H:%M:%S", "UTC"),
      "UTC"), at)
  end
end

function case.wrong_calls_are_misuse()
  check.raises('got "Europe/Berlin"', time.format, 0, nil, "Europe/Berlin")
  check.raises("needs Unix time, got string", time.format, "now")
  check.raises("needs Unix time", time.format, 0 / 0)
  check.raises("the pattern is one of os.date", time.format, 0, "*t")
  check.raises("needs a text, got number", time.parse, 7)
  check.raises('no function "nou"', function() return time.nou end)
end

return case
