// What the bots share. The first argument is a JSON object of options; what a
// bot has to say are lines of JSON on its standard output.
import { GrammyError, HttpError } from "grammy";

export const options = JSON.parse(process.argv[2]);

export function tell(event, fields = {}) {
  process.stdout.write(JSON.stringify({ event, ...fields }) + "\n");
}

// An error as grammY sees it.
export function shown(error) {
  const { name, message, error_code, description, parameters } = error;
  if (error instanceof GrammyError) {
    return { name, message, error_code, description, parameters };
  }
  if (error instanceof HttpError) return { name, message };
  throw error;
}

export function onEnd(stop) {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stop);
}
