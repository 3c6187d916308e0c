// The entry of a bundle for browsers, where only the globals of a page exist.
import { story } from "./story.mjs";

story().then(
  (told) => globalThis.report(told),
  (error) => globalThis.report(String(error?.stack ?? error)),
);
