// driver → [tracing] → trace: makes what happens on one connection into the events of its trace

import { LocalProtocolError } from "../base/errors.ts";
import type { Cause } from "../lifecycle/moves.ts";
import type { Phase } from "../lifecycle/phases.ts";
import type { Event, EventToSend } from "../message/events.ts";
import { Headers } from "../message/headers.ts";
import type { Switched } from "../message/switched.ts";
import type { Version } from "../message/version.ts";
import { Prepared } from "../serializer/prepared.ts";
import type { Sink } from "../serializer/sink.ts";
import type { DeadlineName } from "./deadlines.ts";
import type { Driver } from "./driver.ts";
import type { CloseReason } from "./ending.ts";
import type { Settings } from "./settings.ts";
import type { Happening, ResponseHead, TraceListener, TunnelEnded } from "./trace.ts";
import { channelListener } from "./trace-channels.ts";

type Of = "request" | "response";

/** What receives the events of a connection; undefined if nothing does. */
export function listenerOf({ role, trace }: Settings, io: unknown): TraceListener | undefined {
  const connection = { role, io };
  const published = channelListener(connection);
  const given = trace === undefined ? undefined : listenerFrom(() => trace(connection));
  if (published === undefined || given === undefined) return given ?? published;
  return (event) => {
    published(event);
    return given(event);
  };
}

/** @throws {LocalProtocolError} `CALLBACK_FAILED`. */
function listenerFrom(call: () => TraceListener | undefined): TraceListener | undefined {
  let listener: unknown;
  try {
    listener = call();
  } catch (cause) {
    throw new LocalProtocolError("CALLBACK_FAILED", "trace", { cause });
  }
  if (listener === undefined || typeof listener === "function") {
    return listener as TraceListener | undefined;
  }
  throw new LocalProtocolError(
    "CALLBACK_FAILED",
    "trace returned neither a function nor undefined",
  );
}

/** The trace of one connection. */
export class Tracing {
  readonly #listener: TraceListener;
  readonly #driver: Driver;
  readonly #now: () => number;
  // Requests whose heads were seen, responses whose final heads were, and responses that are complete.
  #requests = 0;
  #answered = 0;
  #responses = 0;
  readonly #bodyBytes = { request: 0, response: 0 };
  #isClosed = false;

  constructor(listener: TraceListener, driver: Driver, { clock }: Settings) {
    this.#listener = listener;
    this.#driver = driver;
    this.#now = () => clock.now();
  }

  /** Sends through a sink that keeps the head as it is written. */
  send(event: EventToSend | Prepared, sink: Sink, write: (sink: Sink) => void): void {
    const written = new HeadSink(sink);
    write(written);
    const sent = event instanceof Prepared ? event.head : event;
    switch (sent.type) {
      case "request":
      case "response":
      case "interim-response":
        this.#head(sent.type, written.head);
        break;
      case "data":
        this.#body(this.#ours, sent.bytes.length);
        break;
      default:
        // A driver sends no "connection-closed": it ends the io.
        this.#end(this.#ours);
    }
  }

  /** A message was sent in one step. */
  sentWhole(bodyBytes: number): void {
    this.#body(this.#ours, bodyBytes);
    this.#end(this.#ours);
  }

  /** The peer's. */
  received(event: Event): void {
    const theirs = this.#driver.http.role === "client" ? "response" : "request";
    if (event.type === "data") this.#body(theirs, event.bytes.length);
    else if (event.type === "end-of-message") this.#end(theirs);
    else if (event.type === "request") {
      const { type, method, target, version, headers } = event;
      this.#emit({ type, exchange: ++this.#requests, method, target, version, headers });
    } else if (event.type !== "connection-closed") {
      const { type, status, reason, version, headers } = event;
      this.#emit({ type, exchange: this.#answering(type), status, reason, version, headers });
    }
  }

  switched({ kind, protocol }: Switched): void {
    this.#emit({ type: "switched", exchange: this.#answered, kind, protocol });
  }

  refused(status: number): void {
    this.#emit({ type: "refused", exchange: this.#answered, status });
  }

  deadline(name: DeadlineName): void {
    this.#emit({ type: "deadline", name });
  }

  moved(from: Phase, cause: Cause, to: Phase): void {
    this.#emit({ type: "moved", from, cause, to });
  }

  taken(by: string, readBuf: number): void {
    this.#emit({ type: "taken", by, readBuf });
  }

  closed(reason: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { reading, writing } = this.#driver;
    const { bytesRead } = reading;
    this.#emit({ type: "closed", reason, bytesRead, bytesWritten: writing.handed });
  }

  tunnelEnded(end: Omit<TunnelEnded, "type">): void {
    this.#emit({ type: "tunnel-ended", ...end });
  }

  ioClosed(bytesRead: number, bytesWritten: number): void {
    this.#emit({ type: "io-closed", bytesRead, bytesWritten });
  }

  get #ours(): Of {
    return this.#driver.http.role === "client" ? "request" : "response";
  }

  // The exchange of the response whose head this is.
  #answering(type: ResponseHead["type"]): number {
    if (type === "response") this.#answered = this.#responses + 1;
    return this.#responses + 1;
  }

  // A head that we sent, as text: `start line CRLF (name: value CRLF)* CRLF`.
  #head(type: "request" | "response" | "interim-response", text: string): void {
    const [start = "", ...lines] = text.slice(0, -4).split("\r\n");
    const headers = Headers.from(lines.map((line) => pairIn(line)));
    const [first = "", second = "", ...rest] = start.split(" ");
    if (type === "request") {
      const version = versionIn(rest.at(-1));
      const target = [second, ...rest.slice(0, -1)].join(" ");
      this.#emit({ type, exchange: ++this.#requests, method: first, target, version, headers });
    } else {
      const status = Number(second);
      const facts = { status, reason: rest.join(" "), version: versionIn(first), headers };
      this.#emit({ type, exchange: this.#answering(type), ...facts });
    }
  }

  #body(of: Of, bytes: number): void {
    this.#bodyBytes[of] += bytes;
  }

  #end(of: Of): void {
    const bodyBytes = this.#bodyBytes[of];
    this.#bodyBytes[of] = 0;
    const exchange = of === "request" ? this.#requests : ++this.#responses;
    this.#emit({ type: "end-of-message", of, exchange, bodyBytes });
  }

  // A listener that throws fails the connection, not what called it.
  #emit(happening: Happening): void {
    const driver = this.#driver;
    const event = { at: this.#now(), states: driver.http.states, ...happening };
    new Promise((resolve) => resolve(this.#listener(event))).catch((cause) =>
      driver.fail(new LocalProtocolError("CALLBACK_FAILED", "trace", { cause })),
    );
  }
}

/** Keeps the first text, which is the head if there is one. */
class HeadSink implements Sink {
  head = "";
  readonly #sink: Sink;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  text(octets: string): void {
    if (this.head === "") this.head = octets;
    this.#sink.text(octets);
  }

  bytes(octets: Uint8Array): void {
    this.#sink.bytes(octets);
  }
}

function pairIn(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 2)];
}

function versionIn(text: string | undefined): Version {
  return text === "HTTP/1.0" ? "1.0" : "1.1";
}
