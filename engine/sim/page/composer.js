// The message field, in which Enter sends, and what is answered over it.

import { $, drawRows, h, icon } from "./dom.js";
import { chatTitle } from "./chat.js";
import { newCommands } from "./commands.js";
import { size } from "./format.js";
import { newKeyboard } from "./keyboard.js";
import { nameOf, preview } from "./message.js";
import { commandsFor, forcedReply } from "./store.js";

const HEIGHT_MAX = 160;
const FILE_MAX = 8e6; // bytes, of what can be attached here
const PICTURES = ["image/png", "image/jpeg"];

function base64Of(file) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1] ?? "");
    reader.onerror = () => fail(reader.error);
    reader.readAsDataURL(file);
  });
}

export function newComposer(app) {
  const field = $("composer");
  const drafts = new Map();
  let place = null; // whose draft the field holds
  const commands = newCommands(field,
    { given: () => commandsFor(app.store, app.view), set, send });
  const keyboard = newKeyboard(app);
  const replies = new Map(); // place -> the message that is answered
  let forced = null; // the message that has asked for it last

  function fit() {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, HEIGHT_MAX)}px`;
  }

  function set(text) {
    field.value = text;
    fit();
    commands.typed();
  }

  function send(text) {
    if (!text.trim()) return;
    set("");
    drafts.delete(place);
    keyboard.used();
    app.send(text, { reply: takeReply() });
  }

  function takeReply() {
    const message = replies.get(place);
    replies.delete(place);
    return message;
  }

  function replyTo(message) {
    if (message) replies.set(place, message);
    else replies.delete(place);
    field.focus();
    app.changed();
  }

  function drawReply() {
    const asked = forcedReply(app.store, app.view);
    if (asked && asked.message !== forced) {
      forced = asked.message;
      replies.set(place, forced);
    }
    const message = replies.get(place);
    drawRows($("answered"), message ? [{ key: place, deps: [message],
      make: () => h("div", { class: "answered" },
        h("div", { class: "quote" },
          h("b", { dir: "auto" }, `Answer to ${nameOf(message.from)}`),
          h("span", { dir: "auto" }, preview(message))),
        h("button", { type: "button", class: "quiet",
          "aria-label": "No answer to that message",
          onclick: () => replyTo(null) }, icon("close"))) }] : []);
    return asked?.message === message && message
      ? asked.markup.input_field_placeholder : null;
  }

  // The beginning of an inline query.
  function query(text) {
    const bot = app.store.bots.values().next().value;
    set(`@${bot?.username ?? "bot"} ${text}`);
    field.focus();
  }

  field.addEventListener("keydown", (e) => {
    if (e.isComposing || commands.key(e)) return;
    if (e.key !== "Enter" || e.shiftKey) return;
    e.preventDefault();
    send(field.value);
  });
  field.addEventListener("input", () => {
    app.trouble("");
    fit();
    commands.typed();
    app.changed();
  });
  // The first takes what is in the field as its caption.
  async function attach(files) {
    for (const file of files) {
      if (file.size > FILE_MAX || !file.size) {
        app.trouble(`${file.name} has ${size(file.size)}; 1 B to ` +
          `${size(FILE_MAX)} can be attached here.`);
        continue;
      }
      try {
        const base64 = await base64Of(file);
        const kind = PICTURES.includes(file.type) ? "photo" : "document";
        const caption = field.value;
        set("");
        drafts.delete(place);
        app.send(caption, { reply: takeReply(),
          file: { kind, name: file.name, base64 } });
      } catch (e) {
        app.trouble(`${file.name} cannot be read: ${e.message}.`);
      }
    }
  }

  $("slash").addEventListener("click", () => {
    field.focus();
    set("/");
    app.changed();
  });
  $("attach").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", (e) => {
    attach([...e.target.files]);
    e.target.value = "";
    field.focus();
  });
  field.addEventListener("paste", (e) => {
    if (!e.clipboardData.files.length) return;
    e.preventDefault();
    attach([...e.clipboardData.files]);
  });
  const form = $("form");
  form.addEventListener("dragover", (e) => {
    if (!e.dataTransfer.types.includes("Files")) return;
    e.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (e) => {
    form.classList.remove("over");
    if (!e.dataTransfer.files.length) return;
    e.preventDefault();
    attach([...e.dataTransfer.files]);
  });
  field.addEventListener("blur", commands.draw);
  $("form").addEventListener("submit", (e) => {
    e.preventDefault();
    send(field.value);
    field.focus();
  });

  function draw() {
    const { store, view } = app;
    const here = `${view.chat}:${view.as}`;
    if (place !== here) {
      if (place) drafts.set(place, field.value);
      place = here;
      app.trouble("");
      set(drafts.get(here) ?? "");
    }
    const as = nameOf(store.users.get(view.as));
    const asked = drawReply();
    const offered = keyboard.draw();
    field.placeholder = asked ?? offered ?? `Message as ${as}`;
    field.setAttribute("aria-label", `Message to ${chatTitle(app)} as ${as}`);
    $("slash").hidden = Boolean(field.value) ||
      !commandsFor(store, view).length;
    commands.draw();
  }

  // A message that was refused comes back, unless something new is typed.
  function refuse(entry, why) {
    app.trouble(`Not sent: ${why}.`);
    if (!field.value && place === `${entry.chat}:${entry.from}`) {
      set(entry.text);
    }
  }

  return { draw, refuse, query, replyTo };
}
