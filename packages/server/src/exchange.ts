// events ↔ [exchange] ↔ service: one request and its outcome

import {
  ConnectionError,
  Headers,
  type HeadersInit,
  LocalProtocolError,
  type RequestEvent,
  type UpgradeError,
} from "@upgrade/core";
import {
  type Connection,
  handled,
  Incoming,
  inWords,
  type Parts,
  promisedTrailers,
  ReceivedMessage,
  releaseBody,
  type Upload,
} from "@upgrade/core/io";
import { prepareAcceptance, releaseFirstBytes, responseOfSwitch } from "./acceptance.ts";
import { Claim } from "./claim.ts";
import { ClientPresence } from "./client-presence.ts";
import { prepareFinal, sendFinal, sendRest } from "./final-response.ts";
import { ServerRequest, type SwitchOptions } from "./request.ts";
import type { ServerSide } from "./server-side.ts";
import type { ServerResponse } from "./service.ts";

/** How the exchange was answered; `failed` if it no longer can be. */
type Outcome = "open" | "responding" | "switching" | "taken over" | "failed";

export class Exchange<IO> {
  readonly request: ServerRequest<IO>;
  /** The request's body as it arrives. */
  readonly incoming: Incoming;
  readonly client = new ClientPresence();
  readonly #side: ServerSide<IO>;
  readonly #event: RequestEvent;
  #outcome: Outcome = "open";
  #continued = false;
  #answered = false;
  #why: UpgradeError | undefined;
  /** Why the last `switchTo` or `takeOver` was rejected while the service could still respond. */
  claimFailure: unknown;
  #upload: Upload | undefined;
  #claim: Claim<IO> | undefined;

  constructor(side: ServerSide<IO>, event: RequestEvent) {
    this.#side = side;
    this.#event = event;
    this.incoming = new Incoming(event.framing);
    this.request = new ServerRequest(event, this.incoming, side.driver.reading, this);
  }

  get connection(): Connection<IO> {
    return this.#side.connection;
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
      const { trailers: given } = response;
      const trailers = given === undefined ? undefined : promisedTrailers(given);
      const { status, tunnel, reason, headers } = response;
      const parts = { status, reason, headers, body, trailers, firstBytes };
      const opensTunnel = this.#isTunnel(status);
      this.#assertOpen();
      // L4: a service unaware of CONNECT answers it like any other method.
      if (opensTunnel && tunnel !== true) {
        throw new LocalProtocolError("UNINTENDED_TUNNEL", inWords(status));
      }
      if (status === 101 || opensTunnel) this.#accept("response", parts);
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
    const { driver } = this.#side;
    this.#endPersistenceIfNeeded();
    const final = prepareFinal(driver, this.request, response, isRelayed, this.#side.date);
    const isComplete = sendFinal(driver, final);
    this.#outcome = "responding";
    if (this.request.proposal !== undefined) driver.refused(response);
    if (!isComplete) this.#upload = sendRest(driver, final);
    if (this.#upload === undefined) this.#endAnswer();
    else
      this.#upload.done.then(
        () => this.#endAnswer(),
        (error) => this.#failBody(error),
      );
  }

  #endAnswer(): void {
    this.#answered = this.#upload?.isStopped !== true;
    this.#side.answered(this);
  }

