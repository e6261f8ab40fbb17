return {
  app = { feed_url = env "FEED_URL" or "https://news.example/feed.xml" },
}
