// What a message carries beside its text: pictures, files, and cards for what
// is neither.

import { h, icon } from "./dom.js";
import { count, money, size } from "./format.js";
import { richText } from "./text.js";

export const nameOf = (user) =>
  [user?.first_name, user?.last_name].filter(Boolean).join(" ") ||
  user?.title || "Someone";

const placeOf = ({ latitude, longitude }) => `${latitude}, ${longitude}`;

// In one line, for previews.
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
  location: (m) => `Location: ${placeOf(m.location)}`,
  poll: (m) => `Poll: ${m.poll.question}`,
  dice: (m) => `${m.dice.emoji} ${m.dice.value}`,
  game: (m) => `Game: ${m.game.title}`,
  invoice: (m) => `Invoice: ${m.invoice.title}`,
};

export const found = (table, message) =>
  Object.keys(table).find((k) => message[k] !== undefined);

export const carried = (message) => {
  const key = found(CARRIES, message);
  return key && CARRIES[key](message);
};

// Those that have bytes.
const FILES = ["document", "audio", "voice", "video", "animation",
  "video_note"];
const PHOTO_WIDTH = 320;
const PHOTO_HEIGHT = 360;

const address = (file) => `/sim/files/${encodeURIComponent(file.file_id)}`;

// A hidden one is a button until it is shown.
function photo({ photo: sizes, has_media_spoiler: hidden }) {
  const shown = sizes.find((s) => s.width >= PHOTO_WIDTH) ?? sizes.at(-1);
  const fit = Math.min(1, PHOTO_WIDTH / shown.width,
    PHOTO_HEIGHT / shown.height);
  const picture = h("img", { class: "photo", src: address(shown),
    alt: hidden ? "" : "Photo", width: Math.ceil(shown.width * fit),
    height: Math.ceil(shown.height * fit), loading: "lazy" });
  const link = h("a", { href: address(sizes.at(-1)), target: "_blank",
    rel: "noopener noreferrer" }, picture);
  if (!hidden) return link;
  const veil = h("button", { type: "button", class: "veil",
    "aria-label": "Hidden photo, show", onclick() {
      picture.alt = "Photo";
      link.append(picture);
      veil.replaceWith(link);
      link.focus();
    } }, picture);
  return veil;
}

const line = (name, ...children) =>
  h("div", { class: "carried" }, icon(name), children);

function fileNode(file, what) {
  return line("file", h("a", { href: address(file),
    download: file.file_name ?? "", dir: "auto" }, what),
  file.file_size === undefined ? null
    : h("span", { class: "muted figures" }, size(file.file_size)));
}

function mapLink(location) {
  const at = `mlat=${location.latitude}&mlon=${location.longitude}`;
  return h("a", { href: `https://www.openstreetmap.org/?${at}`,
    class: "figures", target: "_blank", rel: "noopener noreferrer" },
  placeOf(location));
}

const named = (title, ...below) => h("div", { class: "names" },
  h("b", { dir: "auto" }, title), below);

// A quiz tells what is right once it is answered or over.
const toldIn = ({ poll }, chosen) => poll.type === "quiz" &&
  (poll.is_closed || chosen.length > 0);

function markOf(message, chosen, at) {
  const right = message.poll.correct_option_ids?.includes(at);
  const mine = chosen.includes(at);
  if (toldIn(message, chosen) && right) return "✓ ";
  if (toldIn(message, chosen) && mine) return "✗ ";
  return mine ? "● " : "○ ";
}

const chosenBy = (message, act) => message.votes?.[act.me()] ?? [];

function pollOption(message, act, at) {
  const { poll } = message;
  const { text, voter_count: votes } = poll.options[at];
  const all = poll.total_voter_count;
  const chosen = chosenBy(message, act);
  const done = poll.is_closed || (chosen.length && !poll.allows_revoting);
  return h("button", { type: "button", class: "option", dir: "auto",
    "data-focus": `option${at}`, "aria-pressed": String(chosen.includes(at)),
    "aria-disabled": done ? "true" : null,
    onclick: () => !done && act.vote(message, at) },
  h("span", {}, markOf(message, chosen, at), text),
  h("span", { class: "figures muted" },
    all ? `${Math.round(votes * 100 / all)} %` : ""),
  h("progress", { max: all || 1, value: votes, "aria-hidden": "true" }));
}

function poll(message, act) {
  const { poll } = message;
  const kind = [poll.is_anonymous ? "Anonymous" : "Open",
    poll.type === "quiz" ? "quiz" : "poll"].join(" ");
  return h("div", { class: "poll", role: "group", "aria-label": kind },
    h("b", { dir: "auto" }, poll.question),
    h("div", { class: "muted" },
      poll.is_closed ? `${kind}, closed` : kind),
    poll.options.map((_, at) => pollOption(message, act, at)),
    poll.explanation && toldIn(message, chosenBy(message, act))
      ? h("div", { class: "quote", dir: "auto" },
        richText(poll.explanation, poll.explanation_entities)) : null,
    h("div", { class: "muted figures" },
      count(poll.total_voter_count, "vote")));
}

const CARDS = {
  sticker: ({ sticker }) => h("div", { class: "large", role: "img",
    "aria-label": "Sticker" }, sticker.emoji ?? "Sticker"),
  dice: ({ dice }) => h("div", { class: "large figures" }, dice.emoji,
    h("span", { class: "value" }, dice.value)),
  contact: ({ contact }) => line("person", named(nameOf(contact),
    h("div", { class: "muted figures" }, contact.phone_number))),
  venue: ({ venue }) => line("place", named(venue.title,
    h("div", { class: "muted", dir: "auto" }, venue.address),
    mapLink(venue.location))),
  location: ({ location }) => line("place",
    named("Location", h("div", {}, mapLink(location)))),
  poll,
  invoice: ({ invoice }) => line("file", named(invoice.title,
    h("div", { class: "muted", dir: "auto" }, invoice.description),
    h("div", { class: "figures" },
      money(invoice.total_amount, invoice.currency)))),
};

export function carriedNode(message, act) {
  if (message.photo?.length) return photo(message);
  const file = FILES.find((k) => message[k]?.file_id);
  if (file) return fileNode(message[file], carried(message));
  const card = found(CARDS, message);
  if (card) return CARDS[card](message, act);
  const what = carried(message);
  return what ? line("file", h("span", { dir: "auto" }, what)) : null;
}
