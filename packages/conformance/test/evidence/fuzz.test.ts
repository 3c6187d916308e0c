import { expect, test } from "vitest";
import { readSeeds, seedsOf } from "../../fuzz/corpus.ts";
import { fuzz } from "../../fuzz/fuzz.ts";
import { storyOf } from "../../fuzz/story.ts";
import { readChapter } from "../../src/stories/read-fixtures.ts";

const seeds = readSeeds(new URL("../../fixtures/", import.meta.url));
const slice = (seed: number, most: number) =>
  fuzz({ seed, seeds, shouldContinue: (executions) => executions < most });

test("a short run of `npm run fuzz` finds nothing", () => {
  const { finding, fault, distinct, conversations, traces } = slice(9_112, 1_500);
  expect(finding).toBe("");
  expect(fault).toBeUndefined();
  // The run is not empty: most inputs are new, and many produced new events.
  expect(distinct).toBeGreaterThan(1_300);
  expect(conversations).toBeGreaterThan(100);
  expect(traces).toBeGreaterThan(150);
});

test("a run is determined by its seed", () => {
  expect(slice(7, 500)).toEqual(slice(7, 500));
  // A single count may coincide by chance.
  expect(slice(7, 600)).not.toEqual(slice(8, 600));
});

test("a finding is printed as a story: the same octets, the same role", () => {
  for (const seed of seeds) {
    const [story] = readChapter("found.md", storyOf(seed, "it"));
    const [again] = seedsOf(story!);
    // The answers of our end are not in the story.
    const situation = { ...seed.situation, accepts: again?.situation.accepts };
    expect(again).toEqual({ text: seed.text, situation });
  }
});
