import {
  ConnectionError,
  type Event,
  HttpConnection,
  LocalProtocolError,
  RemoteProtocolError,
  type RequestToSend,
} from "@upgrade/core";
import type { Ask, Message, Situation, Verdict } from "./oracle.ts";

/** HttpConnection's result for an input. */
export interface Observed extends Verdict {
  /** The error's code. */
  readonly code: string;
  /** The error's offset, and what was read at it. */
  readonly offset: number;
  readonly phase: string;
  readonly states: string;
  /** Whether the returned bytes are the end of the input. */
  readonly restIsTail: boolean;
  /** Describes a violated invariant of the connection. */
  readonly broken: string;
}

/** Plays `pieces` to a connection that does what the situation says. */
export function observe(
  situation: Situation,
  pieces: readonly Uint8Array[],
  input: Uint8Array,
): Observed {
  const observer = new Observer(situation);
  for (const piece of pieces) observer.receive(piece);
  if (situation.ended) observer.receiveEof();
  return observer.result(input);
}

class Observer {
  readonly #situation: Situation;
  readonly #connection: HttpConnection;
  readonly #messages: Message[] = [];
  #wait = "need-data";
  #closed = false;
  #error: RemoteProtocolError | ConnectionError | undefined;
  #broken = "";

  constructor(situation: Situation) {
    this.#situation = situation;
    this.#connection = new HttpConnection(situation.role, situation.bounds);
    situation.asks.forEach((ask, i) => {
      askFor(this.#connection, ask, i > 0);
    });
  }

  receive(piece: Uint8Array): void {
    this.#connection.receiveData(piece);
    this.#drain();
  }

  receiveEof(): void {
    this.#connection.receiveEof();
    this.#drain();
  }

  #drain(): void {
    if (this.#error !== undefined) return;
    const connection = this.#connection;
    try {
      for (;;) {
        const next = connection.nextEvent();
        if (typeof next === "object") this.#take(next);
        else if (!this.#act()) {
          this.#wait = next;
          return;
        }
      }
    } catch (error) {
      if (!(error instanceof RemoteProtocolError || error instanceof ConnectionError)) throw error;
      this.#error = error;
      this.#sendStatus(error);
    }
  }

  #take(event: Event): void {
    const last = this.#messages.at(-1);
    switch (event.type) {
      case "request": {
        const start = `${event.method} ${event.target} HTTP/${event.version}`;
        this.#messages.push(messageOf(start, event.headers.toFlat()));
        break;
      }
      case "response":
      case "interim-response": {
        const start = `${event.status} HTTP/${event.version} ${event.reason}`;
        const message = messageOf(start, event.headers.toFlat());
        message.complete = event.type === "interim-response";
        this.#messages.push(message);
        break;
      }
      case "data":
        if (event.bytes.length === 0) this.#broken = "an empty piece of data";
        last!.body += latin1(event.bytes);
        break;
      case "end-of-message":
        last!.trailers = pairsOf(event.trailers.toFlat());
        last!.complete = true;
        break;
      case "connection-closed":
        this.#closed = true;
    }
  }

  // Does what there is to do; false if there is nothing.
  #act(): boolean {
    const connection = this.#connection;
    if (connection.cycleIsOver) {
      // A client without further requests stays idle; the next one begins the cycle.
      if (connection.role === "client" && this.#answers === this.#situation.asks.length)
        return false;
      connection.startNextCycle();
      return true;
    }
    const { client, server } = connection.states;
    if (connection.role === "client" || server !== "send-response") return false;
    if (client === "send-body") return false;
    this.#answer();
    return true;
  }

  get #answers(): number {
    return this.#messages.filter(({ start, complete }) => complete && !start.startsWith("1"))
      .length;
  }

  #answer(): void {
    const connection = this.#connection;
    const { proposal } = connection;
    if (proposal === undefined || !this.#situation.accepts) {
      const status = proposal === undefined ? 200 : 403;
      connection.send({ type: "response", status, bodyLength: 0 });
      connection.send({ type: "end-of-message" });
    } else if (proposal.kind === "connect") {
      connection.send({ type: "response", status: 200 });
    } else {
      const headers = { Connection: "Upgrade", Upgrade: proposal.protocols.at(-1)! };
      connection.send({ type: "interim-response", status: 100 });
      connection.send({ type: "response", status: 101, headers });
    }
  }

  // The status of an error can be sent, unless a response has begun.
  #sendStatus(error: RemoteProtocolError | ConnectionError): void {
    const connection = this.#connection;
    if (connection.role === "client" || error.status === undefined) return;
    if (!["idle", "send-response"].includes(connection.ourState)) return;
    const octets = connection.send({ type: "response", status: error.status, bodyLength: 0 });
    if (!/\r\nConnection: close\r\n/.test(latin1(octets)))
      this.#broken = "an error that does not close";
    connection.send({ type: "end-of-message" });
  }

  result(input: Uint8Array): Observed {
    const { client, server } = this.#connection.states;
    const { bufferedBytes } = this.#connection;
    const rest = this.#connection.takeReadBuf();
    const at = input.length - rest.length;
    const again = this.#connection.takeReadBuf().length;
    if (rest.length !== bufferedBytes)
      this.#broken ||= "bufferedBytes is not what is in the buffer";
    if (again > 0) this.#broken ||= "bytes returned twice";
    const error = this.#error;
    return {
      messages: this.#messages,
      stop: this.#stop(),
      at,
      why: error?.message ?? "",
      code: error?.code ?? "",
      offset: error?.offset ?? -1,
      phase: error?.phase ?? "",
      states: `client=${client} server=${server}`,
      restIsTail: at >= 0 && Buffer.compare(rest, input.subarray(at)) === 0,
      broken: this.#broken,
    };
  }

  #stop(): Observed["stop"] {
    if (this.#error instanceof RemoteProtocolError) return "refused";
    if (this.#error !== undefined) return "incomplete";
    if (this.#closed) return "closed";
    return this.#wait === "paused" ? "over" : "more";
  }
}

function askFor(connection: HttpConnection, ask: Ask, pipelined: boolean): void {
  const target = ask.method === "CONNECT" ? "a.test:443" : "/";
  const headers: [string, string][] = [["Host", "a.test"]];
  if (ask.offers.length > 0)
    headers.push(["Connection", "Upgrade"], ["Upgrade", ask.offers.join()]);
  if (ask.last) headers.push(["Connection", "close"]);
  if (ask.withheld) headers.push(["Expect", "100-continue"]);
  const bodyLength = ask.withheld ? 4 : undefined;
  const request: RequestToSend = {
    type: "request",
    method: ask.method,
    target,
    headers,
    bodyLength,
  };
  if (pipelined) {
    connection.pipelineTo({ text: () => {}, bytes: () => {} }, request);
    return;
  }
  connection.send(request);
  if (!ask.withheld) connection.send({ type: "end-of-message" });
}

function messageOf(start: string, flat: readonly string[]): Message {
  return { start, fields: pairsOf(flat), body: "", trailers: [], complete: false };
}

function pairsOf(flat: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i]!, flat[i + 1]!]);
  return pairs;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Whether the error is one of the three expected kinds. */
export function isOurs(error: unknown): boolean {
  const kinds = [RemoteProtocolError, ConnectionError, LocalProtocolError];
  return kinds.some((kind) => error instanceof kind);
}
