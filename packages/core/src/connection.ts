// bytes → parser → events → [connection] → events → serializer → bytes: where the three meet

import { Cycle } from "./cycle.ts";
import { LocalProtocolError } from "./errors.ts";
import type { Event, EventToSend, RequestToSend, ResponseToSend, Wait } from "./events.ts";
import { type Framing, NO_BODY } from "./framing.ts";
import { Headers, type HeadersInit } from "./headers.ts";
import { INSPECT, type Inspect, shown } from "./inspect.ts";
import { type LimitOptions, type Limits, resolveLimits } from "./limits.ts";
import { concat, textToLatin1 } from "./octets.ts";
import { prepareScanner } from "./parser/scanner-module.ts";
import { persists } from "./persistence.ts";
import { Receiver } from "./receiver.ts";
import { checkRole, peerOf, type Role } from "./role.ts";
import { BodyWriter, checkTrailers, checkWhole, octetsOf, put } from "./serializer/body-writer.ts";
import { type CheckedRequest, checkRequest } from "./serializer/request-head.ts";
import { type CheckedResponse, checkResponse } from "./serializer/response-head.ts";
import type { Sink } from "./serializer/sink.ts";
import type { Cause } from "./state/moves.ts";
import type { State } from "./state/states.ts";
import type { Proposal } from "./switching.ts";

