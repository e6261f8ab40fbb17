// Makes API calls one after the other and tells what grammY makes of the
// answers. Options: token, apiRoot, environment, calls ([method, parameters]
// or [method] each), retry (with @grammyjs/auto-retry), encoding ("form" or
// "query": instead of grammY's own JSON). {"file": name, "bytes": n} is an
// InputFile.
import { autoRetry } from "@grammyjs/auto-retry";
import { Api, InputFile } from "grammy";
import { options, shown, tell } from "./common.js";

function texts(json) {
  return new URLSearchParams(Object.entries(JSON.parse(json)).map(
    ([key, value]) => [key, typeof value === "object"
      ? JSON.stringify(value) : String(value)]));
}

const encoders = {
  form: (url, { method, body }) => fetch(url, { method, body: texts(body) }),
  query: (url, { body }) => fetch(`${url}?${texts(body)}`),
};

function withFiles(_key, value) {
  return value?.file === undefined
    ? value : new InputFile(Buffer.alloc(value.bytes, "x"), value.file);
}

const api = new Api(options.token, {
  apiRoot: options.apiRoot,
  environment: options.environment,
  fetch: encoders[options.encoding],
});
if (options.retry) api.config.use(autoRetry());

for (const [method, ...given] of options.calls) {
  const parameters = JSON.parse(JSON.stringify(given), withFiles);
  try {
    tell("answer", { result: await api.raw[method](...parameters) });
  } catch (error) {
    tell("answer", { error: shown(error) });
  }
}
