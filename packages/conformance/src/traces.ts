// Traces of connections in memory, told in a few words.

import { type ByteStream, memoryPair, type Trace, type TraceEvent } from "@upgrade/core/io";
import { type Service, handshake as serveOn } from "@upgrade/server";

export type Told = readonly (string | number)[];

/** An event in a few words. */
function told(event: TraceEvent): Told {
  switch (event.type) {
    case "request":
      return [event.type, event.exchange, event.method, event.target];
    case "interim-response":
    case "response":
      return [event.type, event.exchange, event.status];
    case "end-of-message":
      return [event.type, event.exchange, event.of, event.bodyBytes];
    case "switched":
      return [event.type, event.exchange, event.kind, event.protocol];
    case "refused":
      return [event.type, event.exchange, event.status];
    case "deadline":
      return [event.type, event.name];
    case "moved":
      return [event.type, event.from, event.cause, event.to];
    case "taken":
      return [event.type, event.by, event.readBuf];
    case "closed":
      return [event.type, event.reason.kind];
    case "tunnel-ended":
      return [event.type, event.sent, event.received, event.endedBy];
    case "io-closed":
      return [event.type, event.bytesRead, event.bytesWritten];
  }
}

/** A trace that keeps every event. */
export function keeping(): { readonly trace: Trace; readonly events: TraceEvent[] } {
  const events: TraceEvent[] = [];
  return { trace: () => (event) => events.push(event), events };
}

/** The events but for the moves of the connection, which phases.test.ts reads. */
export const story = (events: readonly TraceEvent[]): Told[] =>
  events.filter(({ type }) => type !== "moved").map(told);

export async function served(service: Service<ByteStream>, options: object = {}) {
  const [near, far] = memoryPair();
  const client = keeping();
  const server = keeping();
  const served = await serveOn(far, service, { trace: server.trace, ...options });
  return { near, far, client, server, connection: served.connection };
}
