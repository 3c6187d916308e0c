// addresses → [rooms] → room: the rooms that have visitors

import { LOBBY } from "./protocol.ts";
import { Room } from "./room.ts";

/** With more rooms than this, no other one is opened. */
export const MAX_ROOMS = 100;

interface OpenRoom {
  readonly room: Room;
  /** Those without a name yet included. */
  visitors: number;
}

export class Rooms {
  readonly lobby = new Room();
  readonly #open = new Map<string, OpenRoom>([[LOBBY, { room: this.lobby, visitors: 0 }]]);

  /** The room of this name for one more visitor, who must leave; undefined if there are too many. */
  enter(name: string): Room | undefined {
    const known = this.#open.get(name);
    if (known === undefined && this.#open.size >= MAX_ROOMS) return undefined;
    const open = known ?? { room: new Room(), visitors: 0 };
    this.#open.set(name, open);
    open.visitors++;
    return open.room;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** How many people they have. */
  get people(): number {
    return [...this.#open.values()].reduce((sum, { room }) => sum + room.names.length, 0);
  }

  leave(name: string): void {
    const open = this.#open.get(name);
    if (open === undefined || --open.visitors > 0 || name === LOBBY) return;
    this.#open.delete(name);
  }
}
