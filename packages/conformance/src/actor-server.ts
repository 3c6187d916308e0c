import { UpgradeError } from "@upgrade/core";
import type { Connection, Io, ManualClock, Parts } from "@upgrade/core/io";
import { handshake, type ServerRequest, type ServerResponse } from "@upgrade/server";
import {
  type Actor,
  codeOf,
  contentOf,
  goOn,
  Heard,
  type Manners,
  type Pieces,
  type Watch,
} from "./actor.ts";
import { option } from "./deeds.ts";
import type { Said, Score, Step } from "./score.ts";
import { requestLine } from "./transcript.ts";

/** One request that its service has been called with. */
interface Exchange {
  readonly request: ServerRequest<Io>;
  readonly heard: Heard;
  isRead: boolean;
  isAnswered: boolean;
  /** Undefined: the service has switched by itself. */
  answer(response: ServerResponse | undefined): void;
}

/** A service that answers when the story says so, and what it was told. */
export class ServerActor implements Actor {
  readonly watch: Watch;
  /** What `onError` was told. */
  readonly told: unknown[] = [];
  connection!: Connection<Io>;
  readonly #exchanges: Exchange[] = [];
  readonly #manners: Manners;
  #pieces: Pieces | undefined;
  /** What `switchTo` gave, and why it did not. */
  parts: Parts<Io> | undefined;
  #switchFailure: unknown;

  private constructor(watch: Watch, manners: Manners) {
    this.watch = watch;
    this.#manners = manners;
  }

  static async start(
    io: Io,
    score: Score,
    clock: ManualClock,
    watch: Watch,
    manners: Manners,
  ): Promise<ServerActor> {
    const actor = new ServerActor(watch, manners);
    const { connection } = await handshake(io, (request) => actor.#serve(request), {
      ...score.limits,
      clock,
      date: false,
      // As the heart, which closes where it is told to.
      keepAliveAfterRefusal: true,
      onError: (error) => void actor.told.push(error),
    });
    actor.connection = connection;
    return actor;
  }

  get messages(): Heard[] {
    return this.#exchanges.map(({ heard }) => heard);
  }

  /** A request waits for its answer. */
  get holds(): boolean {
    return this.#open !== undefined;
  }

  /** Whether its service was told that the client has ended its side. */
  get peerEnded(): boolean {
    const { request } = this.#open!;
    return request.peerEnded && request.signal.aborted;
  }

  #serve(request: ServerRequest<Io>): Promise<ServerResponse | undefined> {
    // Asked for early: who waits must be told.
    void request.signal;
    return new Promise((resolve) => {
      this.#exchanges.push({
        request,
        heard: new Heard(requestLine(request), request.headers),
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
    const read = exchange.heard.read(exchange.request, this.watch, this.#manners.reads);
    void this.watch.add("the request's body", read);
  }

  // A body that the client may still hold back is read once some of it is there: reading it asks for
  // it, and that is for the story to do.
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

  async say(said: Said): Promise<string | undefined> {
    const { head } = said;
    const exchange = this.#open;
    // Nobody has asked: what is said then the driver has said by itself.
    if (exchange === undefined) return undefined;
    const { pieces, ...content } = contentOf(said);
    const status = Number(head.words[1]);
    this.#pieces = pieces;
    exchange.isAnswered = true;
    if (this.#manners.switches && isSwitch(said, exchange)) this.#switch(said, exchange);
    else exchange.answer({ status, tunnel: true, reason: option(head, "reason"), ...content });
    return undefined;
  }

  #switch({ head }: Said, { request, answer }: Exchange): void {
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
    goOn(this.#pieces, step);
  }

  inform({ deed }: Step & { readonly kind: "inform" }): string | undefined {
    const exchange = this.#exchanges.at(-1);
    if (exchange === undefined) return "WRONG_MOMENT";
    try {
      // A client of HTTP/1.0 is spared it; the heart would not say it either.
      const isSaid = exchange.request.inform(Number(deed.words[1]), deed.fields);
      return isSaid ? undefined : "INVALID_STATUS";
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

  get ignorant(): string[] {
    const { request } = this.#open ?? {};
    return request === undefined || request.signal.aborted ? [] : ["the signal of a request"];
  }

  get failures(): unknown[] {
    return [this.#switchFailure, ...this.#exchanges.map(({ heard }) => heard.failure)];
  }

  complaints(): string[] {
    const strange = this.told.filter((error) => !(error instanceof UpgradeError));
    return strange.map((error) => `onError was told ${String(error)}`);
  }
}

// It says 101, and 200 to CONNECT.
function isSwitch({ head, refused }: Said, { request }: Exchange): boolean {
  const accepts = request.proposal?.kind === "connect" ? "200" : "101";
  return refused === undefined && head.words[1] === accepts;
}
