import {
  ConnectionError,
  type Event,
  type Framing,
  type Headers,
  HttpConnection,
  type LimitOptions,
  LocalProtocolError,
  type Proposal,
  RemoteProtocolError,
  type RequestEvent,
  type ResponseEvent,
  type Role,
  type State,
  UpgradeError,
} from "@upgrade/core";
import { escaped } from "./octet-text.ts";

/** A connection being played, and its events as text. Pieces of one body are joined. */
export class Transcript {
  readonly connection: HttpConnection;
  readonly #showsFields: boolean;
  #lines: string[] = [];
  #body: Uint8Array[] = [];
  #wait = "need-data";
  /** The peer's fault, and the state of our role at that time. */
  fault: UpgradeError | undefined;
  oursAtFault: State | undefined;

  constructor(role: Role, limits: LimitOptions = {}, showsFields = false) {
    this.connection = new HttpConnection(role, limits);
    this.#showsFields = showsFields;
  }

  /** The peer sends a piece. */
  receive(piece: Uint8Array): void {
    this.connection.receiveData(piece);
    this.drain();
  }

  /** The peer ends its side. */
  receiveEof(): void {
    this.connection.receiveEof();
    this.drain();
  }

  /** The application acts. A refusal is recorded, and nothing happens. Returns its code. */
  act(action: (connection: HttpConnection) => void): string | undefined {
    let refused: string | undefined;
    try {
      action(this.connection);
    } catch (error) {
      if (!(error instanceof LocalProtocolError)) throw error;
      refused = error.code;
      this.#add(`refused ${error.code}`);
    }
    this.drain();
    return refused;
  }

  /** Takes all available events. */
  drain(): void {
    if (this.fault !== undefined) return;
    try {
      let next = this.connection.nextEvent();
      for (; typeof next === "object"; next = this.connection.nextEvent()) this.#take(next);
      this.#wait = next;
    } catch (error) {
      if (!(error instanceof UpgradeError)) throw error;
      this.fault = error;
      this.oursAtFault = this.connection.ourState;
      this.#add(faultLine(error));
    }
  }

  /** The events since the last call, then why there are no more. */
  takeLines(): string[] {
    this.#addBody();
    const { client, server } = this.connection.states;
    const lines = this.#lines;
    this.#lines = [];
    if (this.fault === undefined) lines.push(`${this.#wait} client=${client} server=${server}`);
    return lines;
  }

  /** The last lines, including the bytes that are not HTTP. */
  end(): string[] {
    const lines = this.takeLines();
    const readBuf = this.connection.takeReadBuf();
    if (readBuf.length > 0 && this.fault === undefined) lines.push(`readBuf "${escaped(readBuf)}"`);
    return lines;
  }

  #take(event: Event): void {
    switch (event.type) {
      case "request":
        this.#add(requestLine(event));
        this.#addFields("field", event.headers, this.#showsFields);
        break;
      case "response":
      case "interim-response":
        this.#add(responseLine(event));
        this.#addFields("field", event.headers, this.#showsFields);
        break;
      case "data":
        this.#body.push(event.bytes);
        break;
      case "end-of-message":
        this.#add("end-of-message");
        this.#addFields("trailer", event.trailers, true);
        break;
      case "connection-closed":
        this.#add("connection-closed");
    }
  }

  #add(line: string): void {
    this.#addBody();
    this.#lines.push(line);
  }

  #addBody(): void {
    if (this.#body.length === 0) return;
    this.#lines.push(`data "${escaped(Buffer.concat(this.#body))}"`);
    this.#body = [];
  }

  #addFields(kind: "field" | "trailer", headers: Headers, shown: boolean): void {
    if (shown) this.#lines.push(...fieldLines(kind, headers));
  }
}

/** The lines of a head or of trailers, in the format of the stories. */
export function fieldLines(kind: "field" | "trailer", headers: Headers): string[] {
  return Array.from(headers, ([name, value]) => `  ${kind} ${name}: ${quoted(value)}`.trimEnd());
}

/** The line for a peer's fault, in the format of the stories. */
export function faultLine(error: unknown): string {
  if (error instanceof RemoteProtocolError) {
    const status = error.status === undefined ? "" : ` status=${error.status}`;
    return `error ${error.code}${status} offset=${error.offset}`;
  }
  if (error instanceof ConnectionError) return `error ${error.code} phase=${error.phase}`;
  throw error;
}

/** A request as one line. Omits an unknown expectation. */
export function requestLine(
  event: Pick<RequestEvent, "method" | "target" | "version" | "framing" | "proposal"> & {
    readonly expectsContinue?: boolean;
  },
): string {
  const proposal = event.proposal === undefined ? "" : proposalWord(event.proposal);
  const expects = event.expectsContinue === true ? " expects-continue" : "";
  return `request ${event.method} ${event.target}${versionWord(event)}${framingWord(event.framing)}${proposal}${expects}`;
}

/** A response as one line. */
export function responseLine(
  event: Pick<ResponseEvent, "type" | "status" | "reason" | "version" | "framing">,
): string {
  const reason = event.reason === "" ? "" : ` ${quoted(event.reason)}`;
  return `${event.type} ${event.status}${reason}${versionWord(event)}${framingWord(event.framing)}`;
}

function versionWord({ version }: { version: string }): string {
  return version === "1.1" ? "" : ` HTTP/${version}`;
}

function framingWord(framing: Framing): string {
  if (framing.kind === "none") return "";
  const length = framing.kind === "content-length" ? `:${framing.length}` : "";
  return ` framing=${framing.kind}${length}`;
}

function proposalWord(proposal: Proposal): string {
  return ` proposes=${proposal.kind === "connect" ? "tunnel" : proposal.protocols.join(",")}`;
}

function quoted(text: string): string {
  return escaped(Buffer.from(text, "latin1"));
}
