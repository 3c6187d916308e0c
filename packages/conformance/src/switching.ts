import { handshake as connectTo, type Sender } from "@upgrade/client";
import type { Connection, Io, Parts } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { bytes } from "./messages.ts";
import type { ScriptedPeer } from "./scripted-peer.ts";

export type Role = "client" | "server";
export type Kind = "upgrade" | "connect";

export const ROLES: readonly Role[] = ["client", "server"];
export const KINDS: readonly Kind[] = ["upgrade", "connect"];

/** What proposes, and what accepts, byte for byte. */
export const REQUEST = {
  upgrade: "GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n",
  connect: "CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n",
} as const;
export const ANSWER = {
  upgrade: "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n",
  connect: "HTTP/1.1 200 OK\r\n\r\n",
} as const;

/** The same proposals, as passed to a client. */
export const PROPOSAL = {
  upgrade: {
    method: "GET",
    target: "/chat",
    headers: [
      ["Host", "a.test"],
      ["Connection", "Upgrade"],
      ["Upgrade", "chat"],
    ],
  },
  connect: { method: "CONNECT", target: "a.test:80", headers: [["Host", "a.test:80"]] },
} as const;

/** Our end during a switch. */
export interface Switching<IO> {
  readonly connection: Connection<IO>;
  readonly parts: Promise<Parts<IO>>;
}

/**
 * One end of ours, in the given role, and a scripted peer in the other: they switch, and `early`
 * follows the peer's head in the same write.
 */
export async function switching<IO extends Io>(
  role: Role,
  kind: Kind,
  io: IO,
  peer: ScriptedPeer,
  early = "",
): Promise<Switching<IO>> {
  if (role === "client") {
    const { sender, connection } = await connectTo(io);
    const parts = takenByClient(sender, connection, kind);
    await peer.readHead();
    await peer.send(ANSWER[kind] + early);
    return { connection, parts };
  }
  const { connection } = await serve(io, (request) => {
    void request.switchTo(kind === "upgrade" ? "chat" : undefined).then(accepted, refused);
  });
  let accepted!: (parts: Parts<IO>) => void;
  let refused!: (reason: unknown) => void;
  const parts = new Promise<Parts<IO>>((resolve, reject) => {
    accepted = resolve;
    refused = reject;
  });
  await peer.send(REQUEST[kind] + early);
  await peer.readHead();
  return { connection, parts };
}

async function takenByClient<IO>(
  sender: Sender,
  connection: Connection<IO>,
  kind: Kind,
): Promise<Parts<IO>> {
  await Promise.all([sender.sendRequest(PROPOSAL[kind]), connection.pollWithoutShutdown()]);
  return connection.intoParts();
}

/** An io with the bytes that were read from it, as after a hand-over. */
export function partsOf(io: Io, early = "", readEnded = false): Parts<Io> {
  return { io, readBuf: bytes(early), readEnded };
}
