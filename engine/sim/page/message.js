// One message of the chat: text, what it carries, its buttons.

import { h, icon } from "./dom.js";
import { clock, iso, short, size } from "./format.js";
import { richText, safeUrl } from "./text.js";

export const nameOf = (user) =>
  [user?.first_name, user?.last_name].filter(Boolean).join(" ") ||
  user?.title || "Someone";

export const BOT = 0; // the id that stands for the bot

// One colour for the bot, one for groups, three for people.
export const tone = (id) =>
  `tone${id === BOT ? 0 : id < 0 ? 4 : 1 + (id % 3)}`;

export function avatar(id, name) {
  const first = [...name.replace(/[^\p{L}\p{N}]/gu, "")][0] ?? "?";
  return h("span", { class: `avatar ${tone(id)}`, "aria-hidden": "true" },
    first.toUpperCase());
}

// What a message carries beside text, in one line.
const CARRIES = {
  photo: () => "Photo",
  document: (m) => m.document.file_name ?? "Document",
  sticker: (m) => `${m.sticker.emoji ?? ""} Sticker`.trim(),
  voice: () => "Voice message",
  audio: (m) => m.audio.title ?? "Audio",
  video: () => "Video",
  animation: () => "Animation",
  video_note: () => "Video note",
  contact: (m) => `Contact: ${nameOf(m.contact)} ${m.contact.phone_number}`,
  venue: (m) => `Venue: ${m.venue.title}`,
  location: (m) =>
    `Location: ${m.location.latitude}, ${m.location.longitude}`,
  poll: (m) => `Poll: ${m.poll.question}`,
  dice: (m) => `${m.dice.emoji} ${m.dice.value}`,
  game: (m) => `Game: ${m.game.title}`,
  invoice: (m) => `Invoice: ${m.invoice.title}`,
};

// The same with its bytes, for what is a file.
const FILES = ["document", "audio", "voice", "video", "animation",
  "video_note", "sticker"];
const PHOTO_WIDTH = 320;

const address = (file) => `/sim/files/${encodeURIComponent(file.file_id)}`;

function photo(sizes) {
  const shown = sizes.find((s) => s.width >= PHOTO_WIDTH) ?? sizes.at(-1);
  return h("a", { href: address(sizes.at(-1)), target: "_blank",
    rel: "noopener noreferrer" },
  h("img", { class: "photo", src: address(shown), alt: "Photo",
    width: shown.width, height: shown.height, loading: "lazy" }));
}

function fileNode(file, what) {
  return h("div", { class: "carried" }, icon("file"),
    h("a", { href: address(file), download: file.file_name ?? "",
      dir: "auto" }, what),
    file.file_size === undefined ? null
      : h("span", { class: "muted figures" }, size(file.file_size)));
}

function carriedNode(message, what) {
  if (message.photo?.length) return photo(message.photo);
  const kind = FILES.find((k) => message[k]?.file_id);
  if (kind) return fileNode(message[kind], what);
  return h("div", { class: "carried" }, icon("file"),
    h("span", { dir: "auto" }, what));
}

const SERVICE = {
  new_chat_members: (m) =>
    `${m.new_chat_members.map(nameOf).join(", ")} joined`,
  left_chat_member: (m) => `${nameOf(m.left_chat_member)} left`,
  new_chat_title: (m) => `The group is now called ${m.new_chat_title}`,
  pinned_message: (m) => `Pinned: ${preview(m.pinned_message)}`,
  group_chat_created: () => "The group was made",
};

const found = (table, message) =>
  Object.keys(table).find((k) => message[k] !== undefined);

const carried = (message) => {
  const key = found(CARRIES, message);
  return key && CARRIES[key](message);
};

const service = (message) => {
  const key = found(SERVICE, message);
  return key && SERVICE[key](message);
};

export function preview(message) {
  if (message.deleted) return "Message deleted";
  return short(message.text ?? message.caption ?? carried(message) ??
    service(message) ?? "A message of another kind");
}

function quote(message) {
  return h("div", { class: "quote" },
    h("b", { dir: "auto" }, nameOf(message.from)),
    h("span", { dir: "auto" }, preview(message)));
}

function meta(message, act) {
  const at = h("time", { datetime: iso(message.date) }, clock(message.date));
  return h("span", { class: "meta figures" },
    message.edited || message.edit_date ? h("i", {}, "edited") : null,
    h("button", { type: "button", class: "when", "data-focus": "when",
      title: "Show in the inspector", "aria-label":
      `${clock(message.date)}, show in the inspector`,
      onclick: () => act.inspect(message) }, at));
}

function button(message, spec, at, press, act) {
  if (spec.url) {
    const href = safeUrl(spec.url);
    return h("a", { class: "key", href, target: "_blank",
      rel: "noopener noreferrer", dir: "auto" }, spec.text, " ↗");
  }
  const slow = press && Date.now() - press.since > act.slow;
  return h("button", {
    type: "button", class: `key${slow ? " slow" : ""}`, dir: "auto",
    "data-focus": `key${at}`, "aria-busy": press ? "true" : null,
    title: slow ? "No answer yet: see the inspector" : null,
    onclick: () => !press && act.press(message, spec),
  }, spec.text);
}

function buttons(message, presses, act) {
  let at = 0;
  const rows = message.buttons.map((row) => h("div", { class: "keys" },
    row.map((spec) =>
      button(message, spec, at++, presses.get(spec.data), act))));
  return h("div", { class: "inline", role: "group",
    "aria-label": "Buttons of this message" }, rows);
}

function ghost(message, act) {
  return h("div", { class: "ghost" },
    h("span", {}, `message ${message.message_id} deleted`),
    h("button", { type: "button", class: "link", "data-focus": "show",
      onclick: () => act.reveal(message) }, "show"));
}

function body(message, act) {
  const text = message.text ?? message.caption ?? "";
  const entities = message.entities ?? message.caption_entities;
  const what = carried(message);
  return [
    message.reply_to_message ? quote(message.reply_to_message) : null,
    what ? carriedNode(message, what) : null,
    text ? h("div", { class: "text", dir: "auto" },
      richText(text, entities, act.command)) : null,
    !text && !what ? h("div", { class: "text muted" }, preview(message))
      : null,
  ];
}

// look: {own, first, last, named, presses, revealed}
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
      body(message, act), meta(message, act)),
    message.buttons?.length ? buttons(message, look.presses, act) : null,
  ]);
}

export function pendingNode(entry) {
  return h("article", { class: "row out first last pending" },
    h("div", { class: "bubble" },
      entry.file ? h("div", { class: "carried" }, icon("file"),
        h("span", { dir: "auto" }, entry.file.name)) : null,
      entry.text ? h("div", { class: "text", dir: "auto" }, entry.text) : null,
      h("span", { class: "meta" },
        entry.waiting ? h("i", {}, "waits for the engine") : null,
        icon("clock"))));
}
