// The buttons below a message: those that the bot hears of, and those that
// the client deals with alone.

import { h } from "./dom.js";
import { safeUrl } from "./text.js";

const link = (text, url) => h("a", { class: "key", href: safeUrl(url),
  target: "_blank", rel: "noopener noreferrer", dir: "auto" }, text, " ↗");

function pressed(message, spec, at, press, act) {
  const slow = press && Date.now() - press.since > act.slow;
  return h("button", {
    type: "button", class: `key${slow ? " slow" : ""}`, dir: "auto",
    "data-focus": `key${at}`, "aria-busy": press ? "true" : null,
    title: slow ? "No answer yet: see the inspector" : null,
    onclick: () => !press && act.press(message, spec.callback_data),
  }, spec.text);
}

const plain = (spec, at, title, onclick) => h("button", { type: "button",
  class: "key", dir: "auto", "data-focus": `key${at}`, title, onclick },
spec.text);

const inline = (queryOf) => (spec, at, act, kind) => plain(spec, at,
  "Begins an inline query", () => act.query(queryOf(spec[kind])));

// What a button of that field does.
const kinds = {
  url: (spec) => link(spec.text, spec.url),
  login_url: (spec) => link(spec.text, spec.login_url.url),
  web_app: (spec) => link(spec.text, spec.web_app.url),
  copy_text: (spec, at, act) => plain(spec, at, "Copies a text",
    () => act.copy(spec.copy_text.text)),
  switch_inline_query: inline((query) => query),
  switch_inline_query_current_chat: inline((query) => query),
  switch_inline_query_chosen_chat: inline(({ query }) => query ?? ""),
};

function button(message, spec, at, presses, act) {
  if (spec.callback_data !== undefined) {
    return pressed(message, spec, at, presses.get(spec.callback_data), act);
  }
  const kind = Object.keys(kinds).find((k) => spec[k] !== undefined);
  if (kind) return kinds[kind](spec, at, act, kind);
  return h("button", { type: "button", class: "key", dir: "auto",
    disabled: true, title: "The simulator has nothing for this button." },
  spec.text);
}

export function buttonRows(message, presses, act) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows?.length) return null;
  let at = 0;
  return h("div", { class: "inline", role: "group",
    "aria-label": "Buttons of this message" },
  rows.map((row) => h("div", { class: "keys" },
    row.map((spec) => button(message, spec, at++, presses, act)))));
}
