import { describe, expect, test } from "vitest";
import { formatExtension, parseExtensions } from "./extension-list.ts";

const parsed = (value: string): unknown =>
  parseExtensions(value)?.map(({ name, params }) => [name, ...params.map((one) => one.join("="))]);

describe("a list of extensions", () => {
  test.each([
    ["", []],
    ["a", [["a"]]],
    ["a, b", [["a"], ["b"]]],
    ["a,b", [["a"], ["b"]]],
    [" a \t,\t b ", [["a"], ["b"]]],
    [",, a, ,b,", [["a"], ["b"]]],
    ["a, a", [["a"], ["a"]]],
    ["a; x", [["a", "x=true"]]],
    ["a;x;y=1, b;z", [["a", "x=true", "y=1"], ["b", "z=true"]]], // biome-ignore format: one line
    ["a ; x = 1 ; y", [["a", "x=1", "y=true"]]],
    ["a; x=1; x=2", [["a", "x=1", "x=2"]]],
    ['a; x="1"', [["a", "x=1"]]],
    ['a; x="\\1\\0"', [["a", "x=10"]]],
    ["a; __proto__=1", [["a", "__proto__=1"]]],
    ["!#$%&'*+-.^_`|~; x=~", [["!#$%&'*+-.^_`|~", "x=~"]]],
  ])("%j is %j", (value, list) => {
    expect(parsed(value)).toEqual(list);
  });

  test.each([
    ";",
    "a;",
    "a; ;x",
    "a; =1",
    "a; x=",
    "a; x=, b",
    "a b",
    "a; x y",
    "a=1",
    "a; x=1=2",
    'a; x="',
    'a; x="1',
    'a; x="1\\"',
    'a; x=""',
    'a; x="1 2"',
    'a; x="1,2"',
    'a; x="1"2',
    "(a)",
    "a; x=\xe9",
    "\xe9",
    "a\n",
  ])("%j is malformed", (value) => {
    expect(parsed(value)).toBeUndefined();
  });

  test("is read in time that grows with its length alone", () => {
    // A pattern that tries every way to read this would take years.
    for (const piece of [" ", "\t ", ", ", "; x", "; x ", 'a; x="\\', "; x="]) {
      expect(parseExtensions(`a${piece.repeat(20_000)}(`)).toBeUndefined();
    }
  });

  test("is written as it was read", () => {
    const text = "permessage-deflate; server_no_context_takeover; server_max_window_bits=10";
    expect(parseExtensions(text)!.map(formatExtension)).toEqual([text]);
  });
});
