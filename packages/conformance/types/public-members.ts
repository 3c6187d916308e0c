// The public members of the objects users get, as completion lists them. Compiled against the sources
// and against the published declarations.
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Body, ClientResponse, Connection, handshake, Sender } from "@upgrade/client";
import type { Headers, UpgradeError } from "@upgrade/core";
import type { Io } from "@upgrade/core/io";
import type { ServerRequest, handshake as serve } from "@upgrade/server";

type Names<T> = Exclude<keyof T, symbol>;

type Message = "body" | "framing" | "headers" | "trailers" | "version";

export const body: Same<
  Names<Body>,
  "bytes" | "cancel" | "hasBegun" | "json" | "length" | "stream" | "text" | "used"
> = true;
export const response: Same<Names<ClientResponse>, Message | "reason" | "status"> = true;
export const request: Same<
  Names<ServerRequest<Duplex>>,
  | Message
  | "connection"
  | "method"
  | "peerEnded"
  | "proposal"
  | "sendInterim"
  | "signal"
  | "switchTo"
  | "takeOver"
  | "target"
> = true;
export const connection: Same<
  Names<Connection<Duplex>>,
  | "abort"
  | "close"
  | "closeReason"
  | "closed"
  | "intoParts"
  | "io"
  | "phase"
  | "pollWithoutShutdown"
  | "run"
  | "state"
  | "stats"
  | "withoutShutdown"
> = true;
export const sender: Same<Names<Sender>, "isClosed" | "isReady" | "ready" | "sendRequest"> = true;
export const headers: Same<
  Names<Headers>,
  | "bytes"
  | "get"
  | "getAll"
  | "has"
  | "length"
  | "nameAt"
  | "nameLengthAt"
  | "toFlat"
  | "toJSON"
  | "valueAt"
> = true;
export const error: Same<
  Exclude<Names<UpgradeError>, keyof Error>,
  | "annotate"
  | "bodyBegun"
  | "bytesRead"
  | "bytesWritten"
  | "code"
  | "offset"
  | "phase"
  | "responseSeen"
  | "retrySafe"
  | "sent"
  | "status"
  | "toJSON"
> = true;

// A number is not a transport, and the type of an io is preserved.
export const number: Same<number extends Io ? true : false, false> = true;
export const socket: Same<TLSSocket extends Io ? true : false, true> = true;
type Asked = Awaited<ReturnType<typeof handshake<TLSSocket>>>["connection"];
type Served = Awaited<ReturnType<typeof serve<TLSSocket>>>["connection"];
export const asked: Same<Asked, Connection<TLSSocket>> = true;
export const served: Same<Served, Connection<TLSSocket>> = true;
type Parts = ReturnType<Connection<TLSSocket>["intoParts"]>;
export const io: Same<Parts["io"], TLSSocket> = true;
