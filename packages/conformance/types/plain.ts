// What needs the types of no platform: neither DOM's nor Node's. Compiled against the sources and
// against the published declarations.
import * as client from "@upgrade/client";
import * as core from "@upgrade/core";
import type * as io from "@upgrade/core/io";
import * as testing from "@upgrade/core/testing";
import * as proxy from "@upgrade/proxy";
import * as server from "@upgrade/server";
import * as websocket from "@upgrade/websocket";

/** A transport of one's own: these four methods, and something of the owner's. */
interface Lane extends io.ByteStream {
  readonly name: string;
}

export async function onLane(lane: Lane): Promise<void> {
  const chat = websocket.websocket({ subprotocols: ["v1"], perMessageDeflate: undefined });
  const result = await client.upgrade(lane, { target: "/", protocol: chat, headers: undefined });
  if (!result.switched) return;
  const agreed: Same<typeof result.agreement, websocket.WebSocketAgreement> = true;
  const out: Same<typeof result.io, Lane> = true;
  const there: Same<typeof result.parts, client.Parts<Lane>> = true;
  void [agreed, out, there];
}

export async function asServer(lane: Lane, signal: io.SignalLike): Promise<void> {
  const { connection } = await server.handshake(lane, async (request) => {
    const bytes = await request.body.bytes({ maxBytes: 5 });
    const read: Same<typeof bytes, Uint8Array> = true;
    const host = request.headers.get("host");
    const field: Same<typeof host, string | undefined> = true;
    void [read, field, request.body.stream(), request.signal];
    for await (const chunk of request.body) void (chunk satisfies Uint8Array);
    return { status: 200, body: bytes, headers: { Allow: ["GET", "HEAD"] } };
  });
  const reason = await connection.close({ timeoutMs: 5, signal });
  const why: Same<typeof reason, server.CloseReason> = true;
  void why;
}

export function byHand(bytes: Uint8Array): string {
  const connection = new core.HttpConnection("client");
  connection.receiveData(bytes);
  const event = connection.nextEvent();
  if (typeof event === "object" && event.type === "response") {
    const status: Same<typeof event.status, number> = true;
    void status;
  }
  // @ts-expect-error: a client or a server
  void new core.HttpConnection("proxy");
  return typeof event === "object" ? event.type : event;
}

export function errors(error: unknown): core.ErrorCode | undefined {
  if (error instanceof core.RemoteProtocolError) {
    const code: Same<typeof error.code, core.RemoteCode> = true;
    void code;
  }
  return error instanceof client.UpgradeError ? error.code : undefined;
}

// One class, whichever package it is imported from.
export const sameErrors: Same<typeof client.UpgradeError, typeof core.UpgradeError> = true;
export const sameHeaders: Same<server.Headers, client.Headers> = true;
export const pair: [io.ByteStream, io.ByteStream] = testing.memoryPair();
export const clock: io.Clock = new testing.ManualClock();
// @ts-expect-error: misspelt
export const misspelt: client.ClientOptions = { headersMs: 5, closeMS: 5 };

export const relay: server.Service<Lane> = proxy.reverseProxy({
  dial: async (origin, { signal }) => {
    const where: Same<typeof origin, string> = true;
    void [where, signal satisfies io.SignalLike];
    return testing.memoryPair()[0];
  },
  origin: ({ target }) => (target === "/" ? "http://a.test" : { status: 404 }),
  protocols: ["websocket"],
});
// @ts-expect-error: it cannot dial
export const unable = proxy.reverseProxy({ protocols: ["websocket"] });
