import { handshake } from "@upgrade/client";
import { ManualClock } from "@upgrade/core/io";
import { afterEach, expect, test } from "vitest";
import { churn, STORIES } from "../../churn/churn.ts";
import { growth, watchWasm, weigh } from "../../churn/memory.ts";
import { destroyPairs, tcpPair } from "../../src/pairs/pairs.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

// Node cannot reset a socket that is shutting down: it reports EINVAL and does not close it.
test("abort() right after close() closes the socket", async () => {
  const [near, far] = await tcpPair();
  far.resume().on("error", () => {});
  const { connection } = await handshake(near, { clock: new ManualClock() });
  let isClosed = false;
  near.once("close", () => {
    isClosed = true;
  });
  void connection.close();
  connection.abort();
  await connection.closed;
  await turns(50);
  expect(isClosed).toBe(true);
});

test("connections opened and ended at any moment, in any way, leave nothing behind", async () => {
  watchWasm();
  const connections = 1_000;
  const warm = await churn(connections, 1);
  const before = await weigh();
  const tally = await churn(connections, 2);
  const after = await weigh();
  expect([...warm.faults, ...tally.faults]).toEqual([]);
  expect(growth(before, after)).toEqual([]);
  // A random run may miss a few stories.
  expect(tally.stories.size).toBeGreaterThan(STORIES * 0.9);
});
