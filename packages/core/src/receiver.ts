// bytes → parser → [receiver] → events: the reading half of a connection

import { ConnectionError, RemoteProtocolError } from "./base/errors.ts";
import type { Limits } from "./base/limits.ts";
import { concat, latin1ToText } from "./base/octets.ts";
import { peerOf, type Role } from "./base/role.ts";
import type { Cycle } from "./cycle.ts";
import type { Event, RequestEvent, ResponseEvent, Wait } from "./message/events.ts";
import { Headers } from "./message/headers.ts";
import { persists } from "./message/persistence.ts";
import { BodyReader } from "./parser/body-reader.ts";
import { foreignOf, OPENING_LENGTH } from "./parser/foreign.ts";
import type { HeadOf, MessageKind, RequestHead, ResponseHead } from "./parser/head.ts";
import { HeadParser } from "./parser/head-parser.ts";
import { Input } from "./parser/input.ts";
import { validateRequest, validateResponse } from "./parser/validation.ts";
import type { State } from "./state/states.ts";

type Read = "request" | "head" | "body" | "late" | "unsolicited" | "nothing" | "paused";

// What is read of a peer in each state: of a client, if we are the server, and the reverse. After a
// failure nothing is: it is thrown again.
const READS: { readonly [R in Role]: { readonly [S in State]: Read } } = {
  server: {
    idle: "request",
    "send-body": "body",
    done: "late",
    "must-close": "late",
    // What was received is the next protocol's, or may be.
    "might-switch-protocol": "paused",
    "switched-protocol": "paused",
    closed: "nothing",
    error: "paused",
    // Not a state of clients.
    "send-response": "paused",
  },
  client: {
    idle: "unsolicited",
    "send-response": "head",
    "send-body": "body",
    done: "unsolicited",
    "must-close": "late",
    "switched-protocol": "paused",
    closed: "nothing",
    error: "paused",
    // Not a state of servers.
    "might-switch-protocol": "paused",
  },
};

/** Reads what the peer sends, as far as the states of both roles allow. */
export class Receiver {
  readonly #role: Role;
  readonly #peer: Role;
  readonly #reads: { readonly [S in State]: Read };
  readonly #limits: Limits;
  readonly #cycle: Cycle;
  readonly #input = new Input();
  readonly #heads: HeadParser<MessageKind>;
  #reader: BodyReader | undefined;
  #failure: RemoteProtocolError | ConnectionError | undefined;

  /** Whether the peer has ended its side. */
  ended = false;

  constructor(role: Role, limits: Limits, cycle: Cycle) {
    this.#role = role;
    this.#peer = peerOf(role);
    this.#reads = READS[role];
    this.#limits = limits;
    this.#cycle = cycle;
    this.#heads = new HeadParser(role === "server" ? "request" : "response", limits);
  }

  add(bytes: Uint8Array): void {
    this.#input.add(bytes);
  }

  /** Bytes received that are not yet part of an event. */
  get bufferedBytes(): number {
    return this.#input.length + this.#heads.heldLength + (this.#reader?.held?.length ?? 0);
  }

  get headHasBegun(): boolean {
    return this.#heads.hasBegun;
  }

  get bodyOwed(): "content" | "trailers" | undefined {
    if (this.#cycle.now[this.#peer] !== "send-body") return undefined;
    // RFC 9110 §10.1.1: a client that sent Expect: 100-continue waits for the server.
    if (this.#role === "server" && this.#cycle.bodyWithheld) return undefined;
    return this.#reader!.trailersAwaited ? "trailers" : "content";
  }

  /** All bytes not read as HTTP, including those of an incomplete head or trailer section. */
  takeAll(): Uint8Array {
    const held = this.#reader?.takeHeld() ?? this.#heads.takeHeld();
    const rest = this.#input.takeAll();
    return held.length === 0 ? rest : concat([held, rest]);
  }

  /** The next event, or why there is none. After a failure every call throws the same error. */
  next(): Event | Wait {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#read(this.#cycle.now[this.#peer]);
    } catch (error) {
      if (error instanceof RemoteProtocolError || error instanceof ConnectionError) {
        this.#failure = error;
        this.#cycle.fail(this.#peer);
      }
      throw error;
    }
  }

  #read(theirs: State): Event | Wait {
    switch (this.#reads[theirs]) {
      case "request":
        return this.#readRequest();
      case "head":
        return this.#readHead();
      case "body":
        return this.#readBody();
      case "late":
        return this.#readLate();
      case "unsolicited":
        return this.#readUnsolicited();
      case "nothing":
        return this.#readNothing();
      case "paused":
        return "paused";
    }
  }

