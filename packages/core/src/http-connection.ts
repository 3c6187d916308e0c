// bytes → parser → events → [connection] → events → serializer → bytes

import { LocalProtocolError } from "./base/errors.ts";
import { INSPECT, type Inspect, shown } from "./base/inspect.ts";
import { type LimitOptions, type Limits, resolveLimits } from "./base/limits.ts";
import { concat, textToLatin1 } from "./base/octets.ts";
import { checkRole, peerOf, type Role } from "./base/role.ts";
import { Cycle } from "./cycle.ts";
import type {
  Event,
  EventToSend,
  RequestEvent,
  RequestToSend,
  ResponseEvent,
  ResponseToSend,
  Wait,
} from "./message/events.ts";
import type { HeadersInit } from "./message/headers.ts";
import type { Switched } from "./message/switched.ts";
import type { Proposal } from "./message/switching.ts";
import { scanner } from "./parser/scanner-module.ts";
import { Receiver } from "./receiver.ts";
import { octetsOf } from "./serializer/body-writer.ts";
import { Prepared } from "./serializer/prepared.ts";
import type { Sink } from "./serializer/sink.ts";
import type { JointState } from "./state/joint-state.ts";
import type { State } from "./state/states.ts";
import { Transmitter } from "./transmitter.ts";

/**
 * One HTTP/1.1 connection without io and without a clock: bytes in, events out; events in, bytes
 * out. The same class serves both roles.
 *
 * It has four kinds of members: *getters*; {@link receiveData} and {@link receiveEof} (input from
 * the network); {@link send} and {@link startNextCycle} (decisions of the application);
 * {@link nextEvent} (the result). The one rule: after each `receive…` and each `startNextCycle`,
 * call `nextEvent` until it returns a wait.
 *
 * @example
 * ```ts
 * const server = new HttpConnection("server");
 * server.receiveData(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"));
 * for (let next = server.nextEvent(); typeof next === "object"; next = server.nextEvent()) {
 *   if (next.type === "request") console.log(next.method, next.target);
 * }
 * ```
 */
export class HttpConnection {
  readonly role: Role;
  readonly #peer: Role;
  readonly limits: Limits;
  readonly #cycle = new Cycle();
  readonly #receiver: Receiver;
  readonly #transmitter: Transmitter;

  /** @throws {LocalProtocolError} `INVALID_OPTION`; `NO_WEBASSEMBLY`: heads cannot be read. */
  constructor(role: Role, options?: LimitOptions);
  /** @internal With limits that are already checked. */
  constructor(role: Role, options: undefined, limits: Limits);
  constructor(role: Role, options: LimitOptions = {}, limits?: Limits) {
    this.role = checkRole(role);
    this.#peer = peerOf(role);
    this.limits = limits ?? resolveLimits(options, role);
    // If this fails, fail now and not on the first head.
    scanner.prepare();
    this.#receiver = new Receiver(role, this.limits, this.#cycle);
    this.#transmitter = new Transmitter(role, this.#cycle);
  }

  /** The state of our role. */
  get ourState(): State {
    return this.#cycle.now[this.role];
  }

  /** The state of the peer's role. */
  get theirState(): State {
    return this.#cycle.now[this.#peer];
  }

  /** The states of both roles, named as in h11. */
  get states(): { readonly client: State; readonly server: State } {
    const { client, server } = this.#cycle.now;
    return { client, server };
  }

  /** What the current request offers to switch to. */
  get proposal(): Proposal | undefined {
    return this.#cycle.now.proposed ? this.#cycle.request.proposal : undefined;
  }

  /** Whether the connection may carry another cycle after this one. */
  get persists(): boolean {
    return this.#cycle.now.persists;
  }

  /** Whether both messages of the cycle are complete and another cycle may follow. */
  get cycleIsOver(): boolean {
    return this.#cycle.now.cycleIsOver;
  }

  /** Whether another request may be sent before the current one is answered. */
  get mayPipeline(): boolean {
    return this.#transmitter.mayPipeline && !this.#receiver.ended;
  }

  /** @internal The states of both roles, and what follows from them. */
  get now(): JointState {
    return this.#cycle.now;
  }

  /** Whether both sides have switched: what follows belongs to another protocol. */
  get hasSwitched(): boolean {
    return this.#cycle.now.hasSwitched;
  }

  /** What the connection switches to, once both heads are known. */
  get switched(): Switched | undefined {
    return this.#cycle.switched;
  }

  /** Whether the client holds its body back until it receives a 100 (RFC 9110 §10.1.1). */
  get bodyIsWithheld(): boolean {
    return this.#cycle.bodyWithheld;
  }

  /** Expects the body without sending a 100: from now on the peer has to send it. */
  awaitBody(): void {
    this.#cycle.bodyWithheld = false;
  }

  /** Bytes received that are not yet part of an event. */
  get bufferedBytes(): number {
    return this.#receiver.bufferedBytes;
  }

  /** Whether any of the next head was received, apart from empty lines. */
  get headHasBegun(): boolean {
    return this.#receiver.headHasBegun;
  }

  /** The part of its body the peer has to send now: none while it waits for our 100. */
  get bodyOwed(): "content" | "trailers" | undefined {
    return this.#receiver.bodyOwed;
  }

  /** Whether the peer has ended its side; bytes received before may still be unread. */
  get endReceived(): boolean {
    return this.#receiver.ended;
  }

