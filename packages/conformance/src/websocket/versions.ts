import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { WebSocket, WebSocketServer } from "ws";

/** What the tests use of one version of ws. */
export interface Ws {
  readonly version: string;
  readonly WebSocket: typeof WebSocket & { readonly Server: typeof WebSocketServer };
  readonly PerMessageDeflate: abstract new (...given: never[]) => object;
}

const require = createRequire(import.meta.url);

/** From the oldest version 8 to the newest, with each in between that changed what adopt() relies on. */
export const VERSIONS: readonly Ws[] = [
  "ws-8.0",
  "ws-8.5",
  "ws-8.14",
  "ws-8.18",
  "ws-8.20",
  "ws",
].map((name) => {
  const folder = dirname(require.resolve(name));
  const { version } = require(join(folder, "package.json")) as Ws;
  return {
    version,
    WebSocket: require(name) as Ws["WebSocket"],
    // Exported only from 8.20 on.
    PerMessageDeflate: require(
      join(folder, "lib/permessage-deflate.js"),
    ) as Ws["PerMessageDeflate"],
  };
});

export const NEWEST = VERSIONS.at(-1)!;
