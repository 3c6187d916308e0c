// The load: sends fixed bytes on many connections and counts answers by their length.

import type { Socket } from "node:net";
import type { Shoot } from "./benchmark.ts";
import { dialCounting } from "./loopback.ts";
import { refuse, type Step } from "./messages.ts";

export interface Load {
  readonly connections: number;
  /** How many requests go out together before their answers are awaited. */
  readonly depth: number;
  /** Done once, when a connection is made. */
  readonly prelude?: Step;
  /** Done again and again. */
  readonly step: Step;
  /** Where answers differ in length: what each ends with. */
  readonly ending?: Uint8Array;
}

// So many connections are made at once: more would overflow the backlog.
const DIALED_TOGETHER = 100;

/** Connects and sends the step once, to be judged; what follows is counted. */
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

/** Makes connections that have done the steps, and leaves them. */
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

  // Does one step and looks at every byte of the answer. Resolves with its length.
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

  /** Volley after volley until the time is over. Resolves with the number of answers. */
  shoot({ step, depth, ending }: Load, until: number): Promise<number> {
    const volley = Buffer.concat(Array<Uint8Array>(depth).fill(step.request));
    const expected = this.#length * depth;
    return new Promise((resolve, reject) => {
      let count = 0;
      let received = 0;
      this.#fail = reject;
      this.#onBytes = (bytes) => {
        received += bytes.length;
        // An ending cut in two would be missed, and the shot would not end in time: it would fail.
        const answered =
          ending === undefined
            ? received >= expected
            : bytes.subarray(-ending.length).equals(ending);
        if (!answered) return;
        if (ending === undefined && received > expected) reject(new Error("it answered too much"));
        count += depth;
        received = 0;
        if (performance.now() < until) this.#socket.write(volley);
        else resolve(count);
      };
      this.#socket.write(volley);
    });
  }

  /** Ends our side; resolves when the peer has ended his. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#socket.removeAllListeners("close");
      this.#socket.on("close", () => resolve());
      this.#socket.end();
    });
  }
}

// An idle connection has nobody to tell: a failure is the process's.
function rethrow(error: Error): void {
  throw error;
}
