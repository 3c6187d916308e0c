// events ↔ [exchange] ↔ service: one request and its outcome

import {
  type BodyLength,
  ConnectionError,
  Headers,
  type HeadersInit,
  LocalProtocolError,
  type RequestEvent,
  type UpgradeError,
} from "@upgrade/core";
import {
  type BodySource,
  bodySource,
  type Connection,
  type Content,
  contentOf,
  Deferred,
  type Driver,
  handled,
  Incoming,
  inWords,
  type Parts,
  promisedTrailers,
  ReceivedMessage,
  releaseBody,
  sendContent,
  switchedBy,
  type TrailersInit,
  takeParts,
  type Upload,
} from "@upgrade/core/io";
import {
  type Acceptance,
  acceptanceOf,
  releaseFirstBytes,
  responseOfSwitch,
} from "./acceptance.ts";
import { ClientPresence } from "./client-presence.ts";
import { httpDate } from "./date.ts";
import { ServerRequest, type SwitchOptions } from "./request.ts";
import type { ServerResponse } from "./service.ts";

/** What an exchange needs from its server. */
export interface ExchangeHost<IO> {
  readonly driver: Driver;
  readonly io: IO;
  readonly connection: Connection<IO>;
  readonly writesDate: boolean;
  /** Reports whether the connection may stay open after this refusal. */
  survivesRefusal(request: ServerRequest<IO>): boolean;
  /** The final response is written in full. */
  answered(exchange: Exchange<IO>): void;
  report(error: unknown, phase: string, request: ServerRequest<IO>): void;
}

/** An accepted proposal or a takeover, waiting for the end of the request's body. */
interface Pending<IO> {
  readonly kind: "switchTo" | "takeOver" | "response";
  readonly acceptance: Acceptance | undefined;
  readonly parts: Deferred<Parts<IO>> | undefined;
}

/** How the exchange was answered; `failed` if it no longer can be. */
type Outcome = "open" | "responding" | "switching" | "taken over" | "failed";

export class Exchange<IO> {
  readonly request: ServerRequest<IO>;
  /** The request's body as it arrives. */
  readonly incoming: Incoming;
  readonly client = new ClientPresence();
  readonly #host: ExchangeHost<IO>;
  readonly #event: RequestEvent;
  #outcome: Outcome = "open";
  #continued = false;
  #answered = false;
  #why: UpgradeError | undefined;
  /** Why the last `switchTo` or `takeOver` was rejected while the service could still respond. */
  claimFailure: unknown;
  #upload: Upload | undefined;
  #pending: Pending<IO> | undefined;

  constructor(host: ExchangeHost<IO>, event: RequestEvent) {
    this.#host = host;
    this.#event = event;
    this.incoming = new Incoming(event.framing);
    this.request = new ServerRequest(event, this.incoming, host.driver.reading, this);
  }

  get connection(): Connection<IO> {
    return this.#host.connection;
  }

  get isOpen(): boolean {
    return this.#outcome === "open";
  }

  /** The final head has been sent. */
  get isResponding(): boolean {
    return this.#outcome === "responding";
  }

  /**
   * Sends the response that the service returned. Each part is read once, so what is checked is what
   * is written. If the response may not be sent, its body is released.
   */
  respond(response: ServerResponse): void {
    let body: ServerResponse["body"];
    let firstBytes: ServerResponse["firstBytes"];
    try {
      // First what must be released.
      ({ body, firstBytes } = response);
      const trailers = promisedTrailers(response.trailers);
      const { status, tunnel, reason, headers } = response;
      const parts = { status, reason, headers, body, trailers, firstBytes };
      const opensTunnel = this.#isTunnel(status);
      this.#assertOpen();
      // L4: a service unaware of CONNECT answers it like any other method.
      if (opensTunnel && tunnel !== true) {
        throw new LocalProtocolError("UNINTENDED_TUNNEL", inWords(status));
      }
      if (status === 101 || opensTunnel) this.#beginSwitch("response", parts);
      else {
        if (firstBytes !== undefined) releaseFirstBytes(parts);
        this.#sendFinal(parts, response instanceof ReceivedMessage);
      }
    } catch (error) {
      releaseBody(body);
      releaseFirstBytes({ firstBytes });
      throw error;
    }
  }

