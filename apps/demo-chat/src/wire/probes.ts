// page → [probes] → our own client → our own server: refusals that a page cannot ask for by itself

import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { PROBE, PROBES, type Probe, type ProbeName, WIRE } from "./probe-table.ts";

const RIGHT = {
  "Connection": "Upgrade",
  "Upgrade": "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Protocol": "chat.v1",
};

const TIMEOUT_MS = 5_000;

/**
 * Asks the server at `url` for the refusal. The watcher sees the connection.
 *
 * The client is node:http's: that of the toolkit refuses to send a handshake that is wrong.
 *
 * @returns The status of the response.
 * @throws What node:http reports, also when there is no response in time.
 */
export async function askRefusal(url: string, name: ProbeName, watcher: string): Promise<number> {
  const { headers, path = "/chat" }: Probe = PROBES[name];
  const fields = Object.entries({ ...RIGHT, ...headers }).filter(([, value]) => value);
  const query = new URLSearchParams({ name: "probe", [PROBE]: name, [WIRE]: watcher });
  const asked = request(new URL(`${path}?${query}`, url), {
    agent: false,
    headers: Object.fromEntries(fields) as Record<string, string>,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode!;
}
