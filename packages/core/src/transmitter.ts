// events → [transmitter] → serializer → bytes: the sending half of a connection

import { LocalProtocolError } from "./base/errors.ts";
import type { Role } from "./base/role.ts";
import type { Cycle } from "./cycle.ts";
import type {
  EventToSend,
  RequestEvent,
  RequestToSend,
  ResponseEvent,
  ResponseToSend,
} from "./message/events.ts";
import { type Framing, NO_BODY } from "./message/framing.ts";
import { BodyWriter, checkWhole, put } from "./serializer/body-writer.ts";
import { answers, headText, Prepared, type PreparedParts } from "./serializer/prepared.ts";
import { prepareRequest } from "./serializer/request-head.ts";
import { prepareResponse } from "./serializer/response-head.ts";
import type { Sink } from "./serializer/sink.ts";
import type { JointState } from "./state/joint-state.ts";
import type { Cause } from "./state/moves.ts";

type Parts = PreparedParts<RequestEvent | ResponseEvent>;

/** Sends our messages, as far as the states of both roles allow. */
export class Transmitter {
  readonly #role: Role;
  readonly #cycle: Cycle;
  // The framing of the message we send, and the writer of its body if that is sent in pieces. Not
  // the message itself: an idle connection would hold it.
  #framing: Framing = NO_BODY;
  #writer: BodyWriter | undefined;
  // The last head, from the second on: most heads on one connection are the same.
  #last: Prepared | undefined;
  #hasRepeated = false;

  constructor(role: Role, cycle: Cycle) {
    this.#role = role;
    this.#cycle = cycle;
  }

  /** Whether the requests sent so far allow another before the current one is answered. */
  get mayPipeline(): boolean {
    const { now, request } = this.#cycle;
    if (now[this.#role] !== "done" || !now.persists) return false;
    // RFC 9112 §9.6: no request follows one with the option close.
    const last = this.#cycle.pipelined?.at(-1);
    return last?.parts.persists !== false && request.proposal === undefined;
  }

  prepare(event: RequestToSend): Prepared<RequestEvent>;
  prepare(event: ResponseToSend): Prepared<ResponseEvent>;
  prepare(event: RequestToSend | ResponseToSend): Prepared;
  prepare(event: RequestToSend | ResponseToSend): Prepared {
    const last = this.#last;
    const prepared =
      event.type === "request"
        ? prepareRequest(event, last)
        : prepareResponse(event, this.#answered(), last);
    if (prepared !== last) this.#remember(prepared);
    return prepared;
  }

  // A refused proposal stays in the request, but is no longer open.
  #answered(): RequestEvent {
    const { now, request } = this.#cycle;
    const isOpen = request.proposal === undefined || now.proposed;
    return isOpen ? request : { ...request, proposal: undefined };
  }

  // Neither an interim response nor a switch, which is the last head of its connection.
  #remember(prepared: Prepared): void {
    const { head, answer } = prepared.parts;
    if (head.type === "interim-response" || answer === "accepted") return;
    if (this.#hasRepeated) {
      prepared.flatten();
      this.#last = prepared;
    }
    this.#hasRepeated = true;
  }

  send(sink: Sink, event: EventToSend | Prepared): void {
    if (event instanceof Prepared) this.#sendHead(sink, event.parts);
    else this.#sendEvent(sink, event);
  }

  #sendEvent(sink: Sink, event: EventToSend): void {
    switch (event.type) {
      case "request":
      case "response":
      case "interim-response":
        this.#sendHead(sink, this.prepare(event).parts);
        break;
      case "data":
        this.#demand("data");
        this.#bodyWriter.write(sink, event.bytes);
        this.#noteBody(event.bytes.length);
        break;
      case "end-of-message":
        this.#demand("end-of-message");
        this.#bodyWriter.end(sink, event.trailers);
        this.#cycle.move(this.#role, "end-of-message");
        break;
      case "connection-closed":
        this.#demand("connection-closed");
        this.#cycle.move(this.#role, "connection-closed");
        break;
    }
  }

