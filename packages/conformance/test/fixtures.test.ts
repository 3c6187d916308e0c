import { describe, expect, test } from "vitest";
import { byteByByte, type Cut, cutAt, longestInput, play, whole } from "../src/play.ts";
import { type Case, readFixtures } from "../src/read-fixtures.ts";

const chapters = readFixtures(new URL("../fixtures/", import.meta.url));

function check(story: Case, cut: Cut, how: string): void {
  for (const { line, expected, came } of play(story, cut)) {
    // The whole text is built only where it is needed: thousands of cuts are played.
    if (came !== expected) expect(came, `line ${line}, ${how}`).toBe(expected);
  }
}

for (const { chapter, cases } of chapters) {
  describe(chapter, () => {
    for (const story of cases) {
      test(`${story.place} ${story.title} [${story.ids.join(" ")}]`, () => {
        check(story, whole, "whole");
        check(story, byteByByte, "byte by byte");
        for (let place = 1; place < longestInput(story); place++) {
          check(story, cutAt(place), `cut at ${place}`);
        }
      });
    }
  });
}

test("no two stories have the same heading in one chapter", () => {
  for (const { chapter, cases } of chapters) {
    const titles = cases.map(({ title }) => title);
    expect(new Set(titles).size, chapter).toBe(titles.length);
  }
});
