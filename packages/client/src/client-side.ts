// driver ↔ [client side] ↔ application: requests become events, events become responses

import {
  ConnectionError,
  forget,
  Headers,
  LocalProtocolError,
  type ResponseEvent,
  UpgradeError,
} from "@upgrade/core";
import {
  Connection,
  checkOptions,
  type DeadlineName,
  Deferred,
  type Driver,
  handled,
  Incoming,
  type Side,
  type SideEvent,
  type SignalLike,
} from "@upgrade/core/io";
import { Exchange } from "./exchange.ts";
import { beforeSending, type ClientRequest, SEND_OPTIONS, type SendOptions } from "./request.ts";
import { ClientResponse } from "./response.ts";

/** One client connection: requests in flight, in order, and queued ones. */
export class ClientSide<IO> implements Side {
  readonly driver: Driver;
  readonly connection: Connection<IO>;
  /** Sent, but not fully answered. More than one only with pipelining. */
  readonly #inFlight: Exchange[] = [];
  readonly #waiting: Exchange[] = [];
  #ready: Deferred<void>[] | undefined;

  constructor(driver: Driver, io: IO) {
    this.driver = driver;
    this.connection = new Connection(driver, io);
  }

  get isIdle(): boolean {
    return this.#inFlight.length === 0 && this.#waiting.length === 0;
  }

  /** A request would be written at once. */
  get isReady(): boolean {
    return this.isIdle && !this.isClosed;
  }

  /** No more requests will be written. */
  get isClosed(): boolean {
    const { http, isClosing, isLive } = this.driver;
    return !isLive || isClosing || http.hasSwitched || !http.persists;
  }

