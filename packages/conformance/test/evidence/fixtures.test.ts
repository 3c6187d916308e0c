import { describe, expect, test } from "vitest";
import { byteByByte, type Cut, cutAt, longestInput, play, whole } from "../../src/stories/play.ts";
import { type Case, readFixtures } from "../../src/stories/read-fixtures.ts";

const chapters = readFixtures(new URL("../../fixtures/", import.meta.url));

function check(story: Case, cut: Cut, how: string): void {
  for (const { line, expected, came } of play(story, cut)) {
    // Builds the message only on failure: there are thousands of cuts.
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

test("headings are unique within a chapter", () => {
  for (const { chapter, cases } of chapters) {
    const titles = cases.map(({ title }) => title);
    expect(new Set(titles).size, chapter).toBe(titles.length);
  }
});
