import { describe, expect, test } from "vitest";
import {
  faultOfToken,
  faultOfValue,
  isFieldValue,
  isProtocol,
  isReason,
  isToken,
  isWhiteSpace,
  listMembers,
  trimWhiteSpace,
} from "./tokens.ts";

const octets = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
const tchar = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

describe("of all 256 octets", () => {
  test("a token may have the 77 of RFC 9110 §5.6.2", () => {
    const allowed = octets.filter((octet) => isToken(`a${octet}b`));
    expect(allowed.sort().join("")).toBe([...tchar].sort().join(""));
  });

  test("a field value may have HTAB, SP, VCHAR and obs-text inside (RFC 9110 §5.5)", () => {
    const refused = octets.filter((octet) => !isFieldValue(`a${octet}b`));
    const controls = octets.filter((_, code) => (code < 0x20 && code !== 9) || code === 0x7f);
    expect(refused).toEqual(controls);
  });

  test("a reason phrase may have the same (RFC 9112 §4)", () => {
    expect(octets.filter(isReason)).toEqual(octets.filter((octet) => isFieldValue(`a${octet}b`)));
  });

  test("white space is SP and HTAB", () => {
    expect(octets.filter((octet) => isWhiteSpace(octet.charCodeAt(0)))).toEqual(["\t", " "]);
  });
});

test("no grammar allows a character above U+00FF", () => {
  for (const wide of ["\u010a", "\u560d", "\u0100", "\u{1f600}"]) {
    for (const grammar of [isToken, isFieldValue, isReason, isProtocol]) {
      expect(grammar(`a${wide}`)).toBe(false);
    }
  }
});

test("a line end at the end of the text is refused", () => {
  for (const grammar of [isToken, isFieldValue, isReason, isProtocol]) {
    for (const end of ["\n", "\r", "\r\n", "\0"]) expect(grammar(`a${end}`)).toBe(false);
  }
});

test("a token must not be empty; a field value and a reason may be", () => {
  expect([isToken(""), isProtocol(""), isFieldValue(""), isReason("")]).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

test("a field value has no white space around it", () => {
  for (const value of [" a", "a ", "\ta", "a\t", " "]) expect(isFieldValue(value)).toBe(false);
  expect(isFieldValue("a \t b")).toBe(true);
});

test.each([
  ["websocket", true],
  ["IRC/6.9", true],
  ["a/", false],
  ["/a", false],
  ["a/b/c", false],
  ["a b", false],
])("isProtocol(%j) is %s", (text, is) => {
  expect(isProtocol(text)).toBe(is);
});

test.each([
  ["a, B ,\tc", ["a", "B", "c"]],
  [",, a,,", ["a"]],
  ["", []],
  ["\u00a0a", ["\u00a0a"]],
])("the members of %j", (value, members) => {
  expect(listMembers(value)).toEqual(members);
});

test("only SP and HTAB are trimmed: NBSP is an octet like any other", () => {
  expect(trimWhiteSpace("\t a b\t ")).toBe("a b");
  expect(trimWhiteSpace(" \u00a0 ")).toBe("\u00a0");
  expect(trimWhiteSpace("\v")).toBe("\v");
  expect(trimWhiteSpace(" \t ")).toBe("");
});

describe("an error describes a text without quoting it", () => {
  test.each([
    ["", "is empty"],
    ["Authorization: secret", "has the octet 0x3a at 13"],
    ["a\u0100", "has the character U+0100 at 1"],
    ["\xff", "has the octet 0xff at 0"],
  ])("that is not a token: %j %s", (text, says) => {
    expect(isToken(text)).toBe(false);
    expect(faultOfToken(text)).toBe(says);
  });

  test.each([
    ["Bearer secret\n", "has the octet 0x0a at 13"],
    ["secret\x00", "has the octet 0x00 at 6"],
    ["secret\u2028", "has the character U+2028 at 6"],
    [" secret", "has white space around it"],
    ["secret\t", "has white space around it"],
  ])("that is not a field value: %j %s", (text, says) => {
    expect(isFieldValue(text)).toBe(false);
    expect(faultOfValue(text)).toBe(says);
  });
});
