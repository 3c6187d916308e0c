// upstream ↔ [pool] ↔ reverse proxy: connections between two requests

import type { Connection, Sender } from "@upgrade/client";
import type { Io } from "@upgrade/core/io";

/** A connection to an upstream. */
export interface Upstream {
  readonly sender: Sender;
  readonly connection: Connection<Io>;
}

/** Closes a connection that is not used again, after its exchange. */
export async function closeWhenIdle({ sender, connection }: Upstream): Promise<void> {
  if (await becomesIdle(sender)) await connection.close();
}

/** Waits for the end of its exchange. False if the connection ends first. */
function becomesIdle(sender: Sender): Promise<boolean> {
  return sender.ready().then(
    () => true,
    () => false,
  );
}

interface Idle extends Upstream {
  readonly origin: string;
}

/**
 * Idle connections. One is in here only while it is idle and sound: its last exchange is complete in
 * both directions, and nothing has come since.
 */
export class Pool {
  readonly #most: number;
  /** The one used last is the last. */
  readonly #idle: Idle[] = [];
  #isClosed = false;

  constructor(most: number) {
    this.#most = most;
  }

  /** The one that was used last, since it is the least likely to be closed by the upstream now. */
  take(origin: string): Upstream | undefined {
    for (let i = this.#idle.length - 1; i >= 0; i--) {
      const one = this.#idle[i]!;
      if (one.origin !== origin) continue;
      this.#idle.splice(i, 1);
      if (one.sender.isReady) return one;
    }
    return undefined;
  }

  /** Keeps a connection as soon as it is idle, unless it ends before. */
  async keep(origin: string, { sender, connection }: Upstream): Promise<void> {
    if (!(await becomesIdle(sender))) return;
    const one = { origin, sender, connection };
    this.#idle.push(one);
    void connection.closed.then(() => this.#remove(one));
    const excess = this.#idle.length - (this.#isClosed ? 0 : this.#most);
    for (const oldest of this.#idle.splice(0, excess)) void oldest.connection.close();
  }

  #remove(one: Idle): void {
    const at = this.#idle.indexOf(one);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  /** Closes what is idle, and what becomes idle from now on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#idle.splice(0).map(({ connection }) => connection.close()));
  }
}