  // The head has been sent, so the failure can only be made visible to the peer (L18).
  #failBody(error: UpgradeError): void {
    // What was sent in this turn is not flushed: a peer that reads bytes and a reset together may
    // take that for an end.
    this.#side.driver.fail(error.annotate({ phase: "response" }));
  }

  #endPersistenceIfNeeded(): void {
    const { driver } = this.#side;
    const { incoming, request } = this;
    const refusedForGood = request.proposal !== undefined && !this.#side.survivesRefusal(request);
    // RFC 9110 §10.1.1: a client that got no 100 may send either the body or the next request.
    const withheld = this.#event.expectsContinue && !this.#continued && !this.#bodyHasBegun;
    const tooLong = (incoming.length ?? 0) > driver.limits.maxDrainBytes;
    const undrainable = tooLong && !incoming.isComplete && !incoming.isRead;
    if (refusedForGood || withheld || undrainable) driver.http.endPersistence();
  }

  // Some of it may already be buffered after the head.
  get #bodyHasBegun(): boolean {
    return this.incoming.hasBegun || this.#side.driver.http.bufferedBytes > 0;
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
    if (this.request.version === "1.0" || !this.#side.driver.isLive) return false;
    this.#side.driver.send({ type: "interim-response", status, headers: checked });
    if (status === 100) this.#continue();
    return true;
  }

  // From now on the connection waits for the client.
  #continue(): void {
    this.#continued = true;
    this.#side.driver.reading.advance();
  }

  /** A reader waits for the body: sends a 100 if the client waits for one. */
  wantBody(): void {
    if (!this.#event.expectsContinue || this.#continued || this.#bodyHasBegun) return;
    if (this.#outcome === "failed") return;
    // After the final head no 100 can be sent. The client may continue without one; a deadline limits
    // the wait.
    if (this.#outcome === "responding") this.#side.driver.http.awaitBody();
    else this.sendInterim(100, undefined);
  }

  /** See `request.switchTo`. */
  switchTo(protocol: string | undefined, options: SwitchOptions): Promise<Parts<IO>> {
    const accept = () =>
      this.#accept("switchTo", responseOfSwitch(this.request.proposal, protocol, options));
    return this.#promise(accept, options);
  }

  /** See `request.takeOver`. */
  takeOver(): Promise<Parts<IO>> {
    return this.#promise(() => this.#takeOver());
  }

  // The promise may be ignored, so a late call is also reported to onError.
  #promise(claim: () => Claim<IO>, options: SwitchOptions = {}): Promise<Parts<IO>> {
    const isLate = this.#outcome !== "open";
    try {
      this.#assertOpen();
      return claim().parts;
    } catch (error) {
      releaseFirstBytes(options);
      if (isLate) this.#side.report(error, "switch", this.request);
      else this.claimFailure = error;
      return handled(Promise.reject(error));
    }
  }

  #accept(kind: "switchTo" | "response", response: ServerResponse): Claim<IO> {
    const { driver, io, date } = this.#side;
    const acceptance = prepareAcceptance(driver, response, date);
    this.#outcome = "switching";
    return this.#await(new Claim(kind, driver, io, acceptance));
  }

  #takeOver(): Claim<IO> {
    if (this.request.proposal === undefined) throw new LocalProtocolError("NO_PROPOSAL");
    this.#outcome = "taken over";
    return this.#await(new Claim("takeOver", this.#side.driver, this.#side.io));
  }

  #assertOpen(): void {
    if (this.#outcome === "open") return;
    if (this.#outcome === "failed" && !this.#answered) {
      throw new ConnectionError("NOT_SENT", "", { cause: this.#why });
    }
    throw new LocalProtocolError("ALREADY_ANSWERED", this.#outcome);
  }

  // L5: a request's body is HTTP to its last byte. A body without a reader is drained first.
  #await(claim: Claim<IO>): Claim<IO> {
    this.#claim = claim;
    if (this.incoming.isComplete) claim.carryOut();
    else {
      this.wantBody();
      if (!this.incoming.isRead) this.#side.driver.reading.drain();
      else this.#side.driver.reading.advance();
    }
    return claim;
  }

  /** The request is complete: a claim is carried out. */
  bodyEnded(): void {
    this.#claim?.carryOut();
  }

  /** The request's body is too long or too slow to drain before a switch. */
  failSwitch(error: UpgradeError): boolean {
    const claim = this.#claim;
    if (claim === undefined) return false;
    this.#claim = undefined;
    claim.fail(error);
    this.#outcome = "open";
    return true;
  }

  /** HTTP is over for this request; a later response is discarded. */
  end(error: UpgradeError): void {
    this.#outcome = "failed";
    this.#why = error;
    this.#upload?.stop();
    this.#claim?.fail(error);
    if (!this.#answered) this.client.abort(error);
  }
}
