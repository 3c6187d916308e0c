import { expect, test } from "vitest";
import { readSeeds, seedsOf } from "../../fuzz/corpus.ts";
import { answers, readAsked, readList } from "../../fuzz/extension-oracle.ts";
import { judgeList, randomList } from "../../fuzz/extensions.ts";
import { fuzz } from "../../fuzz/fuzz.ts";
import { Random } from "../../fuzz/random.ts";
import { storyOf } from "../../fuzz/story.ts";
import { readChapter } from "../../src/stories/read-fixtures.ts";

const seeds = readSeeds(new URL("../../fixtures/", import.meta.url));
const slice = (seed: number, most: number) =>
  fuzz({ seed, seeds, shouldContinue: (executions) => executions < most });

test("a short run of `npm run fuzz` finds nothing", () => {
  const { finding, fault, distinct, conversations, lists, traces } = slice(9_112, 1_500);
  expect(finding).toBe("");
  expect(fault).toBeUndefined();
  // The run is not empty: most inputs are new, and many produced new events.
  expect(distinct).toBeGreaterThan(1_300);
  expect(conversations).toBeGreaterThan(100);
  expect(lists).toBeGreaterThan(80);
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

test("the oracle of extensions reads the examples of RFC 6455 §9.1 and RFC 7692 §7.1", () => {
  const foo = { name: "foo", params: [] };
  const bar = { name: "bar", params: [["baz", "2"]] };
  expect(readList("foo")).toEqual([foo]);
  expect(readList("bar; baz=2")).toEqual([bar]);
  expect(readList('foo, bar; baz="2"')).toEqual([foo, bar]);
  for (const text of ["foo;", "foo bar", 'foo; a="b c"', 'foo; a="', "foo; a=b=c"]) {
    expect(readList(text)).toBeUndefined();
  }
  const asked = (text: string) => readAsked(readList(`permessage-deflate; ${text}`)![0]!);
  const offer = asked("client_max_window_bits; server_max_window_bits=10")!;
  expect(answers(asked("server_max_window_bits=10")!, offer)).toBe(true);
  expect(answers(asked("server_max_window_bits=8; client_max_window_bits=9")!, offer)).toBe(true);
  expect(answers(asked("server_max_window_bits=11")!, offer)).toBe(false);
  expect(answers(asked("client_max_window_bits=9")!, offer)).toBe(false);
  const unlimited = asked("server_no_context_takeover")!;
  expect(answers(asked("server_no_context_takeover; client_max_window_bits=9")!, unlimited)).toBe(
    false,
  );
  const invalid = ["server_max_window_bits", "client_max_window_bits=16", "x", "server_max_window_bits=08"]; // biome-ignore format: one line
  for (const text of invalid) expect(asked(text)).toBeUndefined();
});

test("half of the random lists of extensions are valid, and many agree on compression", () => {
  const random = new Random(7_692);
  let valid = 0;
  let compressed = 0;
  for (let i = 0; i < 2_000; i++) {
    const list = randomList(random);
    expect(judgeList(list)?.says).toBeUndefined();
    const listed = readList(list.text);
    if (listed !== undefined) valid++;
    if (listed?.some((one) => one.name === "permessage-deflate" && readAsked(one))) compressed++;
  }
  expect(valid).toBeGreaterThan(700);
  expect(compressed).toBeGreaterThan(300);
});
