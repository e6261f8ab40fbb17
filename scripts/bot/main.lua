-- The reference bot: the beginnings of a library of files. Save a file of it
-- while `./dev run` is open, and the next answer is the new one.
-- Registrations are tried in this order; what nobody wanted comes last.
require "admin.stats"
require "admin.say"
require "handlers.start"
require "handlers.help"
require "handlers.invite"
require "handlers.settings"
require "handlers.language"
require "handlers.add"
require "handlers.unknown"
