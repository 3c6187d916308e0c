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
  type Occasion,
  type Side,
  type SignalLike,
  switchedBy,
} from "@upgrade/core/io";
import { Exchange } from "./exchange.ts";
import { type ClientRequest, SEND_OPTIONS, type SendOptions, unsaid } from "./request.ts";
import { ClientResponse } from "./response.ts";

/** One client connection: requests in flight, in order, and those that wait. */
export class ClientSide<IO> implements Side {
  readonly driver: Driver;
  readonly connection: Connection<IO>;
  /** Said, and not completely answered. More than one only where pipelining is on. */
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

  /** No request will be written any more. */
  get isClosed(): boolean {
    const { http, isClosing, life } = this.driver;
    return !life.isLive || isClosing || http.hasSwitched || !http.persists;
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

  /** @throws {LocalProtocolError} for what may not be sent: nothing is touched. */
  check(request: ClientRequest, options: SendOptions): Exchange {
    let exchange: Exchange | undefined;
    try {
      exchange = unsaid(() => Exchange.of(this.driver, request, options));
      return exchange;
    } finally {
      // What is refused, or comes after the end, may belong to a connection that will have no end.
      if (exchange === undefined || !this.driver.life.isLive) forget();
    }
  }

  /** Sends what was checked, in its turn. */
  sendChecked(exchange: Exchange, options: SendOptions): Promise<ClientResponse> {
    exchange.releasing(() => this.#queue(exchange, options.signal));
    return exchange.response.promise;
  }

  #queue(exchange: Exchange, signal: SignalLike | undefined): void {
    if (signal !== undefined) exchange.listen(signal, (reason) => this.#cancel(exchange, reason));
    // Its signal has aborted already.
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
    driver.advance();
  }

  // RFC 9112 §9.3.2: never behind, or with, what may not be repeated, and never with a proposal.
  #mayPipeline(next: Exchange): boolean {
    const { http, limits } = this.driver;
    if (this.#inFlight.length >= limits.pipeline || !http.mayPipeline) return false;
    return next.isPipelinable && this.#inFlight.every((exchange) => exchange.isPipelinable);
  }

  /** The request is said to its last byte. */
  uploaded(exchange: Exchange): void {
    this.driver.deadlines.stop("upload");
    this.driver.discardUnread();
    if (exchange === this.#inFlight[0]) this.driver.advance();
  }

  receive(occasion: Occasion): void {
    switch (occasion.type) {
      case "informational-response":
        this.#inform(this.#inFlight[0]!, occasion);
        break;
      case "response":
        this.#answer(this.#inFlight[0]!, occasion);
        break;
      case "end-of-message":
        this.#endAnswer();
        break;
      case "drain-failed":
        this.driver.fail(occasion.error);
        break;
      case "closing":
        this.#rejectWaiting(undefined);
        break;
      case "deadline":
        this.#deadlinePassed(occasion.name);
        break;
    }
  }

  #inform(exchange: Exchange, event: ResponseEvent): void {
    const { status, reason, headers } = event;
    if (status === 100) exchange.proceed(this);
    const fail = (cause: unknown): void =>
      this.driver.fail(new LocalProtocolError("CALLBACK_FAILED", "onInformational", { cause }));
    try {
      // An async one fails later.
      Promise.resolve(exchange.inform({ status, reason, headers })).catch(fail);
    } catch (cause) {
      fail(cause);
    }
  }

  #answer(exchange: Exchange, event: ResponseEvent): void {
    const { driver } = this;
    const incoming = new Incoming(event.framing, driver.reading);
    const response = new ClientResponse(event, incoming);
    // After the accepted head nothing more is read, so the exchange ends here.
    if (driver.http.theirState === "switched-protocol") {
      const { head } = exchange;
      driver.switched = switchedBy({ ...head, version: head.version ?? "1.1" }, response);
      incoming.end(Headers.from([]));
    } else {
      driver.reading.incoming = incoming;
      if (exchange.proposes) driver.refused(response);
      // RFC 9110 §10.1.1: answered while it waited, the body is not wanted at all.
      const unwanted = event.status >= 400 || !driver.http.persists || exchange.isWithheld;
      if (unwanted) exchange.stopUpload();
    }
    exchange.answer(response);
  }

  // RFC 9110 §7.5: an answered upload goes on for a while; one that was stopped ends the connection.
  #endAnswer(): void {
    const exchange = this.#inFlight[0];
    if (exchange === undefined || exchange.isSaid) return;
    const { driver } = this;
    if (exchange.isStopped) {
      exchange.end();
      driver.finish({
        kind: "not-persistent",
        because: "the request was answered before it ended",
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
    if (first !== undefined && this.#isOwed(first)) {
      if (this.driver.http.bufferedBytes > 0) first.isResponseSeen = true;
      first.reject(why());
    } else first?.end();
    if (others.length + this.#waiting.length === 0 && this.#ready === undefined) return;
    const error = why();
    for (const exchange of others) {
      if (exchange.sent === "nothing") exchange.rejectUnsent(error);
      else
        exchange.reject(
          new ConnectionError("INCOMPLETE_MESSAGE", "before a byte of it had come", {
            cause: error,
          }),
        );
    }
    this.#rejectWaiting(error);
    this.#settleReady(error);
  }

  // Somebody waits for the response, or for the rest of it, or makes the rest of the request.
  #isOwed(exchange: Exchange): boolean {
    return (
      !exchange.isAnswered || !exchange.isSaid || this.driver.reading.incoming?.isComplete === false
    );
  }

  #deadlinePassed(name: DeadlineName): void {
    const exchange = this.#inFlight[0];
    if (exchange === undefined) return;
    if (name === "continue") exchange.proceed(this);
    if (name === "upload") this.driver.fail(new ConnectionError("UPLOAD_TIMEOUT"));
    this.driver.advance();
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
    const { reason } = this.driver.ending;
    const cause = reason?.kind === "failed" ? reason.error : reason;
    return new ConnectionError("NOT_SENT", reason?.kind ?? "", { cause, sent: "nothing" });
  }
}
