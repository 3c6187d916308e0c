import { describe, expect, test } from "vitest";
import { seedsOf } from "../../fuzz/corpus.ts";
import { judge } from "../../fuzz/judge.ts";
import { consult, type Situation } from "../../fuzz/oracle.ts";
import { Random } from "../../fuzz/random.ts";
import { type Case, readFixtures } from "../../src/stories/read-fixtures.ts";

const chapters = readFixtures(new URL("../../fixtures/", import.meta.url));

// The events of a story without actions are what the oracle should report.
function hasNoActions({ blocks }: Case): boolean {
  return blocks.map(({ kind }) => kind).join() === "http,events";
}

describe("HttpConnection and the oracle agree on every input of the stories", () => {
  for (const { chapter, cases } of chapters) {
    test(chapter, () => {
      for (const story of cases) {
        for (const { text, situation } of seedsOf(story)) {
          const { fault } = judge(text, situation, new Random(9_112));
          expect(fault?.says, story.place).toBeUndefined();
        }
      }
    });
  }
});

test("the oracle alone reports the events of the stories", () => {
  let checked = 0;
  for (const story of chapters.flatMap(({ cases }) => cases).filter(hasNoActions)) {
    const [seed] = seedsOf(story);
    const lines = story.blocks.at(-1)!.lines;
    const sound = !lines.some((line) => line.startsWith("error "));
    const heads = lines.flatMap(
      (line) => /^(?:request (\S+ \S+)|(?:interim-)?response (\d+))/.exec(line)?.slice(1) ?? [],
    );
    const { stop, messages } = consult(seed!.text, seed!.situation);
    if (sound) expect(stop, story.place).not.toBe("refused");
    const starts = messages.map(({ start }) => start);
    for (const [i, head] of heads.filter((head) => head !== undefined).entries()) {
      expect(starts[i]?.startsWith(head), story.place).toBe(true);
    }
    checked++;
  }
  expect(checked).toBeGreaterThan(150);
});

describe("the oracle alone refuses", () => {
  const bounds = seedsOf(chapters[0]!.cases[0]!)[0]!.situation.bounds;
  const server: Situation = { role: "server", asks: [], accepts: false, bounds, ended: false };
  const request = (...lines: string[]) =>
    ["POST / HTTP/1.1", "Host: a", ...lines, "", ""].join("\r\n");

  test.each([
    request("Content-Length: 1", "Transfer-Encoding: chunked"),
    request("Content-Length: 1", "Content-Length: 1"),
    request("Content-Length: +1"),
    request("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    request("Transfer-Encoding: chunked,"),
    request("Host: a"),
    request("A : b"),
    request("A: b", " c"),
    request("A: b\nC: d"),
    request("Host : a"),
    `${request("Transfer-Encoding: chunked")}5\nhello\r\n`,
    `${request("Transfer-Encoding: chunked")}5\r\nhello0\r\n`,
    `${request("Transfer-Encoding: chunked")}5;\r\nhello\r\n`,
    "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [1]\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
  ])("%j", (text) => {
    expect(consult(text, server).stop).toBe("refused");
  });

  test("and accepts valid input", () => {
    const text = `${request("Transfer-Encoding: chunked")}5;a="\\"" ;b\r\nhello\r\n0\r\nT: u\r\n\r\nG`;
    const { messages, stop, at } = consult(text, server);
    expect([messages.length, stop, at]).toEqual([1, "more", text.length - 1]);
    expect(messages[0]).toMatchObject({ body: "hello", trailers: [["T", "u"]], complete: true });
  });
});
