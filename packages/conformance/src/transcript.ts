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
} from "@upgrade/core";
import { escaped } from "./octet-text.ts";

/** A connection that is played, and what came of it in words. Pieces of one body are joined. */
export class Transcript {
  readonly connection: HttpConnection;
  readonly #showsFields: boolean;
  #lines: string[] = [];
  #body: Uint8Array[] = [];
  #wait = "need-data";
  #failed = false;

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

  /** The application acts. What it may not do is told, and nothing happens. */
  act(deed: (connection: HttpConnection) => void): void {
    try {
      deed(this.connection);
    } catch (error) {
      if (!(error instanceof LocalProtocolError)) throw error;
      this.#tell(`refused ${error.code}`);
    }
    this.drain();
  }

  /** Takes every event there is. */
  drain(): void {
    if (this.#failed) return;
    try {
      let next = this.connection.nextEvent();
      for (; typeof next === "object"; next = this.connection.nextEvent()) this.#hear(next);
      this.#wait = next;
    } catch (error) {
      this.#failed = true;
      this.#tell(faultLine(error));
    }
  }

  /** What came since the last time, then why there is no more. */
  takeLines(): string[] {
    this.#tellBody();
    const { client, server } = this.connection.states;
    const lines = this.#lines;
    this.#lines = [];
    if (!this.#failed) lines.push(`${this.#wait} client=${client} server=${server}`);
    return lines;
  }

  /** The last lines; with them the bytes that were not HTTP's. */
  end(): string[] {
    const lines = this.takeLines();
    const readBuf = this.connection.takeReadBuf();
    if (readBuf.length > 0 && !this.#failed) lines.push(`readBuf "${escaped(readBuf)}"`);
    return lines;
  }

  #hear(event: Event): void {
    switch (event.type) {
      case "request":
        this.#tell(requestLine(event));
        this.#tellFields("field", event.headers, this.#showsFields);
        break;
      case "response":
      case "informational-response":
        this.#tell(responseLine(event));
        this.#tellFields("field", event.headers, this.#showsFields);
        break;
      case "data":
        this.#body.push(event.bytes);
        break;
      case "end-of-message":
        this.#tell("end-of-message");
        this.#tellFields("trailer", event.trailers, true);
        break;
      case "connection-closed":
        this.#tell("connection-closed");
    }
  }

  #tell(line: string): void {
    this.#tellBody();
    this.#lines.push(line);
  }

  #tellBody(): void {
    if (this.#body.length === 0) return;
    this.#lines.push(`data "${escaped(Buffer.concat(this.#body))}"`);
    this.#body = [];
  }

  #tellFields(kind: string, headers: Headers, shown: boolean): void {
    if (!shown) return;
    for (const [name, value] of headers) {
      this.#lines.push(`  ${kind} ${name}: ${quoted(value)}`.trimEnd());
    }
  }
}

function faultLine(error: unknown): string {
  if (error instanceof RemoteProtocolError) {
    const status = error.status === undefined ? "" : ` status=${error.status}`;
    return `error ${error.code}${status} offset=${error.offset}`;
  }
  if (error instanceof ConnectionError) return `error ${error.code} phase=${error.phase}`;
  throw error;
}

function requestLine(event: RequestEvent): string {
  const proposal = event.proposal === undefined ? "" : proposalWord(event.proposal);
  const expects = event.expectsContinue ? " expects-continue" : "";
  return `request ${event.method} ${event.target}${versionWord(event)}${framingWord(event.framing)}${proposal}${expects}`;
}

function responseLine(event: ResponseEvent): string {
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
