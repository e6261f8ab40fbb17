// The reply keyboard below the message field. Buttons that ask for something
// of the person's phone give a made-up one.

import { $, drawRows, h } from "./dom.js";
import { replyKeyboard } from "./store.js";

const CONTACT_NUMBER = "+12025550100"; // of no one
const PLACE = { latitude: 52.5186, longitude: 13.4081 };

const contactOf = (user) => ({ phone_number: CONTACT_NUMBER,
  first_name: user.first_name, last_name: user.last_name, user_id: user.id });

// What a button of that field sends in place of its text.
const asks = {
  request_contact: { title: "Sends a made-up phone number",
    of: (user) => ({ contact: contactOf(user) }) },
  request_location: { title: "Sends a made-up place",
    of: () => ({ location: PLACE }) },
};
const others = ["request_users", "request_chat", "request_poll", "web_app"];

export function newKeyboard(app) {
  const toggle = $("toggle");
  const nameOf = () => `${app.view.chat}:${app.view.as}`;

  // Whatever is sent is the one use of a keyboard for one time.
  function used() {
    const shown = replyKeyboard(app.store, app.view);
    if (shown?.one_time_keyboard) {
      app.view.hidden.set(nameOf(), shown.message.message_id);
    }
  }

  function keyNode(key) {
    const text = key.text ?? key;
    const ask = Object.keys(asks).find((k) => key[k]);
    const lacks = others.some((k) => key[k]);
    return h("button", { type: "button", class: "key", dir: "auto",
      disabled: lacks,
      title: ask ? asks[ask].title
        : lacks ? "The simulator has nothing for this button." : null,
      onclick() {
        const { store, view } = app;
        used();
        app.send(ask ? "" : text,
          ask ? asks[ask].of(store.users.get(view.as)) : {});
      } }, text);
  }

  toggle.addEventListener("click", () => {
    const shown = replyKeyboard(app.store, app.view);
    const id = shown.message.message_id;
    if (app.view.hidden.get(nameOf()) === id) app.view.hidden.delete(nameOf());
    else app.view.hidden.set(nameOf(), id);
    app.changed();
  });

  // Returns the placeholder that the keyboard wants, if any.
  function draw() {
    const shown = replyKeyboard(app.store, app.view);
    const hidden = shown &&
      app.view.hidden.get(nameOf()) === shown.message.message_id;
    toggle.hidden = !shown;
    toggle.setAttribute("aria-expanded", String(!hidden));
    drawRows($("keyboard"), shown && !hidden ? [{
      key: nameOf(), deps: [shown.message],
      make: () => h("div", { role: "group", "aria-label": "Reply keyboard",
        class: shown.resize_keyboard ? "reply" : "reply tall" },
      shown.keyboard.map((row) => h("div", { class: "keys" },
        row.map((key) => keyNode(key))))),
    }] : []);
    return hidden ? null : shown?.input_field_placeholder;
  }

  return { draw, used };
}
