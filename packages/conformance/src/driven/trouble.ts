import { UpgradeError } from "@upgrade/core";
import { whole } from "../stories/play.ts";
import { turns } from "../turns.ts";
import { Drive, follow, WAITS } from "./drive.ts";
import { HAZARDS, type Hazard } from "./hazards.ts";
import type { Script, Step } from "./script.ts";

/**
 * What a transport does at one moment: it is reset; the peer's side ends; it stalls; or only the next
 * write fails.
 */
export type Trouble = "reset" | "end" | "stall" | "write";

export const TROUBLES: readonly Trouble[] = ["reset", "end", "stall", "write"];

/**
 * A moment of a story: after that many bytes of an input, or after an action: 1 once everything that
 * follows from it has happened, 2 at once. Step -1 is the beginning.
 */
export interface Moment {
  readonly step: number;
  readonly offset: number;
}

/** Every moment of a story. */
export function momentsOf({ steps }: Script): Moment[] {
  const start = { step: -1, offset: 0 };
  const moments = steps.flatMap((step, at) => {
    if (isLook(step)) return [];
    const length = step.kind === "bytes" ? step.octets.length : 2;
    return Array.from({ length }, (_, i) => ({ step: at, offset: i + 1 }));
  });
  return [start, ...moments];
}

/** Plays a story with trouble at one moment. Returns the faults in how it ended. */
export async function playTrouble(
  script: Script,
  trouble: Trouble,
  { step: place, offset }: Moment,
  over: keyof typeof HAZARDS,
): Promise<string[]> {
  const hazard = HAZARDS[over]();
  // The behavior varies from moment to moment.
  const turn = place + 1 + offset;
  const waits = WAITS[turn % 2]!;
  const reads = turn % 4 < 2;
  const drive = await Drive.start(script, waits, reads, hazard.pair);
  const cause = async (): Promise<void> => {
    begin(trouble, drive, hazard);
    await drive.calm();
  };
  if (place === -1) await cause();
  for (const [at, step] of script.steps.entries()) {
    const isOver = place < at && trouble !== "write";
    if (at === place && step.kind === "bytes") {
      await sendUpTo(drive, step.octets.subarray(0, offset), trouble === "end" && offset % 2 === 0);
      await cause();
      if (trouble === "write") await sendUpTo(drive, step.octets.subarray(offset), false);
    } else if (!isLook(step) && !(isOver && isOfPeer(step))) {
      const done = follow(drive, step, whole);
      if (at !== place || offset === 1) await done;
      if (at === place) await cause();
      await done;
    }
  }
  await drive.calm();
  const wrong = [...(reads ? delivered(drive, trouble) : []), ...missingReports(drive, trouble)];
  return [...wrong, ...(await outlive(drive, trouble)), ...left(drive, hazard)];
}

// At once: what follows the bytes comes in the same turn.
async function sendUpTo(drive: Drive, octets: Uint8Array, atOnce: boolean): Promise<void> {
  if (octets.length > 0) void drive.peer.send(octets.slice()).catch(() => {});
  if (!atOnce) await drive.calm();
}

function isLook({ kind }: Step): boolean {
  return kind === "received" || kind === "wire";
}

function isOfPeer({ kind }: Step): boolean {
  return kind === "bytes" || kind === "end-of-file";
}

function begin(trouble: Trouble, { peer }: Drive, hazard: Hazard): void {
  if (trouble === "reset") peer.reset();
  if (trouble === "end") void peer.end().catch(() => {});
  if (trouble === "stall") hazard.breakWrites("hang");
  if (trouble === "write") hazard.breakWrites("fail");
}

// What was delivered must be a prefix of what the whole story delivers.
function delivered(drive: Drive, trouble: Trouble): string[] {
  const isFault = (line: string): boolean => line.startsWith("error ");
  // Every story ends with the events.
  const { lines, begins } = drive.script.steps.at(-1) as Step & { readonly kind: "received" };
  const whole = lines.filter((line) => !isFault(line));
  const received = drive.received().filter((line) => !isFault(line));
  // Such a body ends only with the connection.
  const isCut = trouble === "end" && received.some((line) => line.endsWith("framing=until-close"));
  if (isCut && received.at(-1) === "end-of-message") received.pop();
  const isPrefix = received.every((line, i) => {
    const expected = whole[i] ?? (begins ? line : "");
    const isLast = i === received.length - 1 && line.startsWith('data "');
    return isLast ? expected.startsWith(line.slice(0, -1)) : expected === line;
  });
  return isPrefix ? [] : [`delivered ${received.join(", ")}, which is not a prefix of the story`];
}

// A promise that depends on a peer that is gone settles at once; one that waits for its bytes, at its
// end.
function missingReports({ actor, watch, script }: Drive, trouble: Trouble): string[] {
  const { client } = actor.connection.state;
  if (trouble === "reset") return [...watch.open, ...actor.unaware].map(notReported);
  if (trouble !== "end") return [];
  // L17: after a proposal nothing is read, and an upload may continue for a while.
  if (client === "might-switch-protocol" || client === "send-body") return [];
  return (script.role === "client" ? watch.open : actor.unaware).map(notReported);
}

function notReported(name: string): string {
  return `${name}: not reported`;
}

// Let everything expire: late answers arrive, deadlines pass, and the caller gives up the rest.
async function outlive(drive: Drive, trouble: Trouble): Promise<string[]> {
  const { actor, clock, script, watch } = drive;
  // RFC 9112 §9.5 lets a client decide how long it waits for a response, or idles.
  const { server } = actor.connection.state;
  const mayWait = script.role === "client" && trouble !== "reset" && server !== "send-body";
  for (let i = 0; i < 3 && actor.settle() > 0; i++) await drive.calm();
  for (let i = 0; i < 4; i++) {
    await drive.calm();
    clock.advance(60_000);
  }
  await turns(1);
  const open = mayWait ? [] : watch.open.map((name) => `${name} outlives all deadlines`);
  if (watch.open.length > 0) actor.connection.abort();
  await drive.calm();
  return open;
}

function left(drive: Drive, hazard: Hazard): string[] {
  const { actor, failure, parts, peer } = drive;
  const isTaken = parts !== undefined || actor.parts !== undefined;
  const wrong = [...drive.remains(), ...hazard.remains()];
  const isOver = peer.ended || peer.failure !== undefined;
  if (!isTaken && !isOver) wrong.push("the io is left open");
  for (const error of [failure, ...actor.failures]) {
    if (error !== undefined && !(error instanceof UpgradeError)) wrong.push(String(error));
  }
  return wrong;
}