  #readNothing(): Wait {
    return this.#input.length > 0 ? "paused" : "need-data";
  }

  // After its last message a peer sends no more HTTP, so this does not read it.
  #readLate(): Event | Wait {
    if (this.#input.length > 0) return "paused";
    return this.ended ? this.#closed() : "need-data";
  }

  #readRequest(): Event | Wait {
    // Answered before the request (a 408): a request received now would get no answer.
    return this.#cycle.now.server === "idle" ? this.#readHead() : this.#readLate();
  }

  #readUnsolicited(): Event | Wait {
    if (this.#input.length > 0) return this.#unsolicited();
    return this.ended ? this.#closed() : "need-data";
  }

  // RFC 9112 §9.2, L20: an unsolicited response must never answer the next request.
  #unsolicited(): Wait {
    // The responses to pipelined requests are read in their own cycles.
    if (this.#cycle.hasPipelined) return "paused";
    const { chunk, at, offset } = this.#input;
    const foreign = foreignOf(
      "response",
      latin1ToText(chunk, at, Math.min(at + OPENING_LENGTH, chunk.length)),
    );
    const detail = typeof foreign === "object" ? foreign.says : "";
    throw new RemoteProtocolError("UNEXPECTED_DATA", detail, { offset });
  }

  #closed(): Event {
    this.#cycle.move(this.#peer, "connection-closed");
    return { type: "connection-closed" };
  }

  #readHead(): Event | Wait {
    if (this.#input.length > 0) {
      const start = this.#input.offset - this.#heads.heldLength;
      do {
        const head = this.#parseHead(start);
        if (head !== undefined) return this.#accept(head, start);
      } while (this.#input.length > 0);
    }
    if (!this.ended) return "need-data";
    // A client may leave between messages; an end within a head, or before a response, is an error.
    if (this.#role === "server" && !this.#heads.hasBegun) return this.#closed();
    throw incomplete(this.#progress(), "head");
  }

  #progress(): string {
    if (this.#heads.heldLength > 0) return "in the middle of a head";
    return this.#cycle.interims > 0 ? "after only interim responses" : "without sending a response";
  }

  #parseHead(start: number): HeadOf<MessageKind> | undefined {
    try {
      const mayOpenTunnel = this.#role === "client" && this.#cycle.request.method === "CONNECT";
      const head = this.#heads.read(this.#input.chunk, this.#input.at, mayOpenTunnel);
      this.#input.advance(this.#heads.consumed);
      return head;
    } catch (error) {
      throw located(error, start, "head");
    }
  }

  #accept(head: HeadOf<MessageKind>, start: number): Event {
    try {
      return head.kind === "request" ? this.#acceptRequest(head) : this.#acceptResponse(head);
    } catch (error) {
      throw located(error, start, "head");
    }
  }

  #acceptRequest(head: RequestHead): RequestEvent {
    const event = validateRequest(head);
    this.#reader = BodyReader.of(event.framing, this.#limits);
    this.#cycle.begin(event, persists(head.version, head.facts));
    return event;
  }

  #acceptResponse(head: ResponseHead): ResponseEvent {
    const cycle = this.#cycle;
    const { event, answer } = validateResponse(head, cycle.request);
    if (event.type === "interim-response") {
      if (++cycle.interims > this.#limits.maxInterimResponses) {
        throw new RemoteProtocolError("TOO_MANY_INTERIM_RESPONSES");
      }
      if (event.status === 100) cycle.bodyWithheld = false;
      cycle.move("server", "interim-response");
      return event;
    }
    if (answer === "accepted") {
      // RFC 9110 §7.8: the 100 comes before the 101; no one switches before a body that is held back.
      if (this.#cycle.bodyWithheld) throw new RemoteProtocolError("UNEXPECTED_SWITCH");
      this.#cycle.acceptSwitch(event);
      return event;
    }
    this.#reader = BodyReader.of(event.framing, this.#limits);
    cycle.move("server", "response");
    const isLast = !persists(head.version, head.facts);
    if (isLast || this.#reader.endsWithConnection) cycle.endPersistence();
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
        // The bytes before the fault were read.
        this.#input.advance(reader.consumed);
        throw located(error, start, "body");
      }
      this.#input.advance(reader.consumed);
      if (data === undefined) continue;
      this.#cycle.bodyWithheld = false;
      return { type: "data", bytes: data };
    }
    const closedByEnd = this.ended && this.#input.length === 0 && reader.endsWithConnection;
    if (reader.trailers !== undefined || closedByEnd) return this.#endMessage(reader);
    if (!this.ended) return "need-data";
    throw incomplete("in the middle of a body", "body");
  }

  #endMessage(reader: BodyReader): Event {
    this.#reader = undefined;
    this.#cycle.move(this.#peer, "end-of-message");
    const { trailers } = reader;
    if (trailers === undefined || trailers.length === 0) return END_OF_MESSAGE;
    return { type: "end-of-message", trailers };
  }
}

const END_OF_MESSAGE: Event = Object.freeze({
  type: "end-of-message",
  trailers: Headers.from([]),
});

function incomplete(when: string, phase: string): ConnectionError {
  return new ConnectionError("INCOMPLETE_MESSAGE", `the peer closed it ${when}`, { phase });
}

// A parser counts from the start of its input; the receiver knows where that was in the stream.
function located(error: unknown, start: number, phase: string): unknown {
  if (!(error instanceof RemoteProtocolError)) return error;
  error.offset = start + (error.offset ?? 0);
  return error.annotate({ phase });
}
