import { describe, expect, test } from "vitest";
import { resolveLimits } from "../base/limits.ts";
import { HeadParser } from "./head-parser.ts";

const octets = (text: string) => Buffer.from(text, "latin1");

describe("L16: a fault in a field names the field, and never quotes its value", () => {
  const fault = (text: string) => {
    const messages = [1, 7, text.length].map((size) => {
      const parser = new HeadParser("request", resolveLimits());
      try {
        for (let at = 0; at < text.length; at += size) {
          parser.read(octets(text.slice(at, at + size)), 0);
        }
      } catch (error) {
        return (error as Error).message;
      }
      return "no fault";
    });
    expect(new Set(messages).size, messages.join()).toBe(1);
    return messages[0]!.replace("a field line does not follow the grammar: ", "");
  };

  test.each([
    ["Authorization: Bearer secret\n", "Authorization has the octet 0x0a at 13"],
    ["Authorization: Bearer\x00secret\r\n", "Authorization has the octet 0x00 at 6"],
    ["Authorization: Bearer\rsecret\r\n", "Authorization has a CR without LF at 6"],
    ["Authorization:\tsecret\x7f\r\n", "Authorization has the octet 0x7f at 6"],
    ["Authorization: Bearer\r\n secret\r\n", "a line begins with white space (obs-fold)"],
    ["Authorization: Bearer\r\nsecret\r\n", "the octet 0x0d in a field name"],
    ["Authorization : secret\r\n", "the octet 0x20 in a field name"],
    ["Cookie secret\r\n", "the octet 0x20 in a field name"],
    [": secret\r\n", "the octet 0x3a in a field name"],
  ])("%j: %s", (lines, says) => {
    const message = fault(`GET / HTTP/1.1\r\nA: b\r\n${lines}\r\n`);
    expect(message).toBe(says);
    expect(message).not.toContain("secret");
  });

  test.each([
    ["", "is empty"],
    [" \t", "is empty"],
    ["99999999999999999999", "is too large"],
    ["18446744073709551616x", "is too large"],
    ["1a", "has the octet 0x61 at 1"],
    ["1 2", "has the octet 0x32 at 2"],
    ["-1", "has the octet 0x2d at 0"],
    ["1\r\nContent-Length: 1", "has a second line"],
  ])("Content-Length: %j %s", (value, says) => {
    for (const end of ["\r\nA", "\r\nA: b\r\n\r\n"]) {
      const message = fault(`GET / HTTP/1.1\r\nContent-Length:${value}${end}`);
      expect(message).toContain(`2^53: Content-Length ${says}`);
    }
  });
});
