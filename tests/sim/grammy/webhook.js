// A bot behind node's own server. Options: token, apiRoot, secret (what
// setWebhook is told), expects (what the bot wants to see; the same by
// default), failures (so many updates are answered with 500), replies
// (methods that may be the answer to the post).
import { createServer } from "node:http";
import { Bot, webhookCallback } from "grammy";
import { onEnd, options, tell } from "./common.js";

const { token, apiRoot, secret, expects = secret, replies = [] } = options;
const bot = new Bot(token, {
  client: { apiRoot, canUseWebhookReply: (method) => replies.includes(method) },
});
let failures = options.failures ?? 0;

bot.use((ctx, next) => {
  tell("update", { id: ctx.update.update_id });
  if (failures-- > 0) throw new Error("not yet");
  return next();
});
bot.on("message:text", async (ctx) => {
  const sent = await ctx.reply(ctx.msg.text);
  tell("sent", { result: sent === true ? true : sent.text });
});

const handle = webhookCallback(bot, "http", { secretToken: expects });
const server = createServer((request, response) =>
  handle(request, response).catch((error) => {
    tell("failed", { message: error.error.message });
    response.writeHead(500).end();
  }));

server.listen(0, "127.0.0.1", async () => {
  const url = `http://127.0.0.1:${server.address().port}/hook`;
  await bot.api.setWebhook(url, { secret_token: secret });
  tell("started", { url });
});
onEnd(() => {
  server.close(() => tell("stopped"));
  server.closeAllConnections();
});
