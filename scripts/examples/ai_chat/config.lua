return {
  app = {
    ai_url = env "AI_URL" or "http://127.0.0.1:11434/v1/chat/completions",
    ai_model = env "AI_MODEL" or "llama3.2",
    ai_key = env "AI_KEY",
    ai_timeout = "60s",
  },
}
