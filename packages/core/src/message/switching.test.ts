import { describe, expect, test } from "vitest";
import { inspect } from "./facts.ts";
import { Headers } from "./headers.ts";
import { answerTo, proposalOf } from "./switching.ts";
import type { Version } from "./version.ts";

const facts = (...flat: string[]) => inspect(Headers.fromFlat(flat));
const upgrade = (protocols: string, connection = "Upgrade") =>
  facts("Connection", connection, "Upgrade", protocols);
const offer = (protocols: string) => proposalOf("GET", "/", "1.1", upgrade(protocols));

describe("a request proposes", () => {
  test("the protocols of Upgrade, verbatim, in order", () => {
    expect(offer("WebSocket, IRC/6.9,, x")).toMatchObject({
      kind: "upgrade",
      protocols: ["WebSocket", "IRC/6.9", "x"],
    });
  });

  test("a tunnel only by CONNECT, in either version, whatever Upgrade says", () => {
    expect(proposalOf("CONNECT", "a.test:80", "1.0", upgrade("a"))).toMatchObject({
      kind: "connect",
      protocols: [],
      host: "a.test",
      port: 80,
    });
  });

  test.each<[string, Version, ReturnType<typeof facts>]>([
    ["without Upgrade", "1.1", facts("Connection", "upgrade")],
    ["U02: without the connection option", "1.1", facts("Upgrade", "a")],
    ["K05: with an option that only looks like it", "1.1", upgrade("a", "not-upgrade")],
    ["U08: in HTTP/1.0", "1.0", upgrade("a")],
    ["with an empty list", "1.1", upgrade(",")],
    ["with a malformed list", "1.1", upgrade("a, b c")],
    ["with a protocol without a version after the slash", "1.1", upgrade("a/")],
  ])("nothing %s", (_, version, fields) => {
    expect(proposalOf("GET", "/", version, fields)).toBeUndefined();
  });

  test("a proposal is immutable, since requests with the same Upgrade share it", () => {
    for (const proposal of [offer("a")!, proposalOf("CONNECT", "a.test:80", "1.1", facts())!]) {
      expect(() => Object.assign(proposal, { offers: () => true })).toThrow(TypeError);
      expect(() => (proposal.protocols as string[]).push("b")).toThrow(TypeError);
      expect(proposal.offers("b")).toBe(false);
    }
  });

  test("U04: an offer matches by name and version, ignoring case", () => {
    const proposal = offer("WebSocket, IRC/6.9")!;
    expect(["websocket", "WEBSOCKET", "irc/6.9"].every((name) => proposal.offers(name))).toBe(true);
    expect(["IRC", "irc/6", "web", "websocket/13", ""].some((name) => proposal.offers(name))).toBe(
      false,
    );
  });
});

describe("L4: a 101", () => {
  const answer = (fields: ReturnType<typeof facts>, version: Version = "1.1") =>
    answerTo(offer("a, b/1"), 101, version, fields);

  test.each(["a", "A", "b/1", "a, b/1", "b/1, a"])(
    "accepts with %j, which was offered",
    (named) => {
      expect(answer(upgrade(named))).toBe("accepted");
    },
  );

  test.each([
    ["a protocol that was not offered", upgrade("c")],
    ["one that was, and one that was not", upgrade("a, c")],
    ["another version", upgrade("b/2")],
    ["a protocol without its version", upgrade("b")],
    ["no Upgrade", facts("Connection", "upgrade")],
    ["an empty Upgrade", upgrade("")],
    ["no connection option", facts("Upgrade", "a")],
  ])("with %s is invalid", (_, fields) => {
    expect(answer(fields)).toBe("invalid");
  });

  test.each([
    ["Content-Length", "0"],
    ["Transfer-Encoding", "chunked"],
  ])("with %s: %s is accepted: framing.ts checks its framing", (name, value) => {
    expect(answer(facts("Connection", "upgrade", "Upgrade", "a", name, value))).toBe("accepted");
  });

  test("in HTTP/1.0 is invalid", () => {
    expect(answer(upgrade("a"), "1.0")).toBe("invalid");
  });

  test("to a request that proposed nothing, or a tunnel, is invalid", () => {
    expect(answerTo(undefined, 101, "1.1", upgrade("a"))).toBe("invalid");
    expect(
      answerTo(proposalOf("CONNECT", "a.test:80", "1.1", facts()), 101, "1.1", upgrade("a")),
    ).toBe("invalid");
  });
});

test.each([
  [100, "interim", "interim"],
  [199, "interim", "interim"],
  [200, "refused", "accepted"],
  [204, "refused", "accepted"],
  [299, "refused", "accepted"],
  [300, "refused", "refused"],
  [407, "refused", "refused"],
  [599, "refused", "refused"],
])("%i is %s to an upgrade, %s to CONNECT (X05)", (status, toUpgrade, toConnect) => {
  expect(answerTo(offer("a"), status, "1.1", facts())).toBe(toUpgrade);
  expect(answerTo(undefined, status, "1.1", facts())).toBe(toUpgrade);
  expect(answerTo(proposalOf("CONNECT", "a.test:80", "1.1", facts()), status, "1.0", facts())).toBe(
    toConnect,
  );
});
