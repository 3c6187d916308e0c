// .size-limit.json is what `check` holds the built packages to. The README quotes its limits.
import { read } from "./markdown.mjs";

/** The limits that the README does not quote, and a summary line. */
export function sizeFigures() {
  const limits = Object.fromEntries(
    JSON.parse(read(".size-limit.json")).map(({ name, limit }) => [name, limit]),
  );
  const figures = [
    `client ${limits["@upgrade/client"]}`,
    `server ${limits["@upgrade/server"]}`,
    `${Number.parseFloat(limits["@upgrade/client with the WebAssembly"])} and ${limits["@upgrade/server with the WebAssembly"]} with the WebAssembly`,
    `\`@upgrade/websocket\` ${limits["@upgrade/websocket without the core"]}`,
    `\`@upgrade/node\` ${limits["@upgrade/node without the core"]}`,
  ];
  const readme = read("README.md");
  const faults = figures
    .filter((figure) => !readme.includes(figure))
    .map((figure) => `README.md must say "${figure}", as .size-limit.json does`);
  return { faults, summary: figures.join(", ") };
}
