import type { Event, HttpConnection } from "@upgrade/core";
import { piecesOf } from "./arbitraries.ts";

/** What one connection has received. */
export interface Received {
  heads: Extract<Event, { headers: unknown }>[];
  bytes: Buffer;
  trailers: string[];
  wait: string;
}

/** Feeds `wire` to a connection in pieces, and collects all events. */
export function receiveAll(
  connection: HttpConnection,
  wire: Uint8Array,
  places: readonly number[],
): Received {
  const heads: Received["heads"] = [];
  const data: Uint8Array[] = [];
  let last: string[] = [];
  let wait = "";
  for (const piece of piecesOf(wire, places)) {
    connection.receiveData(piece);
    for (let next = connection.nextEvent(); ; next = connection.nextEvent()) {
      if (typeof next === "string") {
        wait = next;
        break;
      }
      if (next.type === "data") data.push(next.bytes);
      else if (next.type === "end-of-message") last = next.trailers.toFlat();
      else if (next.type !== "connection-closed") heads.push(next);
    }
  }
  return { heads, bytes: Buffer.concat(data), trailers: last, wait };
}
