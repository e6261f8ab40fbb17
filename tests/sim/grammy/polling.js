// A bot that polls by bot.start(). Options: token, apiRoot, start.
import { Bot, InlineKeyboard, Keyboard } from "grammy";
import { onEnd, options, shown, tell } from "./common.js";

const bot = new Bot(options.token, { client: { apiRoot: options.apiRoot } });

bot.command("start", (ctx) => ctx.reply(`Hello, ${ctx.from.first_name}`));

bot.command("menu", (ctx) =>
  ctx.reply("Tea or coffee?", {
    reply_markup: new InlineKeyboard()
      .text("Tea", "drink:tea").text("Coffee", "drink:coffee").row()
      .url("Site", "https://example.com/"),
  }));

bot.command("size", (ctx) =>
  ctx.reply("Which size?", {
    reply_markup: new Keyboard().text("Small").text("Large").resized(),
  }));

bot.command("halt", () => bot.stop());

bot.callbackQuery(/^drink:(.+)$/, async (ctx) => {
  await ctx.editMessageText(`One ${ctx.match[1]}`);
  await ctx.answerCallbackQuery({ text: "Enjoy it", show_alert: true });
});

bot.chatType(["group", "supergroup"]).command("who", (ctx) =>
  ctx.reply(`${ctx.from.first_name} in ${ctx.chat.title}`, {
    reply_parameters: { message_id: ctx.msg.message_id },
  }));

bot.on("my_chat_member", (ctx) =>
  tell("membership", {
    chat: ctx.chat.id,
    status: ctx.myChatMember.new_chat_member.status,
  }));

bot.on("message_reaction", (ctx) => tell("reaction", ctx.reactions()));

bot.on("message:migrate_to_chat_id", (ctx) =>
  tell("migrated", { to: ctx.msg.migrate_to_chat_id }));

bot.on("message:entities:url", (ctx) => ctx.reply(
  ctx.entities("url").map((url) => url.text).join(" and ")));

bot.on("message:document", (ctx) => ctx.reply(
  `${ctx.msg.document.file_name}, ${ctx.msg.document.file_size} bytes`));

bot.on("message:text", (ctx) => ctx.reply(ctx.msg.text));

onEnd(() => bot.stop());
try {
  await bot.start({
    ...options.start,
    onStart: (me) => tell("started", { id: me.id, username: me.username }),
  });
  tell("stopped");
} catch (error) {
  tell("error", shown(error));
  process.exitCode = 1;
}