  ready(): Promise<void> {
    const waiter = new Deferred<void>();
    if (this.isReady) waiter.resolve();
    else if (this.isClosed && this.isIdle) waiter.reject(this.#notSent());
    else {
      this.#ready ??= [];
      this.#ready.push(waiter);
    }
    return waiter.promise;
  }

  send(request: ClientRequest, options: SendOptions): Promise<ClientResponse> {
    try {
      const exchange = this.check(request, options);
      return exchange.releasing(() => {
        checkOptions(options, SEND_OPTIONS);
        return this.sendChecked(exchange, options);
      });
    } catch (error) {
      return handled(Promise.reject(error));
    }
  }

  /** @throws {LocalProtocolError} The request may not be sent; nothing is touched. */
  check(request: ClientRequest, options: SendOptions): Exchange {
    let exchange: Exchange | undefined;
    try {
      exchange = beforeSending(() => Exchange.of(this.driver, request, options));
      return exchange;
    } finally {
      // A refused or late request may belong to a connection that never ends, so forget it now.
      if (exchange === undefined || !this.driver.isLive) forget();
    }
  }

  /** Sends a checked request in its turn. */
  sendChecked(exchange: Exchange, options: SendOptions): Promise<ClientResponse> {
    exchange.releasing(() => this.#queue(exchange, options.signal));
    return exchange.response.promise;
  }

  #queue(exchange: Exchange, signal: SignalLike | undefined): void {
    if (signal !== undefined) exchange.listen(signal, (reason) => this.#cancel(exchange, reason));
    // Its signal had already aborted.
    if (exchange.isStopped) return;
    if (this.isClosed) exchange.rejectUnsent(this.#notSent().cause);
    else if (this.#waiting.length >= this.driver.limits.maxQueuedRequests && !this.#hasRoom) {
      exchange.reject(new ConnectionError("QUEUE_FULL", "", { sent: "nothing" }));
    } else {
      this.#waiting.push(exchange);
      this.#startNext();
    }
  }

  get #hasRoom(): boolean {
    return this.#inFlight.length === 0;
  }

  #cancel(exchange: Exchange, reason: unknown): void {
    const error = new ConnectionError("CANCELED", "", { cause: reason });
    if (this.#inFlight.includes(exchange)) {
      this.driver.fail(error);
      return;
    }
    const at = this.#waiting.indexOf(exchange);
    if (at !== -1) this.#waiting.splice(at, 1);
    exchange.reject(error);
  }

  #startNext(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.isClosed || !(this.#hasRoom || this.#mayPipeline(next))) return;
      this.#waiting.shift();
      this.#inFlight.push(next);
      this.#start(next);
    }
  }

  #start(exchange: Exchange): void {
    const { driver } = this;
    driver.requests++;
    if (driver.requests >= driver.limits.maxRequests) driver.retire("maxRequests");
    try {
      if (this.#inFlight.length > 1) exchange.startPipelined();
      else exchange.start(this);
    } catch (error) {
      if (!(error instanceof UpgradeError)) throw error;
      driver.fail(error);
    }
    driver.reading.advance();
  }

  // RFC 9112 §9.3.2: never together with a request that may not be repeated, nor with a proposal.
  #mayPipeline(next: Exchange): boolean {
    const { http, limits } = this.driver;
    if (this.#inFlight.length >= limits.pipeline || !http.mayPipeline) return false;
    return next.isPipelinable && this.#inFlight.every((exchange) => exchange.isPipelinable);
  }

  /** The request is written in full. */
  uploaded(exchange: Exchange): void {
    this.driver.deadlines.stop("upload");
    this.driver.discardUnread();
    if (exchange === this.#inFlight[0]) this.driver.reading.advance();
  }

  receive(event: SideEvent): void {
    switch (event.type) {
      case "interim-response":
        this.#interim(this.#inFlight[0]!, event);
        break;
      case "response":
        this.#answer(this.#inFlight[0]!, event);
        break;
      case "end-of-message":
        this.#endAnswer();
        break;
      case "drain-failed":
        this.driver.fail(event.error);
        break;
      case "closing":
        this.#rejectWaiting(undefined);
        break;
      case "deadline":
        this.#deadlinePassed(event.name);
        break;
      default:
        // The rest matters to servers only.
        break;
    }
  }

  #interim(exchange: Exchange, event: ResponseEvent): void {
    const { status, reason, headers } = event;
    if (status === 100) exchange.proceed(this);
    const fail = (cause: unknown): void =>
      this.driver.fail(new LocalProtocolError("CALLBACK_FAILED", "onInterim", { cause }));
    try {
      // An async callback fails later.
      Promise.resolve(exchange.noteInterim({ status, reason, headers })).catch(fail);
    } catch (cause) {
      fail(cause);
    }
  }

  #answer(exchange: Exchange, event: ResponseEvent): void {
    const { driver } = this;
    const incoming = new Incoming(event.framing);
    const response = new ClientResponse(event, incoming, driver.reading);
    // Nothing is read after the accepting head, so the exchange ends here.
    if (driver.http.theirState === "switched-protocol") {
      driver.switched = { ...driver.http.switched!, response };
      incoming.end(Headers.from([]));
    } else {
      driver.reading.incoming = incoming;
      if (exchange.proposes) driver.refused(response);
      // RFC 9110 §10.1.1: if answered while the body was withheld, the body is not wanted.
      const unwanted = event.status >= 400 || !driver.http.persists || exchange.isWithheld;
      if (unwanted) exchange.stopUpload();
    }
    exchange.answer(response);
  }

  // RFC 9110 §7.5: an answered upload continues for a while; a stopped one ends the connection.
  #endAnswer(): void {
    const exchange = this.#inFlight[0];
    if (exchange === undefined || exchange.isWritten) return;
    const { driver } = this;
    if (exchange.isStopped) {
      exchange.end();
      driver.finish({
        kind: "not-persistent",
        because: "the request was answered before it was complete",
      });
    } else {
      driver.deadlines.start("upload", driver.limits.uploadGraceMs);
    }
  }

  nextCycle(): void {
    this.#inFlight.shift()?.end();
    this.#startNext();
    if (this.isReady) this.#settleReady(undefined);
  }

  #rejectWaiting(cause: UpgradeError | undefined): void {
    for (const exchange of this.#waiting.splice(0)) exchange.rejectUnsent(cause);
  }

  over(why: () => UpgradeError): void {
    const [first, ...others] = this.#inFlight.splice(0);
    if (first !== undefined && this.#isUnfinished(first)) {
      if (this.driver.http.bufferedBytes > 0) first.isResponseSeen = true;
      first.reject(why());
    } else first?.end();
    if (others.length + this.#waiting.length === 0 && this.#ready === undefined) return;
    const error = why();
    for (const exchange of others) {
      if (exchange.sent === "nothing") exchange.rejectUnsent(error);
      else
        exchange.reject(
          new ConnectionError("INCOMPLETE_MESSAGE", "before its first byte", {
            cause: error,
          }),
        );
    }
    this.#rejectWaiting(error);
    this.#settleReady(error);
  }

  // The response has not arrived in full, or the request is still being written.
  #isUnfinished(exchange: Exchange): boolean {
    return (
      !exchange.isAnswered ||
      !exchange.isWritten ||
      this.driver.reading.incoming?.isComplete === false
    );
  }

  #deadlinePassed(name: DeadlineName): void {
    const exchange = this.#inFlight[0];
    if (exchange === undefined) return;
    if (name === "continue") exchange.proceed(this);
    if (name === "upload") this.driver.fail(new ConnectionError("UPLOAD_TIMEOUT"));
    this.driver.reading.advance();
  }

  #settleReady(error: UpgradeError | undefined): void {
    const waiters = this.#ready ?? [];
    this.#ready = undefined;
    for (const waiter of waiters) {
      if (error === undefined) waiter.resolve();
      else waiter.reject(new ConnectionError("NOT_SENT", "", { cause: error, sent: "nothing" }));
    }
  }

  #notSent(): ConnectionError {
    const { reason } = this.driver;
    const cause = reason?.kind === "failed" ? reason.error : reason;
    return new ConnectionError("NOT_SENT", reason?.kind ?? "", { cause, sent: "nothing" });
  }
}
