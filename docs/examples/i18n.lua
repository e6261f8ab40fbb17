-- i18n.default
i18n.default("en")
-- i18n.languages
ctx:reply("I speak " .. table.concat(i18n.languages(), ", "))
-- i18n.choose
i18n.choose(function(ctx)
  if ctx.chat and ctx.chat.type ~= "private" then return "en" end
end)
-- i18n.remember
i18n.remember()
-- i18n.set
i18n.set(ctx, "de")
ctx:reply(i18n.t("de", "hello", { name = ctx.from.first_name }))
-- i18n.use
i18n.use(ctx, "de")
assert(i18n.language(ctx) == "de")
-- i18n.language
if i18n.language(ctx) == "de" then ctx:reply("Guten Tag") end
-- i18n.said
-- locales/en.lua: return { hello = "Hello {name}", help = "Help" }
bot.on(i18n.said "help", function(ctx) ctx:reply("Ask me anything") end)
-- i18n.t
-- locales/en.lua: return { hello = "Hello {name}" }
assert(i18n.t("en", "hello", { name = "Ann" }) == "Hello Ann")
ctx:reply(i18n.t("hello", { name = ctx.from.first_name }))
-- i18n.html
-- locales/en.lua: return { card = "<b>{name}</b>" }
ctx:reply(i18n.html("en", "card", { name = "<Ann>" }))
-- i18n.check
for _, each in ipairs(i18n.check()) do
  log.warn("texts", { key = each.key, message = each.message })
end
