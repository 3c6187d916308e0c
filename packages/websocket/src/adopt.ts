// parts + agreement → [adopt] → WebSocket: an open WebSocket of ws on a switched stream

import { LocalProtocolError } from "@upgrade/core";
import {
  ANY,
  abortIo,
  BOOLEAN,
  checkOptions,
  FUNCTION,
  inWords,
  type Kind,
  type Kinds,
  type Parts,
  rewind,
} from "@upgrade/core/io";
import type { DeflateAgreement, WebSocketAgreement } from "./agreement.ts";
import { DEFLATE } from "./deflate.ts";
import { invalid } from "./options.ts";

/** The class `WebSocket` of ws 8, or a subclass. */
export type WebSocketClass<WS> = abstract new (...given: never[]) => WS;

/** What ws is, and its own options by their own names. A version that lacks one ignores it. */
export interface AdoptOptions<WS> {
  /** `WebSocket` of ws 8. */
  readonly WebSocket: WebSocketClass<WS>;
  /** `PerMessageDeflate` of the same ws, if compression may be agreed on. Exported from 8.20 on. */
  readonly PerMessageDeflate?: (abstract new (...given: never[]) => object) | undefined;
  /** Options of `PerMessageDeflate`: `threshold`, `zlibDeflateOptions`, `concurrencyLimit`, … */
  readonly deflateOptions?: object | undefined;
  /** The longest message, in bytes; 0 for any. A longer one closes with 1009. Default 100 MiB. */
  readonly maxPayload?: number | undefined;
  /** Milliseconds that the peer may take to answer a close frame. Default 30,000. */
  readonly closeTimeout?: number | undefined;
  /** Answer pings. Default true. */
  readonly autoPong?: boolean | undefined;
  readonly allowSynchronousEvents?: boolean | undefined;
  readonly skipUTF8Validation?: boolean | undefined;
  readonly maxBufferedChunks?: number | undefined;
  readonly maxFragments?: number | undefined;
  readonly maxPendingAutoPongs?: number | undefined;
  readonly generateMask?: ((mask: never) => void) | undefined;
}

const COUNT: Kind = {
  says: "a whole number",
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};
const OPTIONS: Kinds<AdoptOptions<unknown>> = {
  WebSocket: ANY,
  PerMessageDeflate: ANY,
  deflateOptions: { says: "an object", fits: (value) => typeof value === "object" },
  maxPayload: COUNT,
  closeTimeout: COUNT,
  autoPong: BOOLEAN,
  allowSynchronousEvents: BOOLEAN,
  skipUTF8Validation: BOOLEAN,
  maxBufferedChunks: COUNT,
  maxFragments: COUNT,
  maxPendingAutoPongs: COUNT,
  generateMask: FUNCTION,
};

/** The options as ws reads them, with the defaults of its own server: without them, none has a limit. */
class WsOptions {
  readonly maxPayload: number;
  readonly closeTimeout: number;
  readonly autoPong: boolean;
  readonly allowSynchronousEvents: boolean;
  readonly skipUTF8Validation: boolean;
  readonly maxBufferedChunks: number;
  readonly maxFragments: number;
  readonly maxPendingAutoPongs: number;
  readonly generateMask: ((mask: never) => void) | undefined;

  constructor(given: AdoptOptions<unknown>) {
    this.maxPayload = given.maxPayload ?? 100 * 1024 * 1024;
    this.closeTimeout = given.closeTimeout ?? 30_000;
    this.autoPong = given.autoPong ?? true;
    this.allowSynchronousEvents = given.allowSynchronousEvents ?? true;
    this.skipUTF8Validation = given.skipUTF8Validation ?? false;
    this.maxBufferedChunks = given.maxBufferedChunks ?? 256 * 1024;
    this.maxFragments = given.maxFragments ?? 16 * 1024;
    this.maxPendingAutoPongs = given.maxPendingAutoPongs ?? 60;
    this.generateMask = given.generateMask;
  }

  /** ws 8.0 takes the limit itself in place of options, and reads it as a number. */
  valueOf(): number {
    return this.maxPayload;
  }
}

const NOTHING = new Uint8Array();

// ws creates a WebSocket after a handshake only from a request of node:http. What it then does is
// private, and the same in every version from 8.0 on: adopt.test.ts tries them.
interface Adoptable {
  _isServer: boolean;
  _protocol: string;
  _extensions: { readonly [name: string]: object };
  setSocket(io: unknown, head: Uint8Array, options: object): void;
}
type AdoptableClass = new (address: null, protocols: undefined, options: object) => Adoptable;

