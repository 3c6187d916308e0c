import { UpgradeError } from "@upgrade/core";
import type { Connection, Io, ManualClock, Parts } from "@upgrade/core/io";
import { handshake, type ServerRequest, type ServerResponse } from "@upgrade/server";
import { option } from "../stories/actions.ts";
import { requestLine } from "../stories/transcript.ts";
import {
  type Actor,
  type Behavior,
  codeOf,
  contentOf,
  continueBody,
  MessageLog,
  type Pieces,
  type Watch,
} from "./actor.ts";
import type { OurMessage, Script, Step } from "./script.ts";

/** One request passed to the service. */
interface Exchange {
  readonly request: ServerRequest<Io>;
  readonly received: MessageLog;
  isRead: boolean;
  isAnswered: boolean;
  /** Undefined: the service has switched by itself. */
  answer(response: ServerResponse | undefined): void;
}

/** A service that answers when the story says so, and what it received. */
export class ServerActor implements Actor {
  readonly watch: Watch;
  /** What `onError` received. */
  readonly errors: unknown[] = [];
  connection!: Connection<Io>;
  readonly #exchanges: Exchange[] = [];
  readonly #behavior: Behavior;
  #pieces: Pieces | undefined;
  /** The result of `switchTo`, or its error. */
  parts: Parts<Io> | undefined;
  #switchFailure: unknown;

  private constructor(watch: Watch, behavior: Behavior) {
    this.watch = watch;
    this.#behavior = behavior;
  }

  static async start(
    io: Io,
    script: Script,
    clock: ManualClock,
    watch: Watch,
    behavior: Behavior,
  ): Promise<ServerActor> {
    const actor = new ServerActor(watch, behavior);
    const { connection } = await handshake(io, (request) => actor.#serve(request), {
      ...script.limits,
      clock,
      date: false,
      // Like HttpConnection, which closes when asked to.
      keepAliveAfterRefusal: true,
      onError: (error) => void actor.errors.push(error),
    });
    actor.connection = connection;
    return actor;
  }

  get messages(): MessageLog[] {
    return this.#exchanges.map(({ received }) => received);
  }

  /** A request waits for its response. */
  get holds(): boolean {
    return this.#open !== undefined;
  }

  /** Whether its service knows that the client has ended its side. */
  get peerEnded(): boolean {
    const { request } = this.#open!;
    return request.peerEnded && request.signal.aborted;
  }

  #serve(request: ServerRequest<Io>): Promise<ServerResponse | undefined> {
    // Read early, to check that a pending read settles.
    void request.signal;
    return new Promise((resolve) => {
      this.#exchanges.push({
        request,
        received: new MessageLog(requestLine(request), request.headers),
        isRead: false,
        isAnswered: false,
        answer: resolve,
      });
      if (request.headers.get("expect") === undefined) this.#read(this.#exchanges.at(-1)!);
    });
  }

  #read(exchange: Exchange): void {
    if (exchange.isRead) return;
    exchange.isRead = true;
    const read = exchange.received.read(exchange.request, this.watch, this.#behavior.reads);
    void this.watch.add("the request's body", read);
  }

  // A body that the client may still hold back is read only once some of it has arrived, since reading
  // it sends a 100, which is up to the story.
  look(sent: string): void {
    const exchange = this.#exchanges.at(-1);
    if (exchange === undefined) return;
    const { method, target, body } = exchange.request;
    const headEnd = sent.indexOf("\r\n\r\n", sent.lastIndexOf(`${method} ${target} HTTP/`));
    if (body.length === 0 || sent.length > headEnd + "\r\n\r\n".length) this.#read(exchange);
  }

  get #open(): Exchange | undefined {
    const last = this.#exchanges.at(-1);
    return last?.isAnswered === false ? last : undefined;
  }

  async send(ourMessage: OurMessage): Promise<string | undefined> {
    const { head } = ourMessage;
    const exchange = this.#open;
    // Without a request, the driver sent it by itself.
    if (exchange === undefined) return undefined;
    const { pieces, ...content } = contentOf(ourMessage);
    const status = Number(head.words[1]);
    this.#pieces = pieces;
    exchange.isAnswered = true;
    if (this.#behavior.switches && isSwitch(ourMessage, exchange))
      this.#switch(ourMessage, exchange);
    else exchange.answer({ status, tunnel: true, reason: option(head, "reason"), ...content });
    return undefined;
  }

  #switch({ head }: OurMessage, { request, answer }: Exchange): void {
    const [, protocol] = head.fields.find(([name]) => /^upgrade$/i.test(name)) ?? [];
    const parts = this.watch.add("switchTo", request.switchTo(protocol, { headers: head.fields }));
    parts.then(
      (taken) => {
        this.parts = taken;
      },
      (error) => {
        this.#switchFailure = error;
      },
    );
    answer(undefined);
  }

  more(step: Step & { readonly kind: "more" }): void {
    continueBody(this.#pieces, step);
  }

  interim({ action }: Step & { readonly kind: "interim" }): string | undefined {
    const exchange = this.#exchanges.at(-1);
    if (exchange === undefined) return "WRONG_MOMENT";
    try {
      // An HTTP/1.0 client does not get it; HttpConnection would refuse it, too.
      const isSent = exchange.request.sendInterim(Number(action.words[1]), action.fields);
      return isSent ? undefined : "INVALID_STATUS";
    } catch (error) {
      return codeOf(error);
    }
  }

  settle(): number {
    this.#pieces?.push(null);
    const exchange = this.#open;
    if (exchange === undefined) return 0;
    exchange.isAnswered = true;
    exchange.answer({ status: 403 });
    return 1;
  }

  get unaware(): string[] {
    const { request } = this.#open ?? {};
    return request === undefined || request.signal.aborted ? [] : ["the signal of a request"];
  }

  get failures(): unknown[] {
    return [this.#switchFailure, ...this.#exchanges.map(({ received }) => received.failure)];
  }

  complaints(): string[] {
    const strange = this.errors.filter((error) => !(error instanceof UpgradeError));
    return strange.map((error) => `onError got ${String(error)}`);
  }
}

// It sends 101, and 200 to CONNECT.
function isSwitch({ head, refused }: OurMessage, { request }: Exchange): boolean {
  const accepts = request.proposal?.kind === "connect" ? "200" : "101";
  return refused === undefined && head.words[1] === accepts;
}
