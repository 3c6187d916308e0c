// application ↔ [exchange] ↔ events: one request and its outcome

import {
  ConnectionError,
  type Prepared,
  type RequestEvent,
  type Sent,
  type UpgradeError,
} from "@upgrade/core";
import {
  bodySource,
  type Content,
  contentOf,
  Deferred,
  type Driver,
  isWhole,
  listen,
  ReceivedMessage,
  releaseContent,
  type SignalLike,
  sendContent,
  type Upload,
} from "@upgrade/core/io";
import type { ClientSide } from "./client-side.ts";
import { beforeSending, type ClientRequest, type SendOptions } from "./request.ts";
import type { ClientResponse, InterimResponse } from "./response.ts";

// RFC 9110 §9.2.2: only these may be pipelined.
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

export class Exchange {
  readonly response = new Deferred<ClientResponse>();
  /** Some of a response has arrived, if only part of a head. */
  isResponseSeen = false;
  #isAnswered = false;
  readonly #driver: Driver;
  readonly #prepared: Prepared<RequestEvent>;
  readonly #content: Content;
  readonly #options: SendOptions;
  #upload: Upload | undefined;
  #isStopped = false;
  #stopListening: (() => void) | undefined;
  #startsAt: number | undefined;
  #endsAt: number | undefined;
  #withheld = false;

  private constructor(
    driver: Driver,
    prepared: Prepared<RequestEvent>,
    content: Content,
    options: SendOptions,
  ) {
    this.#driver = driver;
    this.#prepared = prepared;
    this.#content = content;
    this.#options = options;
  }

  /**
   * Prepares a request. If it may not be sent, its content is released.
   *
   * @throws {LocalProtocolError} Nothing is written.
   */
  static of(driver: Driver, request: ClientRequest, options: SendOptions): Exchange {
    let body: ClientRequest["body"];
    let trailers: ClientRequest["trailers"];
    try {
      // Each part is read once, so what is checked is what is written. First what must be released.
      ({ body, trailers } = request);
      const { method, target, version, headers } = request;
      const content = contentOf(bodySource(body), trailers, request instanceof ReceivedMessage);
      const { bodyLength, known } = content;
      const prepared = driver.http.prepare(
        { type: "request", method, target, version, headers, bodyLength },
        known,
      );
      return new Exchange(driver, prepared, content, options);
    } catch (error) {
      releaseContent(body, trailers);
      throw error;
    }
  }

  /** The request may be pipelined: it is idempotent, and has neither a body nor a proposal. */
  get isPipelinable(): boolean {
    const { method, framing } = this.#prepared.head;
    return framing.kind === "none" && !this.proposes && IDEMPOTENT.has(method);
  }

  /** The request proposes a switch. */
  get proposes(): boolean {
    return this.#prepared.head.proposal !== undefined;
  }

  /** The request is written in full, though perhaps not yet handed to the transport. */
  get isWritten(): boolean {
    return this.#endsAt !== undefined;
  }

  /** The head of the response has arrived. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** The body waits for a 100. */
  get isWithheld(): boolean {
    return this.#withheld;
  }

  /** The body is no longer wanted and will not be completed. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** How much of the request was handed to the transport. */
  get sent(): Sent {
    const { handed } = this.#driver.writing;
    if (this.#startsAt === undefined || handed <= this.#startsAt) return "nothing";
    return this.#endsAt !== undefined && handed >= this.#endsAt ? "all" : "part";
  }

  /**
   * Cancels when the caller's signal aborts while the exchange lasts, or at once if it has aborted.
   *
   * @throws {LocalProtocolError} `CALLBACK_FAILED`: the signal threw.
   */
  listen(signal: SignalLike, cancel: (reason: unknown) => void): void {
    this.#stopListening = beforeSending(() => listen(signal, cancel));
  }

  /** Writes the request, except a body that waits for a 100. Notifies `side` when all is written. */
  start(side: ClientSide<unknown>): void {
    const { http, writing } = this.#driver;
    this.#startsAt = writing.total;
    const { expectsContinue } = this.#prepared.head;
    if (!expectsContinue && isWhole(this.#content)) {
      this.#driver.sendWhole(this.#prepared, this.#content.source.whole ?? "");
      this.#noteEnd(side);
      return;
    }
    this.#driver.send(this.#prepared);
    this.#withheld = http.bodyIsWithheld && http.ourState === "send-body";
    if (this.#withheld) this.#driver.deadlines.start("continue", this.#driver.limits.continueMs);
    else this.#sendBody(side);
  }

  /** Writes the request after others that are not answered yet. */
  startPipelined(): void {
    const { writing } = this.#driver;
    this.#startsAt = writing.total;
    this.#driver.pipeline(this.#prepared);
    this.#endsAt = writing.total;
  }

  /** Sends a withheld body: the 100 arrived, or did not arrive in time. */
  proceed(side: ClientSide<unknown>): void {
    if (!this.#withheld) return;
    this.#withheld = false;
    this.#driver.deadlines.stop("continue");
    this.#sendBody(side);
  }

  #sendBody(side: ClientSide<unknown>): void {
    this.#upload = sendContent(this.#driver, this.#content);
    if (this.#upload === undefined) this.#noteEnd(side);
    else {
      this.#upload.done.then(
        () => this.#noteEnd(side),
        (error: UpgradeError) => this.#driver.fail(error),
      );
    }
  }

  #noteEnd(side: ClientSide<unknown>): void {
    if (this.#isStopped) return;
    this.#endsAt = this.#driver.writing.total;
    side.uploaded(this);
  }

  /** Abandons the rest of the body and releases it. */
  stopUpload(): void {
    if (this.isWritten || this.#isStopped) return;
    this.#isStopped = true;
    this.#upload?.stop();
    this.#driver.deadlines.stop("continue");
    this.#content.source.release();
  }

  /** Releases the body if `call` throws. */
  releasing<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      this.stopUpload();
      throw error;
    }
  }

  /** Returns the result of the caller's callback, which may be a promise. */
  noteInterim(response: InterimResponse): unknown {
    this.isResponseSeen = true;
    return this.#options.onInterim?.(response);
  }

  answer(response: ClientResponse): void {
    this.isResponseSeen = true;
    this.#isAnswered = true;
    this.response.resolve(response);
  }

  /** The exchange is over: stops listening to its signal. */
  end(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  /** No response will come. */
  reject(error: UpgradeError): void {
    const { source } = this.#content;
    const { sent, isResponseSeen: responseSeen } = this;
    error.annotate({ sent, responseSeen, bodyBegun: source.hasBegun });
    this.response.reject(error);
    this.end();
    // The caller may send the request again, so the body must be untouched.
    if (error.retrySafe) source.returnToCaller();
    this.stopUpload();
  }

  /** Nothing was sent: the caller may send the request elsewhere. */
  rejectUnsent(cause: unknown): void {
    this.reject(new ConnectionError("NOT_SENT", "", { cause, sent: "nothing" }));
  }
}
