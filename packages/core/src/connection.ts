// bytes → parser → events → [connection] → events → serializer → bytes: where the three meet

import { ConnectionError, LocalProtocolError, RemoteProtocolError } from "./errors.ts";
import type {
  Event,
  EventToSend,
  RequestEvent,
  RequestToSend,
  ResponseEvent,
  ResponseToSend,
  Version,
  Wait,
} from "./events.ts";
import { inspect } from "./facts.ts";
import { Headers } from "./headers.ts";
import { Input } from "./input.ts";
import { type LimitOptions, type Limits, resolveLimits } from "./limits.ts";
import { concat, textToLatin1 } from "./octets.ts";
import { BodyReader } from "./parser/body-reader.ts";
import type { Head } from "./parser/head-audit.ts";
import { HeadParser } from "./parser/head-parser.ts";
import { persists } from "./persistence.ts";
import { judgeRequest, judgeResponse } from "./received.ts";
import { peerOf, type Role } from "./role.ts";
import { BodyWriter } from "./serializer/body-writer.ts";
import { type CheckedRequest, checkRequest } from "./serializer/request-head.ts";
import { checkResponse } from "./serializer/response-head.ts";
import type { Sink } from "./serializer/sink.ts";
import { StateMachine } from "./state/machine.ts";
import type { Cause } from "./state/moves.ts";
import type { State } from "./state/states.ts";
import type { Proposal } from "./switching.ts";

/** What both ends must remember of the request while it waits for its response. */
interface Cycle {
  method: string;
  version: Version;
  proposal: Proposal | undefined;
}

const NO_CYCLE: Cycle = { method: "", version: "1.1", proposal: undefined };

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
 * const server = new HttpConnection("server");
 * server.receiveData(bytes);
 * for (let next = server.nextEvent(); typeof next === "object"; next = server.nextEvent()) {
 *   if (next.type === "request") console.log(next.method, next.target);
 * }
 */
export class HttpConnection {
  readonly role: Role;
  readonly limits: Limits;
  readonly #machine = new StateMachine();
  readonly #input = new Input();
  readonly #heads: HeadParser;
  #cycle = NO_CYCLE;
  // Requests sent before the answer to the one in hand: they become cycles in turn.
  #pipelined: CheckedRequest[] = [];
  #reader: BodyReader | undefined;
  #writer: BodyWriter | undefined;
  #ended = false;
  #interims = 0;
  #failure: RemoteProtocolError | ConnectionError | undefined;

  /** @throws {LocalProtocolError} `INVALID_OPTION`. */
  constructor(role: Role, options: LimitOptions = {}) {
    this.role = role;
    this.limits = resolveLimits(options);
    this.#heads = HeadParser.forMessages(role === "server" ? "request" : "response", this.limits);
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
    return this.#machine.proposed ? this.#cycle.proposal : undefined;
  }

  /** The connection may carry another cycle behind this one. */
  get persists(): boolean {
    return this.#machine.persists;
  }

  /** Both messages of the cycle are complete and another may follow. */
  get cycleIsOver(): boolean {
    return this.#machine.cycleIsOver;
  }

  /** HTTP is over on both sides, and what follows belongs to another protocol. */
  get hasSwitched(): boolean {
    return this.#machine.stateOf("client") === "switched-protocol";
  }

  /** Bytes received that are not yet part of an event. */
  get bufferedBytes(): number {
    return this.#input.length + this.#heads.held.length + (this.#reader?.held?.length ?? 0);
  }

  /** Whether anything of the next head has come, empty lines apart. */
  get headHasBegun(): boolean {
    return this.#heads.hasBegun;
  }

  /** The peer has ended its side; there may still be bytes in front of that end. */
  get endReceived(): boolean {
    return this.#ended;
  }

  /** Bytes came from the peer. They are kept, not copied: do not change them. */
  receiveData(bytes: Uint8Array): void {
    this.#input.add(bytes);
  }

  /** The peer has ended its side. */
  receiveEof(): void {
    this.#ended = true;
  }