  /** Takes bytes from the peer. They are kept, not copied: do not change them. */
  receiveData(bytes: Uint8Array): void {
    this.#receiver.add(bytes);
  }

  /** Notes that the peer has ended its side. */
  receiveEof(): void {
    this.#receiver.ended = true;
  }

  /**
   * The next event from what was received. Call it until it returns a wait: `"need-data"`, there is
   * no event until more bytes are received; `"paused"`, there may be bytes, but they must not be
   * read now: the cycle is over (call {@link startNextCycle}), or a proposal is open (answer it), or
   * the protocol has switched (call {@link takeReadBuf} and stop).
   *
   * @throws {RemoteProtocolError} The peer broke the rules. Its state stays `error`; ours does not
   *   change, so a server can still answer with the error's `status`.
   * @throws {ConnectionError} `INCOMPLETE_MESSAGE`: the peer ended its side in the middle of a
   *   message, or before its response.
   */
  nextEvent(): Event | Wait {
    return this.#receiver.next();
  }

  /**
   * Checks a head, with any trailers that are already known, and makes it into text, without sending
   * it: send what this returns. A response is checked against the current request; it may also be
   * sent to a later one of the same version whose method has the same rules (HEAD, CONNECT, or any
   * other).
   *
   * @throws {LocalProtocolError} As {@link send} would, except for `WRONG_MOMENT`.
   */
  prepare(event: RequestToSend, trailers?: HeadersInit): Prepared<RequestEvent>;
  prepare(event: ResponseToSend, trailers?: HeadersInit): Prepared<ResponseEvent>;
  prepare(event: RequestToSend | ResponseToSend, trailers?: HeadersInit): Prepared;
  prepare(event: RequestToSend | ResponseToSend, trailers?: HeadersInit): Prepared {
    const prepared = this.#transmitter.prepare(event);
    return trailers === undefined ? prepared : prepared.withTrailers(trailers);
  }

  /**
   * Sends an event, or a head that was prepared: returns its bytes, in memory of their own.
   *
   * @throws {LocalProtocolError} It must not be sent: `WRONG_MOMENT`, or an error of the serializer.
   *   Nothing was sent, and the caller may send something else.
   */
  send(event: EventToSend | Prepared): Uint8Array {
    const pieces: Uint8Array[] = [];
    this.sendTo(
      {
        text: (octets) => pieces.push(textToLatin1(octets)),
        bytes: (octets) => pieces.push(octets),
      },
      event,
    );
    return concat(pieces);
  }

  /** Like {@link send}, but writes to a sink: text as text, data uncopied. */
  sendTo(sink: Sink, event: EventToSend | Prepared): void {
    this.#transmitter.send(sink, event);
  }

  /**
   * Sends a whole message in one step: its head, its body and its end.
   *
   * @throws {LocalProtocolError} As {@link send}, and if the body contradicts its head;
   *   `WRONG_MOMENT` for an interim response, and for one that switches. Nothing was sent.
   */
  sendWholeTo(
    sink: Sink,
    head: RequestToSend | ResponseToSend | Prepared,
    body: Uint8Array | string | undefined,
  ): void {
    const octets = octetsOf(body ?? "");
    this.sendPreparedTo(sink, head instanceof Prepared ? head : this.prepare(head), octets);
  }

  /** @internal Like {@link sendWholeTo}, with a body of which the octets were checked. */
  sendPreparedTo(sink: Sink, head: Prepared, octets: Uint8Array | string): void {
    this.#transmitter.sendWhole(sink, head, octets);
  }

  /**
   * Sends a request before the response to the current one is complete. It must have no body and no
   * proposal; nor may the current request have a proposal.
   *
   * @throws {LocalProtocolError} `WRONG_MOMENT`, or an error of the serializer.
   */
  pipelineTo(sink: Sink, event: RequestToSend | Prepared<RequestEvent>): void {
    const request = event instanceof Prepared ? event : this.prepare(event);
    const { framing, proposal, method } = request.head;
    if (framing.kind !== "none" || proposal !== undefined || !this.mayPipeline) {
      throw new LocalProtocolError("WRONG_MOMENT", `pipelining ${method}`);
    }
    this.#transmitter.pipeline(sink, request);
  }

  /** Makes this cycle the last: the next head we send has `Connection: close`. */
  endPersistence(): void {
    this.#cycle.endPersistence();
  }

  /**
   * Starts the next cycle on a connection that persists.
   *
   * @throws {LocalProtocolError} `WRONG_MOMENT`: a message is incomplete, or this cycle is the last.
   */
  startNextCycle(): void {
    if (!this.#cycle.now.cycleIsOver) {
      const { client, server } = this.states;
      throw new LocalProtocolError(
        "WRONG_MOMENT",
        `next cycle while client=${client} server=${server}`,
      );
    }
    this.#cycle.startNextCycle();
    this.#transmitter.startNextCycle();
  }

  /**
   * Takes all bytes that were received but not read as HTTP, in memory of their own: at a switch, or
   * at the end. They include those of an incomplete head or trailer section.
   */
  takeReadBuf(): Uint8Array {
    return this.#receiver.takeAll();
  }

  /** @internal */
  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    const { role, states, persists, proposal, bufferedBytes } = this;
    const facts = { role, ...states, persists, proposal, bufferedBytes };
    return shown("HttpConnection", facts, depth, options, inspect);
  }
}
