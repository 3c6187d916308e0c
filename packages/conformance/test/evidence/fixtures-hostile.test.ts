import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { growth, watchWasm, weigh } from "../../churn/memory.ts";
import { scriptOf } from "../../src/driven/script.ts";
import { type Moment, momentsOf, playTrouble, TROUBLES } from "../../src/driven/trouble.ts";
import { type Case, readFixtures } from "../../src/stories/read-fixtures.ts";
import { watchUnhandled } from "../../src/turns.ts";

const chapters = readFixtures(new URL("../../fixtures/", import.meta.url));
const stories = chapters.flatMap(({ cases }) => cases);

// `npm run hostile` tries every moment in memory, and one in eight on the other transports. The tests
// try fewer: different ones for each trouble and transport, and in memory always the first and the
// last.
const PART = process.env.UPGRADE_EVERY_MOMENT === undefined ? 8 : 1;
const KINDS = [
  { over: "memory pair", part: PART },
  { over: "Duplex", part: PART * 8 },
  { over: "WHATWG pair", part: PART * 8 },
] as const;

function partOf(moments: readonly Moment[], part: number, shift: number): readonly Moment[] {
  const isEdge = (i: number): boolean => i === 0 || i === moments.length - 1;
  return moments.filter((_, i) => (i + shift) % part === 0 || (part === PART && isEdge(i)));
}

/** The faults at the selected moments, all of which are played concurrently. */
async function faultsOf(story: Case): Promise<string[]> {
  const script = scriptOf(story);
  const first = stories.indexOf(story);
  const plays = KINDS.flatMap(({ over, part }, kind) =>
    TROUBLES.flatMap((trouble, i) =>
      partOf(momentsOf(script), part, first + i + kind).map(async (moment) => {
        const wrong = await playTrouble(script, trouble, moment, over);
        const at = `${trouble} of a ${over} at ${moment.step}:${moment.offset}`;
        return wrong.map((one) => `${at}: ${one}`);
      }),
    ),
  );
  return (await Promise.all(plays)).flat();
}

// Most plays end in an error, which need not be formatted.
const { stackTraceLimit } = Error;
beforeAll(() => {
  watchWasm();
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

test("a story has a moment for each octet, two for each action, and one before all", () => {
  const moments = (title: string): number =>
    momentsOf(scriptOf(stories.find((story) => story.title === title)!)).length;
  expect(moments("No port")).toBe("CONNECT b.test HTTP/1.1\r\nHost: a.test\r\n\r\n".length + 1);
  expect(moments("A client that ends without a request")).toBe(3);
});

for (const { chapter, cases } of chapters) {
  describe(`L8, L9: the stories over failing transports: ${chapter}`, () => {
    for (const story of cases) {
      test(`${story.place} ${story.title}`, async () => {
        const unhandled = watchUnhandled();
        expect(await faultsOf(story)).toEqual([]);
        expect(await unhandled.settled()).toEqual([]);
        unhandled.stop();
      });
    }
  });
}

test("connections that failed at any byte of any story leave nothing behind", async () => {
  const some = stories.filter((_, i) => i % 20 === 0);
  let before = await weighed(some);
  let grown: string[] = [];
  // The engine's caches grow now and then; a leak grows every time.
  for (let i = 0; i < 3; i++) {
    const after = await weighed(some);
    grown = growth(before, after);
    before = after;
    if (grown.length === 0) break;
  }
  expect(grown).toEqual([]);
});

async function weighed(some: readonly Case[]) {
  for (const story of some) await faultsOf(story);
  // In-memory transports have no handles; those of the test runner come and go.
  return { ...(await weigh()), handles: 0 };
}
