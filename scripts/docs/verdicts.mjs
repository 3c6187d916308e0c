// docs/verdicts.md: every verdict of `upgrade probe`, and its exit code.
import { NOTE, page, table } from "./pages.mjs";

export function verdictsPage({ VERDICTS, EXIT_CODES, EXIT_MEANINGS }) {
  const rows = Object.entries(VERDICTS);
  const sections = Object.entries(EXIT_CODES).flatMap(([name, code]) => {
    const own = rows.filter(([, row]) => row.exit === name);
    if (own.length === 0) return [];
    return [
      `## Exit code ${code}: ${EXIT_MEANINGS[name]}`,
      table(
        ["verdict", "first line", "what to change", "rule"],
        own.map(([id, { says, change, rule = "" }]) => [
          `\`${id}\``,
          shown(says),
          shown(change),
          rule,
        ]),
      ),
    ];
  });
  return page(
    "# Verdicts",
    NOTE("packages/cli/src/verdicts/"),
    "[`upgrade probe`](guides/diagnosing.md) ends with one verdict: its cause is the first line, its `id` is in the JSON output, and its exit code tells scripts in which class it is. `ID`s and exit codes stay; the texts may improve. Words in capitals are filled in from what was observed.",
    table(
      ["exit code", "meaning"],
      Object.entries(EXIT_CODES).map(([name, code]) => [code, EXIT_MEANINGS[name]]),
    ),
    ...sections,
  );
}

function shown(text) {
  return text.replace(/\{(\w+)\}/g, (_, name) => name.toUpperCase()).replace(/[*_<>$]/g, "\\$&");
}
