import { expect, test } from "vitest";
import { Comparison, casesOf } from "../../fuzz/comparison.ts";
import { readSeeds } from "../../fuzz/corpus.ts";
import { EXPLANATIONS } from "../../fuzz/explained.ts";
import { nodeParser, type Peer } from "../../fuzz/peers.ts";

const seeds = readSeeds(new URL("../../fixtures/", import.meta.url));

test("every difference from node:http's parser has a row that explains it", async () => {
  const comparison = new Comparison([nodeParser()]);
  for (const seed of casesOf(seeds, 1_000, 9_112)) await comparison.add(seed);
  expect([...comparison.unexplained]).toEqual([]);
  expect(comparison.agreed).toBeGreaterThan(comparison.cases * 0.7);
  expect(comparison.met.size).toBeGreaterThan(10);
});

test("an unexplained difference is reported with its shortest input", async () => {
  const yes: Peer = {
    name: "node",
    observe: async () => ({ bodies: ["smuggled"], complete: 1, refused: "" }),
    close: () => {},
  };
  const comparison = new Comparison([yes]);
  for (const seed of casesOf(seeds, 0, 1)) await comparison.add(seed);
  const [[kind, example] = []] = [...comparison.unexplained];
  expect(kind).toBe("node, reads");
  expect(example).toContain("smuggled");
});

test("no two rows are the same", () => {
  const rows = EXPLANATIONS.map((row) => [row.peer, row.ours, row.input, row.theirs].join(" "));
  expect(new Set(rows).size).toBe(rows.length);
});