  #isTunnel(status: number): boolean {
    return this.request.proposal?.kind === "connect" && status >= 200 && status <= 299;
  }

  #sendFinal(response: ServerResponse, isRelayed: boolean): void {
    const source = bodySource(response.body);
    const trailers = this.#trailersOf(response);
    if (!source.isStreamed && trailers === undefined) {
      this.#sendWhole(response, source);
      return;
    }
    const content = contentOf(source, trailers, isRelayed);
    this.#sendHead(response, content);
    this.#noteAnswer(response);
    this.#sendContent(response, content);
  }

  #sendWhole(response: ServerResponse, { length, whole }: BodySource): void {
    this.#endPersistenceIfNeeded();
    const isSent = !this.#isBodiless(response.status);
    const head = this.#headOf(response, response.headers, length);
    this.#host.driver.sendWhole(head, isSent ? whole : undefined);
    this.#noteAnswer(response);
    this.#endAnswer();
  }

  #sendHead(response: ServerResponse, { known, bodyLength }: Content): void {
    const { driver } = this.#host;
    this.#endPersistenceIfNeeded();
    // Read once, since they are checked twice if there are trailers.
    const headers = known === undefined ? response.headers : Headers.from(response.headers);
    const head = this.#headOf(response, headers, bodyLength);
    if (known !== undefined) driver.http.check(head, known);
    driver.send(head);
  }

  #headOf(
    { status, reason }: ServerResponse,
    headers: HeadersInit | undefined,
    bodyLength: BodyLength,
  ) {
    const date = this.#host.writesDate ? httpDate() : undefined;
    return { type: "response", status, reason, headers, bodyLength, date } as const;
  }

  #noteAnswer(response: ServerResponse): void {
    this.#outcome = "responding";
    if (this.request.proposal !== undefined) this.#host.driver.refused(response);
  }

  #isBodiless(status: number): boolean {
    return this.request.method === "HEAD" || status === 304;
  }

  // A response to HEAD and a 304 have no body for trailers to follow; HTTP/1.0 has no trailers.
  #trailersOf({ status, trailers }: ServerResponse): TrailersInit | undefined {
    return this.#isBodiless(status) || this.request.version === "1.0" ? undefined : trailers;
  }

  #sendContent({ status }: ServerResponse, content: Content): void {
    const { driver } = this.#host;
    if (this.#isBodiless(status)) {
      content.source.release();
      driver.send({ type: "end-of-message" });
      this.#endAnswer();
      return;
    }
    this.#upload = sendContent(driver, content);
    if (this.#upload === undefined) this.#endAnswer();
    else
      this.#upload.done.then(
        () => this.#endAnswer(),
        (error) => this.#failBody(error),
      );
  }

  #endAnswer(): void {
    this.#answered = this.#upload?.isStopped !== true;
    this.#host.answered(this);
  }

  // The head has been sent, so the failure can only be made visible to the peer (L18).
  #failBody(error: UpgradeError): void {
    // What was sent in this turn is not flushed: a peer that reads bytes and a reset together may
    // take that for an end.
    this.#host.driver.fail(error.annotate({ phase: "response" }));
  }

  #endPersistenceIfNeeded(): void {
    const { driver } = this.#host;
    const { incoming, request } = this;
    const { framing } = incoming;
    const refusedForGood = request.proposal !== undefined && !this.#host.survivesRefusal(request);
    // RFC 9110 §10.1.1: a client that got no 100 may send either the body or the next request.
    const withheld = this.#event.expectsContinue && !this.#continued && !this.#bodyHasBegun;
    const tooLong =
      framing.kind === "content-length" && framing.length > driver.limits.maxDrainBytes;
    const undrainable = tooLong && !incoming.isComplete && !incoming.isRead;
    if (refusedForGood || withheld || undrainable) driver.http.endPersistence();
  }

  // Some of it may already be buffered after the head.
  get #bodyHasBegun(): boolean {
    return this.incoming.hasBegun || this.#host.driver.http.bufferedBytes > 0;
  }

  /** See `request.sendInterim`. */
  sendInterim(status: number, headers: HeadersInit | undefined): boolean {
    if (this.#outcome === "responding" || this.#outcome === "failed") {
      throw new LocalProtocolError("WRONG_MOMENT", "sendInterim() after the final head");
    }
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) {
      throw new LocalProtocolError("INVALID_STATUS", inWords(status));
    }
    // Checked even if nothing is sent.
    const checked = Headers.from(headers);
    // RFC 9110 §10.1.1: a 100 is only for a client that waits for it; a relay may get others.
    if (status === 100 && (!this.#event.expectsContinue || this.#continued)) return false;
    if (this.request.version === "1.0" || !this.#host.driver.isLive) return false;
    this.#host.driver.send({ type: "interim-response", status, headers: checked });
    if (status === 100) this.#continue();
    return true;
  }

  // From now on the connection waits for the client.
  #continue(): void {
    this.#continued = true;
    this.#host.driver.advance();
  }

  /** A reader waits for the body: sends a 100 if the client waits for one. */
  wantBody(): void {
    if (!this.#event.expectsContinue || this.#continued || this.#bodyHasBegun) return;
    if (this.#outcome === "failed") return;
    // After the final head no 100 can be sent. The client may continue without one; a deadline limits
    // the wait.
    if (this.#outcome === "responding") this.#host.driver.http.awaitBody();
    else this.sendInterim(100, undefined);
  }

  /** See `request.switchTo`. */
  switchTo(protocol: string | undefined, options: SwitchOptions): Promise<Parts<IO>> {
    const begin = () =>
      this.#beginSwitch("switchTo", responseOfSwitch(this.request.proposal, protocol, options));
    return this.#claim(begin, options);
  }

  // The promise may be ignored, so a late call is also reported to onError.
  #claim(begin: () => Deferred<Parts<IO>>, options: SwitchOptions = {}): Promise<Parts<IO>> {
    const isLate = this.#outcome !== "open";
    try {
      this.#assertOpen();
      return begin().promise;
    } catch (error) {
      releaseFirstBytes(options);
      if (isLate) this.#host.report(error, "switch", this.request);
      else this.claimFailure = error;
      return handled(Promise.reject(error));
    }
  }

  #beginSwitch(kind: "switchTo" | "response", response: ServerResponse): Deferred<Parts<IO>> {
    const acceptance = acceptanceOf(response);
    // Checked now, while the service can still send another response.
    this.#host.driver.http.check(this.#switchEvent(acceptance));
    const parts = new Deferred<Parts<IO>>();
    this.#outcome = "switching";
    this.#await({ kind, acceptance, parts: kind === "switchTo" ? parts : undefined });
    return parts;
  }

  /** See `request.takeOver`. */
  takeOver(): Promise<Parts<IO>> {
    return this.#claim(() => this.#beginTakeOver());
  }

  #beginTakeOver(): Deferred<Parts<IO>> {
    if (this.request.proposal === undefined) throw new LocalProtocolError("NO_PROPOSAL");
    const parts = new Deferred<Parts<IO>>();
    this.#outcome = "taken over";
    this.#await({ kind: "takeOver", acceptance: undefined, parts });
    return parts;
  }

  #assertOpen(): void {
    if (this.#outcome === "open") return;
    if (this.#outcome === "failed" && !this.#answered) {
      throw new ConnectionError("NOT_SENT", "", { cause: this.#why });
    }
    throw new LocalProtocolError("ALREADY_ANSWERED", this.#outcome);
  }

  // L5: a request's body is HTTP to its last byte. A body without a reader is drained first.
  #await(pending: Pending<IO>): void {
    this.#pending = pending;
    if (this.incoming.isComplete) {
      this.bodyEnded();
      return;
    }
    this.wantBody();
    if (!this.incoming.isRead) this.#host.driver.reading.drain();
    else this.#host.driver.advance();
  }

  /** The request is complete: a pending switch proceeds. */
  bodyEnded(): void {
    const { driver } = this.#host;
    const pending = this.#pending;
    if (pending === undefined || !driver.isLive) return;
    if (pending.acceptance === undefined) {
      driver.taker = this;
      driver.finish({ kind: "taken-apart", because: "takeOver()" });
      return;
    }
    if (pending.parts !== undefined) driver.taker = this;
    this.#sendAcceptance(pending.acceptance);
    driver.advance();
  }

  #sendAcceptance(acceptance: Acceptance): void {
    const { driver } = this.#host;
    driver.send(this.#switchEvent(acceptance));
    const { firstBytes, headers: sent } = acceptance;
    if (typeof firstBytes === "string") driver.writing.text(firstBytes);
    else if (firstBytes !== undefined) driver.writing.bytes(firstBytes);
    const { status, reason = "" } = acceptance;
    driver.switched = switchedBy(this.request, { status, reason, headers: sent });
  }

  #switchEvent({ status, reason, headers }: Acceptance) {
    const date = this.#host.writesDate ? httpDate() : undefined;
    return { type: "response", status, reason, headers, date } as const;
  }

  /** Takes the parts that were promised to a `switchTo` or a `takeOver`. */
  take(): void {
    const { driver, io } = this.#host;
    const { kind, parts } = this.#pending!;
    this.#pending = undefined;
    parts!.resolve(takeParts(driver, io, kind, driver.switched));
  }

  /** The request's body is too long or too slow to drain before a switch. */
  failSwitch(error: UpgradeError): boolean {
    const pending = this.#pending;
    if (pending === undefined) return false;
    this.#pending = undefined;
    pending.parts?.reject(error);
    this.#outcome = "open";
    return true;
  }

  /** HTTP is over for this request; a later response is discarded. */
  end(error: UpgradeError): void {
    this.#outcome = "failed";
    this.#why = error;
    this.#upload?.stop();
    this.#pending?.parts?.reject(error);
    if (!this.#answered) this.client.abort(error);
  }
}
