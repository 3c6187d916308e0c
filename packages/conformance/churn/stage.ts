import type { Sender } from "@upgrade/client";
import type { Connection, Io, ManualClock, Parts } from "@upgrade/core/io";
import type { ScriptedPeer } from "../src/scripted-peer.ts";
import type { Dice } from "./dice.ts";

/** One connection of ours, in front of a peer that does what the story says. */
export interface Stage {
  readonly io: Io;
  readonly peer: ScriptedPeer;
  readonly clock: ManualClock;
  readonly dice: Dice;
  /** One for all connections, and never aborted: whoever listens to it must leave again. */
  readonly signal: AbortSignal;
}

/** What a story leaves behind for its end. */
export interface Standing {
  readonly connection: Connection<Io>;
  readonly sender?: Sender;
  /** Taken already: the io is ours to close. */
  readonly parts?: Parts<Io>;
}

/** Some of a text, and at least one octet less than all of it. */
export function cut(text: string, dice: Dice): string {
  return text.slice(0, dice.below(text.length));
}

/** The peer says something. That the connection may be gone by then is part of the story. */
export async function tell(peer: ScriptedPeer, bytes: string): Promise<void> {
  // It is accepted when somebody reads it, which is perhaps never.
  peer.send(bytes).catch(() => {});
  await turn();
}

/** One round of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
