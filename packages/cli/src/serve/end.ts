// command line → [end] → a server: an end to try a client or a proxy against

import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { type Clock, systemClock } from "@upgrade/core/io";
import {
  handshake,
  type Proposable,
  rewind,
  type Spoken,
  switching,
  type TraceEvent,
} from "@upgrade/server";
import { adopt, websocket } from "@upgrade/websocket";
import { CLASSES, type WebSocket } from "../web-socket.ts";
import type { Misbehavior } from "./misbehaviors.ts";
import { Spoiled } from "./spoiled.ts";

export interface EndOptions {
  readonly protocols: readonly string[];
  readonly subprotocols: readonly string[];
  /** Sends back what it gets. */
  readonly isEcho: boolean;
  readonly misbehavior?: Misbehavior | undefined;
  readonly tls?: tls.TlsOptions | undefined;
  readonly clock?: Clock | undefined;
  /** What was received after the switch, if it is not sent back. */
  readonly onBytes?: (bytes: Buffer) => void;
  readonly onEvent?: (event: TraceEvent) => void;
}

/** A server that is not listening yet. Close its sockets before it. */
export function endOf(options: EndOptions): net.Server {
  const { misbehavior = {} as Misbehavior, clock = systemClock, onEvent } = options;
  const isFaithful = options.misbehavior === undefined;
  const service = switching<Duplex, readonly Proposable[]>(
    options.protocols.map((token) => spokenOf(token, options)),
  );
  const serve = (socket: net.Socket): void => {
    socket.on("error", () => {});
    const io: Duplex = isFaithful ? socket : new Spoiled(socket, misbehavior, clock);
    const trace = onEvent && (() => onEvent);
    handshake(io, service, { trace, onError: () => {} }).catch(() => {});
  };
  if (options.tls === undefined)
    return net.createServer({ allowHalfOpen: true, noDelay: true }, serve);
  const server = tls.createServer(
    { ALPNProtocols: ["http/1.1"], allowHalfOpen: true, noDelay: true, ...options.tls },
    serve,
  );
  return server.on("tlsClientError", () => {});
}

function spokenOf(token: string, options: EndOptions): Spoken<Duplex> {
  const { isEcho, subprotocols, onBytes = () => {} } = options;
  if (token.toLowerCase() !== "websocket") {
    return [
      token,
      (parts) => {
        const stream = rewind(parts).on("error", () => {});
        if (isEcho) stream.pipe(stream);
        else stream.on("data", onBytes).on("end", () => stream.end());
      },
    ];
  }
  const protocol = websocket({ subprotocols: [...subprotocols], perMessageDeflate: true });
  return [
    protocol,
    (parts, agreement) => {
      const socket = adopt<WebSocket>(parts, agreement as Parameters<typeof adopt>[1], CLASSES);
      socket.on("error", () => {});
      socket.on("message", (data, isBinary) => {
        if (isEcho) socket.send(data, { binary: isBinary });
        else onBytes(Buffer.from(data as Buffer));
      });
    },
  ];
}
