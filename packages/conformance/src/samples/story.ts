import { once } from "node:events";
import net from "node:net";
import { closedPort } from "../pairs/closed-port.ts";
import { ScriptedPeer } from "../scripted-peer.ts";
import { moduleOf, nameOf, readSamples, type Sample } from "./samples.ts";
import type { Stage } from "./stage.ts";

/** One sample, what the page leaves out, and its peers. */
export interface Story {
  /** A name from `nameOf`. */
  readonly sample: string;
  /** Values for names that the page only declares. */
  readonly given?: string;
  /** Code that follows the sample in its module. */
  readonly after?: string;
  /** The port number in the sample on which it listens. */
  readonly serves?: string;
  /** The port number in the sample to which it connects. */
  readonly asks?: string;
  /** What the module must have printed when it has settled. */
  readonly prints?: string;
  /** Part of the error that the module must fail with. */
  readonly throws?: string;
  /** What the peers do. A peer may die at each `yield`, which names the moment. */
  readonly play?: (cast: Cast) => AsyncGenerator<string, void>;
}

export type Way = "reset" | "FIN" | "stall";

/** The peers of a sample in one run. The first one starts the exchange. */
export class Cast {
  readonly peers: ScriptedPeer[] = [];
  readonly stage: Stage;
  /** The port on which the sample listens. */
  readonly served: number;
  readonly #sockets: net.Socket[] = [];
  readonly #upstream: net.Server;
  readonly #waiting: net.Socket[] = [];
  #isOver = false;

  private constructor(stage: Stage, served: number, upstream: net.Server) {
    this.stage = stage;
    this.served = served;
    this.#upstream = upstream;
    upstream.on("connection", (socket) => {
      socket.on("error", () => {});
      this.#waiting.push(socket);
      // It is too late to connect.
      if (this.#isOver) socket.resume().end();
      upstream.emit("waiting");
    });
  }

  /** Each run has its own ports, so that no earlier run can reach it. */
  static async of(stage: Stage): Promise<Cast> {
    const upstream = net.createServer({ noDelay: true, allowHalfOpen: true });
    upstream.listen(0, "127.0.0.1");
    await once(upstream, "listening");
    return new Cast(stage, await closedPort(), upstream);
  }

  /** The port to which the sample connects. */
  get port(): number {
    return (this.#upstream.address() as net.AddressInfo).port;
  }

  /** Connects to the sample. */
  async dial(): Promise<ScriptedPeer> {
    const { stage } = this;
    const before = stage.accepted;
    const socket = net.connect({ port: this.served, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    // A connection that dies before it is accepted would be confused with the next one.
    await stage.until("an accepted connection", () => stage.accepted > before);
    return this.#enter(socket);
  }

  /** The next connection that the sample makes. */
  async accept(): Promise<ScriptedPeer> {
    while (this.#waiting.length === 0) {
      await once(this.#upstream, "waiting", { signal: AbortSignal.timeout(10_000) });
    }
    return this.#enter(this.#waiting.shift()!);
  }

  #enter(socket: net.Socket): ScriptedPeer {
    const peer = new ScriptedPeer(socket);
    this.peers.push(peer);
    this.#sockets.push(socket);
    return peer;
  }

  /** `victim` dies in some way, then the others leave, so that in the end no socket has a peer. */
  kill(victim: number, way: Way): void {
    this.#isOver = true;
    for (const socket of this.#waiting) socket.resume().end();
    const peers = [...this.peers];
    const [dying] = peers.splice(victim, 1);
    const isFirst = victim === 0;
    if (way === "reset") {
      dying!.reset();
      // A sample that has lost its client closes its other connections.
      if (!isFirst) void this.peers[0]!.end();
    } else if (way === "FIN") {
      for (const peer of [dying!, ...peers]) void peer.end();
    } else {
      this.#sockets[victim]!.pause();
      for (const peer of peers) peer.reset();
      if (isFirst) dying!.reset();
    }
  }

  leave(): void {
    this.#upstream.close();
    for (const socket of [...this.#sockets, ...this.#waiting]) socket.destroy();
  }
}

/** Plays one story any number of times. */
export class Rehearsal {
  readonly stage: Stage;
  readonly #story: Story;
  readonly #sample: Sample;

  constructor(story: Story, stage: Stage) {
    const sample = readSamples().find((candidate) => nameOf(candidate) === story.sample);
    if (sample === undefined) throw new Error(`there is no sample ${story.sample}`);
    this.stage = stage;
    this.#story = story;
    this.#sample = sample;
  }

  /** Runs a self-contained sample to its end. */
  async alone(): Promise<string> {
    const cast = await this.#cast();
    const { stage } = this;
    await stage.until("the end of the module", () => stage.settled !== undefined);
    cast.leave();
    if (stage.settled !== "") throw new Error(stage.settled);
    await this.#allClosed("at its end");
    return stage.printed;
  }

  /** Plays the story to its end. Returns the number of moments. */
  async well(): Promise<number> {
    const cast = await this.#cast();
    try {
      let moments = 0;
      for await (const _ of this.#story.play!(cast)) moments++;
      for (const peer of cast.peers) void peer.end();
      await this.#settled();
      const { throws = "" } = this.#story;
      const settled = this.stage.settled!;
      if (throws === "" ? settled !== "" : !settled.includes(throws)) throw new Error(settled);
      await this.#allClosed("in the end");
      return moments;
    } finally {
      cast.leave();
    }
  }

  /** Kills each peer at each moment in turn. Returns the number of kills. */
  async withFailures(way: Way): Promise<number> {
    let deaths = 0;
    for (let moment = 0; ; moment++) {
      for (let victim = 0, peers = 1; victim < peers; victim++) {
        const cast = await this.#cast();
        try {
          const label = await this.#playTo(cast, moment);
          if (label === undefined) {
            cast.leave();
            await this.#settled();
            return deaths;
          }
          peers = cast.peers.length;
          // A stalled connection is closed only at a deadline.
          cast.kill(victim, way === "stall" && peers === 1 ? "reset" : way);
          deaths++;
          await this.#settled();
          await this.#allClosed(`${way} of peer ${victim} when ${label}`);
        } finally {
          cast.leave();
        }
        await this.#allClosed("between two runs");
      }
    }
  }

  /** Imports the sample, with its peers. */
  async #cast(): Promise<Cast> {
    const { given = "", after = "", serves, asks, play } = this.#story;
    const { stage } = this;
    const cast = await Cast.of(stage);
    const ports = {
      ...(serves === undefined ? {} : { [serves]: cast.served }),
      ...(asks === undefined ? {} : { [asks]: cast.port }),
    };
    await stage.run(moduleOf(this.#sample, given, ports, after));
    if (serves !== undefined && play !== undefined) {
      await stage.until("a listening server", () => stage.isListening);
    }
    return cast;
  }

  async #playTo(cast: Cast, moment: number): Promise<string | undefined> {
    const moments = this.#story.play!(cast);
    for (let i = 0; ; i++) {
      const { done, value } = await moments.next();
      if (done === true) return undefined;
      if (i === moment) return value;
    }
  }

  // A client's module has ended, normally or with the expected error.
  async #settled(): Promise<void> {
    const { stage } = this;
    await stage.until("the end of the module", () => stage.settled !== undefined);
  }

  async #allClosed(when: string): Promise<void> {
    const { stage } = this;
    await stage.until(`every socket closed: ${when}`, () => stage.open === 0);
    if (stage.unhandled.length > 0) throw new Error(`${when}: unhandled ${stage.unhandled[0]}`);
  }
}
