// io + proposal → [upgrade] → switched, or a response: convenience over handshake and parts

import {
  type AgreementOf,
  ConnectionError,
  forget,
  Headers,
  type HeadersInit,
  LocalProtocolError,
  type Proposable,
} from "@upgrade/core";
import {
  ANY,
  abandon,
  type Connection,
  type DriverKinds,
  DURATION,
  handled,
  INSPECT,
  type Inspect,
  type Io,
  type Parts,
  releaseContent,
  type SignalLike,
  shown,
} from "@upgrade/core/io";
import type { ClientSide } from "./client-side.ts";
import type { Exchange } from "./exchange.ts";
import { CLIENT_OPTIONS, type ClientOptions, prepare } from "./handshake.ts";
import { Offers } from "./offers.ts";
import { beforeSending, type ClientRequest, SEND_OPTIONS } from "./request.ts";
import type { ClientResponse, InterimResponse } from "./response.ts";
import { Sender } from "./sender.ts";

/** A request that proposes an Upgrade. */
export interface UpgradeRequest<P extends Proposable = Proposable>
  extends Omit<ClientRequest, "method"> {
  /** Default `"GET"`. */
  readonly method?: string | undefined;
  /**
   * What to propose, in order of preference: a {@link Protocol}, or a token if there is nothing to
   * agree on. Adds the headers of each, `Connection: Upgrade` and `Upgrade`. Omit it if the headers
   * already propose.
   */
  readonly protocol?: P | readonly P[] | undefined;
}

/** The options of {@link upgrade}, and those of its connection. */
export interface UpgradeOptions extends ClientOptions {
  /** Cancels the request, until the switch. */
  readonly signal?: SignalLike | undefined;
  /** Milliseconds to wait for the response's head and the switch. Default 0: no limit. */
  readonly timeoutMs?: number | undefined;
  readonly onInterim?: ((response: InterimResponse) => void) | undefined;
}

/** Options of {@link connect}. */
export interface ConnectOptions extends UpgradeOptions {
  readonly headers?: HeadersInit | undefined;
}

const UPGRADE_OPTIONS: DriverKinds<UpgradeOptions> = {
  ...CLIENT_OPTIONS,
  ...SEND_OPTIONS,
  timeoutMs: DURATION,
};
const CONNECT_OPTIONS: DriverKinds<ConnectOptions> = { ...UPGRADE_OPTIONS, headers: ANY };

/** The proposal was accepted: HTTP is over. */
export interface SwitchAccepted<IO, Agreement = unknown> extends Omit<Parts<IO>, "switched"> {
  readonly switched: true;
  /** What the protocol's `verify` returned; undefined for a token. */
  readonly agreement: Agreement;
  /** The protocol named by the 101; for a tunnel, the authority. */
  readonly protocol: string;
  readonly response: ClientResponse;
  /** The same parts as one object, for `rewind` and `tunnel`. */
  readonly parts: Parts<IO>;
}

/** The proposal was refused: an ordinary response on a connection that may stay open. */
export interface SwitchDeclined<IO> {
  readonly switched: false;
  readonly response: ClientResponse;
  readonly sender: Sender;
  readonly connection: Connection<IO>;
}

/** How the server answered a proposal: `switched` says which of the two it is. */
export type UpgradeResult<IO, Agreement = unknown> =
  | SwitchAccepted<IO, Agreement>
  | SwitchDeclined<IO>;

/**
 * Proposes to switch the io to another protocol.
 *
 * It owns the io from this call on: if it throws, the io is aborted, except for `INVALID_IO`, which
 * leaves it untouched.
 *
 * @throws Like `handshake` and `sendRequest`. `NO_PROPOSAL` for a request that proposes nothing;
 *   nothing is sent. `NOT_SENT` for an io that has already failed. {@link AgreementFailed} if the
 *   protocol's `verify` throws. A refusal is not thrown.
 *
 * @example
 * ```ts
 * const result = await upgrade(net.connect(8080, "127.0.0.1"), {
 *   target: "/chat", protocol: "echo", headers: { Host: "127.0.0.1:8080" },
 * });
 * if (result.switched) result.io.write(result.readBuf);
 * else console.log(result.response.status, await result.response.body.text());
 * ```
 */
export function upgrade<IO extends Io, P extends Proposable = string>(
  io: IO,
  request: UpgradeRequest<P>,
  options: UpgradeOptions = {},
): Promise<UpgradeResult<IO, AgreementOf<P>>> {
  const result = propose(io, () => proposing(request), options, UPGRADE_OPTIONS);
  return handled(result as Promise<UpgradeResult<IO, AgreementOf<P>>>);
}

