// The load: sends fixed bytes on many connections and counts responses by their length.

import type { Socket } from "node:net";
import type { Shoot } from "./benchmark.ts";
import { dialCounting } from "./loopback.ts";
import { refuse, type Step } from "./messages.ts";

export interface Load {
  readonly connections: number;
  /** How many requests are sent together before their responses are awaited. */
  readonly depth: number;
  /** Done once per connection. */
  readonly prelude?: Step;
  /** Repeated. */
  readonly step: Step;
  /** If responses differ in length: the end of each. */
  readonly ending?: Uint8Array;
}

// The number of connections opened at once: more would overflow the backlog.
const DIALED_TOGETHER = 100;

/** Connects and does the step once, with a full check; later responses are only counted. */
export async function openLoad(port: number, load: Load): Promise<Shoot> {
  const { prelude, step } = load;
  const steps = prelude === undefined ? [step] : [prelude, step];
  const open = () => LoadConnection.open(port, steps);
  const all = await Promise.all(Array.from({ length: load.connections }, open));
  return async (ms) => {
    const start = performance.now();
    const counts = await Promise.all(all.map((connection) => connection.shoot(load, start + ms)));
    return { count: counts.reduce((sum, count) => sum + count), ms: performance.now() - start };
  };
}

/** Opens connections, does the steps on each, and leaves them idle. */
export async function hold(
  port: number,
  connections: number,
  steps: readonly Step[],
): Promise<void> {
  for (let made = 0; made < connections; made += DIALED_TOGETHER) {
    const length = Math.min(DIALED_TOGETHER, connections - made);
    await Promise.all(Array.from({ length }, () => LoadConnection.open(port, steps)));
  }
}

export class LoadConnection {
  #socket!: Socket;
  #onBytes: (bytes: Buffer) => void = () => {};
  #fail: (error: Error) => void = rethrow;
  #length = 0;

  /** Connects and does each step once. */
  static async open(port: number, steps: readonly Step[]): Promise<LoadConnection> {
    const connection = new LoadConnection();
    connection.#socket = await dialCounting(port, (bytes) => connection.#onBytes(bytes));
    connection.#socket.on("error", (error) => connection.#fail(error));
    connection.#socket.on("close", () => connection.#fail(new Error("it closed the connection")));
    for (const step of steps) connection.#length = await connection.#judge(step);
    connection.#fail = rethrow;
    return connection;
  }

  // Does one step and checks every byte of the response. Resolves with its length.
  #judge(step: Step): Promise<number> {
    return new Promise((resolve, reject) => {
      let answer: Buffer = Buffer.alloc(0);
      this.#fail = reject;
      this.#onBytes = (bytes) => {
        answer = Buffer.concat([answer, bytes]);
        const length = step.lengthOf(answer);
        if (length === undefined || answer.length < length) return;
        try {
          refuse(step.fault(answer));
          resolve(length);
        } catch (error) {
          reject(error);
        }
      };
      this.#socket.write(step.request);
    });
  }

  /** Sends volley after volley until time is up. Resolves with the number of responses. */
  shoot({ step, depth, ending }: Load, until: number): Promise<number> {
    const volley = Buffer.concat(Array<Uint8Array>(depth).fill(step.request));
    const expected = this.#length * depth;
    return new Promise((resolve, reject) => {
      let count = 0;
      let received = 0;
      this.#fail = reject;
      this.#onBytes = (bytes) => {
        received += bytes.length;
        // An ending split in two would be missed, and the shot would fail by not ending in time.
        const answered =
          ending === undefined
            ? received >= expected
            : bytes.subarray(-ending.length).equals(ending);
        if (!answered) return;
        if (ending === undefined && received > expected)
          reject(new Error("too many bytes in the answer"));
        count += depth;
        received = 0;
        if (performance.now() < until) this.#socket.write(volley);
        else resolve(count);
      };
      this.#socket.write(volley);
    });
  }

  /** Ends our side; resolves when the peer has ended its side. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#socket.removeAllListeners("close");
      this.#socket.on("close", () => resolve());
      this.#socket.end();
    });
  }
}

// An idle connection has no caller to reject, so a failure ends the process.
function rethrow(error: Error): void {
  throw error;
}
