// bytes → parser → events → [connection] → events → serializer → bytes

import { LocalProtocolError } from "./base/errors.ts";
import { INSPECT, type Inspect, shown } from "./base/inspect.ts";
import { type LimitOptions, type Limits, resolveLimits } from "./base/limits.ts";
import { concat, textToLatin1 } from "./base/octets.ts";
import { checkRole, peerOf, type Role } from "./base/role.ts";
import { Cycle } from "./cycle.ts";
import type { Event, EventToSend, RequestToSend, ResponseToSend, Wait } from "./message/events.ts";
import { type Framing, NO_BODY } from "./message/framing.ts";
import { Headers, type HeadersInit } from "./message/headers.ts";
import { persists } from "./message/persistence.ts";
import type { Proposal } from "./message/switching.ts";
import { scanner } from "./parser/scanner-module.ts";
import { Receiver } from "./receiver.ts";
import { BodyWriter, checkTrailers, checkWhole, octetsOf, put } from "./serializer/body-writer.ts";
import { type CheckedRequest, checkRequest } from "./serializer/request-head.ts";
import { type CheckedResponse, checkResponse } from "./serializer/response-head.ts";
import type { Sink } from "./serializer/sink.ts";
import type { Stage } from "./state/joint-state.ts";
import type { Cause } from "./state/moves.ts";
import type { State } from "./state/states.ts";

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
  readonly limits: Limits;
  readonly #cycle = new Cycle();
  readonly #machine = this.#cycle.machine;
  readonly #receiver: Receiver;
  // The framing of the message we send, and the writer of its body if that is sent in pieces.
  #framing: Framing = NO_BODY;
  #writer: BodyWriter | undefined;
  // Requests sent before the current one was answered: each becomes a cycle in turn.
  #pipelined: CheckedRequest[] | undefined;

  /** @throws {LocalProtocolError} `INVALID_OPTION`; `NO_WEBASSEMBLY`: heads cannot be read. */
  constructor(role: Role, options: LimitOptions = {}) {
    this.role = checkRole(role);
    this.limits = resolveLimits(options, role);
    // If this fails, fail now and not on the first head.
    scanner.prepare();
    this.#receiver = new Receiver(role, this.limits, this.#cycle);
  }

  /** The state of our role. */
  get ourState(): State {
    return this.#machine.now[this.role];
  }

  /** The state of the peer's role. */
  get theirState(): State {
    return this.#machine.now[peerOf(this.role)];
  }

  /** The states of both roles, named as in h11. */
  get states(): { readonly client: State; readonly server: State } {
    const { client, server } = this.#machine.now;
    return { client, server };
  }

  /** What the current request offers to switch to. */
  get proposal(): Proposal | undefined {
    return this.#machine.now.proposed ? this.#cycle.request.proposal : undefined;
  }

  /** Whether the connection may carry another cycle after this one. */
  get persists(): boolean {
    return this.#machine.now.persists;
  }

  /** Whether both messages of the cycle are complete and another cycle may follow. */
  get cycleIsOver(): boolean {
    return this.#machine.now.cycleIsOver;
  }

  /** Whether another request may be sent before the current one is answered. */
  get mayPipeline(): boolean {
    const { ourState } = this;
    if (ourState !== "done" || !this.#machine.now.persists || this.#receiver.ended) return false;
    // RFC 9112 §9.6: no request follows one with the option close.
    const last = this.#pipelined?.at(-1);
    if (last !== undefined && !persists(last.version, last.facts)) return false;
    return this.#cycle.request.proposal === undefined;
  }

  /** @internal What is left to do. */
  get stage(): Stage {
    return this.#machine.now.stage[this.role];
  }

  /** Whether both sides have switched: what follows belongs to another protocol. */
  get hasSwitched(): boolean {
    return this.#machine.now.hasSwitched;
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
   * Sends an event: returns its bytes, in memory of their own.
   *
   * @throws {LocalProtocolError} It must not be sent: `WRONG_MOMENT`, or an error of the serializer.
   *   Nothing was sent, and the caller may send something else.
   */
  send(event: EventToSend): Uint8Array {
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
  sendTo(sink: Sink, event: EventToSend): void {
    switch (event.type) {
      case "request":
        this.#sendRequest(sink, event);
        break;
      case "response":
      case "interim-response":
        this.#sendResponse(sink, event);
        break;
      case "data":
        this.#demand("data");
        this.#bodyWriter.write(sink, event.bytes);
        this.#noteBody(event.bytes.length);
        break;
      case "end-of-message":
        this.#demand("end-of-message");
        this.#bodyWriter.end(sink, event.trailers);
        this.#machine.move(this.role, "end-of-message");
        break;
      case "connection-closed":
        this.#demand("connection-closed");
        this.#machine.move(this.role, "connection-closed");
        break;
    }
  }

  /**
   * Sends a whole message in one step: its head, its body and its end.
   *
   * @throws {LocalProtocolError} As {@link send}, and if the body contradicts its head;
   *   `WRONG_MOMENT` for an interim response, and for one that switches. Nothing was sent.
   */
  sendWholeTo(
    sink: Sink,
    head: RequestToSend | ResponseToSend,
    body: Uint8Array | string | undefined,
  ): void {
    const octets = octetsOf(body ?? "");
    if (head.type === "request") this.#sendRequest(sink, head, octets.length);
    else this.#sendResponse(sink, head, octets.length);
    if (this.#framing.kind === "chunked") {
      this.#bodyWriter.write(sink, octets);
      this.#bodyWriter.end(sink, undefined);
    } else {
      put(sink, octets);
    }
    this.#noteBody(octets.length);
    this.#machine.move(this.role, "end-of-message");
  }

  // A client that sends any of its body no longer holds it back.
  #noteBody(length: number): void {
    if (this.role === "client" && length > 0) this.#cycle.bodyWithheld = false;
  }

  get #bodyWriter(): BodyWriter {
    this.#writer ??= new BodyWriter(this.#framing);
    return this.#writer;
  }

  #frame(framing: Framing): void {
    this.#framing = framing;
    this.#writer = undefined;
  }

  // `whole`: the length of the body, if all of it is known.
  #sendRequest(sink: Sink, event: RequestToSend, whole?: number): void {
    const request = checkRequest(event, !this.#machine.now.persists);
    this.#demand("request");
    if (whole !== undefined) checkWhole(request.framing, whole);
    this.#startRequest(request);
    sink.text(request.text);
  }

  #startRequest(request: CheckedRequest): void {
    this.#frame(request.framing);
    this.#cycle.begin(request, persists(request.version, request.facts));
  }

  /**
   * Sends a request before the response to the current one is complete. It must have no body and no
   * proposal; nor may the current request have a proposal.
   *
   * @throws {LocalProtocolError} `WRONG_MOMENT`, or an error of the serializer.
   */
  pipelineTo(sink: Sink, event: RequestToSend): void {
    const request = checkRequest(event, false);
    const plain = request.framing.kind === "none" && request.proposal === undefined;
    if (!plain || !this.mayPipeline) {
      throw new LocalProtocolError("WRONG_MOMENT", `pipelining ${request.method}`);
    }
    this.#pipelined ??= [];
    this.#pipelined.push(request);
    this.#receiver.pipelined = this.#pipelined.length;
    sink.text(request.text);
  }

  /**
   * Checks a head, and any trailers that are already known, without sending them. A response is
   * checked against the current request.
   *
   * @throws {LocalProtocolError} As {@link send} would, except for `WRONG_MOMENT`.
   */
  check(event: RequestToSend | ResponseToSend, trailers?: HeadersInit): void {
    const { framing } =
      event.type === "request" ? checkRequest(event, false) : this.#checked(event);
    checkTrailers(framing, Headers.from(trailers));
  }

  #checked(event: ResponseToSend): CheckedResponse {
    const { version, method } = this.#cycle.request;
    // A server that answers before a request ends the connection.
    const mayPersist = this.#machine.now.persists && this.ourState !== "idle";
    return checkResponse(event, { method, version, proposal: this.proposal, persists: mayPersist });
  }

  #sendResponse(sink: Sink, event: ResponseToSend, whole?: number): void {
    const response = this.#checked(event);
    const cause = response.answer === "accepted" ? "switch-accepted" : event.type;
    this.#demand(cause);
    if (whole !== undefined) {
      if (cause !== "response") throw new LocalProtocolError("WRONG_MOMENT", `whole ${cause}`);
      checkWhole(response.framing, whole);
    }
    // RFC 9110 §7.8: a client that expects a 100 gets it before the 101.
    if (cause === "switch-accepted" && this.#cycle.bodyWithheld) {
      throw new LocalProtocolError("WRONG_MOMENT", "101 before 100");
    }
    if (response.status === 100) this.#cycle.bodyWithheld = false;
    this.#machine.move("server", cause);
    if (cause === "response") {
      this.#frame(response.framing);
      if (!response.persists) this.#machine.endPersistence();
    }
    sink.text(response.text);
  }

  /** Makes this cycle the last: the next head we send has `Connection: close`. */
  endPersistence(): void {
    this.#machine.endPersistence();
  }

  /**
   * Starts the next cycle on a connection that persists.
   *
   * @throws {LocalProtocolError} `WRONG_MOMENT`: a message is incomplete, or this cycle is the last.
   */
  startNextCycle(): void {
    if (!this.#machine.now.cycleIsOver) {
      const { client, server } = this.states;
      throw new LocalProtocolError(
        "WRONG_MOMENT",
        `next cycle while client=${client} server=${server}`,
      );
    }
    this.#cycle.startNext();
    this.#receiver.startNextCycle();
    const next = this.#pipelined?.shift();
    if (next === undefined) return;
    this.#receiver.pipelined = this.#pipelined!.length;
    this.#startRequest(next);
    this.#machine.move("client", "end-of-message");
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

  #demand(cause: Cause): void {
    if (this.#machine.allows(this.role, cause)) return;
    throw new LocalProtocolError("WRONG_MOMENT", `${cause} while ${this.role}=${this.ourState}`);
  }
}
