import { resolveLimits, type UpgradeError } from "@upgrade/core";
import { type Io, ManualClock, memoryPair, type Parts, SwitchRefused } from "@upgrade/core/io";
import type { Pair } from "../pairs/pairs.ts";
import { ScriptedPeer } from "../scripted-peer.ts";
import { escaped } from "../stories/octet-text.ts";
import type { Cut, Outcome } from "../stories/play.ts";
import { faultLine } from "../stories/transcript.ts";
import { turns } from "../turns.ts";
import { type Actor, Watch } from "./actor.ts";
import { ClientActor } from "./client-actor.ts";
import type { End, Script, Step } from "./script.ts";
import { ServerActor } from "./server-actor.ts";

/** How the application waits for the end of its connection, and what happens to the io then. */
export type Waits = "run" | "withoutShutdown";

export const WAITS: readonly Waits[] = ["run", "withoutShutdown"];

/** A connection in the role of the story, with an application and a peer. */
export class Drive {
  readonly clock = new ManualClock();
  readonly watch = new Watch();
  readonly peer: ScriptedPeer;
  readonly script: Script;
  actor!: Actor;
  /** The result of waiting. */
  parts: Parts<Io> | undefined;
  failure: unknown;
  readonly #near: Io;
  /** Everything the peer has sent. */
  sent = "";
  #wireAt = 0;

  private constructor(script: Script, [near, far]: Pair) {
    this.script = script;
    this.#near = near;
    this.peer = new ScriptedPeer(far);
  }

  /** Begins the story: sends the earlier requests of our client. */
  static async start(
    script: Script,
    waits: Waits,
    reads = true,
    pair: Pair = memoryPair(),
  ): Promise<Drive> {
    const drive = new Drive(script, pair);
    const { watch, clock } = drive;
    const make = script.role === "server" ? ServerActor : ClientActor;
    drive.actor = await make.start(drive.#near, script, clock, watch, {
      switches: waits === "run",
      reads,
    });
    const { connection } = drive.actor;
    const fail = (error: unknown): void => {
      drive.failure = error;
    };
    if (waits === "withoutShutdown") {
      const parts = watch.add("withoutShutdown", connection.withoutShutdown());
      parts.then((taken) => {
        drive.parts = taken;
      }, fail);
    }
    watch.add("run", connection.run()).catch(fail);
    void watch.add("closed", connection.closed);
    await turns(1);
    drive.#wireAt = drive.peer.unread.length;
    return drive;
  }

  /** What we have written since the last call. */
  wire(): string {
    const { unread } = this.peer;
    const came = unread.slice(this.#wireAt);
    this.#wireAt = unread.length;
    return came;
  }

  /** What the application has received, and whether it knows that HTTP has failed. */
  received(): string[] {
    const lines = this.actor.messages.flatMap((message) => message.lines);
    const { closeReason } = this.actor.connection;
    if (closeReason?.kind === "failed") lines.push(faultLine(closeReason.error));
    return lines;
  }

  /** Waits until everything that follows from the last step has happened. */
  async calm(): Promise<void> {
    await turns(1);
    this.actor.look(this.sent);
    await turns(1);
  }

  /** How the transport has ended, as its peer sees it. */
  get end(): End {
    if (this.actor.connection.closeReason?.kind === "switched") return "switched";
    if (this.peer.failure !== undefined) return "failed";
    // The caller that waits for the parts ends the io itself.
    return this.peer.ended || this.parts !== undefined ? "ended" : "open";
  }

  /** Ends everything. Returns what has not settled by then, or is left behind. */
  async leave(): Promise<string[]> {
    const { actor, clock, peer } = this;
    for (let i = 0; i < 3 && actor.settle() > 0; i++) await this.calm();
    void peer.end().catch(() => {});
    for (let i = 0; i < 3; i++) {
      await this.calm();
      clock.advance(60_000);
    }
    // The caller gives up a response that never arrives.
    actor.connection.abort();
    await this.calm();
    return this.remains();
  }

  /** What has not settled, or was not removed. */
  remains(): string[] {
    const { actor, clock, watch } = this;
    const open = watch.open.map((name) => `${name} is open`);
    const timers = clock.pending === 0 ? [] : [`${clock.pending} timers`];
    return [...open, ...timers, ...actor.complaints()];
  }

  /** The parts, if need be by force, and every byte that is not HTTP's: in readBuf, then in the io. */
  async leftovers(): Promise<Uint8Array> {
    const { connection, parts: taken } = this.actor;
    const parts = this.parts ?? taken ?? connection.intoParts({ force: true });
    void this.peer.end().catch(() => {});
    // A consumed end cannot be awaited again.
    const rest = parts.readEnded ? "" : await new ScriptedPeer(parts.io).readToEnd();
    return Buffer.concat([parts.readBuf, Buffer.from(rest, "latin1")]);
  }
}

