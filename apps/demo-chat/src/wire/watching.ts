// wires → [watching] → page: the messages of wire.v1 on one WebSocket

import type { Allowance } from "../allowance.ts";
import type { ChatSocket } from "../frames.ts";
import { CLOSINGS } from "../protocol.ts";
import type { WireMessage } from "./messages.ts";
import { isProbe, type ProbeName } from "./probe-table.ts";
import type { Wires } from "./wires.ts";

/** A page with more unread bytes than this is dropped. */
const MAX_BACKLOG_BYTES = 1024 * 1024;

export interface WatchingOptions {
  readonly id: string;
  readonly wires: Wires;
  readonly allowance: Allowance;
  readonly ask: (name: ProbeName) => Promise<number>;
}

/** Reports to the page until its WebSocket closes. */
export function serveWatcher(socket: ChatSocket, options: WatchingOptions): void {
  const { id, wires, allowance, ask } = options;
  const send = (message: WireMessage): void => {
    if (socket.bufferedAmount > MAX_BACKLOG_BYTES) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.sendText(JSON.stringify(message));
  };
  const end = ({ code, reason }: { readonly code: number; readonly reason: string }): void =>
    socket.close(code, reason);
  socket.on("close", wires.watch(id, send));
  socket.on("message", (message, isBinary) => {
    if (socket.readyState !== socket.OPEN) return;
    if (isBinary) return end(CLOSINGS.binary);
    if (!allowance.take()) return end(CLOSINGS.flood);
    const asked = readAsked(String(message));
    if (asked === undefined) return end(CLOSINGS.malformed);
    ask(asked).then(
      (status) => send({ asked, status }),
      (error: Error) => send({ asked, failed: error.message }),
    );
  });
}

/** A client sends `{"ask": name}`. */
function readAsked(json: string): ProbeName | undefined {
  try {
    const { ask } = { ...JSON.parse(json) } as { readonly ask?: unknown };
    return isProbe(ask) ? ask : undefined;
  } catch {
    return undefined;
  }
}
