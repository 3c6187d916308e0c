// application ↔ [exchange] ↔ events: one request and all that may become of it

import {
  ConnectionError,
  type Headers,
  type RequestToSend,
  type Sent,
  type UpgradeError,
} from "@upgrade/core";
import {
  bodySource,
  type Content,
  contentOf,
  Deferred,
  type Driver,
  headersToSend,
  listen,
  ReceivedMessage,
  releaseContent,
  type SignalLike,
  sendContent,
  type Upload,
} from "@upgrade/core/io";
import { type ClientRequest, type SendOptions, unsaid } from "./request.ts";
import type { ClientResponse, InformationalResponse } from "./response.ts";

// RFC 9110 §9.2.2: only these may follow each other unanswered.
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** Whom an exchange tells that its request is said. */
export interface ExchangeHost {
  uploaded(exchange: Exchange): void;
}

export class Exchange {
  readonly head: RequestToSend & { readonly headers: Headers };
  readonly response = new Deferred<ClientResponse>();
  /** Something came in answer, if only half a head. */
  isResponseSeen = false;
  #isAnswered = false;
  readonly #driver: Driver;
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
    head: Exchange["head"],
    content: Content,
    options: SendOptions,
  ) {
    this.#driver = driver;
    this.head = head;
    this.#content = content;
    this.#options = options;
  }

  /**
   * A request that may be sent. The content of one that may not is released.
   *
   * @throws {LocalProtocolError} before anything is written.
   */
  static of(driver: Driver, request: ClientRequest, options: SendOptions): Exchange {
    let body: ClientRequest["body"];
    let trailers: ClientRequest["trailers"];
    try {
      // Each part is read once: what is checked is what is written. First what must be released.
      ({ body, trailers } = request);
      const { method, target, version, headers } = request;
      const content = contentOf(bodySource(body), trailers, request instanceof ReceivedMessage);
      const head = {
        type: "request",
        method: String(method ?? ""),
        target: String(target ?? ""),
        version,
        headers: headersToSend(headers),
        bodyLength: content.bodyLength,
      } as const;
      driver.http.check(head, content.known);
      return new Exchange(driver, head, content, options);
    } catch (error) {
      releaseContent(body, trailers);
      throw error;
    }
  }

  /** May stand in a pipeline: nothing is lost if it is sent again, and nothing follows its head. */
  get isPipelinable(): boolean {
    const { method, headers } = this.head;
    const plain = this.head.bodyLength === 0 && !headers.has("upgrade");
    return plain && IDEMPOTENT.has(method) && !headers.has("transfer-encoding");
  }

  /** Proposes a switch. */
  get proposes(): boolean {
    return this.head.method === "CONNECT" || this.head.headers.has("upgrade");
  }

  /** The request is said to its last byte. */
  get isSaid(): boolean {
    return this.#endsAt !== undefined;
  }

  /** The head of its response has come. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Its body waits for a 100. */
  get isWithheld(): boolean {
    return this.#withheld;
  }

  /** Its body is not wanted any more, and will not be completed. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** How much of it was handed to the transport. */
  get sent(): Sent {
    const { handed } = this.#driver.writing.outbox;
    if (this.#startsAt === undefined || handed <= this.#startsAt) return "nothing";
    return this.#endsAt !== undefined && handed >= this.#endsAt ? "all" : "part";
  }

  /**
   * Cancels by the caller's signal, while the exchange lasts; now if it has aborted.
   *
   * @throws {LocalProtocolError} `CALLBACK_FAILED`: the signal threw.
   */
  listen(signal: SignalLike, cancel: (reason: unknown) => void): void {
    this.#stopListening = unsaid(() => listen(signal, cancel));
  }

  /** Says the request, but for a body that waits for 100. */
  start(host: ExchangeHost): void {
    const { http, writing } = this.#driver;
    this.#startsAt = writing.outbox.said;
    const expects = this.head.headers.has("expect");
    const { source, trailers } = this.#content;
    if (!expects && !source.isStreamed && trailers === undefined) {
      this.#driver.sayWhole(this.head, source.whole);
      this.#noteEnd(host);
      return;
    }
    this.#driver.say(this.head);
    this.#withheld = http.bodyIsWithheld && http.ourState === "send-body";
    if (this.#withheld) this.#driver.deadlines.start("continue", this.#driver.limits.continueMs);
    else this.#sendBody(host);
  }

  /** Says the request behind others that are not answered yet. */
  startPipelined(): void {
    const { http, writing } = this.#driver;
    this.#startsAt = writing.outbox.said;
    http.pipelineTo(writing.outbox, this.head);
    this.#endsAt = writing.outbox.said;
    writing.schedule();
  }

  /** The 100 came, or did not come in time: a body that was withheld is sent. */
  proceed(host: ExchangeHost): void {
    if (!this.#withheld) return;
    this.#withheld = false;
    this.#driver.deadlines.stop("continue");
    this.#sendBody(host);
  }

  #sendBody(host: ExchangeHost): void {
    this.#upload = sendContent(this.#driver, this.#content);
    if (this.#upload === undefined) this.#noteEnd(host);
    else {
      this.#upload.done.then(
        () => this.#noteEnd(host),
        (error: UpgradeError) => this.#driver.fail(error),
      );
    }
  }

  #noteEnd(host: ExchangeHost): void {
    if (this.#isStopped) return;
    this.#endsAt = this.#driver.writing.outbox.said;
    host.uploaded(this);
  }

  /** The rest of the body is not wanted: it is released. */
  stopUpload(): void {
    if (this.isSaid || this.#isStopped) return;
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

  /** Returns what the caller's callback does, which may be a promise. */
  inform(response: InformationalResponse): unknown {
    this.isResponseSeen = true;
    return this.#options.onInformational?.(response);
  }

  answer(response: ClientResponse): void {
    this.isResponseSeen = true;
    this.#isAnswered = true;
    this.response.resolve(response);
  }

  /** The exchange is over: its signal has no effect any more. */
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
    // The caller may send it again, so that the body must be as it was.
    if (error.retrySafe) source.giveBack();
    this.stopUpload();
  }

  /** It never left: the caller may send it elsewhere. */
  rejectUnsent(cause: unknown): void {
    this.reject(new ConnectionError("NOT_SENT", "", { cause, sent: "nothing" }));
  }
}
