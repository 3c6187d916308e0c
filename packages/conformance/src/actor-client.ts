import { handshake, type Sender } from "@upgrade/client";
import { UpgradeError } from "@upgrade/core";
import type { Connection, Io, ManualClock, SignalLike } from "@upgrade/core/io";
import {
  type Actor,
  contentOf,
  goOn,
  Heard,
  type Manners,
  type Pieces,
  type Watch,
} from "./actor.ts";
import { option, targetOf } from "./deeds.ts";
import { askedBefore } from "./play.ts";
import type { Said, Score, Step } from "./score.ts";
import { responseLine } from "./transcript.ts";

/** One request, and everything that was heard in answer to it. */
interface Exchange {
  readonly interims: Heard[];
  final: Heard | undefined;
  failure: unknown;
}

/** A signal that never aborts, and knows who listens. */
class CountingSignal implements SignalLike {
  readonly aborted = false;
  readonly reason = undefined;
  listeners = 0;

  addEventListener(): void {
    this.listeners++;
  }

  removeEventListener(): void {
    this.listeners--;
  }
}

/** Asks when the story says so, and reads whatever is answered. */
export class ClientActor implements Actor {
  readonly connection: Connection<Io>;
  readonly watch: Watch;
  readonly #sender: Sender;
  readonly #reads: boolean;
  readonly #exchanges: Exchange[] = [];
  readonly #signal = new CountingSignal();
  #pieces: Pieces | undefined;

  private constructor(connection: Connection<Io>, sender: Sender, watch: Watch, reads: boolean) {
    this.connection = connection;
    this.#sender = sender;
    this.watch = watch;
    this.#reads = reads;
  }

  static async start(
    io: Io,
    score: Score,
    clock: ManualClock,
    watch: Watch,
    manners: Manners,
  ): Promise<ClientActor> {
    const isPipeline = score.steps.some(
      (step) => step.kind === "say" && step.said.head.words[0] === "pipeline",
    );
    const pipeline = isPipeline ? 8 : 1;
    const { sender, connection } = await handshake(io, { ...score.limits, clock, pipeline });
    const actor = new ClientActor(connection, sender, watch, manners.reads);
    if (score.asks !== undefined) void actor.#send(askedBefore(score.asks)).catch(() => {});
    void watch.add("ready", sender.ready()).catch(() => {});
    return actor;
  }

  get messages(): Heard[] {
    return this.#exchanges.flatMap(({ interims, final }) =>
      final === undefined ? interims : [...interims, final],
    );
  }

  #send(request: Parameters<Sender["sendRequest"]>[0]): Promise<unknown> {
    const exchange: Exchange = { interims: [], final: undefined, failure: undefined };
    this.#exchanges.push(exchange);
    const answered = this.#sender.sendRequest(request, {
      signal: this.#signal,
      onInformational: ({ status, reason, headers }) => {
        const line = responseLine({
          type: "informational-response",
          status,
          reason,
          version: "1.1",
          framing: { kind: "none" },
        });
        exchange.interims.push(new Heard(line, headers));
      },
    });
    const read = answered.then<unknown, void>(
      (response) => {
        const line = responseLine({
          type: "response",
          status: response.status,
          reason: response.reason,
          version: response.version,
          framing: response.framing,
        });
        const heard = new Heard(line, response.headers);
        exchange.final = heard;
        // What accepts a proposal has nothing behind it that is HTTP's.
        const isSwitch = this.connection.state.server === "switched-protocol";
        return isSwitch ? response.body.bytes() : heard.read(response, this.watch, this.#reads);
      },
      (error) => {
        exchange.failure = error;
      },
    );
    void this.watch.add("a response", read);
    return answered;
  }

  look(): void {
    // A client reads whatever comes.
  }

  async say(said: Said): Promise<string | undefined> {
    const [what, method = ""] = said.head.words;
    // A response, said by a client: there is no way to.
    if (what === "response") return "WRONG_MOMENT";
    const { pieces, ...content } = contentOf(said);
    if (said.refused === undefined) this.#pieces = pieces;
    const version = option(said.head, "version") === "1.0" ? "1.0" : "1.1";
    let refused: string | undefined;
    const sent = this.#send({ method, target: targetOf(said.head), version, ...content });
    sent.catch((error: unknown) => {
      refused = error instanceof UpgradeError ? error.code : String(error);
    });
    // What may not be sent is told in the same turn, in front of everything that is sent.
    for (let i = 0; i < 3; i++) await undefined;
    return refused;
  }

  more(step: Step & { readonly kind: "more" }): void {
    goOn(this.#pieces, step);
  }

  inform(): string | undefined {
    return "WRONG_MOMENT";
  }

  settle(): number {
    this.#pieces?.push(null);
    return 0;
  }

  readonly ignorant: readonly string[] = [];

  get failures(): unknown[] {
    return this.#exchanges.flatMap(({ failure, final }) => [failure, final?.failure]);
  }

  complaints(): string[] {
    const { listeners } = this.#signal;
    return listeners === 0 ? [] : [`${listeners} listeners on the signal of a request`];
  }
}
