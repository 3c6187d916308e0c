import { handshake, type Sender } from "@upgrade/client";
import { UpgradeError } from "@upgrade/core";
import type { Connection, Io, ManualClock, SignalLike } from "@upgrade/core/io";
import { option, targetOf } from "../stories/actions.ts";
import { earlierRequest } from "../stories/play.ts";
import { responseLine } from "../stories/transcript.ts";
import {
  type Actor,
  type Behavior,
  contentOf,
  continueBody,
  MessageLog,
  type Pieces,
  type Watch,
} from "./actor.ts";
import type { OurMessage, Script, Step } from "./script.ts";

/** One request, and everything received in response. */
interface Exchange {
  readonly interims: MessageLog[];
  final: MessageLog | undefined;
  failure: unknown;
}

/** A signal that never aborts, and counts its listeners. */
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

/** Sends requests when the story says so, and reads the responses. */
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
    script: Script,
    clock: ManualClock,
    watch: Watch,
    behavior: Behavior,
  ): Promise<ClientActor> {
    const isPipeline = script.steps.some(
      (step) => step.kind === "send" && step.ourMessage.head.words[0] === "pipeline",
    );
    const pipeline = isPipeline ? 8 : 1;
    const { sender, connection } = await handshake(io, { ...script.limits, clock, pipeline });
    const actor = new ClientActor(connection, sender, watch, behavior.reads);
    if (script.asks !== undefined) void actor.#send(earlierRequest(script.asks)).catch(() => {});
    void watch.add("ready", sender.ready()).catch(() => {});
    return actor;
  }

  get messages(): MessageLog[] {
    return this.#exchanges.flatMap(({ interims, final }) =>
      final === undefined ? interims : [...interims, final],
    );
  }

  #send(request: Parameters<Sender["sendRequest"]>[0]): Promise<unknown> {
    const exchange: Exchange = { interims: [], final: undefined, failure: undefined };
    this.#exchanges.push(exchange);
    const answered = this.#sender.sendRequest(request, {
      signal: this.#signal,
      onInterim: ({ status, reason, headers }) => {
        const line = responseLine({
          type: "interim-response",
          status,
          reason,
          version: "1.1",
          framing: { kind: "none" },
        });
        exchange.interims.push(new MessageLog(line, headers));
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
        const received = new MessageLog(line, response.headers);
        exchange.final = received;
        // Nothing after the head that accepts a proposal is HTTP.
        const isSwitch = this.connection.state.server === "switched-protocol";
        return isSwitch ? response.body.bytes() : received.read(response, this.watch, this.#reads);
      },
      (error) => {
        exchange.failure = error;
      },
    );
    void this.watch.add("a response", read);
    return answered;
  }

  look(): void {}

  async send(ourMessage: OurMessage): Promise<string | undefined> {
    const [what, method = ""] = ourMessage.head.words;
    // A client has no way to send a response.
    if (what === "response") return "WRONG_MOMENT";
    const { pieces, ...content } = contentOf(ourMessage);
    if (ourMessage.refused === undefined) this.#pieces = pieces;
    const version = option(ourMessage.head, "version") === "1.0" ? "1.0" : "1.1";
    let refused: string | undefined;
    const sent = this.#send({ method, target: targetOf(ourMessage.head), version, ...content });
    sent.catch((error: unknown) => {
      refused = error instanceof UpgradeError ? error.code : String(error);
    });
    // A refusal is reported in the same turn, before anything is sent.
    for (let i = 0; i < 3; i++) await undefined;
    return refused;
  }

  more(step: Step & { readonly kind: "more" }): void {
    continueBody(this.#pieces, step);
  }

  interim(): string | undefined {
    return "WRONG_MOMENT";
  }

  settle(): number {
    this.#pieces?.push(null);
    return 0;
  }

  readonly unaware: readonly string[] = [];

  get failures(): unknown[] {
    return this.#exchanges.flatMap(({ failure, final }) => [failure, final?.failure]);
  }

  complaints(): string[] {
    const { listeners } = this.#signal;
    return listeners === 0 ? [] : [`${listeners} listeners on the signal of a request`];
  }
}
