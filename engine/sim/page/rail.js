// The left rail: people, whose private chats with the bot they are, and
// groups.

import { $, drawRows, h } from "./dom.js";
import { short } from "./format.js";
import { avatar, nameOf, preview } from "./message.js";
import { post, why } from "./feed.js";

// Names that find weaknesses: other scripts, right to left, markup.
const CAST = [
  { first_name: "Cho", language_code: "ja" },
  { first_name: "Dina", language_code: "ru" },
  { first_name: "Emeka", language_code: "en" },
  { first_name: "فرح", language_code: "ar" },
  { first_name: "<b>Kim</b>", language_code: "en" },
];

function lastLine(store, chat) {
  const entries = [...(store.logs.get(chat)?.values() ?? [])];
  const last = entries.findLast((e) => !e.message.deleted)?.message;
  return last ? preview(last) : "";
}

function rowOf(app, id, who) {
  const { store, view } = app;
  const name = nameOf(who);
  const here = view.chat === id;
  const line = short(lastLine(store, id), 48);
  const unread = here ? 0 : store.unread.get(id) ?? 0;
  return {
    key: id, deps: [name, here, line, unread],
    make: () => h("li", {}, h("button", {
      class: "person", "aria-current": here ? "true" : null,
      "data-focus": "person", "data-chat": id, title: `id ${id}`,
      onclick: () => app.open(id),
    }, avatar(id, name),
    h("span", { class: "names" },
      h("b", { dir: "auto" }, name),
      h("span", { class: "line muted", dir: "auto" }, line)),
    unread ? h("span", { class: "badge figures" }, unread,
      h("span", { class: "unseen" }, " unread")) : null)),
  };
}

export function newRail(app) {
  const add = $("add-user");
  add.addEventListener("click", async () => {
    const names = new Set([...app.store.users.values()].map(nameOf));
    const next = CAST.find((c) => !names.has(c.first_name)) ??
      { first_name: `Guest ${names.size + 1}` };
    add.disabled = true;
    try {
      const user = await post("/sim/users", next);
      app.store.users.set(user.id, user);
      app.open(user.id);
    } catch (e) {
      app.trouble(`No user was added: ${why(e)}.`);
    } finally {
      add.disabled = false;
    }
  });

  return {
    draw() {
      const { store } = app;
      drawRows($("people"), [...store.users.values()].map((user) =>
        rowOf(app, user.id, user)));
      drawRows($("groups"), [...store.chats.values()].map((chat) =>
        rowOf(app, chat.id, chat)));
    },
  };
}
