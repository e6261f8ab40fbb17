// What a message carries beside its text: pictures, files, and cards for what
// is neither.

import { h, icon } from "./dom.js";
import { count, size } from "./format.js";

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

const address = (file) => `/sim/files/${encodeURIComponent(file.file_id)}`;

function photo(sizes) {
  const shown = sizes.find((s) => s.width >= PHOTO_WIDTH) ?? sizes.at(-1);
  return h("a", { href: address(sizes.at(-1)), target: "_blank",
    rel: "noopener noreferrer" },
  h("img", { class: "photo", src: address(shown), alt: "Photo",
    width: shown.width, height: shown.height, loading: "lazy" }));
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

function pollOption(message, act, at) {
  const { poll } = message;
  const { text, voter_count: votes } = poll.options[at];
  const all = poll.total_voter_count;
  const mine = message.votes?.[act.me()]?.includes(at);
  const right = mine && poll.type === "quiz"
    ? at === poll.correct_option_id : null;
  return h("button", { type: "button", class: "option", dir: "auto",
    "data-focus": `option${at}`, "aria-pressed": String(Boolean(mine)),
    disabled: poll.is_closed, onclick: () => act.vote(message, at) },
  h("span", {}, `${right === null ? mine ? "● " : "○ "
    : right ? "✓ " : "✗ "}${text}`),
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
      `${invoice.total_amount} ${invoice.currency}`))),
};

export function carriedNode(message, act) {
  if (message.photo?.length) return photo(message.photo);
  const file = FILES.find((k) => message[k]?.file_id);
  if (file) return fileNode(message[file], carried(message));
  const card = found(CARDS, message);
  if (card) return CARDS[card](message, act);
  const what = carried(message);
  return what ? line("file", h("span", { dir: "auto" }, what)) : null;
}
