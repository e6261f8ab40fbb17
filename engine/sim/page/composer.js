// The message field, in which Enter sends, and the reply keyboard over it.

import { $, drawRows, h } from "./dom.js";
import { chatTitle } from "./chat.js";
import { newCommands } from "./commands.js";
import { size } from "./format.js";
import { nameOf } from "./message.js";
import { replyKeyboard } from "./store.js";

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

function drawKeyboard(app) {
  const { store, view } = app;
  const shown = replyKeyboard(store, view.chat);
  const used = shown && view.used.get(view.chat) === shown.message.message_id;
  drawRows($("keyboard"), shown && !used ? [{
    key: view.chat, deps: [shown.message],
    make: () => h("div", { class: "reply", role: "group",
      "aria-label": "Reply keyboard" },
    shown.keyboard.map((row) => h("div", { class: "keys" },
      row.map((key) => keyNode(app, shown, key))))),
  }] : []);
}

function keyNode(app, shown, key) {
  const text = key.text ?? key;
  const asks = key.request_contact || key.request_location;
  return h("button", { type: "button", class: "key", dir: "auto",
    disabled: Boolean(asks),
    title: asks ? "Sharing a contact or a place is not built yet." : null,
    onclick() {
      const { view } = app;
      if (shown.one_time_keyboard) {
        view.used.set(view.chat, shown.message.message_id);
      }
      app.send(text);
    } }, text);
}

export function newComposer(app) {
  const field = $("composer");
  const drafts = new Map();
  let place = null; // whose draft the field holds
  const commands = newCommands(field,
    { given: () => app.store.commands, set, send });

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
    app.send(text);
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
        app.send(caption, { kind, name: file.name, base64 });
      } catch (e) {
        app.trouble(`${file.name} cannot be read: ${e.message}.`);
      }
    }
  }

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
    field.placeholder = `Message as ${as}`;
    field.setAttribute("aria-label", `Message to ${chatTitle(app)} as ${as}`);
    drawKeyboard(app);
    commands.draw();
  }

  // A message that was refused comes back, unless something new is typed.
  function refuse(entry, why) {
    app.trouble(`Not sent: ${why}.`);
    if (!field.value && place === `${entry.chat}:${entry.from}`) {
      set(entry.text);
    }
  }

  return { draw, refuse };
}
