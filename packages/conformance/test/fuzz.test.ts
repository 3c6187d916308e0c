import { expect, test } from "vitest";
import { readSeeds, seedsOf } from "../fuzz/corpus.ts";
import { fuzz } from "../fuzz/fuzz.ts";
import { storyOf } from "../fuzz/story.ts";
import { readChapter } from "../src/read-fixtures.ts";

const seeds = readSeeds(new URL("../fixtures/", import.meta.url));
const slice = (seed: number, most: number) =>
  fuzz({ seed, seeds, goesOn: (executions) => executions < most });

test("a slice of what `pnpm fuzz` does for as long as one likes: nothing is found", () => {
  const { finding, fault, distinct, conversations, traces } = slice(9_112, 1_500);
  expect(finding).toBe("");
  expect(fault).toBeUndefined();
  // It has done something: most inputs are new, and many of them had consequences of their own.
  expect(distinct).toBeGreaterThan(1_300);
  expect(conversations).toBeGreaterThan(100);
  expect(traces).toBeGreaterThan(150);
});

test("the same seed makes the same run, another one another", () => {
  expect(slice(7, 500)).toEqual(slice(7, 500));
  // One count of a run may be another's by chance.
  expect(slice(7, 600)).not.toEqual(slice(8, 600));
});

test("what is found is told as a story of the book: the same octets, the same listener", () => {
  for (const seed of seeds) {
    const [story] = readChapter("found.md", storyOf(seed, "it"));
    const [again] = seedsOf(story!);
    // What our end answers is not in the story.
    const situation = { ...seed.situation, accepts: again?.situation.accepts };
    expect(again).toEqual({ text: seed.text, situation });
  }
});