  /** Sends a head, its body, of which the octets were checked, and its end. */
  sendWhole(sink: Sink, { parts }: Prepared, octets: Uint8Array | string): void {
    this.#sendHead(sink, parts, octets.length);
    if (parts.head.framing.kind === "chunked") {
      this.#bodyWriter.write(sink, octets);
      this.#bodyWriter.end(sink, undefined);
    } else {
      put(sink, octets);
    }
    this.#noteBody(octets.length);
    this.#cycle.move(this.#role, "end-of-message");
  }

  // A client that sends any of its body no longer holds it back.
  #noteBody(length: number): void {
    if (this.#role === "client" && length > 0) this.#cycle.bodyWithheld = false;
  }

  get #bodyWriter(): BodyWriter {
    this.#writer ??= new BodyWriter(this.#framing);
    return this.#writer;
  }

  #begin({ head, trailers }: Parts): void {
    this.#framing = head.framing;
    this.#writer = trailers === undefined ? undefined : new BodyWriter(head.framing, trailers);
  }

  // `whole`: the length of the body, if all of it is known.
  #sendHead(sink: Sink, parts: Parts, whole?: number): void {
    const { head } = parts;
    if (head.type === "request") this.#sendRequest(sink, head, parts, whole);
    else this.#sendResponse(sink, head, parts, whole);
  }

  #sendRequest(sink: Sink, request: RequestEvent, parts: Parts, whole?: number): void {
    this.#demand("request");
    if (whole !== undefined) checkWhole(request.framing, whole);
    const octets = headText(parts, !this.#cycle.now.persists);
    this.#startRequest(request, parts);
    sink.text(octets);
  }

  #startRequest(request: RequestEvent, parts: Parts): void {
    this.#begin(parts);
    this.#cycle.begin(request, parts.persists);
  }

  /** Sends a request before the response to the current one is complete. */
  pipeline(sink: Sink, request: Prepared<RequestEvent>): void {
    this.#cycle.pipelined ??= [];
    this.#cycle.pipelined.push(request);
    sink.text(headText(request.parts, false));
  }

  /** The next pipelined request becomes the current one. */
  startNextCycle(): void {
    this.#framing = NO_BODY;
    const next = this.#cycle.pipelined?.shift();
    if (next === undefined) return;
    this.#startRequest(next.head, next.parts);
    this.#cycle.move("client", "end-of-message");
  }

  #sendResponse(sink: Sink, head: ResponseEvent, parts: Parts, whole?: number): void {
    const { answer, persists, request } = parts;
    const cycle = this.#cycle;
    const cause = answer === "accepted" ? "switch-accepted" : head.type;
    const next = this.#demand(cause);
    // A proposal that was refused is no longer open, so no switch is allowed now.
    if (!answers(head, request, cycle.request)) {
      throw new LocalProtocolError("WRONG_MOMENT", "prepared for another request");
    }
    if (whole !== undefined) {
      if (cause !== "response") throw new LocalProtocolError("WRONG_MOMENT", `whole ${cause}`);
      checkWhole(head.framing, whole);
    }
    // RFC 9110 §7.8: a client that expects a 100 gets it before the 101.
    if (cause === "switch-accepted" && this.#cycle.bodyWithheld) {
      throw new LocalProtocolError("WRONG_MOMENT", "101 before 100");
    }
    if (head.status === 100) this.#cycle.bodyWithheld = false;
    // A server that answers before a request ends the connection.
    const isLast = !persists || !cycle.now.persists || cycle.now.server === "idle";
    if (cause === "switch-accepted") this.#cycle.acceptSwitch(head);
    else cycle.enter(next);
    if (cause === "response") {
      this.#begin(parts);
      if (isLast) cycle.endPersistence();
    }
    sink.text(headText(parts, isLast));
  }

  // Returns where the cause leads.
  #demand(cause: Cause): JointState {
    const { now } = this.#cycle;
    const next = now.after(this.#role, cause);
    if (next !== undefined) return next;
    const detail = `${cause} while ${this.#role}=${now[this.#role]}`;
    throw new LocalProtocolError("WRONG_MOMENT", detail);
  }
}
