---@meta moonlet.i18n
-- Made by docs/luacats.py; see there.

---Texts in the person's language. They stand beside the scripts, in
---locales/LANGUAGE.lua, which returns a table, or in locales/LANGUAGE.json,
---and are read as the scripts load. A value is a text with places such as
---{name}, a table of such texts by plural category (one, few, many, other;
---zero also for the number 0 alone), or a table of further keys: in { menu = {
---title = "Menu" } } the key is "menu.title". Languages are spelt as Telegram
---does, "de" or "pt-br". The language of an update is ctx.lang if a handler
---has set it, else what i18n.choose says, else what i18n.set has stored, else
---the language of the person's app; where a text is missing, "en-gb" falls
---back to "en" and that to the default.
---@class moonlet.i18n
local i18n = {}

---The language for everybody whose own is not there. Unless it is said, "en"
---if that is there.
---@param language string
---@return any ...
function i18n.default(language) end

---A list of the languages that are there.
---@return string[]
function i18n.languages() end

---Fn(ctx) says the language of an update, as one that a person has set; nil
---leaves it to their app. Asked once an update, when a text is needed, and may
---wait; ctx.lang keeps the answer.
---@param fn fun(ctx: moonlet.ctx): string?
---@return any ...
function i18n.choose(fn) end

---From now on a person may have a language of their own, which i18n.set has
---stored in bot.db; it is read when a text is needed, once for each person. To
---be called while scripts load.
---@return any ...
function i18n.remember() end

---The language of the update's person from now on, through restarts; nil: that
---of their app again. What i18n.choose says still counts more. Waits; "misuse"
---if the language is not there, for an update that nobody has sent, and
---without i18n.remember().
---@param ctx moonlet.ctx
---@param language string
---@return any ...
function i18n.set(ctx, language) end

---The language for the rest of this update; the same as setting ctx.lang, but
---"misuse" if it is not there.
---@param ctx moonlet.ctx
---@param language string
---@return any ...
function i18n.use(ctx, language) end

---The language of an update, one of those there; nil if there are none.
---@param ctx moonlet.ctx
---@return any ...
function i18n.language(ctx) end

---A text, for use without a context. The language may be left out: then it is
---that of the update whose handler runs, also in child tasks, else the
---default. In handlers there is ctx:t(key, args).
---@param language? string
---@param key string
---@param args? table
---@overload fun(key: string, args?: table): string
---@return string
function i18n.t(language, key, args) end

---The same of a text in HTML, as a piece; the arguments stay text. In handlers
---there is ctx:t_html(key, args).
---@param language? string
---@param key string
---@param args? table
---@overload fun(key: string, args?: table): moonlet.piece
---@return any ...
function i18n.html(language, key, args) end

---A filter (moonlet.filter) for messages whose text is this one, in whichever
---language: what a button of a reply keyboard sends, that was made before the
---person chose another language, too. "misuse" for a key that no language has,
---and for a text with places or plural forms.
---@param key string
---@return function
function i18n.said(key) end

---What is wrong with the texts, as a list of tables with language, key and
---message: keys that a language lacks or the default one does not have, places
---and plural forms that are missing.
---@return any ...
function i18n.check() end

return i18n
