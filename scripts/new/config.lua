-- Settings. The environment and the file .env win over what stands here.
return {
  -- bot_token = env "BOT_TOKEN",
  -- admin_ids = { 123456789 },
  -- log_level = "debug",

  -- What scripts see as require "moonlet.config".
  app = {},
}
