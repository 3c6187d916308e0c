import { describe, expect, test } from "vitest";
import { drive, driveRefusal, refusalsOf, WAITS, type Waits } from "../../src/driven/drive.ts";
import { scriptOf } from "../../src/driven/script.ts";
import { JoinedDuplex, type Pair, webPair } from "../../src/pairs/pairs.ts";
import {
  byteByByte,
  type Cut,
  cutAt,
  longestInput,
  type Outcome,
  whole,
} from "../../src/stories/play.ts";
import { type Case, readFixtures } from "../../src/stories/read-fixtures.ts";
import { watchUnhandled } from "../../src/turns.ts";

const chapters = readFixtures(new URL("../../fixtures/", import.meta.url));

/** What a driven connection does differently from HttpConnection, or cannot do. */
const NOT_DRIVEN: { readonly [place: string]: string } = {
  "A client that ends its side still reads the response":
    "a driver ends its side after the last message of both, never before a response",
  "A refusal is a response, and HTTP continues at the exact byte":
    "a server closes after a refusal followed by bytes, which may be the tunnel's (RFC 9931 §8)",
};

// `npm run hostile` cuts at every position, the tests at every other.
const EVERY = process.env.UPGRADE_EVERY_MOMENT === undefined ? 2 : 1;

/**
 * Whole and byte by byte over each transport, with both ways to wait for the end; cut in two with one
 * of them.
 */
function playsOf(story: Case): [string, Promise<Outcome[]>][] {
  const { title } = story;
  const script = scriptOf(story);
  const plays = (how: string, cut: Cut, ways: readonly Waits[]) =>
    ways.map((waits): [string, Promise<Outcome[]>] => [
      `${how}, ${waits}`,
      drive(script, cut, waits),
    ]);
  const over = (name: string, make: () => Pair) =>
    WAITS.map((waits): [string, Promise<Outcome[]>] => [
      `over a ${name}, ${waits}`,
      drive(script, whole, waits, make()),
    ]);
  const all = [
    ...over("Duplex", () => JoinedDuplex.join(false)),
    ...over("WHATWG pair", () => webPair() as unknown as Pair),
  ];
  all.push(...plays("whole", whole, WAITS), ...plays("byte by byte", byteByByte, WAITS));
  for (let place = 1 + (title.length % EVERY); place < longestInput(story); place += EVERY) {
    all.push(...plays(`cut at ${place}`, cutAt(place), [WAITS[(place >> 1) % 2]!]));
  }
  for (const at of refusalsOf(script)) all.push(["refused", driveRefusal(script, at, whole)]);
  return all;
}

async function differences(story: Case): Promise<string[]> {
  const found: string[] = [];
  for (const [how, play] of playsOf(story)) {
    for (const { line, expected, came } of await play) {
      if (came !== expected) found.push(`line ${line}, ${how}: got ${came}, want ${expected}`);
    }
  }
  return found;
}

for (const { chapter, cases } of chapters) {
  describe(`L1: the stories over a driven connection: ${chapter}`, () => {
    for (const story of cases) {
      const because = NOT_DRIVEN[story.title];
      test(`${story.place} ${story.title}${because === undefined ? "" : `, but ${because}`}`, async () => {
        const unhandled = watchUnhandled();
        const found = await differences(story);
        if (because === undefined) expect(found).toEqual([]);
        else expect(found).not.toEqual([]);
        expect(await unhandled.settled()).toEqual([]);
        unhandled.stop();
      });
    }
  });
}

test("each exception is a story", () => {
  const titles = chapters.flatMap(({ cases }) => cases.map(({ title }) => title));
  expect(titles).toEqual(expect.arrayContaining(Object.keys(NOT_DRIVEN)));
});