/**
 * Asks a proxy for a tunnel to `authority` (`host:port`). Adds `Host` unless given. It owns the io,
 * like `upgrade`.
 *
 * @throws Like `handshake` and `sendRequest`. A refusal, including 407, is not thrown.
 */
export function connect<IO extends Io>(
  io: IO,
  authority: string,
  options: ConnectOptions = {},
): Promise<UpgradeResult<IO, undefined>> {
  const makeProposal = () => {
    // Whether options are an object is checked together with the io.
    const given = Headers.from(options?.headers);
    const headers = given.has("host") ? given : [["Host", authority] as const, ...given];
    return {
      request: { method: "CONNECT", target: authority, headers },
      offers: Offers.of(undefined),
    };
  };
  const result = propose(io, makeProposal, options, CONNECT_OPTIONS);
  return handled(result as Promise<UpgradeResult<IO, undefined>>);
}

/** A request, and the protocols that it offers. */
interface Proposing {
  readonly request: ClientRequest;
  readonly offers: Offers;
}

// Not spread: a received request has some of its properties on its prototype.
function proposing(request: UpgradeRequest): Proposing {
  let body: ClientRequest["body"];
  let trailers: ClientRequest["trailers"];
  try {
    // First what must be released.
    ({ body, trailers } = request);
    const { protocol, method = "GET", target, version, headers } = request;
    const offers = Offers.of(protocol);
    const proposed = { method, target, version, headers: offers.addTo(headers), body, trailers };
    return { request: proposed, offers };
  } catch (error) {
    releaseContent(body, trailers);
    throw error;
  }
}

// Releases the content of the request if `make` throws.
function orReleased<T>({ body, trailers }: ClientRequest, make: () => T): T {
  try {
    return make();
  } catch (error) {
    releaseContent(body, trailers);
    throw error;
  }
}

/** A checked proposal and the connection to send it on. */
interface Prepared<IO> {
  readonly side: ClientSide<IO>;
  readonly exchange: Exchange;
  readonly offers: Offers;
}

function prepareProposal<IO extends Io>(
  io: IO,
  makeProposal: () => Proposing,
  options: UpgradeOptions,
  kinds: DriverKinds<UpgradeOptions>,
): Prepared<IO> {
  try {
    const { request, offers } = beforeSending(makeProposal);
    const side = orReleased(request, () => prepare(io, options, kinds));
    const exchange = side.check(request, options);
    exchange.releasing(() => beforeSending(() => assertProposal(exchange)));
    return { side, exchange, offers };
  } catch (error) {
    // The caller no longer owns this io, and there is no connection to close it.
    abandon(io, new ConnectionError("ABORTED", "nothing was proposed", { cause: error }));
    forget();
    throw error;
  }
}

// Without a proposal it would wait for a switch that never comes.
function assertProposal({ proposes }: Exchange): void {
  if (proposes) return;
  const missing = "give a `protocol`, or headers with Connection: Upgrade and Upgrade";
  throw new LocalProtocolError("NO_PROPOSAL", missing);
}

async function propose<IO extends Io>(
  io: IO,
  makeProposal: () => Proposing,
  options: UpgradeOptions,
  kinds: DriverKinds<UpgradeOptions>,
): Promise<UpgradeResult<IO>> {
  const { side, exchange, offers } = prepareProposal(io, makeProposal, options, kinds);
  const { driver, connection } = side;
  driver.start(side);
  driver.deadlines.start("answer", options.timeoutMs ?? 0);
  try {
    const end = connection.pollWithoutShutdown();
    const response = await side.sendChecked(exchange, options);
    const { kind } = await end;
    if (kind !== "switched") {
      return { switched: false, response, sender: new Sender(side), connection };
    }
    const agreement = offers.verify(driver.switched!.protocol, response);
    return new Accepted(agreement, response, connection.intoParts());
  } catch (error) {
    // The caller never sees this connection, so abort it here.
    connection.abort(error);
    throw error;
  } finally {
    driver.deadlines.stop("answer");
  }
}

class Accepted<IO> implements SwitchAccepted<IO> {
  readonly switched = true;
  readonly agreement: unknown;
  readonly io: IO;
  readonly readBuf: Uint8Array;
  readonly readEnded: boolean;
  readonly protocol: string;
  readonly response: ClientResponse;
  readonly parts: Parts<IO>;

  constructor(agreement: unknown, response: ClientResponse, parts: Parts<IO>) {
    this.agreement = agreement;
    this.io = parts.io;
    this.readBuf = parts.readBuf;
    this.readEnded = parts.readEnded;
    this.protocol = parts.switched!.protocol;
    this.response = response;
    this.parts = parts;
  }

  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    const { switched, protocol, agreement, response, parts } = this;
    const facts = { switched, protocol, agreement, response, parts };
    return shown("SwitchAccepted", facts, depth, options, inspect);
  }
}
