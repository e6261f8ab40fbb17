local t = require "moonlet.test"

local FEED = "GET https://news.example/feed.xml"
local RSS = [==[<?xml version="1.0"?>
<rss version="2.0"><channel><title>News</title>
<item><title>Tea &amp; coffee</title><link>https://news.example/3</link></item>
<item><title><![CDATA[Rain <again>]]></title>
  <link> https://news.example/2 </link></item>
<item><title>Three</title><link>https://news.example/1</link></item>
<item><title>Old</title><link>https://news.example/0</link></item>
</channel></rss>]==]

local ann
t.before(function() ann = t.user { first_name = "Ann" } end)

t.case("shows the newest of an RSS feed", function()
  t.http(FEED, { body = RSS, headers = { ["Content-Type"] = "text/xml" } })
  ann:send("/feed")
  local message = ann:expect("Tea & coffee\nRain <again>\nThree")
  assert(message.entities[1].url == "https://news.example/3")
  assert(#message.entities == 3)
end)

t.case("reads a JSON feed as well", function()
  t.http(FEED, { json = { items = { { title = "Tea",
      url = "https://e.org/1" } } },
    headers = { ["Content-Type"] = "application/feed+json" } })
  ann:send("/feed")
  assert(ann:expect("Tea").entities[1].url == "https://e.org/1")
end)

t.case("tries again, then says so", function()
  local asked = 0
  t.http(FEED, function()
    asked = asked + 1
    return asked < 3 and { status = 503 } or RSS
  end)
  ann:send("/feed")
  ann:expect("Tea & coffee")
  t.http(FEED, { status = 500 })
  ann:send("/feed")
  ann:expect("The feed cannot be read now.")
  assert(#t.http_calls(FEED) == 7)
end)

t.case("an empty feed is no error", function()
  t.http(FEED, "<rss></rss>")
  ann:send("/start")
  ann:expect("There is nothing yet.")
end)