/** The parts of PerMessageDeflate that we use. */
interface Deflate {
  accept(params: readonly { readonly [name: string]: readonly unknown[] }[]): unknown;
}
// Before 8.20 the role and the limit were arguments of their own.
type DeflateClass = new (options: object, isServer: boolean, maxPayload: number) => Deflate;

/**
 * An open WebSocket of [ws](https://github.com/websockets/ws) on the io of a switch, for either end.
 * Bytes that arrived early are read first. Add listeners in the same turn, so as not to miss a
 * message. The io is a stream of Node: a socket, or any Duplex.
 *
 * It owns the io from this call on: if it throws, the io is aborted.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`: `WebSocket` is not that of ws 8, the agreement is
 *   none, or it has compression and there is no `PerMessageDeflate`. `INVALID_IO`: the io is not a
 *   stream of Node, or there is no `readBuf`.
 */
export function adopt<WS>(
  parts: Parts<unknown>,
  agreement: WebSocketAgreement,
  options: AdoptOptions<WS>,
): WS {
  try {
    checkOptions(options, OPTIONS);
    const Adoptable = adoptableOf(options.WebSocket);
    const { role, protocol } = checkedAgreement(agreement);
    const own = new WsOptions(options);
    const socket = new Adoptable(null, undefined, own);
    socket._isServer = role === "server";
    socket._protocol = protocol;
    socket._extensions = extensionsOf(agreement, options, own.maxPayload);
    const io = streamOf(parts);
    socket.setSocket(io, NOTHING, own);
    return socket as WS;
  } catch (error) {
    // An io alone is no parts, but no one else will close it.
    abortIo(parts?.io ?? parts, error);
    throw error;
  }
}

function adoptableOf(given: unknown): AdoptableClass {
  const { prototype } = (typeof given === "function" ? given : {}) as { prototype?: Adoptable };
  if (typeof prototype?.setSocket === "function") return given as AdoptableClass;
  const hint = "pass the WebSocket of ws 8";
  throw invalid(`WebSocket is ${inWords(given)} without ws's setSocket(); ${hint}`);
}

function checkedAgreement(agreement: WebSocketAgreement): WebSocketAgreement {
  const { role, protocol, deflate } = Object(agreement) as { readonly [name: string]: unknown };
  const isRole = role === "client" || role === "server";
  const isDeflate = deflate === undefined || (typeof deflate === "object" && deflate !== null);
  if (isRole && typeof protocol === "string" && isDeflate) return agreement;
  throw invalid(`the agreement is ${inWords(agreement)}, not what websocket() agreed on`);
}

function extensionsOf(
  { role, deflate }: WebSocketAgreement,
  { PerMessageDeflate, deflateOptions }: AdoptOptions<unknown>,
  maxPayload: number,
): Adoptable["_extensions"] {
  if (deflate === undefined) return {};
  if (typeof PerMessageDeflate !== "function") {
    const hint = "pass PerMessageDeflate of ws (8.20 or later), or agree on no compression";
    throw invalid(`both ends agreed on permessage-deflate; ${hint}`);
  }
  const isServer = role === "server";
  const Class = PerMessageDeflate as unknown as DeflateClass;
  const extension = new Class({ ...deflateOptions, isServer, maxPayload }, isServer, maxPayload);
  extension.accept([paramsOf(deflate)]);
  return { [DEFLATE]: extension };
}

// In the form in which ws reads them from a header.
function paramsOf(deflate: DeflateAgreement): { [name: string]: readonly unknown[] } {
  return {
    ...(deflate.serverNoContextTakeover && { server_no_context_takeover: [true] }),
    ...(deflate.clientNoContextTakeover && { client_no_context_takeover: [true] }),
    server_max_window_bits: [deflate.serverMaxWindowBits],
    client_max_window_bits: [deflate.clientMaxWindowBits],
  };
}

const NODE_STREAM = ["on", "write", "unshift", "destroy"];
const SOCKET_ONLY = ["setTimeout", "setNoDelay"];

function streamOf(parts: Parts<unknown>): object {
  const stream = rewind(parts) as { readonly [name: string]: unknown };
  if (!NODE_STREAM.every((name) => typeof stream[name] === "function")) {
    throw new LocalProtocolError("INVALID_IO", "ws needs a stream of Node: a socket or a Duplex");
  }
  // Before 8.14, ws calls these on every stream.
  for (const name of SOCKET_ONLY.filter((one) => !(one in stream))) {
    Object.defineProperty(stream, name, { value: () => stream, configurable: true });
  }
  return stream;
}
