// driver ↔ [server side] ↔ service: events become requests, results become responses

import {
  ConnectionError,
  gatewayStatus,
  LocalProtocolError,
  RemoteProtocolError,
  type RequestEvent,
  type UpgradeError,
} from "@upgrade/core";
import {
  Connection,
  type Driver,
  type Incoming,
  ignoreFailure,
  isThenable,
  type Side,
  type SideEvent,
} from "@upgrade/core/io";
import { httpDate } from "./date.ts";
import { Exchange } from "./exchange.ts";
import type { ServerRequest } from "./request.ts";
import type { ServerOptions, Service, ServiceResult } from "./service.ts";

const KEEP_ALIVE_AFTER_REFUSAL = ["h2c"];

/** One server connection: one exchange at a time. */
export class ServerSide<IO> implements Side {
  readonly driver: Driver;
  readonly io: IO;
  readonly connection: Connection<IO>;
  readonly #service: Service<IO>;
  readonly #options: ServerOptions<IO>;
  #exchange: Exchange<IO> | undefined;

  constructor(driver: Driver, io: IO, service: Service<IO>, options: ServerOptions<IO>) {
    this.driver = driver;
    this.io = io;
    this.#service = service;
    this.#options = options;
    this.connection = new Connection(driver, io);
  }

  get isIdle(): boolean {
    return this.#exchange === undefined;
  }

  /** The Date of a response that is prepared now. */
  get date(): string | undefined {
    return this.#options.date === false ? undefined : httpDate();
  }

  receive(event: SideEvent): void {
    switch (event.type) {
      case "request":
        this.#serve(event);
        break;
      case "end-of-message":
        if (this.driver.peerEnded) this.#notePeerEnd();
        this.#exchange?.bodyEnded();
        break;
      case "body-wanted":
        this.#exchange?.wantBody();
        break;
      case "peer-ended":
        this.#notePeerEnd();
        break;
      case "drain-failed":
        this.#drainFailed(event.error);
        break;
      default:
        // The rest matters to clients only.
        break;
    }
  }

  #serve(event: RequestEvent): void {
    const { driver } = this;
    const exchange = new Exchange(this, event);
    this.#exchange = exchange;
    driver.requests++;
    if (driver.requests >= driver.limits.maxRequests) driver.retire("maxRequests");
    driver.reading.incoming = exchange.incoming;
    // The end may have arrived after this request, during an earlier exchange.
    if (event.framing.kind === "none" && driver.peerEnded) this.#notePeerEnd();
    this.#call(exchange);
  }

  #call(exchange: Exchange<IO>): void {
    let result: ServiceResult;
    try {
      const answer = this.#service(exchange.request);
      if (isThenable(answer)) {
        // Wrapped, so that a foreign `then` settles once, and asynchronously.
        Promise.resolve(answer).then(
          (response) => this.#answer(exchange, response),
          (error) => this.#serviceFailed(exchange, error),
        );
        return;
      }
      result = answer;
    } catch (error) {
      this.#serviceFailed(exchange, error);
      return;
    }
    // A service that returns no promise costs no microtask.
    this.#answer(exchange, result);
  }

  #answer(exchange: Exchange<IO>, response: ServiceResult): void {
    const { http, writing } = this.driver;
    const corked = writing.cork();
    try {
      if (response) exchange.respond(response);
      else if (exchange.isOpen) {
        throw new LocalProtocolError("NO_RESPONSE", "", { cause: exchange.claimFailure });
      }
    } catch (error) {
      this.#serviceFailed(exchange, error);
    } finally {
      // Later requests may be answered in the same turn, and then in the same write.
      if (corked) writing.uncork(!this.isIdle || http.bufferedBytes > 0);
    }
  }

  // A failure after the response never touches the io.
  #serviceFailed(exchange: Exchange<IO>, error: unknown): void {
    this.report(error, "service", exchange.request);
    if (!this.driver.isLive) return;
    if (exchange.isOpen) exchange.respond({ status: statusFor(error, exchange.incoming) });
    else if (exchange.isResponding && this.driver.http.ourState === "send-body") {
      this.driver.fail(new LocalProtocolError("SERVICE_FAILED", "", { cause: error }));
    }
  }

  answered(exchange: Exchange<IO>): void {
    const { incoming } = exchange;
    // An active reader continues; an unread body is drained.
    const isLeft = incoming.framing.kind !== "none" && !incoming.isComplete && !incoming.isRead;
    if (isLeft && this.driver.http.ourState === "done") this.driver.reading.drain();
    this.driver.reading.advance();
  }

  // RFC 9931 §8: what follows a refused CONNECT may be tunnel data, not a request.
  survivesRefusal(request: ServerRequest<IO>): boolean {
    const { proposal } = request;
    if (proposal?.kind !== "upgrade" || this.driver.http.bufferedBytes > 0) return false;
    const kept = this.#options.keepAliveAfterRefusal ?? KEEP_ALIVE_AFTER_REFUSAL;
    if (kept === true) return true;
    const lower = kept.map((protocol) => protocol.toLowerCase());
    return proposal.protocols.every((protocol) => lower.includes(protocol.toLowerCase()));
  }

  nextCycle(): void {
    this.#exchange = undefined;
  }

  #notePeerEnd(): void {
    const client = this.#exchange?.client;
    if (client === undefined) return;
    client.ended = true;
    if (this.#options.halfClose !== true) client.abort(new ConnectionError("PEER_ENDED"));
  }

  #drainFailed(error: ConnectionError): void {
    const exchange = this.#exchange!;
    this.driver.http.endPersistence();
    // Before a switch, respond with the error instead of the 101.
    if (exchange.failSwitch(error)) {
      this.report(error, "switch", exchange.request);
      exchange.respond({ status: error.status ?? 408 });
    }
    this.driver.reading.advance();
  }

  answer(error: UpgradeError): boolean {
    if (error.status === undefined || !this.#mayStillAnswer(error)) return false;
    this.driver.http.endPersistence();
    this.driver.send({
      type: "response",
      status: error.status,
      bodyLength: 0,
      date: this.date,
    });
    this.driver.send({ type: "end-of-message" });
    return true;
  }

  // RFC 9112 §9.5: a head that is late gets a 408 if some of it arrived. A reset gets nothing.
  #mayStillAnswer(error: UpgradeError): boolean {
    const { ourState } = this.driver.http;
    const answerable = error instanceof RemoteProtocolError || error instanceof ConnectionError;
    return answerable && (ourState === "idle" || ourState === "send-response");
  }

  reportFailure(error: UpgradeError): void {
    this.report(error, error.phase ?? "connection", this.#exchange?.request);
  }

  over(why: () => UpgradeError): void {
    const exchange = this.#exchange;
    // A switch keeps its exchange until the parts are taken.
    if (exchange !== undefined && this.driver.phase !== "kept-open") exchange.end(why());
  }

  report(error: unknown, phase: string, request: ServerRequest<IO> | undefined): void {
    ignoreFailure(() => this.#options.onError?.(error, { phase, request }));
  }
}

function statusFor(error: unknown, { rejection }: Incoming): number {
  // Only for the request's own body: the same error from another message says nothing about this one.
  if (rejection !== undefined && error === rejection.error) return rejection.status;
  // RFC 9110 §15.6.2: the service does not implement CONNECT.
  const isUnintended = error instanceof LocalProtocolError && error.code === "UNINTENDED_TUNNEL";
  return isUnintended ? 501 : gatewayStatus(error);
}
