// Times and figures, always the same way.

const two = (n) => String(n).padStart(2, "0");

// `at` is in seconds since 1970.
export function clock(at, withSeconds) {
  const d = new Date(at * 1000);
  const hm = `${two(d.getHours())}:${two(d.getMinutes())}`;
  return withSeconds ? `${hm}:${two(d.getSeconds())}` : hm;
}

export const iso = (at) => new Date(at * 1000).toISOString();

export function span(ms) {
  if (ms === 0) return "<1 ms"; // of a clock that counts whole ones
  if (ms < 0.995) return `${Math.round(ms * 1000)} µs`;
  if (ms < 99.5) return `${+ms.toPrecision(3)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${+(ms / 1000).toPrecision(2)} s`;
  return `${Math.floor(ms / 60000)} m ${Math.round(ms / 1000) % 60} s`;
}

export const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999500) return `${+(bytes / 1000).toPrecision(3)} kB`;
  if (bytes < 999500000) return `${+(bytes / 1e6).toPrecision(3)} MB`;
  return `${+(bytes / 1e9).toPrecision(3)} GB`;
}

// In the smallest units of the currency, as the Bot API has it.
export function money(amount, currency) {
  if (currency === "XTR") return count(amount, "Star");
  const { maximumFractionDigits: digits } = new Intl.NumberFormat("en",
    { style: "currency", currency }).resolvedOptions();
  return `${(amount / 10 ** digits).toFixed(digits)} ${currency}`;
}

export function short(text, max = 80) {
  const signs = [...text.slice(0, 4 * max).replace(/\s+/g, " ").trim()];
  return signs.length <= max ? signs.join("")
    : `${signs.slice(0, max - 1).join("")}…`;
}

// "main.lua:12", as far as it is known.
export function place({ script, line }) {
  if (!script) return "";
  return line ? `${script}:${line}` : script;
}

// The message without the place, which is shown beside it.
export function withoutPlace(notice) {
  const text = notice.message ?? "";
  const head = `${place(notice)}:`;
  return head.length > 1 && text.startsWith(head)
    ? text.slice(head.length).trim() : text;
}
