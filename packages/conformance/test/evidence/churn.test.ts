import { expect, test } from "vitest";
import { churn, STORIES } from "../../churn/churn.ts";
import { growth, watchWasm, weigh } from "../../churn/memory.ts";

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
