import { expect, test } from "vitest";
import { inspect } from "./facts.ts";
import { Headers } from "./headers.ts";

const factsOf = (...flat: string[]) => inspect(Headers.fromFlat(flat));

test("a head without control fields has no facts", () => {
  expect(factsOf("Accept", "*", "Hosts", "a", "Connections", "close")).toEqual({
    hosts: 0,
    host: "",
    contentLengths: 0,
    contentLength: "",
    transferEncodings: 0,
    transferEncoding: "",
    close: false,
    keepAlive: false,
    connectionUpgrade: false,
    connectionTe: false,
    te: undefined,
    upgrade: undefined,
    expect: undefined,
    date: false,
    trailer: false,
  });
});

test("names are case-insensitive", () => {
  const facts = factsOf("hOST", "a", "DATE", "now", "content-LENGTH", "5", "eXPECT", "x");
  expect(facts).toMatchObject({
    hosts: 1,
    host: "a",
    date: true,
    contentLengths: 1,
    contentLength: "5",
    expect: "x",
  });
});

test("several lines are one list, and are counted", () => {
  const facts = factsOf(
    ...["Content-Length", "5", "Content-Length", "5"],
    ...["Transfer-Encoding", "gzip", "Transfer-Encoding", "chunked"],
    ...["Upgrade", "a", "Upgrade", "b", "Expect", "x", "Expect", "y", "Host", "1", "Host", "2"],
  );
  expect(facts).toMatchObject({
    contentLengths: 2,
    contentLength: "5,5",
    transferEncodings: 2,
    transferEncoding: "gzip,chunked",
    upgrade: "a,b",
    expect: "x,y",
    hosts: 2,
  });
});

test("an empty value counts: an empty Transfer-Encoding is present", () => {
  expect(factsOf("Transfer-Encoding", "", "Upgrade", "")).toMatchObject({
    transferEncodings: 1,
    transferEncoding: "",
    upgrade: "",
  });
});

test.each([
  ["close", { close: true, keepAlive: false, connectionUpgrade: false }],
  ["Keep-Alive, Upgrade", { close: false, keepAlive: true, connectionUpgrade: true }],
  ["CLOSE\t,\tx", { close: true, keepAlive: false, connectionUpgrade: false }],
  ["not-close, closed", { close: false, keepAlive: false, connectionUpgrade: false }],
  ["not-upgrade, upgrade2", { close: false, keepAlive: false, connectionUpgrade: false }],
  ['"close"', { close: false, keepAlive: false, connectionUpgrade: false }],
  ["close upgrade", { close: false, keepAlive: false, connectionUpgrade: false }],
])("K05: Connection: %s", (value, options) => {
  expect(factsOf("Connection", value)).toMatchObject(options);
});

test("TE and its option", () => {
  expect(factsOf("te", "a", "TE", "b", "Connection", "x, Te")).toMatchObject({
    te: "a,b",
    connectionTe: true,
  });
  expect(factsOf("TE", "", "Connection", "tes")).toMatchObject({ te: "", connectionTe: false });
});

test("options may be in any Connection line", () => {
  expect(factsOf("Connection", "close", "Connection", "upgrade")).toMatchObject({
    close: true,
    connectionUpgrade: true,
  });
});
