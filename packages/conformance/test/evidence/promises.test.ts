import { createHook } from "node:async_hooks";
import { Duplex } from "node:stream";
import { handshake as connectTo } from "@upgrade/client";
import { ManualClock } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { answer, GET, head } from "../../src/messages.ts";

/** A Duplex without a peer: writes are accepted at once, and recorded. */
class Still extends Duplex {
  written = "";
  override _read(): void {}
  override _write(chunk: Buffer, _: BufferEncoding, accepted: () => void): void {
    this.written += chunk.toString("latin1");
    accepted();
  }
}

const clock = new ManualClock();

// The test runner creates promises, too.
const OURS = /\/packages\/(?:core|client|server|websocket)\/src\//;

/** How many promises we create until everything that `act` causes has happened. */
function promisesOf(act: () => void): Promise<number> {
  let count = 0;
  const hook = createHook({
    init: (_, type) => {
      if (type === "PROMISE" && OURS.test(new Error("here").stack ?? "")) count++;
    },
  });
  return new Promise((resolve) => {
    setImmediate(() => {
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = 50;
      hook.enable();
      act();
      setImmediate(() => {
        hook.disable();
        Error.stackTraceLimit = stackTraceLimit;
        resolve(count);
      });
    });
  });
}

describe("no unneeded promise is created:", () => {
  test("a request that is answered at once costs none", async () => {
    const io = new Still();
    const { connection } = await serve(io, () => ({ status: 200, body: "ok" }), {
      clock,
      date: false,
    });
    const made = await promisesOf(() => io.push(head("GET /").repeat(3)));
    expect(io.written).toBe(`${answer("200 OK", "Content-Length: 2")}ok`.repeat(3));
    expect([made, connection.stats.requests]).toEqual([0, 3]);
  });

  test("an unread body costs none", async () => {
    const io = new Still();
    await serve(io, () => ({ status: 200 }), { clock, date: false });
    const made = await promisesOf(() => io.push(`${head("POST /", "Content-Length: 4")}four`));
    expect(io.written).toBe(answer("200 OK", "Content-Length: 0"));
    expect(made).toBe(0);
  });

  test("an end or a failure costs none if no one waits for it", async () => {
    for (const end of ["close", "reset"] as const) {
      const io = new Still();
      const { connection } = await serve(io, () => ({ status: 200 }), { clock });
      const made = await promisesOf(() => {
        if (end === "close") io.push(null);
        else io.destroy(new Error("reset"));
      });
      expect(connection.closeReason).toBeDefined();
      expect(made).toBe(0);
    }
  });

  test("a client's response costs none besides its own", async () => {
    const io = new Still();
    const { sender } = await connectTo(io, { clock });
    const sent = await promisesOf(() => void sender.sendRequest(GET));
    expect(sent).toBe(1);
    const answered = await promisesOf(() => io.push(answer("204 No Content")));
    expect(answered).toBe(0);
    expect(sender.isReady).toBe(true);
  });

  test("each caller gets one", async () => {
    const io = new Still();
    const { connection } = await serve(io, () => ({ status: 200 }), { clock });
    expect(await promisesOf(() => void connection.closed)).toBeGreaterThan(0);
    expect(await promisesOf(() => void connection.closed)).toBe(0);
  });
});
