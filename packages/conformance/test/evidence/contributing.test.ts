import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { byteByByte, play, whole } from "../../src/stories/play.ts";
import { readChapter } from "../../src/stories/read-fixtures.ts";

const page = readFileSync(new URL("../../../../CONTRIBUTING.md", import.meta.url), "utf8");

test("the fixture in CONTRIBUTING is valid and passes", () => {
  const [, shown = ""] = /^````markdown\n(.*?)^````$/ms.exec(page) ?? [];
  const stories = readChapter("CONTRIBUTING.md", shown);
  expect(stories).toHaveLength(1);
  for (const cut of [whole, byteByByte]) {
    for (const { expected, came } of play(stories[0]!, cut)) expect(came).toBe(expected);
  }
});
