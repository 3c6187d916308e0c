// docs/evidence/diagnosis.md: what our probe and other programs say about each way an upgrade breaks.
import { read } from "./markdown.mjs";
import { NOTE, page } from "./pages.mjs";

const RECORDED = "packages/cli/diagnosis/recorded.json";

export function diagnosisPage() {
  const { rows } = JSON.parse(read(RECORDED));
  const faults = rows
    .filter(({ first }) => !/^[✓✗] \S/.test(first))
    .map(({ title }) => `${RECORDED}: ${title} has no first line`);
  const sections = rows.map(({ title, first, change, verdict, exit, others }) => {
    const change_ = change === "nothing" ? [] : [`# change: ${change}`];
    const lines = [`upgrade probe: exit code ${exit}, ${verdict}`, first, ...change_];
    for (const { name, exit: code, lines: said } of others) {
      lines.push("", `${name}: exit code ${code}`, ...(said.length === 0 ? ["(nothing)"] : said));
    }
    return `## ${title[0].toUpperCase()}${title.slice(1)}\n\n\`\`\`text\n${lines.join("\n")}\n\`\`\``;
  });
  const text = page(
    "# Diagnosis",
    NOTE(RECORDED),
    "Each way an upgrade breaks, with real nginx, haproxy and squid where a proxy breaks it: the first line of [`upgrade probe`](../guides/diagnosing.md) and its exit code, and beside it what other programs say, in their last lines. `curl -v` sends the same request, `wscat` connects and sends a line, `openssl s_client` connects to the port. As most people run them: wscat has no body to send, and openssl compares no names unless it is told to.",
    "`node scripts/tasks.mjs diagnosis` plays every row again and writes the record; `npm test` plays every row with our probe, and requires its verdict.",
    ...sections,
  );
  const summary = `${rows.length} ways an upgrade breaks or may break: the cause is in the first line of each`;
  return { text, summary, faults };
}