  /**
   * The next event that follows from what was received. Call it again until it answers with a wait:
   * `"need-data"`, nothing more follows before the next bytes; `"paused"`, bytes may be there, but
   * are not to be read now: the cycle is over ({@link startNextCycle}), or a proposal is open
   * (answer it), or the protocol has switched ({@link takeReadBuf} and leave).
   *
   * @throws {RemoteProtocolError} The peer broke the rules. Its state is `error` for good; ours is
   *   not, so a server can still answer with the error's `status`.
   * @throws {ConnectionError} `INCOMPLETE_MESSAGE`: the peer ended in the middle of a message.
   */
  nextEvent(): Event | Wait {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#read();
    } catch (error) {
      if (error instanceof RemoteProtocolError || error instanceof ConnectionError) {
        this.#failure = error;
        this.#machine.fail(peerOf(this.role));
      }
      throw error;
    }
  }

  #read(): Event | Wait {
    switch (this.theirState) {
      case "idle":
        return this.role === "server" ? this.#readHead() : this.#readIdle();
      case "send-response":
        return this.#readHead();
      case "send-body":
        return this.#readBody();
      case "might-switch-protocol":
      case "switched-protocol":
        return "paused";
      case "done":
        if (this.#input.length > 0) return this.#unasked("paused");
        return this.#ended ? this.#closed() : "need-data";
      default:
        // Behind its last message a peer has nothing to say: what it says is not HTTP's to read.
        if (this.#ended && this.#input.length === 0 && this.theirState === "must-close")
          return this.#closed();
        return this.#input.length > 0 ? "paused" : "need-data";
    }
  }

  // RFC 9112 §9.2, L20: a response that no request asked for must never answer the next one.
  #readIdle(): Event | Wait {
    if (this.#input.length > 0) return this.#unasked("need-data");
    return this.#ended ? this.#closed() : "need-data";
  }

  #unasked(wait: Wait): Wait {
    if (this.role === "server" || this.#pipelined.length > 0) return wait;
    throw new RemoteProtocolError("UNEXPECTED_DATA", "", { offset: this.#input.offset });
  }

  #closed(): Event {
    this.#machine.move(peerOf(this.role), "connection-closed");
    return { type: "connection-closed" };
  }

  #readHead(): Event | Wait {
    const start = this.#input.offset - this.#heads.held.length;
    const head = this.#input.length === 0 ? undefined : this.#parseHead(start);
    if (head !== undefined) return this.#accept(head, start);
    if (this.#input.length > 0) return this.#readHead();
    if (!this.#ended) return "need-data";
    if (this.role === "server" && !this.#heads.hasBegun) return this.#closed();
    throw new ConnectionError("INCOMPLETE_MESSAGE", "in the head", { phase: "head" });
  }

  #parseHead(start: number): Head | undefined {
    try {
      const head = this.#heads.read(this.#input.chunk, this.#input.at);
      this.#input.advance(this.#heads.consumed);
      return head;
    } catch (error) {
      throw located(error, start, "head");
    }
  }

  #accept(head: Head, start: number): Event {
    try {
      return this.role === "server" ? this.#acceptRequest(head) : this.#acceptResponse(head);
    } catch (error) {
      throw located(error, start, "head");
    }
  }

  #acceptRequest(head: Head): RequestEvent {
    const event = judgeRequest(head);
    this.#cycle = { method: head.method, version: head.version, proposal: event.proposal };
    this.#reader = new BodyReader(event.framing, this.limits);
    this.#begin("client", event.proposal, persists(head.version, inspect(head.headers)));
    return event;
  }

  #acceptResponse(head: Head): ResponseEvent {
    const { event, answer } = judgeResponse(head, this.#cycle);
    if (event.type === "informational-response") {
      if (++this.#interims > this.limits.maxInterimResponses) {
        throw new RemoteProtocolError("TOO_MANY_INTERIM_RESPONSES");
      }
      this.#machine.move("server", "informational-response");
      return event;
    }
    if (answer === "accepted") {
      this.#machine.move("server", "switch-accepted");
      return event;
    }
    this.#reader = new BodyReader(event.framing, this.limits);
    this.#machine.move("server", "response");
    const lives = persists(head.version, inspect(head.headers));
    if (!lives || this.#reader.endsWithConnection) this.#machine.endPersistence();
    return event;
  }

  #readBody(): Event | Wait {
    const reader = this.#reader!;
    while (reader.trailers === undefined && this.#input.length > 0) {
      const start = this.#input.offset;
      let data: Uint8Array | undefined;
      try {
        data = reader.read(this.#input.chunk, this.#input.at);
      } catch (error) {
        throw located(error, start, "body");
      }
      this.#input.advance(reader.consumed);
      if (data !== undefined) return { type: "data", bytes: data };
    }
    const closedByEnd = this.#ended && this.#input.length === 0 && reader.endsWithConnection;
    if (reader.trailers !== undefined || closedByEnd) return this.#endMessage(reader);
    if (!this.#ended) return "need-data";
    throw new ConnectionError("INCOMPLETE_MESSAGE", "in the body", { phase: "body" });
  }

  #endMessage(reader: BodyReader): Event {
    this.#reader = undefined;
    this.#machine.move(peerOf(this.role), "end-of-message");
    return { type: "end-of-message", trailers: reader.trailers ?? NO_TRAILERS };
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
        this.#writer!.write(sink, event.bytes);
        break;
      case "end-of-message":
        this.#demand("end-of-message");
        this.#writer!.end(sink, event.trailers);
        this.#machine.move(this.role, "end-of-message");
        break;
      case "connection-closed":
        this.#demand("connection-closed");
        this.#machine.move(this.role, "connection-closed");
        break;
    }
  }

  #sendRequest(sink: Sink, event: RequestToSend): void {
    const request = checkRequest(event, !this.#machine.persists);
    this.#demand("request");
    this.#startRequest(request);
    sink.text(request.text);
  }

  #startRequest(request: CheckedRequest): void {
    this.#cycle = { method: request.method, version: request.version, proposal: request.proposal };
    this.#writer = new BodyWriter(request.framing);
    this.#begin("client", request.proposal, persists(request.version, request.facts));
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
    const open = this.ourState === "done" && this.#machine.persists && !this.#ended;
    if (!plain || !open || this.#cycle.proposal !== undefined) {
      throw new LocalProtocolError("WRONG_MOMENT", `pipelining ${request.method}`);
    }
    this.#pipelined.push(request);
    sink.text(request.text);
  }

  #sendResponse(sink: Sink, event: ResponseToSend): void {
    const { version, method } = this.#cycle;
    const request = { method, version, proposal: this.proposal, persists: this.#machine.persists };
    const response = checkResponse(event, request);
    const { answer } = response;
    const cause = answer === "accepted" ? "switch-accepted" : event.type;
    this.#demand(cause);
    this.#machine.move("server", cause);
    if (cause === "response") {
      this.#writer = new BodyWriter(response.framing);
      const lives =
        persists(version, response.facts) || (version === "1.0" && !response.facts.close);
      if (!lives || response.framing.kind === "until-close") this.#machine.endPersistence();
    }
    sink.text(response.text);
  }

  #begin(role: Role, proposal: Proposal | undefined, lives: boolean): void {
    this.#machine.move(role, "request");
    if (proposal !== undefined) this.#machine.propose();
    if (!lives) this.#machine.endPersistence();
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
    this.#machine.startNextCycle();
    this.#cycle = NO_CYCLE;
    this.#writer = undefined;
    this.#interims = 0;
    const next = this.#pipelined.shift();
    if (next === undefined) return;
    this.#startRequest(next);
    this.#machine.move("client", "end-of-message");
  }

  /**
   * Takes every byte that was received and is not HTTP's, in memory of its own: at a switch, or
   * at the end. Of a head or a trailer section that is not complete, the bytes are in it too.
   */
  takeReadBuf(): Uint8Array {
    const held = this.#reader?.held ?? this.#heads.held;
    const rest = this.#input.takeAll();
    return held.length === 0 ? rest : concat([held, rest]);
  }

  #demand(cause: Cause): void {
    if (this.#machine.allows(this.role, cause)) return;
    throw new LocalProtocolError("WRONG_MOMENT", `${cause} while ${this.role}=${this.ourState}`);
  }
}

const NO_TRAILERS = Headers.from([]);

// A parser counts from the start of what it read; the connection knows where that was.
function located(error: unknown, start: number, phase: string): unknown {
  if (!(error instanceof RemoteProtocolError)) return error;
  error.offset = start + (error.offset ?? 0);
  return error.annotate({ phase });
}
