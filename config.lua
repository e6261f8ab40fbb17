-- Settings of the bot. Every name of the documentation may stand here in
-- lower case; the environment and a file .env beside this one win over it.
return {
  scripts_dir = "scripts/bot",
  data_dir = "data",

  -- bot_token = env "BOT_TOKEN",
  -- admin_ids = { 123456789 },
  -- http_port = 8080,
  -- log_level = "debug",

  -- What scripts see as require "moonlet.config".
  app = {
    name = "moonlet",
  },
}
