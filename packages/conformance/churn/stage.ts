import type { Sender } from "@upgrade/client";
import type { Connection, Io, ManualClock, Parts } from "@upgrade/core/io";
import type { ScriptedPeer } from "../src/scripted-peer.ts";
import type { Dice } from "./dice.ts";

/** One connection, and a peer that does what the story says. */
export interface Stage {
  readonly io: Io;
  readonly peer: ScriptedPeer;
  readonly clock: ManualClock;
  readonly dice: Dice;
  /** One signal for all connections, never aborted: its listeners must be removed again. */
  readonly signal: AbortSignal;
}

/** What a story leaves behind for its end. */
export interface Standing {
  readonly connection: Connection<Io>;
  readonly sender?: Sender;
  /** Already taken: we have to close the io. */
  readonly parts?: Parts<Io>;
}

/** A proper prefix of a text. */
export function cut(text: string, dice: Dice): string {
  return text.slice(0, dice.below(text.length));
}

/** The peer sends something. The connection may be gone by then. */
export async function deliver(peer: ScriptedPeer, bytes: string): Promise<void> {
  // It is accepted once it is read, which may be never.
  peer.send(bytes).catch(() => {});
  await turn();
}

/** One round of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
