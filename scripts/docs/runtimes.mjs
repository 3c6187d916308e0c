// docs/evidence/runtimes.md: in which runtimes the suite was played, on which transports.
import { readKnown, readRecorded } from "../runtimes/judge.mjs";
import { NOTE, page, table } from "./pages.mjs";

const SUITE = "../../packages/conformance/runtimes/suite";

/** The page, a summary line, and the cells that are neither whole nor explained. */
export function runtimesPage() {
  const { cases, runtimes } = readRecorded();
  const nameOf = (word) => runtimes.find((one) => one.word === word)?.name ?? word;
  const reasons = readKnown();
  const transports = [...new Set(runtimes.flatMap((one) => Object.keys(one.transports)))];
  const faults = [];
  const cell = (transport, runtime) => {
    const count = runtime.transports[transport];
    if (count === undefined || count === cases) return count === undefined ? "" : "all";
    const index = reasons.findIndex(
      (known) => known.transport === transport && known.runtimes.includes(runtime.word),
    );
    if (index < 0)
      faults.push(`${runtime.name}, ${transport}: ${count} of ${cases}, and no reason`);
    return `${count} [[${index + 1}](#what-is-not-whole)]`;
  };
  const rows = transports.map((transport) => [
    transport,
    ...runtimes.map((runtime) => cell(transport, runtime)),
  ]);
  const cells = rows.flatMap(([, ...counts]) => counts).filter((count) => count !== "");
  const whole = cells.filter((count) => count === "all").length;
  const text = page(
    "# Runtimes",
    NOTE("packages/conformance/runtimes/{recorded,known}.json"),
    `The [suite](${SUITE}) has ${cases} cases: handshakes, keep-alive, pipelining, bodies of every kind in both directions, \`Expect\`, interim responses, switches with early bytes in both directions, refusals, CONNECT, half-close, abort, reset, close, the identity and the reuse of the parts, \`@upgrade/websocket\`, and [the guide's own protocol](../guides/your-own-protocol.md). Each case has a client's and a server's half that share nothing but the connection. The packages are those that npm installs from the packed tarballs; Node, Bun and Deno resolve them themselves, for the others they are bundled under their conditions. [Programs](../../packages/conformance/runtimes/typed) that pass the io of Deno, workerd and Bun are compiled against the types of those, too, and Node, Bun and Deno run the examples of [the README](../../README.md#both-ends-in-one-file) and of that guide.`,
    `A cell says how many cases pass on that transport, always; an empty one, that the runtime has no such transport. In a thread of Node, Bun and Deno, and in a worker of Chromium, the server's halves are played there.`,
    table(["transport", ...runtimes.map(({ name, version }) => `${name} (${version})`)], rows),
    "## What is not whole",
    reasons
      .map(
        ({ runtimes: words, transport, because }, i) =>
          `${i + 1}. ${words.map(nameOf).join(", ")}, ${transport}: ${because}.`,
      )
      .join("\n"),
    "## Run it",
    "`npm run runtimes` plays the suite in what is installed, and names what it skipped; `npm run runtimes -- --install all` first installs everything that the registry has, into `.runtimes`. A case that fails here without a reason, or passes in spite of one, fails the run, and so does a matrix other than this one; `-- --record` writes it. `.ci/run` requires Node 20 and 26, Bun, Deno and workerd.",
  );
  const summary = `${cases} cases in ${runtimes.length} runtimes: ${whole} of ${cells.length} combinations with a transport whole, ${cells.length - whole} explained`;
  return { text, summary, faults };
}