/** Does a step of the story; returns what is expected and what happened. */
export async function follow(drive: Drive, step: Step, cut: Cut): Promise<Outcome | undefined> {
  const { actor, peer } = drive;
  switch (step.kind) {
    case "bytes": {
      let from = 0;
      for (const to of cut(step.octets.length)) {
        const piece = step.octets.slice(from, to);
        drive.sent += Buffer.from(piece).toString("latin1");
        void peer.send(piece).catch(() => {});
        from = to;
      }
      await drive.calm();
      return undefined;
    }
    case "end-of-file":
      void peer.end().catch(() => {});
      await drive.calm();
      return undefined;
    case "send": {
      const { refused } = step.ourMessage;
      // An invalid response returned by a service becomes a 500, which is a different play.
      if (drive.script.role === "server" && refused !== undefined) return undefined;
      const came = await actor.send(step.ourMessage);
      await drive.calm();
      // The driver differs here: it queues what HttpConnection would refuse at this moment.
      return refused === "WRONG_MOMENT" ? undefined : outcome(step.line, refused, came);
    }
    case "interim": {
      const came = actor.interim(step);
      await drive.calm();
      return outcome(step.line, step.refused, came);
    }
    case "wait":
      drive.clock.advance(resolveLimits().headMs);
      await drive.calm();
      return undefined;
    case "more":
      actor.more(step);
      await turns(1);
      return undefined;
    case "retire":
      void actor.connection.close();
      return undefined;
    case "wire":
      return outcome(step.line, escaped(step.octets), escaped(Buffer.from(drive.wire(), "latin1")));
    case "received": {
      const { line, lines, begins } = step;
      const received = drive.received();
      const got = begins ? received.slice(0, lines.length) : received;
      return outcome(line, lines.join("\n"), got.join("\n"));
    }
  }
}

/** Plays a story through a driven connection; checks its promises, and that nothing is left behind. */
export async function drive(
  script: Script,
  cut: Cut,
  waits: Waits,
  pair: Pair = memoryPair(),
): Promise<Outcome[]> {
  const driven = await Drive.start(script, waits, true, pair);
  const outcomes: Outcome[] = [];
  for (const step of script.steps) {
    const came = await follow(driven, step, cut);
    if (came !== undefined) outcomes.push(came);
  }
  outcomes.push(...finalOutcomes(driven));
  // After a refusal it closes as usual.
  const isClosed = driven.failure instanceof SwitchRefused && driven.parts === undefined;
  const takes = waits === "withoutShutdown" || driven.actor.parts !== undefined;
  if (takes && !script.fails && !(isClosed && script.end === "ended")) {
    const rest = await driven.leftovers();
    outcomes.push(outcome(script.line, escaped(script.readBuf), escaped(rest)));
  }
  outcomes.push(outcome(script.line, "", (await driven.leave()).join("; ")));
  return outcomes;
}

/** The server's responses that HttpConnection refuses, each of which needs its own play. */
export function refusalsOf({ role, steps }: Script): number[] {
  if (role === "client") return [];
  return steps.flatMap((step, i) => {
    if (step.kind !== "send") return [];
    const { refused } = step.ourMessage;
    const isLate = steps.some((one, at) => at < i && isAnswer(one) && one.line === step.line);
    return refused === undefined || refused === "WRONG_MOMENT" || isLate ? [] : [i];
  });
}

function isAnswer(step: Step): step is Step & { readonly kind: "send" } {
  return step.kind === "send" && step.ourMessage.refused === undefined;
}

/** Plays a story up to a refused response: it is reported to onError, and the peer reads a 500. */
export async function driveRefusal(script: Script, at: number, cut: Cut): Promise<Outcome[]> {
  const driven = await Drive.start(script, "run");
  for (const step of script.steps.slice(0, at)) await follow(driven, step, cut);
  driven.wire();
  const step = script.steps[at] as Step & { readonly kind: "send" };
  await driven.actor.send(step.ourMessage);
  await driven.calm();
  const [reported] = (driven.actor as ServerActor).errors as UpgradeError[];
  const status = driven.wire().split(" ")[1];
  const left = await driven.leave();
  return [
    outcome(step.line, `${step.ourMessage.refused} 500`, `${reported?.code} ${status}`),
    outcome(step.line, "", left.join("; ")),
  ];
}

// What the peer and the service saw in total, after the last line of the story.
function finalOutcomes({ script, peer, actor, end }: Drive): Outcome[] {
  const { line, refusal } = script;
  const outcomes: Outcome[] = [];
  const compare = (expected: unknown, came: unknown): void =>
    void outcomes.push(outcome(line, String(expected), String(came)));
  if (script.end !== "either") compare(script.end, end);
  compare(
    script.fields,
    actor.messages.flatMap(({ fields }) => fields),
  );
  if (actor instanceof ServerActor) {
    if (script.statuses !== undefined)
      compare(
        script.statuses,
        [...peer.unread.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => code),
      );
    if (actor.holds) compare(script.peerEnded, actor.peerEnded);
  }
  const { closeReason } = actor.connection;
  if (closeReason?.kind === "failed" && script.owes) {
    // A pending read rejects with the error that ended the connection.
    compare(true, actor.failures.includes(closeReason.error));
  }
  if (refusal !== undefined) {
    const answer = String.raw`HTTP/1.1 ${refusal} [^\r]+\r\nContent-Length: 0\r\nConnection: close\r\n\r\n$`;
    compare(true, new RegExp(answer).test(peer.unread));
  }
  return outcomes;
}

function outcome(line: number, expected = "done", came = "done"): Outcome {
  return { line, expected, came };
}
