// Checks the doc comments of the public names without building the site.
import { referencePages } from "./pages.mjs";

/** `{ faults, count }`: names without a doc comment, and links in comments that lead nowhere. */
export function checkReference() {
  const { names, faults } = referencePages(String);
  return { faults, count: names.length };
}
