// One message of the chat: text, what it carries, its buttons.

import { h, icon } from "./dom.js";
import { buttonRows } from "./buttons.js";
import { carried, carriedNode, found, nameOf } from "./cards.js";
import { clock, iso, short } from "./format.js";
import { richText } from "./text.js";

export { nameOf };

export const BOT = 0; // the id that stands for the bot

// One colour for the bot, one for groups, three for people.
export const tone = (id) =>
  `tone${id === BOT ? 0 : id < 0 ? 4 : 1 + (id % 3)}`;

export function avatar(id, name) {
  const first = [...name.replace(/[^\p{L}\p{N}]/gu, "")][0] ?? "?";
  return h("span", { class: `avatar ${tone(id)}`, "aria-hidden": "true" },
    first.toUpperCase());
}

const SERVICE = {
  new_chat_members: (m) =>
    `${m.new_chat_members.map(nameOf).join(", ")} joined`,
  left_chat_member: (m) => `${nameOf(m.left_chat_member)} left`,
  new_chat_title: (m) => `The group is now called ${m.new_chat_title}`,
  pinned_message: (m) => `Pinned: ${preview(m.pinned_message)}`,
  group_chat_created: () => "The group was made",
};

export const service = (message) => {
  const key = found(SERVICE, message);
  return key && SERVICE[key](message);
};

export function preview(message) {
  if (message.deleted) return "Message deleted";
  return short(message.text ?? message.caption ?? carried(message) ??
    service(message) ?? "A message of another kind");
}

function quote({ reply_to_message: answered, quote: part }) {
  return h("div", { class: "quote" },
    h("b", { dir: "auto" }, nameOf(answered.from)),
    h("span", { dir: "auto" }, part?.text ?? preview(answered)));
}

function origin({ sender_user: user, sender_chat: chat, chat: channel,
  sender_user_name: name }) {
  return h("div", { class: "origin muted", dir: "auto" }, "Forwarded from ",
    h("b", {}, name ?? nameOf(user ?? chat ?? channel)));
}

// It shows what the message said before.
function editedNode({ earlier }) {
  const told = h("i", {}, "edited");
  if (!earlier) return told;
  const button = h("button", { type: "button", class: "was",
    title: "Show what it said before", onclick() {
      button.closest(".bubble").prepend(...earlier.map((text) =>
        h("div", { class: "earlier muted", dir: "auto" }, text)));
      button.replaceWith(told);
    } }, "edited");
  return button;
}

function meta(message, act) {
  const at = h("time", { datetime: iso(message.date) }, clock(message.date));
  return h("span", { class: "meta figures" },
    (message.edited || message.edit_date) && !message.same
      ? editedNode(message) : null,
    h("button", { type: "button", class: "when", "data-focus": "when",
      title: "Show in the inspector", "aria-label":
      `${clock(message.date)}, show in the inspector`,
      onclick: () => act.inspect(message) }, at));
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  return h("div", { class: "reactions" }, message.reactions.map((r) =>
    h("span", { "aria-label": `Reaction ${r.emoji ?? "of another kind"}` },
      r.emoji ?? "★")));
}

function ghost(message, act) {
  return h("div", { class: "ghost" },
    h("span", {}, `message ${message.message_id} deleted`),
    h("button", { type: "button", class: "link", "data-focus": "show",
      onclick: () => act.reveal(message) }, "show"));
}

function textOf(message, act) {
  const text = message.text ?? message.caption;
  const entities = message.entities ?? message.caption_entities;
  return text ? h("div", { class: "text", dir: "auto" },
    richText(text, entities, act.command)) : null;
}

// Photos side by side, files below each other, then the captions.
function albumBody(album, act) {
  const tile = (message) => h("div", { class: "tile",
    "data-message": message.message_id, tabindex: "-1" },
  carriedNode(message, act));
  const seen = album[0].photo || album[0].video;
  return [
    h("div", { class: seen ? "album photos" : "album", role: "group",
      "aria-label": `Album of ${album.length}` }, album.map(tile)),
    album.map((message) => textOf(message, act)),
  ];
}

function body(message, look, act) {
  const what = look.album ? albumBody(look.album, act)
    : [carriedNode(message, act), textOf(message, act)];
  if (message.show_caption_above_media) what.reverse();
  return [
    message.forward_origin ? origin(message.forward_origin) : null,
    message.reply_to_message ? quote(message) : null,
    what.some(Boolean) ? what
      : h("div", { class: "text muted" }, preview(message)),
  ];
}

// look: {own, first, last, named, presses, revealed, album}; an album is the
// list of its messages, and the message its first.
export function messageNode(message, look, act) {
  const told = service(message);
  if (told) return h("div", { class: "divider" }, h("span", {}, told));
  const gone = message.deleted && !look.revealed;
  const side = look.own ? "out" : "in";
  const shape = `${look.first ? " first" : ""}${look.last ? " last" : ""}`;
  const name = nameOf(message.from);
  return h("article", {
    class: `row ${side}${shape}${message.deleted ? " deleted" : ""}`,
    tabindex: "-1", "data-message": message.message_id,
    "aria-label": `${look.own ? "You" : name}: ${preview(message)}`,
  }, gone ? ghost(message, act) : [
    h("div", { class: "bubble" },
      look.named && look.first && !look.own
        ? h("b", { class: `name ${tone(message.from?.is_bot ? BOT
          : message.from?.id ?? BOT)}`,
          dir: "auto" }, name)
        : null,
      body(message, look, act), meta(message, act), reactions(message),
      message.deleted ? null : h("button", { type: "button", class: "answer",
        title: "Answer", "aria-label": "Answer", "data-focus": "answer",
        onclick: () => act.answer(message.message_id) }, icon("answer"))),
    buttonRows(message, look.presses, act),
  ]);
}

export function pendingNode(entry) {
  return h("article", { class: "row out first last pending" },
    h("div", { class: "bubble" },
      entry.what ? h("div", { class: "carried" }, icon("file"),
        h("span", { dir: "auto" }, entry.what)) : null,
      entry.text ? h("div", { class: "text", dir: "auto" }, entry.text) : null,
      h("span", { class: "meta" },
        entry.waiting ? h("i", {}, "waits for the engine") : null,
        icon("clock"))));
}
