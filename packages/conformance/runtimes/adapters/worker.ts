// The server's half in a worker: one end of a channel, or of a pair of streams, is transferred to it.

import { type Io, type PortLike, portStream } from "@upgrade/core/io";
import type { Transport } from "../suite/case.ts";
import { textOf } from "../suite/expect.ts";
import { CASES, playServer } from "../suite/run.ts";

// Both sides see that the other has failed.
const facts = { abort: "failure" } as const;

/** The parts of a worker that are used here, on either side of it. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: unknown[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

/** A case to serve, at an end that was transferred. */
interface Order {
  readonly name: string;
  readonly played: string;
  readonly end: unknown;
}

/** How its server half ended. */
interface Outcome {
  readonly name: string;
  readonly played: string;
  readonly failed?: string;
}

/** The client's end, and the other one, of which `transferred` are the parts to transfer. */
type Ends = readonly [io: Io, end: object, transferred: object[]];

function toWorker(name: string, makeEnds: () => Ends): (worker: WorkerLike) => Transport {
  return (worker) => {
    const waiting = new Map<string, (outcome: Outcome) => void>();
    worker.addEventListener("message", ({ data }) => {
      const outcome = data as Outcome;
      if (outcome.name === name) waiting.get(outcome.played)!(outcome);
    });
    return {
      name,
      facts,
      async open(played) {
        const [io, end, transferred] = makeEnds();
        const served = new Promise<void>((resolve, reject) => {
          waiting.set(played.name, ({ failed }) =>
            failed === undefined ? resolve() : reject(new Error(failed)),
          );
        });
        worker.postMessage({ name, played: played.name, end } satisfies Order, transferred);
        return { io, served };
      },
    };
  };
}

export const portsToWorker = toWorker("`portStream()`, to a worker", () => {
  const { port1, port2 } = new MessageChannel();
  return [portStream(port1 as PortLike), port2, [port2]];
});

export const streamsToWorker = toWorker("transferred streams, to a worker", () => {
  const [there, back] = [new TransformStream(), new TransformStream()];
  const io = { readable: back.readable, writable: there.writable } as unknown as Io;
  const end = { readable: there.readable, writable: back.writable };
  return [io, end, [end.readable, end.writable]];
});

/** In the worker: plays the server's half of each case it is sent. */
export function serveCases(page: WorkerLike): void {
  page.addEventListener("message", ({ data }) => {
    const { name, played, end } = data as Order;
    const found = CASES.find((one) => one.name === played)!;
    const io = end instanceof MessagePort ? portStream(end as PortLike) : (end as Io);
    void playServer(found, io, facts)
      .then(
        () => ({ name, played }),
        (error) => ({ name, played, failed: textOf(error) }),
      )
      .then((outcome: Outcome) => page.postMessage(outcome, []));
  });
}
