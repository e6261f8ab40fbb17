// A bot that polls by @grammyjs/runner: handlers run side by side, those of
// one chat one after the other. "hold" waits until somebody says "go".
import { Bot } from "grammy";
import { run, sequentialize } from "@grammyjs/runner";
import { onEnd, options, tell } from "./common.js";

const bot = new Bot(options.token, { client: { apiRoot: options.apiRoot } });
let release;
const released = new Promise((resolve) => { release = resolve; });

bot.use(sequentialize((ctx) => String(ctx.chat?.id)));
bot.hears("hold", async (ctx) => {
  await ctx.reply("holding");
  await released;
  await ctx.reply("released");
});
bot.hears("go", async (ctx) => {
  await ctx.reply("gone");
  release();
});
bot.on("message:text", (ctx) => ctx.reply(ctx.msg.text));

await bot.init();
const runner = run(bot);
tell("started", { id: bot.botInfo.id });
onEnd(() => runner.stop());
await runner.task();
tell("stopped");
