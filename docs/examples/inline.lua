-- inline.article
bot.inline_query("^tea$", function(ctx)
  ctx:answer_inline { inline.article { id = 1, title = "Tea",
    text = "A cup of tea, please" } }
end)
-- inline.photo
bot.inline_query("^photo$", function(ctx)
  ctx:answer_inline { inline.photo { id = 1, caption = "Tea",
    url = "https://example.org/tea.jpg" } }
end)