/**
 * One HTTP/1.1 connection without io and without a clock: bytes in, events out; events in, bytes
 * out. The same class serves both roles.
 *
 * Four kinds of members: *getters*; {@link receiveData} and {@link receiveEof} (the network gave
 * something); {@link send} and {@link startNextCycle} (the application decided something);
 * {@link nextEvent} (what came of it). The one law: after each `receive…` and each
 * `startNextCycle`, call `nextEvent` until it answers with a wait.
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
  // How the message is framed that our role says, and what writes its body where it comes in pieces.
  #framing: Framing = NO_BODY;
  #writer: BodyWriter | undefined;
  // Requests sent before the answer to the one in hand: they become cycles in turn.
  #pipelined: CheckedRequest[] | undefined;

  /** @throws {LocalProtocolError} `INVALID_OPTION`; `NO_WEBASSEMBLY`: no head could be read. */
  constructor(role: Role, options: LimitOptions = {}) {
    this.role = checkRole(role);
    this.limits = resolveLimits(options, role);
    // It fails now, if it must, and not when the first head has come.
    prepareScanner();
    this.#receiver = new Receiver(role, this.limits, this.#cycle);
  }

  /** Where our role stands. */
  get ourState(): State {
    return this.#machine.stateOf(this.role);
  }

  /** Where the peer's role stands. */
  get theirState(): State {
    return this.#machine.stateOf(peerOf(this.role));
  }

  /** Where both roles stand, in h11's words. */
  get states(): { readonly client: State; readonly server: State } {
    return { client: this.#machine.stateOf("client"), server: this.#machine.stateOf("server") };
  }

  /** What the request in hand offers to switch to. */
  get proposal(): Proposal | undefined {
    return this.#machine.proposed ? this.#cycle.request.proposal : undefined;
  }

  /** The connection may carry another cycle behind this one. */
  get persists(): boolean {
    return this.#machine.persists;
  }

  /** Both messages of the cycle are complete and another may follow. */
  get cycleIsOver(): boolean {
    return this.#machine.cycleIsOver;
  }

  /** Another request may be sent in front of the answer to the one in hand. */
  get mayPipeline(): boolean {
    const { ourState } = this;
    if (ourState !== "done" || !this.#machine.persists || this.#receiver.ended) return false;
    // RFC 9112 §9.6: behind a request that says close no other follows.
    const last = this.#pipelined?.at(-1);
    if (last !== undefined && !persists(last.version, last.facts)) return false;
    return this.#cycle.request.proposal === undefined;
  }

  /** HTTP is over on both sides, and what follows belongs to another protocol. */
  get hasSwitched(): boolean {
    return this.#machine.hasSwitched;
  }

  /** The client holds its body back until it sees a 100 (RFC 9110 §10.1.1). */
  get bodyIsWithheld(): boolean {
    return this.#cycle.bodyWithheld;
  }

  /** No 100 will be sent, and the body is wanted all the same: from now on the peer owes it. */
  awaitBody(): void {
    this.#cycle.bodyWithheld = false;
  }

  /** Bytes received that are not yet part of an event. */
  get bufferedBytes(): number {
    return this.#receiver.bufferedBytes;
  }

  /** Whether anything of the next head has come, empty lines apart. */
  get headHasBegun(): boolean {
    return this.#receiver.headHasBegun;
  }

  /** What of its body the peer owes now: nothing while it waits for our 100. */
  get bodyOwed(): "content" | "trailers" | undefined {
    return this.#receiver.bodyOwed;
  }

  /** The peer has ended its side; there may still be bytes before that end. */
  get endReceived(): boolean {
    return this.#receiver.ended;
  }

  /** Bytes came from the peer. They are kept, not copied: do not change them. */
  receiveData(bytes: Uint8Array): void {
    this.#receiver.add(bytes);
  }

  /** The peer has ended its side. */
  receiveEof(): void {
    this.#receiver.ended = true;
  }

  /**
   * The next event that follows from what was received. Call it again until it answers with a wait:
   * `"need-data"`, nothing more follows before the next bytes; `"paused"`, bytes may be there, but
   * are not to be read now: the cycle is over ({@link startNextCycle}), or a proposal is open
   * (answer it), or the protocol has switched ({@link takeReadBuf} and leave).
   *
   * @throws {RemoteProtocolError} The peer broke the rules. Its state is `error` for good; ours is
   *   not, so a server can still answer with the error's `status`.
   * @throws {ConnectionError} `INCOMPLETE_MESSAGE`: the peer ended in the middle of a message, or owes one.
   */
  nextEvent(): Event | Wait {
    return this.#receiver.next();
  }

  /**
   * Says something to the peer and returns its bytes, in memory of their own.
   *
   * @throws {LocalProtocolError} It may not be said: `WRONG_MOMENT`, or what the serializer found.
   *   Nothing was said then, and something else may be.
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

  /** As {@link send}, into a sink of the caller's: text as text, data uncopied. */
  sendTo(sink: Sink, event: EventToSend): void {
    switch (event.type) {
      case "request":
        this.#sendRequest(sink, event);
        break;
      case "response":
      case "informational-response":
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
   * Says a whole message in one step: its head, its body and its end.
   *
   * @throws {LocalProtocolError} As {@link send}, and what the body breaks of what its head says;
   *   `WRONG_MOMENT` for an interim response, and for one that switches. Nothing was said then.
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

  // A client that says some of its body does not hold it back any more.
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

  // `whole`: how long the body is, where all of it is there.
  #sendRequest(sink: Sink, event: RequestToSend, whole?: number): void {
    const request = checkRequest(event, !this.#machine.persists);
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
   * Sends a request before the answer to the one in hand is complete. It must have no body and
   * propose nothing; neither may the one in hand.
   *
   * @throws {LocalProtocolError} `WRONG_MOMENT`, or what the serializer found.
   */
  pipelineTo(sink: Sink, event: RequestToSend): void {
    const request = checkRequest(event, false);
    const plain = request.framing.kind === "none" && request.proposal === undefined;
    if (!plain || !this.mayPipeline) {
      throw new LocalProtocolError("WRONG_MOMENT", `pipelining ${request.method}`);
    }
    this.#pipelined ??= [];
    this.#pipelined.push(request);
    this.#receiver.awaited = this.#pipelined.length;
    sink.text(request.text);
  }

  /**
   * Checks a head, a response's against the request in hand, and what trailers are known already,
   * and says nothing.
   *
   * @throws {LocalProtocolError} What {@link send} would find in them, the moment apart.
   */
  check(event: RequestToSend | ResponseToSend, trailers?: HeadersInit): void {
    const { framing } =
      event.type === "request" ? checkRequest(event, false) : this.#checked(event);
    checkTrailers(framing, Headers.from(trailers));
  }

  #checked(event: ResponseToSend): CheckedResponse {
    const { version, method } = this.#cycle.request;
    // A server that answers before it was asked ends the conversation.
    const lives = this.#machine.persists && this.ourState !== "idle";
    return checkResponse(event, { method, version, proposal: this.proposal, persists: lives });
  }

  #sendResponse(sink: Sink, event: ResponseToSend, whole?: number): void {
    const response = this.#checked(event);
    const cause = response.answer === "accepted" ? "switch-accepted" : event.type;
    this.#demand(cause);
    if (whole !== undefined) {
      if (cause !== "response") throw new LocalProtocolError("WRONG_MOMENT", `whole ${cause}`);
      checkWhole(response.framing, whole);
    }
    // RFC 9110 §7.8: a client that waits for a 100 gets it before the 101.
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

  /** This cycle is the last: the next head we send says `Connection: close`. */
  endPersistence(): void {
    this.#machine.endPersistence();
  }

  /**
   * Begins the next cycle on a connection that persists.
   *
   * @throws {LocalProtocolError} `WRONG_MOMENT`: a message is not complete, or persistence is off.
   */
  startNextCycle(): void {
    if (!this.#machine.cycleIsOver) {
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
    this.#receiver.awaited = this.#pipelined!.length;
    this.#startRequest(next);
    this.#machine.move("client", "end-of-message");
  }

  /**
   * Takes every byte that was received and is not HTTP's, in memory of its own: at a switch, or
   * at the end. Of a head or a trailer section that is not complete, the bytes are in it too.
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
